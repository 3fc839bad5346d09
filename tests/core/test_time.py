"""Wall times that do not exist or come twice, and times as people say them."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from roost.core import time as core
from roost.core.time import (
    ZONES,
    WallTimeInFold,
    WallTimeInGap,
    day_bounds,
    from_wall_time,
    say_day,
    say_hour,
    say_hours,
    say_relative_day,
    say_span,
    say_zone,
    zone,
)

TORONTO = ZoneInfo("America/Toronto")
ANY_ZONE = some.sampled_from(sorted(ZONES)).map(ZoneInfo)
ANY_DAY = some.dates(date(1990, 1, 1), date(2037, 12, 31))
ANY_MINUTE = some.integers(0, 24 * 60 - 1).map(lambda n: time(n // 60, n % 60))


def at(text: str, tz: ZoneInfo = TORONTO) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=tz)


# Wall times


def test_a_wall_time_is_a_moment_in_utc() -> None:
    assert from_wall_time(date(2026, 11, 24), time(14), TORONTO) == datetime(
        2026, 11, 24, 19, tzinfo=UTC
    )
    assert from_wall_time(date(2026, 7, 1), time(14), TORONTO) == datetime(
        2026, 7, 1, 18, tzinfo=UTC
    )


@pytest.mark.parametrize("fold", [None, 0, 1])
@pytest.mark.parametrize("hour", [time(2), time(2, 30), time(2, 59, 59)])
def test_a_time_that_the_clocks_skip_is_refused_whichever_is_meant(
    hour: time, fold: int | None
) -> None:
    with pytest.raises(WallTimeInGap):
        from_wall_time(date(2026, 3, 8), hour, TORONTO, fold)


def test_the_edges_of_a_gap_exist() -> None:
    before = from_wall_time(date(2026, 3, 8), time(1, 59), TORONTO)
    after = from_wall_time(date(2026, 3, 8), time(3), TORONTO)
    assert after - before == timedelta(minutes=1)


def test_a_time_that_comes_twice_is_asked_and_both_can_be_meant() -> None:
    day = date(2026, 11, 1)
    for hour in (time(1), time(1, 30), time(1, 59)):
        with pytest.raises(WallTimeInFold):
            from_wall_time(day, hour, TORONTO)
    first = from_wall_time(day, time(1, 30), TORONTO, 0)
    second = from_wall_time(day, time(1, 30), TORONTO, 1)
    assert second - first == timedelta(hours=1)
    assert (say_zone(first, TORONTO), say_zone(second, TORONTO)) == ("EDT", "EST")
    assert from_wall_time(day, time(2), TORONTO) == datetime(2026, 11, 1, 7, tzinfo=UTC)


def test_half_an_hour_can_be_skipped_or_come_twice() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    with pytest.raises(WallTimeInGap):
        from_wall_time(date(2026, 10, 4), time(2, 15), lord_howe)
    with pytest.raises(WallTimeInFold):
        from_wall_time(date(2026, 4, 5), time(1, 45), lord_howe)
    assert from_wall_time(date(2026, 10, 4), time(2, 30), lord_howe).tzinfo == UTC


def test_a_day_that_was_skipped_whole_does_not_exist() -> None:
    with pytest.raises(WallTimeInGap):
        from_wall_time(date(2011, 12, 30), time(10), ZoneInfo("Pacific/Apia"))


@given(ANY_DAY, ANY_MINUTE, ANY_ZONE)
def test_a_moment_shows_the_wall_time_it_was_made_from(day: date, hour: time, tz: ZoneInfo) -> None:
    wall = datetime.combine(day, hour)
    try:
        moments = [from_wall_time(day, hour, tz)]
    except WallTimeInGap:
        shown = {
            wall.replace(tzinfo=tz, fold=f).astimezone(UTC).astimezone(tz).replace(tzinfo=None)
            for f in (0, 1)
        }
        assert wall not in shown
        return
    except WallTimeInFold:
        moments = [from_wall_time(day, hour, tz, fold) for fold in (0, 1)]
        assert moments[0] < moments[1]
    for moment in moments:
        assert moment.tzinfo is UTC
        assert moment.astimezone(tz).replace(tzinfo=None, fold=0) == wall


@given(ANY_DAY, ANY_ZONE, some.integers(1, 14))
def test_days_follow_each_other_without_a_hole(day: date, tz: ZoneInfo, days: int) -> None:
    start, end = day_bounds(day, tz, days)
    assert start < end
    assert day_bounds(day, tz)[0] == start
    assert day_bounds(day + timedelta(days=days), tz)[0] == end


def test_a_day_with_a_change_of_clocks_is_an_hour_longer_or_shorter() -> None:
    for day, hours in [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 7, 1), 24)]:
        start, end = day_bounds(day, TORONTO)
        assert end - start == timedelta(hours=hours)


def test_a_zone_that_is_not_known_is_utc() -> None:
    assert zone("America/Toronto") is TORONTO
    for name in ("", "Mars/Olympus", "../../etc/passwd", "localtime", "\x00"):
        assert zone(name) == ZoneInfo("UTC")


def test_now_is_in_utc() -> None:
    assert core.now().tzinfo is UTC
    assert abs(core.now() - datetime.now(UTC)) < timedelta(seconds=5)


# Said


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2026-11-24T14:00", "2026-11-24T14:50", "2:00 – 2:50 pm"),
        ("2026-11-24T11:30", "2026-11-24T12:20", "11:30 am – 12:20 pm"),
        ("2026-11-24T00:05", "2026-11-24T00:55", "12:05 – 12:55 am"),
        ("2026-11-24T12:00", "2026-11-24T12:50", "12:00 – 12:50 pm"),
        ("2026-11-24T23:30", "2026-11-25T00:20", "11:30 pm – 12:20 am"),
        ("2026-11-24T23:30", "2026-11-25T23:20", "11:30 pm – 11:20 pm"),
    ],
)
def test_hours_are_said_with_the_half_of_the_day_once(start: str, end: str, said: str) -> None:
    assert say_hours(at(start), at(end), TORONTO) == said
    assert say_hours(at(start), at(end), TORONTO, zone_name=True) == f"{said} EST"


def test_hours_are_said_in_the_readers_zone() -> None:
    start = at("2026-11-24T14:00")
    vancouver, kolkata = ZoneInfo("America/Vancouver"), ZoneInfo("Asia/Kolkata")
    assert say_hour(start, vancouver) == "11:00 am"
    assert say_hour(start, kolkata, half=False) == "12:30"
    assert say_zone(start, vancouver) == "PST"
    assert say_zone(start, kolkata) == "IST"
    assert say_zone(start, ZoneInfo("America/Sao_Paulo")) == "GMT-3"
    assert say_zone(start, ZoneInfo("Asia/Kathmandu")) == "GMT+5:45"
    assert say_zone(start, ZoneInfo("America/St_Johns")) == "NST"


def test_days_are_said_with_their_year_only_when_it_is_another() -> None:
    today = date(2026, 11, 23)
    assert say_day(date(2026, 11, 24), today) == "Tuesday 24 November"
    assert say_day(date(2027, 1, 5), today) == "Tuesday 5 January 2027"
    assert say_day(date(2026, 11, 24)) == "Tuesday 24 November 2026"
    said = [say_relative_day(today + timedelta(days=n), today) for n in (-2, -1, 0, 1, 2)]
    assert said == [
        "Saturday 21 November",
        "Yesterday",
        "Today",
        "Tomorrow",
        "Wednesday 25 November",
    ]


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(seconds=-5), "less than a minute"),
        (timedelta(seconds=29), "less than a minute"),
        (timedelta(seconds=31), "1 minute"),
        (timedelta(minutes=9), "9 minutes"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(minutes=91), "2 hours"),
        (timedelta(hours=25), "25 hours"),
        (timedelta(hours=36), "36 hours"),
        (timedelta(hours=37), "2 days"),
        (timedelta(days=3), "3 days"),
    ],
)
def test_spans_are_said_as_near_as_one_would(span: timedelta, said: str) -> None:
    assert say_span(span) == said
