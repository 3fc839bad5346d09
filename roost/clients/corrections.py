"""Clients ask staff to correct their legal name or date of birth; staff accept or decline."""

import uuid
from datetime import date

from django.db import transaction

from roost.accounts.models import Account
from roost.audit.services import record
from roost.clients.enums import RequestState
from roost.clients.errors import AlreadyAnswered, AlreadyAsked
from roost.clients.models import Client, DetailsRequest
from roost.clients.queries import access_of, opens
from roost.core.submissions import once
from roost.core.time import now
from roost.outbox.services import enqueue
from roost.staff.models import StaffMember
from roost.staff.services import set_fields


def ask_for_correction(
    *,
    key: uuid.UUID,
    client: Client,
    by: Account,
    first_name: str = "",
    last_name: str = "",
    date_of_birth: date | None = None,
) -> DetailsRequest:
    """Ask that some of these be changed on the record; the others stay as they are.

    One request waits at a time: raises AlreadyAsked. Records correction.asked with the field names.
    """

    def make() -> DetailsRequest:
        # Two people who may ask take turns here.
        Client.objects.select_for_update().get(pk=client.pk)
        if DetailsRequest.objects.filter(client=client, state=RequestState.WAITING).exists():
            raise AlreadyAsked
        request = DetailsRequest.objects.create(
            client=client,
            asked_by=by,
            first_name=first_name,
            last_name=last_name,
            date_of_birth=date_of_birth,
        )
        _record("asked", request, by, fields=list(request.wanted))
        return request

    return once(key, "correction", DetailsRequest, make, by=by.uuid, about=str(client.uuid))[0]


def withdraw_correction(*, request: DetailsRequest, by: Account) -> None:
    """Take a request back that nobody has answered. Raises AlreadyAnswered. Records
    correction.withdrawn."""
    with transaction.atomic():
        _answer(request, RequestState.WITHDRAWN)
        _record("withdrawn", request, by)


def accept_correction(*, request: DetailsRequest, by: StaffMember) -> None:
    """Write what was asked for on the record, and tell whoever asked that there is an answer.

    Raises AlreadyAnswered. Records correction.accepted, and client.changed where the record did not
    say it by now.
    """
    with transaction.atomic():
        client = Client.objects.select_for_update().get(pk=request.client_id)
        _answer(request, RequestState.ACCEPTED, by=by)
        changes = set_fields(client, **request.wanted)
        _record("accepted", request, by.account, fields=list(request.wanted))
        if changes:
            record(
                "client.changed",
                by=by.account,
                subject=client,
                client_uuid=client.uuid,
                fields=changes,
            )
        _tell(request)


def decline_correction(*, request: DetailsRequest, reason: str, by: StaffMember) -> None:
    """Leave the record as it is, and say why to whoever asked. Raises AlreadyAnswered. Records
    correction.declined."""
    with transaction.atomic():
        _answer(request, RequestState.DECLINED, by=by, reason=reason)
        _record("declined", request, by.account)
        _tell(request)


def _answer(
    request: DetailsRequest, state: str, *, by: StaffMember | None = None, reason: str = ""
) -> None:
    """Of two answers at once one wins here."""
    values = {"state": state, "answered_by": by, "answered_at": now(), "reason": reason}
    rows = DetailsRequest.objects.filter(pk=request.pk)
    if not rows.filter(state=RequestState.WAITING).update(**values):
        raise AlreadyAnswered(rows.select_related("asked_by", "answered_by").get())


def _record(what: str, request: DetailsRequest, by: Account, **details: list[str]) -> None:
    record(
        f"correction.{what}",
        by=by,
        subject=request,
        client_uuid=request.client.uuid,
        **details,
    )


def _tell(request: DetailsRequest) -> None:
    """Mail whoever asked, if they may still read the answer."""
    held = access_of(request.client).filter(account=request.asked_by)
    if any(opens(access).details for access in held):
        enqueue("correction_answered", to=request.asked_by.email, client_uuid=request.client.uuid)
