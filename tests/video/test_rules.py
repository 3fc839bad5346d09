"""When a room is open."""

from datetime import UTC, datetime, timedelta

import pytest

from roost.core.time import zone
from roost.practices.models import Practice
from roost.scheduling.enums import Mode
from roost.scheduling.models import Appointment
from roost.video.enums import Closed, PersonState, Phase, RoomState
from roost.video.rules import (
    Window,
    is_here,
    join_window,
    next_turn,
    phase_of,
    room_state,
    say_time,
    why_closed,
)

START = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)
WINDOW = Window(START - timedelta(minutes=30), START + timedelta(minutes=80))
SECOND = timedelta(seconds=1)


def appointment(**fields: object) -> Appointment:
    whole = {"starts_at": START, "ends_at": START + timedelta(minutes=50), "mode": Mode.VIDEO}
    return Appointment(**{**whole, **fields})


def test_the_window_is_the_practices_own() -> None:
    practice = Practice(join_minutes_before=10, join_minutes_after=5)
    window = join_window(appointment(), practice)
    assert window.opens_at == START - timedelta(minutes=10)
    assert window.closes_at == START + timedelta(minutes=55)
    assert window.last_at == START + timedelta(minutes=115)


@pytest.mark.parametrize(
    ("moment", "inside", "therapist_in", "closed"),
    [
        (WINDOW.opens_at - SECOND, False, False, Closed.EARLY),
        (WINDOW.opens_at - SECOND, True, True, Closed.EARLY),
        (WINDOW.opens_at, False, False, None),
        (WINDOW.closes_at - SECOND, False, False, None),
        (WINDOW.closes_at, False, True, Closed.LATE),
        (WINDOW.closes_at, True, False, Closed.LATE),
        (WINDOW.closes_at, True, True, None),
        (WINDOW.last_at - SECOND, True, True, None),
        (WINDOW.last_at, True, True, Closed.LATE),
    ],
)
def test_who_may_be_there_at_the_windows_edges(
    moment: datetime, inside: bool, therapist_in: bool, closed: Closed | None
) -> None:
    found = why_closed(appointment(), WINDOW, moment, inside=inside, therapist_in=therapist_in)
    assert found == closed


@pytest.mark.parametrize(
    ("fields", "closed"),
    [({"cancelled_at": START}, Closed.CANCELLED), ({"mode": Mode.PHONE}, Closed.NOT_VIDEO)],
)
def test_a_session_without_a_room_has_none_for_anybody(
    fields: dict[str, object], closed: Closed
) -> None:
    found = why_closed(appointment(**fields), WINDOW, START, inside=True, therapist_in=True)
    assert found == closed


@pytest.mark.parametrize(
    ("moment", "ended", "therapist_in", "state"),
    [
        (WINDOW.opens_at - SECOND, False, False, RoomState.SCHEDULED),
        (START, False, False, RoomState.OPEN),
        (START, True, False, RoomState.ENDED),
        (WINDOW.closes_at, False, False, RoomState.ENDED),
        (WINDOW.closes_at, False, True, RoomState.OPEN),
        (WINDOW.last_at, False, True, RoomState.ENDED),
    ],
)
def test_the_rooms_state(
    moment: datetime, ended: bool, therapist_in: bool, state: RoomState
) -> None:
    assert room_state(WINDOW, moment, ended=ended, therapist_in=therapist_in) == state


def test_a_therapist_whose_line_dropped_is_waited_for() -> None:
    assert is_here(PersonState.LOST, START - timedelta(seconds=100), START)
    assert not is_here(PersonState.LOST, START - timedelta(seconds=121), START)
    assert not is_here(PersonState.LEFT, START + timedelta(minutes=1), START)
    assert not is_here(PersonState.CONNECTED, None, START)


FIVE, LONG_AGO = timedelta(minutes=5), START - timedelta(days=1)
TURNS = [
    (LONG_AGO, Phase.OPEN),
    (WINDOW.closes_at - FIVE, Phase.CLOSING),
    (WINDOW.closes_at, Phase.OVERTIME),
    (WINDOW.last_at - FIVE, Phase.ENDING),
]


@pytest.mark.parametrize("number", range(4))
def test_the_rooms_time_turns_five_minutes_before_each_end(number: int) -> None:
    since, phase = TURNS[number]
    until = TURNS[number + 1][0] if number < 3 else WINDOW.last_at
    assert phase_of(WINDOW, since) == phase
    assert phase_of(WINDOW, until - SECOND) == phase
    assert next_turn(WINDOW, since) == next_turn(WINDOW, until - SECOND) == until


def test_after_the_last_turn_there_is_none() -> None:
    assert next_turn(WINDOW, WINDOW.last_at) is None


def test_the_rooms_time_is_said_by_the_readers_clock() -> None:
    said = say_time(WINDOW, WINDOW.closes_at, zone("America/Vancouver"))
    assert said == {"phase": "overtime", "closes": "12:20 pm", "lasts": "1:20 pm"}
