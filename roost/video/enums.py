"""States of video rooms and of the people in them (VIDEO.md "States")."""

from django.db import models


class RoomState(models.TextChoices):
    """scheduled → open (the join window has begun) → ended (by the therapist, who can re-open it
    while the window lasts)."""

    SCHEDULED = "scheduled", "Scheduled"
    OPEN = "open", "Open"
    ENDED = "ended", "Ended"


class Phase(models.TextChoices):
    """How a room's time stands: open → closing (nobody new for long) → overtime (nobody new; a call
    with the therapist in it goes on) → ending (its last minutes)."""

    OPEN = "open", "Open"
    CLOSING = "closing", "Closes soon"
    OVERTIME = "overtime", "Goes on for who is in it"
    ENDING = "ending", "Ends soon"


class PersonState(models.TextChoices):
    """waiting → admitted → connected ⇄ lost → left, and removed."""

    WAITING = "waiting", "Waiting"
    ADMITTED = "admitted", "Admitted"
    CONNECTED = "connected", "Connected"
    LOST = "lost", "Lost"
    LEFT = "left", "Left"
    REMOVED = "removed", "Removed"


class Closed(models.TextChoices):
    """Why somebody with a right to a room cannot be in it now."""

    NOT_VIDEO = "not_video", "This session is not on video"
    CANCELLED = "cancelled", "This session was cancelled"
    EARLY = "early", "The room is not open yet"
    LATE = "late", "The room is closed"
    ENDED = "ended", "The therapist has ended the session"
    REMOVED = "removed", "The therapist has asked this person to leave"
    TAKEN = "taken", "Somebody with another log-in is there as this person"


class Part(models.TextChoices):
    """What a device check looks at."""

    CAMERA = "camera", "camera"
    MICROPHONE = "microphone", "microphone"
    SPEAKER = "speaker", "sound"
    CONNECTION = "connection", "connection"


class Found(models.TextChoices):
    """What a device check has found of a part; "" for one that was not tried. The label says why
    it does not work."""

    WORKS = "works", "works"
    DENIED = "denied", "blocked in the browser"
    DISMISSED = "dismissed", "not allowed yet"
    SYSTEM = "system", "blocked by the device"
    MISSING = "missing", "none found"
    IN_USE = "in-use", "in use by another program"
    INSECURE = "insecure", "opened without https"
    SILENT = "silent", "nothing heard"
    UNHEARD = "unheard", "not heard"
    BLOCKED = "blocked", "blocked on the network"
    UNKNOWN = "unknown", "does not start"
