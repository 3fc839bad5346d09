"""Mail that is to leave, written in the transaction that causes it."""

from django.db import models

from roost.core.models import PublicId
from roost.core.tenancy import TenantModel
from roost.outbox.enums import MessageState


class OutgoingMessage(PublicId, TenantModel):
    """One e-mail: its kind and arguments, never its text, so that no row holds a usable link."""

    kind = models.CharField(max_length=40)
    to = models.CharField(max_length=254)
    arguments = models.JSONField(default=dict)
    client_uuid = models.UUIDField(null=True)
    message_id = models.CharField(max_length=120, unique=True)
    state = models.CharField(
        max_length=10, choices=MessageState.choices, default=MessageState.QUEUED
    )
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    tried_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(state="queued"), name="outbox_queue"
            ),
            models.Index(fields=["practice", "-created_at"], name="outbox_by_time"),
            models.Index(fields=["practice", "client_uuid"], name="outbox_by_client"),
        ]


class WorkerBeat(models.Model):
    """When a worker last said that it lives. One row."""

    tenancy_exempt = "It is about the installation, and holds a time only."

    at = models.DateTimeField()
