"""When a room is open, and for whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from roost.core.time import say_hour
from roost.practices.models import Practice
from roost.scheduling.models import Appointment
from roost.video.enums import Closed, Found, Part, PersonState, Phase, RoomState

# A call with the therapist in it may go on this long after the window.
OVERTIME = timedelta(minutes=60)
# So long before the window ends, and before the overtime does, who is in the call is told.
WARNED_BEFORE = timedelta(minutes=5)
# Whoever lost the line keeps their place in the call so long; then they knock like anybody else.
PLACE_KEPT = timedelta(minutes=2)
# Of whoever is connected no server has seen the line end: it was away itself. Their call goes on
# meanwhile, and nobody hangs up when it comes back.
KEPT_OVER_OUTAGE = timedelta(minutes=20)
# A socket answers for its person this long; each ping renews it. A page in the background may be
# let run once a minute only.
LEASE = timedelta(seconds=75)
# After a socket is lost, its person is expected back for this long.
GRACE = timedelta(seconds=6)
# The therapist among them: that place is kept free.
MOST_PEOPLE = 4
# For so long after a call whoever was in it finishes there, whatever the idle limit.
AFTERWARDS = timedelta(minutes=15)
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


def phase_of(window: Window, moment: datetime) -> Phase:
    """How the room's time stands for who is in it."""
    phases = {
        window.last_at - WARNED_BEFORE: Phase.ENDING,
        window.closes_at: Phase.OVERTIME,
        window.closes_at - WARNED_BEFORE: Phase.CLOSING,
    }
    return next((phase for since, phase in phases.items() if moment >= since), Phase.OPEN)


def next_turn(window: Window, moment: datetime) -> datetime | None:
    """When the room's time stands differently next, or None once it is over."""
    ends = (window.closes_at, window.last_at)
    turns = sorted(turn for end in ends for turn in (end - WARNED_BEFORE, end))
    return next((turn for turn in turns if turn > moment), None)


def say_time(window: Window, moment: datetime, tz: ZoneInfo) -> dict[str, str]:
    """What a page is told of the room's time, so that it need not trust its own clock: the phase,
    when the room closes to newcomers and when the call ends at the latest. Hours are those of `tz`.
    """
    return {
        "phase": phase_of(window, moment).value,
        "closes": say_hour(window.closes_at, tz),
        "lasts": say_hour(window.last_at, tz),
    }


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
    """Whether somebody in the room is there: their page answers, or did a short while ago."""
    return state in IN_ROOM and here_until is not None and moment < here_until + PLACE_KEPT


def keeps_place(state: str, here_until: datetime | None, moment: datetime) -> bool:
    """Whether somebody who was admitted still has their place in the call."""
    kept = KEPT_OVER_OUTAGE if state == PersonState.CONNECTED else PLACE_KEPT
    return state in IN_ROOM and here_until is not None and moment < here_until + kept


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
