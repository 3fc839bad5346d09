"""Reads of the audit log."""

import uuid
from datetime import timedelta

from django.db.models import QuerySet

from roost.audit.models import AuditEvent
from roost.core.time import now

RECENT = timedelta(days=90)


def portal_changes_of(client_uuid: uuid.UUID) -> QuerySet[AuditEvent]:
    """What was changed on a record from the portal within the last 90 days, with who did it; the
    newest first. The caller has looked the client up for the actor."""
    rows = AuditEvent.objects.filter(
        client_uuid=client_uuid, action="client.changed", door="portal", at__gt=now() - RECENT
    )
    return rows.select_related("actor").order_by("-at", "-pk")
