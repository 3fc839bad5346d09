"""What may be booked: pure rules, no database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from roost.scheduling.enums import Attendance, ServiceType

SHORTEST_MINUTES, LONGEST_MINUTES = 5, 480
REACH = timedelta(days=731)

# Free time is named within these hours of the practice's day, and in quarters of an hour.
OPENS_AT, CLOSES_AT = time(7), time(21)
QUARTER = timedelta(minutes=15)
WORTH_NAMING = timedelta(minutes=45)

MOST_TOGETHER = 12
HOW_MANY: dict[str, tuple[int, int]] = {
    ServiceType.INDIVIDUAL: (1, 1),
    ServiceType.COUPLE: (2, 2),
    ServiceType.FAMILY: (2, MOST_TOGETHER),
    ServiceType.GROUP: (1, MOST_TOGETHER),
}

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Free:
    """Time between two sessions in which nothing is booked. UTC."""

    starts_at: datetime
    ends_at: datetime


def is_in_reach(day: date, today: date) -> bool:
    """Whether a session may be booked on `day`: within two years of today."""
    return abs(day - today) <= REACH


def words_on_number(service_type: str, number: int) -> str | None:
    """What is wrong with `number` clients for that kind of service, in words, or None."""
    least, most = HOW_MANY[service_type]
    if least <= number <= most:
        return None
    if number == 0:
        return "Choose who the session is for."
    if service_type == ServiceType.INDIVIDUAL:
        return "An individual session is for one person. Keep one, or choose another service."
    if service_type == ServiceType.COUPLE:
        return "A couple session is for two people."
    if number < least:
        return "A family session is for two people or more."
    return f"At most {MOST_TOGETHER} people can be booked together."


def overlaps(a: Span, b: Span) -> bool:
    """Whether two spans share time. Back-to-back ones do not."""
    return a[0] < b[1] and b[0] < a[1]


def nearest_free(
    wanted: Span, taken: Iterable[Span], hours: Span
) -> tuple[datetime | None, datetime | None]:
    """The last free start before, and the first one after, of `wanted`'s length within `hours`.

    `taken` are the spans booked around it. All UTC; None where the day has no such time.
    """
    length = wanted[1] - wanted[0]
    spans = sorted(taken)
    before, after = wanted[0], wanted[0]
    for start, end in reversed(spans):
        if overlaps((before, before + length), (start, end)):
            before = start - length
    for start, end in spans:
        if overlaps((after, after + length), (start, end)):
            after = end
    return (
        before if hours[0] <= before < wanted[0] else None,
        after if wanted[0] < after and after + length <= hours[1] else None,
    )


def opening_hours(day: date, tz: ZoneInfo) -> Span:
    """The hours of a day, in UTC, in which free time is named."""
    opens, closes = (
        datetime.combine(day, hour, tzinfo=tz).astimezone(UTC) for hour in (OPENS_AT, CLOSES_AT)
    )
    return opens, closes


def free_between(spans: Sequence[Span]) -> list[Free]:
    """The breaks of 45 minutes or more between a day's sessions, in whole quarters of an hour."""
    found: list[Free] = []
    until: datetime | None = None
    for start, end in sorted(spans):
        if until is not None:
            a, b = _quarter_up(until), _quarter_down(start)
            if b - a >= WORTH_NAMING:
                found.append(Free(a, b))
        until = end if until is None else max(until, end)
    return found


def _quarter_down(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)


def _quarter_up(moment: datetime) -> datetime:
    down = _quarter_down(moment)
    return moment if down == moment else down + QUARTER


def gap_around(day: date, hour: time, tz: ZoneInfo) -> tuple[time, time]:
    """The clock times between which clocks in `tz` jump over `day` and `hour`: (2:00, 3:00)."""
    after, before = (
        datetime.combine(day, hour.replace(fold=fold), tzinfo=tz).astimezone(UTC) for fold in (0, 1)
    )
    minute = timedelta(minutes=1)
    offset = before.astimezone(tz).utcoffset()
    moment = before
    while moment < after and moment.astimezone(tz).utcoffset() == offset:
        moment += minute
    return (
        ((moment - minute).astimezone(tz) + minute).time(),
        moment.astimezone(tz).time(),
    )


def week_of(day: date) -> date:
    """The Monday of the week that `day` is in."""
    return day - timedelta(days=day.weekday())


# Of people who do not agree, the first of these that one of them has.
_SAYS_MOST = (
    Attendance.ATTENDED,
    Attendance.SCHEDULED,
    Attendance.NO_SHOW,
    Attendance.LATE_CANCEL,
    Attendance.CANCELLED,
)


def attendance_choices(is_cancelled: bool, has_begun: bool) -> tuple[Attendance, ...]:
    """What a session's attendance may be marked as."""
    if is_cancelled:
        return (Attendance.CANCELLED, Attendance.LATE_CANCEL)
    if not has_begun:
        return ()
    return (
        Attendance.ATTENDED,
        Attendance.NO_SHOW,
        Attendance.LATE_CANCEL,
        Attendance.SCHEDULED,
    )


def attendance_of(attendances: Iterable[str]) -> Attendance:
    """One state for a whole session, from those of its people."""
    states = set(attendances)
    return next((state for state in _SAYS_MOST if state in states), Attendance.SCHEDULED)
