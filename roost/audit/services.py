"""Writing the audit log. Every other domain calls `record`; nothing else writes here."""

import uuid
from typing import Any

from django.db import transaction
from django.db.models import F, Model

from roost.audit.models import AnonymousRefusals, AuditEvent
from roost.core.context import request_facts
from roost.core.time import now


def record(
    action: str,
    *,
    by: Any = None,
    subject: Model | None = None,
    client_uuid: uuid.UUID | None = None,
    **details: Any,
) -> AuditEvent:
    """Write one event in the transaction that is open, and return it.

    `action` is noun.past ("client.viewed"). `by` is the account that acted, or None for Roost
    itself. `subject` is the row acted on; `client_uuid` says whose data it is. `details` hold ids,
    field names and states, never values that somebody typed.
    """
    facts = request_facts.get()
    event = AuditEvent(
        action=action,
        actor=by,
        door=facts.door,
        source=facts.source,
        subject_kind=subject._meta.model_name or "" if subject is not None else "",
        subject_uuid=getattr(subject, "uuid", None),
        client_uuid=client_uuid,
        details=details,
    )
    event.save(force_insert=True)
    return event


def record_read(action: str, *, by: Any, client_uuids: list[uuid.UUID], **details: Any) -> None:
    """Write one event, a short transaction by itself, before the page that shows the data is sent.
    A page with one client names it as the client, a list names all the ids it shows."""
    if len(client_uuids) == 1:
        record(action, by=by, client_uuid=client_uuids[0], **details)
    else:
        record(action, by=by, clients=[str(u) for u in client_uuids], **details)


def record_refusal(*, by: Any, status: int, route: str, **ids: str) -> None:
    """Write that someone was refused: an event for an account, a count for the anonymous.

    Call it after the refused request's own transaction has ended.
    """
    with transaction.atomic():
        if by is not None:
            details: dict[str, Any] = ids
            record("access.refused", by=by, status=status, route=route, **details)
            return
        today = now().date()
        if not AnonymousRefusals.objects.filter(on=today).update(count=F("count") + 1):
            row, new = AnonymousRefusals.objects.get_or_create(on=today, defaults={"count": 1})
            if not new:
                AnonymousRefusals.objects.filter(pk=row.pk).update(count=F("count") + 1)
