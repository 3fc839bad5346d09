"""Warning before a second record of one person is made."""

import uuid
from dataclasses import dataclass, fields
from typing import Any

from roost.audit.services import record_read
from roost.clients.matching import Facts, Files
from roost.clients.queries import facts_of_clients
from roost.core.submissions import is_done
from roost.staff.http import OfficeRequest


@dataclass(frozen=True)
class Alike:
    """A record that may be the same person's: its id, its name, and why, in words."""

    uuid: uuid.UUID
    name: str
    why: str


def _is_again(request: OfficeRequest, key: uuid.UUID) -> bool:
    return is_done(key, "client", by=request.account.uuid, about="")


def records_alike(request: OfficeRequest, typed: dict[str, Any]) -> list[Alike]:
    """The records of the reader's own that the cleaned values of Add Client would double.

    None once "Add anyway" was pressed, and none for a form that has made its client already.
    Records clients.listed with those returned.
    """
    if request.POST.get("confirmed") == "yes":
        return []
    known = facts_of_clients(request.staff)
    person = Facts(**{field.name: typed[field.name] for field in fields(Facts)})
    found = Files(known).duplicates(person)
    # Asked last: the other send of a double click may have made its client just now.
    if not found or _is_again(request, typed["form_key"]):
        return []
    facts = dict(known)
    record_read(
        "clients.listed", by=request.account, client_uuids=[key for key, _ in found], part="add"
    )
    return [
        Alike(key, facts[key].name, ", ".join(reason.words for reason in match.reasons))
        for key, match in found
    ]
