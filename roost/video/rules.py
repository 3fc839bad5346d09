"""When a room is open, and for whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from roost.practices.models import Practice
from roost.scheduling.models import Appointment
from roost.video.enums import Closed, Found, Part, PersonState, RoomState

# A call with the therapist in it may go on this long after the window.
OVERTIME = timedelta(minutes=60)
# In overtime the room waits this long for a therapist whose line dropped.
THERAPIST_GRACE = timedelta(minutes=2)
# A socket answers for its person this long; each ping renews it.
LEASE = timedelta(seconds=45)
# After a socket is lost, its person is expected back for this long.
GRACE = timedelta(seconds=6)
# The therapist among them: that place is kept free.
MOST_PEOPLE = 4
# For so long the result of a rehearsal says something of the next session.
CHECK_COUNTS_FOR = timedelta(days=30)

IN_ROOM = frozenset({PersonState.ADMITTED, PersonState.CONNECTED, PersonState.LOST})


@dataclass(frozen=True)
class Window:
    """The join window of an appointment: people may come from `opens_at` until `closes_at`, and
    a call that is going on then ends at `last_at` at the latest. All in UTC."""

    opens_at: datetime
    closes_at: datetime

    @property
    def last_at(self) -> datetime:
        return self.closes_at + OVERTIME

    def is_open(self, moment: datetime) -> bool:
        """Whether somebody new may come in."""
        return self.opens_at <= moment < self.closes_at


def join_window(appointment: Appointment, practice: Practice) -> Window:
    """The join window, by the practice's own minutes."""
    return Window(
        appointment.starts_at - timedelta(minutes=practice.join_minutes_before),
        appointment.ends_at + timedelta(minutes=practice.join_minutes_after),
    )


def ice_policy(practice: Practice) -> str:
    """Which ways a browser may look for, as RTCPeerConnection names it: "relay" when the practice
    wants calls to go through its relay only, else "all"."""
    return "relay" if practice.relay_only else "all"


def room_state(window: Window, moment: datetime, *, ended: bool, therapist_in: bool) -> RoomState:
    """The state of a room. `ended`: the therapist has ended it and not opened it again."""
    if moment < window.opens_at:
        return RoomState.SCHEDULED
    if ended or moment >= window.last_at or (moment >= window.closes_at and not therapist_in):
        return RoomState.ENDED
    return RoomState.OPEN


def why_closed(
    appointment: Appointment,
    window: Window,
    moment: datetime,
    *,
    inside: bool,
    therapist_in: bool,
) -> Closed | None:
    """Why somebody cannot be in the room or its waiting room now, or None if they can.

    `inside`: they have been admitted and have not left since. `therapist_in`: so has the
    therapist, which keeps the call of those inside going after the window.
    """
    if appointment.is_cancelled:
        return Closed.CANCELLED
    if not appointment.is_video:
        return Closed.NOT_VIDEO
    if moment < window.opens_at:
        return Closed.EARLY
    if moment >= window.closes_at and not (inside and therapist_in and moment < window.last_at):
        return Closed.LATE
    return None


def is_here(state: str, here_until: datetime | None, moment: datetime) -> bool:
    """Whether the therapist counts as in the room, for a call that has passed its window."""
    return state in IN_ROOM and here_until is not None and moment < here_until + THERAPIST_GRACE


def say_check(found: Mapping[str, str]) -> str:
    """What a rehearsal came to, for a therapist, by what was found of each part: "Camera and sound
    checked", or "Had trouble with the microphone (blocked in the browser)"."""
    troubles = [part for part in Part if found[part] not in ("", Found.WORKS)]
    if not troubles:
        heard = found[Part.SPEAKER] == Found.WORKS
        return f"Camera and {'sound' if heard else 'microphone'} checked"
    names = [f"the {part.label}" for part in troubles]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    causes = {found[part] for part in troubles}
    cause = f" ({Found(causes.pop()).label})" if len(causes) == 1 else ""
    return f"Had trouble with {listed}{cause}"
