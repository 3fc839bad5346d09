"""Video rooms and who is in them. Kept in the database, so that a restart resumes."""

from django.db import models

from roost.core.models import PublicId
from roost.core.tenancy import TenantModel
from roost.video.enums import Found, PersonState


class VideoRoom(PublicId, TenantModel):
    """The place of one video appointment. Made when somebody first comes to it."""

    appointment = models.OneToOneField(
        "scheduling.Appointment", on_delete=models.PROTECT, related_name="video_room"
    )
    ended_at = models.DateTimeField(null=True)


class Presence(PublicId, TenantModel):
    """One person in a room: an attendee or the therapist, not an account.

    `cid` is the page load that speaks for the person now, and `account` the log-in it is of:
    what one was admitted to is not open to another with access to the same client. `here_until`
    is how long its socket answers for them. `told_at` is when a page of the therapist's has
    first shown that they wait; it goes when they wait anew. `admitted_at` stays when somebody
    steps out, and goes when the therapist ends the session or removes them. `left_at` is when
    they were last in the call and left it.
    """

    room = models.ForeignKey(VideoRoom, on_delete=models.CASCADE, related_name="people")
    attendee = models.ForeignKey(
        "scheduling.Attendee", null=True, on_delete=models.CASCADE, related_name="+"
    )
    staff_member = models.ForeignKey(
        "staff.StaffMember", null=True, on_delete=models.CASCADE, related_name="+"
    )
    # Unknown for who was in a room while Roost was upgraded.
    account = models.ForeignKey(
        "accounts.Account", null=True, on_delete=models.PROTECT, related_name="+"
    )
    cid = models.CharField(max_length=64, blank=True)
    display_name = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=10, choices=PersonState.choices)
    waiting_since = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    admitted_at = models.DateTimeField(null=True)
    here_until = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("room", "attendee", name="one_presence_per_attendee"),
            models.UniqueConstraint("room", "staff_member", name="one_presence_per_staff"),
            models.CheckConstraint(
                condition=models.Q(attendee=None) ^ models.Q(staff_member=None),
                name="attendee_or_staff",
            ),
        ]
        indexes = [models.Index(fields=["practice", "state"], name="presence_by_state")]


class DeviceCheck(PublicId, TenantModel):
    """How the last rehearsal of an account went, part by part: no name of a device, no picture, no
    sound. It is of the account, since one person with one device sits behind a log-in."""

    account = models.OneToOneField(
        "accounts.Account", on_delete=models.CASCADE, related_name="device_check"
    )
    camera = models.CharField(max_length=10, choices=Found.choices, blank=True)
    microphone = models.CharField(max_length=10, choices=Found.choices, blank=True)
    speaker = models.CharField(max_length=10, choices=Found.choices, blank=True)
    connection = models.CharField(max_length=10, choices=Found.choices, blank=True)
    checked_at = models.DateTimeField()
