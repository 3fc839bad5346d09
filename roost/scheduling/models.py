"""Services, appointments and who attends them."""

from typing import Any

from django.db import models
from django.db.models.functions import Lower

from roost.core.models import PublicId
from roost.core.tenancy import TenantModel
from roost.scheduling.enums import Attendance, Mode, ServiceType

_SESSION_NAMES: dict[str, str] = {
    ServiceType.COUPLE: "Couples session",
    ServiceType.FAMILY: "Family session",
    ServiceType.GROUP: "Group session",
}


class Service(PublicId, TenantModel):
    """What is booked: "Individual, 50 min"."""

    name = models.CharField(max_length=80)
    type = models.CharField(max_length=12, choices=ServiceType.choices)
    duration_minutes = models.PositiveSmallIntegerField()
    is_active = models.BooleanField(default=True)
    # In the practice's currency. Whether tax is on top says roost.billing.
    fee = models.DecimalField(max_digits=12, decimal_places=3, null=True, blank=True)
    billing_code = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ["name", "duration_minutes", "pk"]
        constraints = [
            models.UniqueConstraint(
                "practice",
                Lower("name"),
                "duration_minutes",
                condition=models.Q(is_active=True),
                name="one_active_service_per_label",
            )
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """What is booked, as people say it: "Individual, 50 min"."""
        return f"{self.name}, {self.duration_minutes} min"


class Appointment(PublicId, TenantModel):
    """A booking. Screens call it a session. `starts_at` and `ends_at` are UTC."""

    therapist = models.ForeignKey(
        "staff.StaffMember", on_delete=models.PROTECT, related_name="appointments"
    )
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+")
    mode = models.CharField(max_length=10, choices=Mode.choices)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    booked_at = models.DateTimeField(auto_now_add=True)
    booked_by = models.ForeignKey(
        "staff.StaffMember", null=True, on_delete=models.PROTECT, related_name="+"
    )
    cancelled_at = models.DateTimeField(null=True, blank=True)
    is_demo = models.BooleanField(default=False)

    class Meta:
        ordering = ["starts_at", "pk"]
        indexes = [
            models.Index(fields=["practice", "starts_at"], name="appointment_by_time"),
            models.Index(fields=["therapist", "starts_at"], name="appointment_by_therapist"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="ends_after_start"
            )
        ]

    @property
    def is_cancelled(self) -> bool:
        return self.cancelled_at is not None

    @property
    def is_video(self) -> bool:
        return self.mode == Mode.VIDEO

    @property
    def duration_minutes(self) -> int:
        """How long it was booked for, whatever the service says today."""
        return round((self.ends_at - self.starts_at).total_seconds() / 60)

    @property
    def label(self) -> str:
        """What was booked: "Individual, 50 min"."""
        return f"{self.service.name}, {self.duration_minutes} min"

    @property
    def session_name(self) -> str:
        """What it is called by who takes part: "Session", or "Couples session"."""
        return _SESSION_NAMES.get(self.service.type, "Session")


class Attendee(PublicId, TenantModel):
    """A client on an appointment.

    `starts_at` repeats the appointment's, so that one index walks a client's sessions in order of
    time, however many there are. It is set with the row, and moved with the appointment.
    """

    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="attendees")
    client = models.ForeignKey(
        "clients.Client", on_delete=models.PROTECT, related_name="attendances"
    )
    attendance = models.CharField(
        max_length=12, choices=Attendance.choices, default=Attendance.SCHEDULED
    )
    starts_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["client", "-starts_at", "-appointment"], name="attendee_by_time")
        ]
        constraints = [models.UniqueConstraint("appointment", "client", name="attends_once")]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding:
            self.starts_at = self.appointment.starts_at
        super().save(*args, **kwargs)
