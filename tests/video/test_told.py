"""Whoever waits is told that the therapist knows of them once a page of hers has shown it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine

from roost.core.tenancy import scope
from roost.core.time import now
from roost.practices.models import Practice
from roost.scheduling.models import Appointment
from roost.video import services
from roost.video.errors import NotAllowed
from roost.video.models import Presence
from roost.video.queries import Seat, waiting_for
from roost.video.rules import PLACE_KEPT
from tests.support.cast import Cast
from tests.video.conftest import CASEYS_PAGE, TARAS_PAGE

pytestmark = pytest.mark.django_db


def wait(casey: Seat, cid: str = CASEYS_PAGE) -> Presence:
    return services.enter_waiting_room(by=casey, cid=cid, name="Casey")


def is_told(person: Presence) -> bool:
    person.refresh_from_db()
    return person.told_at is not None


def test_a_page_that_shows_who_waits_tells_the_therapist_once(
    cast: Cast, casey_seat: Seat, django_assert_num_queries: Callable[..., object]
) -> None:
    person = wait(casey_seat)
    assert not is_told(person)
    noted = services.note_told(staff=cast.tara, shown=[str(person.uuid)])
    assert noted == [person] and is_told(person)
    first = person.told_at
    with django_assert_num_queries(1):
        assert services.note_told(staff=cast.tara, shown=[str(person.uuid)]) == []
    person.refresh_from_db()
    assert person.told_at == first


def test_nobody_is_told_of_by_a_page_that_shows_others(cast: Cast, casey_seat: Seat) -> None:
    person = wait(casey_seat)
    assert services.note_told(staff=cast.tara, shown=[str(uuid.uuid4())]) == []
    assert not is_told(person)


def test_only_the_page_of_the_therapist_they_wait_for_counts(
    cast: Cast, session: Appointment, casey_seat: Seat
) -> None:
    person = wait(casey_seat)
    assert services.note_told(staff=cast.theo, shown=[str(person.uuid)]) == []
    assert not is_told(person)
    assert services.note_told(staff=cast.tara, shown=[str(person.uuid)]) == [person]


def test_who_waits_no_more_is_not_told_of(cast: Cast, casey_seat: Seat) -> None:
    person = wait(casey_seat)
    services.leave_room(by=casey_seat, cid=CASEYS_PAGE)
    assert services.note_told(staff=cast.tara, shown=[str(person.uuid)]) == []
    assert not is_told(person)


def test_a_reload_keeps_it_and_waiting_anew_does_not(cast: Cast, casey_seat: Seat) -> None:
    person = wait(casey_seat)
    services.note_told(staff=cast.tara, shown=[str(person.uuid)])
    wait(casey_seat, "casey-page-load-0002")
    assert is_told(person)
    services.note_regained(by=casey_seat, cid="casey-page-load-0002")
    assert is_told(person)
    services.leave_room(by=casey_seat, cid="casey-page-load-0002")
    wait(casey_seat, "casey-page-load-0002")
    assert not is_told(person)


def test_who_was_away_for_long_is_told_of_anew(
    cast: Cast, tara_seat: Seat, casey_seat: Seat, in_call: Callable[[], None]
) -> None:
    person = wait(casey_seat)
    services.note_told(staff=cast.tara, shown=[str(person.uuid)])
    in_call()
    assert is_told(person)
    services.note_lost(by=casey_seat, cid=CASEYS_PAGE)
    services.leave_room(by=tara_seat, cid=TARAS_PAGE)
    with time_machine.travel(now() + PLACE_KEPT + timedelta(minutes=1), tick=False):
        services.note_regained(by=casey_seat, cid=CASEYS_PAGE)
        assert [each.told_at for each in waiting_for(cast.tara)] == [None]


def test_the_room_itself_tells_its_therapist_and_nobody_else(
    cast: Cast, tara_seat: Seat, casey_seat: Seat
) -> None:
    person = wait(casey_seat)
    with pytest.raises(NotAllowed):
        services.note_shown(by=casey_seat, ids=[str(person.uuid)])
    assert not is_told(person)
    services.note_shown(by=tara_seat, ids=[str(person.uuid)])
    assert is_told(person)


def test_another_practice_is_told_of_nobody_here(
    cast: Cast, cedar: Practice, casey_seat: Seat
) -> None:
    person = wait(casey_seat)
    with scope(cedar.pk):
        assert services.note_told(staff=cast.tara, shown=[str(person.uuid)]) == []
    assert not is_told(person)
