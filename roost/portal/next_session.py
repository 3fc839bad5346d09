"""The card that people come for: their next session, and what Join does just now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from roost.core.time import say_hour, say_hours, say_relative_day, say_span, say_zone
from roost.practices.models import Practice
from roost.scheduling.enums import Mode
from roost.scheduling.models import Appointment


@dataclass(frozen=True)
class NextSession:
    """What the card says, in the reader's zone. `join` is "early", "open", "return" or "none"."""

    appointment: Appointment
    with_whom: str
    join: str
    kicker: str
    day: str
    hours: str
    practice_hours: str
    where: str
    why: str
    until_open: str
    opens_at: datetime
    closes_at: datetime


def describe_next(
    appointment: Appointment,
    practice: Practice,
    *,
    reader: ZoneInfo,
    moment: datetime,
    stepped_out: bool,
    along: Sequence[str] = (),
) -> NextSession:
    """The card for an appointment at `moment` (UTC), for somebody whose clock is in `reader`.
    `along` are the names of those who come along."""
    opens_at = appointment.starts_at - timedelta(minutes=practice.join_minutes_before)
    closes_at = appointment.ends_at + timedelta(minutes=practice.join_minutes_after)
    today = moment.astimezone(reader).date()
    day = appointment.starts_at.astimezone(reader).date()
    join, why = _join(appointment, practice, reader, moment, opens_at, closes_at, stepped_out)
    return NextSession(
        appointment=appointment,
        with_whom=_with_whom(appointment.therapist.name_with_title, along),
        join=join,
        kicker=_kicker(appointment, moment),
        day=say_relative_day(day, today),
        hours=say_hours(appointment.starts_at, appointment.ends_at, reader, zone_name=True),
        practice_hours=_hours_there(appointment, practice, reader),
        where=_where(appointment, practice),
        why=why,
        until_open=f"That is in {say_span(opens_at - moment)}." if join == "early" else "",
        opens_at=opens_at,
        closes_at=closes_at,
    )


def _with_whom(therapist: str, along: Sequence[str]) -> str:
    """ "Tara Okafor, RP", or "Tara Okafor, RP, Robin Parker and Remy Parker"."""
    if not along:
        return therapist
    *first, last = [therapist, *along]
    # The comma before a title would else end with the title.
    comma = "," if "," in therapist and not first[1:] else ""
    return f"{', '.join(first)}{comma} and {last}"


def _kicker(appointment: Appointment, moment: datetime) -> str:
    if moment < appointment.starts_at:
        return f"Starts in {say_span(appointment.starts_at - moment)}"
    if moment < appointment.ends_at:
        return f"Started {say_span(moment - appointment.starts_at)} ago"
    return f"Ended {say_span(moment - appointment.ends_at)} ago"


def _hours_there(appointment: Appointment, practice: Practice, reader: ZoneInfo) -> str:
    """The same in the practice's zone, where its clock shows something else."""
    here = appointment.starts_at.astimezone(reader)
    there = appointment.starts_at.astimezone(practice.zone)
    if here.utcoffset() == there.utcoffset():
        return ""
    hours = say_hours(appointment.starts_at, appointment.ends_at, practice.zone)
    day = "" if here.date() == there.date() else f"{there:%A}, "
    return f"{day}{hours} {say_zone(appointment.starts_at, practice.zone)} at {practice.name}"


def _where(appointment: Appointment, practice: Practice) -> str:
    if appointment.mode == Mode.VIDEO:
        return "Video, from wherever you are"
    if appointment.mode == Mode.PHONE:
        return "By phone"
    address = ", ".join(line.strip(" ,") for line in practice.address.splitlines() if line.strip())
    return f"In person{f', {address}' if address else ''}"


def _join(
    appointment: Appointment,
    practice: Practice,
    reader: ZoneInfo,
    moment: datetime,
    opens_at: datetime,
    closes_at: datetime,
    stepped_out: bool,
) -> tuple[str, str]:
    name = appointment.therapist.first_name
    if appointment.mode == Mode.IN_PERSON:
        return "none", "This one is in person, so there’s no call to join."
    if appointment.mode == Mode.PHONE:
        return "none", f"{name} phones you for this one, so there’s no call to join."
    if moment < opens_at:
        day = say_relative_day(opens_at.astimezone(reader).date(), moment.astimezone(reader).date())
        day = day.lower() if day in ("Today", "Tomorrow") else f"on {day}"
        minutes = practice.join_minutes_before
        early = f", {minutes} minutes before you start" if minutes else ""
        return "early", f"Join opens {day} at {say_hour(opens_at, reader)}{early}."
    if stepped_out:
        until = say_hour(closes_at, reader)
        return "return", f"The room stays open until {until}. Come and go as you need."
    return "open", f"{name} lets you in when the room is ready."
