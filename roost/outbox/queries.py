"""Reads of the outbox."""

import uuid

from django.db.models import QuerySet

from roost.outbox.models import OutgoingMessage


def messages_of_client(client_uuid: uuid.UUID) -> QuerySet[OutgoingMessage]:
    """The messages about one client, newest first."""
    return OutgoingMessage.objects.filter(client_uuid=client_uuid).order_by("-created_at", "-pk")


def all_messages() -> QuerySet[OutgoingMessage]:
    """All messages of the practice, newest first."""
    return OutgoingMessage.objects.order_by("-created_at", "-pk")


def find_message(message_uuid: uuid.UUID) -> OutgoingMessage | None:
    """One message of the practice, or None."""
    return OutgoingMessage.objects.filter(uuid=message_uuid).select_related("practice").first()
