"""What every page of the portal knows of its reader."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest

from roost.clients.enums import Relationship
from roost.clients.models import PortalAccess
from roost.clients.prospect_queries import prospect_of_account, prospect_of_sign_up
from roost.clients.queries import all_access_held_by, opens
from roost.core.text import initials


def person(request: HttpRequest) -> dict[str, Any]:
    """The reader's own name where a record says it, else their e-mail."""
    account = getattr(request, "account", None)
    if getattr(request, "door", "") != "portal":
        return {}
    if account is None:
        return _somebody_new(request)
    name = person_name(request)
    opened = [opens(access) for access in held_by(request)]
    return {
        "person_name": name,
        "initials": initials(name),
        # Whoever has to log in again has no way round yet.
        "error_frame": "" if getattr(request, "is_idle", False) else "portal/base.html",
        "has_sessions": any(each.sessions != "none" for each in opened),
        "has_receipts": any(each.receipts for each in opened),
        "has_details": any(each.details for each in opened),
    }


def _somebody_new(request: HttpRequest) -> dict[str, Any]:
    """The name that somebody typed when they signed up."""
    sign_up = getattr(request, "sign_up", None)
    if sign_up is None:
        return {}
    name = prospect_of_sign_up(sign_up).name
    return {"sign_up": sign_up, "person_name": name, "initials": initials(name)}


WHOSE = {
    Relationship.SELF: "You",
    Relationship.PARENT: "Your child",
    Relationship.GUARDIAN: "In your care",
    Relationship.PARTNER: "Your partner",
    Relationship.PAYER: "You pay for these sessions",
}


def whose(persons: Iterable[PortalAccess]) -> list[tuple[PortalAccess, str]]:
    """What the person switcher shows: each access, and who that is to the reader."""
    return [(access, WHOSE[Relationship(access.relationship)]) for access in persons]


def held_by(request: HttpRequest) -> list[PortalAccess]:
    """What the reader has access to, looked up once for the length of the request."""
    if not hasattr(request, "_held"):
        request._held = all_access_held_by(request.account)  # type: ignore[attr-defined]
    return request._held  # type: ignore[attr-defined, no-any-return]


def person_name(request: HttpRequest) -> str:
    """The name on the record that the reader is; kept for the length of the request."""
    if not hasattr(request, "_person_name"):
        account = request.account  # type: ignore[attr-defined]
        own = [a for a in held_by(request) if a.relationship == Relationship.SELF]
        prospect = None if own else prospect_of_account(account)
        name = own[0].client.name if own else prospect.name if prospect else account.email
        request._person_name = name  # type: ignore[attr-defined]
    return request._person_name  # type: ignore[attr-defined, no-any-return]
