"""A session as a row of a list: when, what, and how it went, in the reader's zone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from roost.core.time import say_day, say_hour
from roost.scheduling.enums import Attendance, Mode
from roost.scheduling.models import Attendee

ATTENDANCE = {each.value: str(each.label) for each in Attendance}
MODES = {each.value: str(each.label).lower() for each in Mode}


@dataclass(frozen=True)
class SessionRow:
    """What a row says. `tone` is "ok" for a session that was held, "wait" for one going on now."""

    mine: Attendee
    when: str
    what: str
    state: str
    tone: str
    is_over: bool


def describe_sessions(
    attended: Iterable[Attendee], *, reader: ZoneInfo, moment: datetime
) -> list[SessionRow]:
    """The rows for one client's attendances at `moment` (UTC), in the same order."""
    today = moment.astimezone(reader).date()
    return [_describe(each, reader, moment, today.year) for each in attended]


def _describe(mine: Attendee, reader: ZoneInfo, moment: datetime, this_year: int) -> SessionRow:
    appointment = mine.appointment
    local = appointment.starts_at.astimezone(reader)
    day = say_day(local.date(), local.date() if local.year == this_year else None)
    state, tone = _state(mine, moment)
    return SessionRow(
        mine=mine,
        when=f"{day}, {say_hour(local, reader)}",
        what="\u00a0· ".join(
            [appointment.label, appointment.therapist.display_name, MODES[appointment.mode]]
        ),
        state=state,
        tone=tone,
        is_over=appointment.ends_at <= moment,
    )


def _state(mine: Attendee, moment: datetime) -> tuple[str, str]:
    appointment = mine.appointment
    if mine.attendance != Attendance.SCHEDULED or appointment.starts_at > moment:
        tone = "ok" if mine.attendance == Attendance.ATTENDED else ""
        return ATTENDANCE[mine.attendance], tone
    return ("Going on now", "wait") if appointment.ends_at > moment else ("Not marked yet", "")
