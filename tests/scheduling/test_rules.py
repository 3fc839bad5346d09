from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from roost.scheduling import rules
from roost.scheduling.enums import Attendance, ServiceType

TORONTO = ZoneInfo("America/Toronto")
DAY = datetime(2026, 11, 24, tzinfo=UTC)


def at(hour: int, minute: int = 0) -> datetime:
    return DAY.replace(hour=hour, minute=minute)


def span(hour: int, minute: int = 0, minutes: int = 50) -> rules.Span:
    return at(hour, minute), at(hour, minute) + timedelta(minutes=minutes)


def test_back_to_back_spans_do_not_overlap() -> None:
    assert not rules.overlaps(span(9), span(9, 50))
    assert not rules.overlaps(span(9, 50), span(9))
    assert rules.overlaps(span(9), span(9, 49))
    assert rules.overlaps(span(9), span(8, 30, 120))


def test_nearest_free_jumps_over_sessions_that_touch() -> None:
    taken = [span(9), span(9, 50), span(10, 40)]
    hours = (at(7), at(21))
    assert rules.nearest_free(span(10), taken, hours) == (at(8, 10), at(11, 30))


def test_nearest_free_names_nothing_outside_the_hours() -> None:
    hours = (at(9), at(11))
    assert rules.nearest_free(span(9, 30), [span(9), span(9, 50)], hours) == (None, None)


def test_nearest_free_says_nothing_when_the_wanted_time_is_free() -> None:
    assert rules.nearest_free(span(9), [span(11)], (at(7), at(21))) == (None, None)


def test_free_time_is_named_in_whole_quarters_from_45_minutes_on() -> None:
    spans = [span(9), span(10), span(12, 30), span(14), span(15, 0, 75), span(17)]
    found = [(free.starts_at, free.ends_at) for free in rules.free_between(spans)]
    assert found == [(at(11), at(12, 30)), (at(16, 15), at(17))]


def test_free_time_ignores_a_session_inside_another() -> None:
    spans = [span(9, 0, 180), span(10), span(13)]
    assert [free.starts_at for free in rules.free_between(spans)] == [at(12)]


@pytest.mark.parametrize(
    ("kind", "number", "words"),
    [
        (ServiceType.INDIVIDUAL, 0, "Choose who the session is for."),
        (ServiceType.INDIVIDUAL, 1, None),
        (
            ServiceType.INDIVIDUAL,
            2,
            "An individual session is for one person. Keep one, or choose another service.",
        ),
        (ServiceType.COUPLE, 1, "A couple session is for two people."),
        (ServiceType.COUPLE, 2, None),
        (ServiceType.COUPLE, 3, "A couple session is for two people."),
        (ServiceType.FAMILY, 1, "A family session is for two people or more."),
        (ServiceType.FAMILY, 12, None),
        (ServiceType.FAMILY, 13, "At most 12 people can be booked together."),
        (ServiceType.GROUP, 1, None),
        (ServiceType.GROUP, 13, "At most 12 people can be booked together."),
    ],
)
def test_how_many_a_kind_is_for(kind: str, number: int, words: str | None) -> None:
    assert rules.words_on_number(kind, number) == words


def test_days_within_two_years_are_in_reach() -> None:
    today = date(2026, 11, 24)
    assert rules.is_in_reach(date(2028, 11, 24), today)
    assert rules.is_in_reach(date(2024, 11, 24), today)
    assert not rules.is_in_reach(date(2028, 11, 25), today)
    assert not rules.is_in_reach(date.max, today)
    assert not rules.is_in_reach(date.min, today)


def test_gap_is_named_by_its_clock_times() -> None:
    assert rules.gap_around(date(2027, 3, 14), time(2, 30), TORONTO) == (time(2), time(3))
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    assert rules.gap_around(date(2026, 10, 4), time(2, 10), lord_howe) == (time(2), time(2, 30))


def test_week_begins_on_monday() -> None:
    assert rules.week_of(date(2026, 11, 29)) == date(2026, 11, 23)
    assert rules.week_of(date(2026, 11, 23)) == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("states", "says"),
    [
        ([Attendance.SCHEDULED, Attendance.SCHEDULED], Attendance.SCHEDULED),
        ([Attendance.NO_SHOW, Attendance.ATTENDED], Attendance.ATTENDED),
        ([Attendance.CANCELLED, Attendance.NO_SHOW], Attendance.NO_SHOW),
        ([Attendance.CANCELLED, Attendance.CANCELLED], Attendance.CANCELLED),
        ([], Attendance.SCHEDULED),
    ],
)
def test_one_state_for_several_people(states: list[str], says: str) -> None:
    assert rules.attendance_of(states) == says
