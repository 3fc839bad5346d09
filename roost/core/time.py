"""Time: stored in UTC, booked in the practice's zone, said as people say it."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

ZONES = frozenset(available_timezones()) - {"localtime", "posixrules", "Factory"}


class WallTimeError(ValueError):
    """A time of day that cannot be booked as it was written."""


class WallTimeInGap(WallTimeError):
    """The clocks jump over that time: it does not exist on that day."""


class WallTimeInFold(WallTimeError):
    """The clocks go back over that time: it comes twice on that day."""


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name, or UTC for a name that is not known."""
    return ZoneInfo(name if name in ZONES else "UTC")


def from_wall_time(day: date, hour: time, tz: ZoneInfo, fold: int | None = None) -> datetime:
    """The moment, in UTC, at which clocks in `tz` show `day` and `hour`.

    `fold` says which of two is meant where clocks go back: 0 the first, 1 the second.
    Raises WallTimeInGap if clocks skip it, WallTimeInFold if it comes twice and `fold` is None.
    """
    first, second = (
        datetime.combine(day, hour.replace(fold=f), tzinfo=tz).astimezone(UTC) for f in (0, 1)
    )
    if first == second:
        return first
    # In a gap the two readings do not lead back to the wall time; in a fold both do. The day is
    # compared too: a zone that changes sides of the date line skips a whole one.
    if first.astimezone(tz).replace(tzinfo=None, fold=0) != datetime.combine(day, hour):
        raise WallTimeInGap
    if fold is None:
        raise WallTimeInFold
    return second if fold else first


def day_bounds(day: date, tz: ZoneInfo, days: int = 1) -> tuple[datetime, datetime]:
    """Start and end, in UTC, of `days` calendar days from `day` on in `tz`."""
    start = datetime.combine(day, time.min, tzinfo=tz)
    end = datetime.combine(day + timedelta(days=days), time.min, tzinfo=tz)
    return start.astimezone(UTC), end.astimezone(UTC)


def say_hour(moment: datetime, tz: ZoneInfo, *, half: bool = True) -> str:
    """The time of day: "2:00 pm", or "2:00" without its half of the day."""
    local = moment.astimezone(tz)
    text = f"{local.hour % 12 or 12}:{local.minute:02}"
    return f"{text} {'am' if local.hour < 12 else 'pm'}" if half else text


def say_hours(start: datetime, end: datetime, tz: ZoneInfo, *, zone_name: bool = False) -> str:
    """A span of one day: "2:00 – 2:50 pm", with " EST" behind it when `zone_name` is asked for."""
    a, b = start.astimezone(tz), end.astimezone(tz)
    same_half = (a.hour < 12) == (b.hour < 12) and a.date() == b.date()
    text = f"{say_hour(start, tz, half=not same_half)} – {say_hour(end, tz)}"
    return f"{text} {say_zone(start, tz)}" if zone_name else text


def say_zone(moment: datetime, tz: ZoneInfo) -> str:
    """The zone's short name at that moment: "EST", or "GMT+5:30" where it has no letters."""
    name = moment.astimezone(tz).tzname() or ""
    if name.isalpha():
        return name
    offset = moment.astimezone(tz).utcoffset() or timedelta()
    minutes = int(offset.total_seconds() // 60)
    sign, minutes = ("-" if minutes < 0 else "+"), abs(minutes)
    return f"GMT{sign}{minutes // 60}" + (f":{minutes % 60:02}" if minutes % 60 else "")


def say_place(name: str) -> str:
    """An IANA zone by its place: "Toronto (America)", "Buenos Aires (America, Argentina)"."""
    *regions, place = name.replace("_", " ").split("/")
    return f"{place} ({', '.join(regions)})" if regions else place


def say_day(day: date, today: date | None = None) -> str:
    """A day: "Tuesday 24 November", with its year when that is not this year."""
    text = f"{day:%A} {day.day} {day:%B}"
    return text if today is not None and day.year == today.year else f"{text} {day.year}"


def say_relative_day(day: date, today: date) -> str:
    """ "Today", "Tomorrow", "Yesterday", or the day itself."""
    near = {0: "Today", 1: "Tomorrow", -1: "Yesterday"}
    return near.get((day - today).days) or say_day(day, today)


def say_span(span: timedelta) -> str:
    """A length of time, as near as one would say it: "9 minutes", "25 hours", "3 days"."""
    minutes = max(0, round(span.total_seconds() / 60))
    if minutes < 1:
        return "less than a minute"
    if minutes < 91:
        return _count(minutes, "minute")
    hours = round(minutes / 60)
    if hours < 37:
        return _count(hours, "hour")
    return _count(round(minutes / (24 * 60)), "day")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")
