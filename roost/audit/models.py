"""Who did what, to whose data, when and from where."""

from typing import Any

from django.db import models

from roost.core.models import PublicId
from roost.core.tenancy import TenantModel


class AuditEvent(PublicId, TenantModel):
    """One act, read or refusal. Ids and field names, never values. Rows are never changed."""

    at = models.DateTimeField(auto_now_add=True)
    action = models.CharField(max_length=60)
    actor = models.ForeignKey(
        "accounts.Account", null=True, on_delete=models.PROTECT, related_name="+"
    )
    door = models.CharField(max_length=10, blank=True)
    source = models.CharField(max_length=45, blank=True)
    subject_kind = models.CharField(max_length=40, blank=True)
    subject_uuid = models.UUIDField(null=True)
    client_uuid = models.UUIDField(null=True)
    details = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["practice", "-at"], name="audit_by_time"),
            models.Index(fields=["practice", "client_uuid", "-at"], name="audit_by_client"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("An audit event is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("An audit event is never deleted.")


class AnonymousRefusals(TenantModel):
    """How often somebody without a log-in was refused on one day."""

    on = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint("practice", "on", name="one_count_per_day")]
