"""Seats at the sessions of the cast."""

from collections.abc import Callable

import pytest

from roost.scheduling.models import Appointment
from roost.video.queries import Seat, get_seat_for, get_staff_seat_for
from tests.support.cast import Cast, make_appointment

CASEYS_PAGE, TARAS_PAGE = "casey-page-load-0001", "tara-page-load-00001"


@pytest.fixture
def session(cast: Cast, maple: object) -> Appointment:
    """Casey's session with Tara, which began five minutes ago."""
    return make_appointment(cast.tara, cast.casey, service=cast.individual)


@pytest.fixture
def tara_seat(cast: Cast, session: Appointment) -> Seat:
    return get_staff_seat_for(cast.tara, session.uuid)


@pytest.fixture
def casey_seat(cast: Cast, session: Appointment) -> Seat:
    return get_seat_for(cast.casey_account, session.uuid, session.attendees.get().uuid)


@pytest.fixture
def in_call(tara_seat: Seat, casey_seat: Seat) -> Callable[[], None]:
    """Brings both into the call."""
    from roost.video import services

    def come() -> None:
        services.enter_waiting_room(by=tara_seat, cid=TARAS_PAGE, name="Tara")
        services.note_connected(by=tara_seat, cid=TARAS_PAGE)
        services.enter_waiting_room(by=casey_seat, cid=CASEYS_PAGE, name="Casey")
        services.admit_person(by=tara_seat, cid=CASEYS_PAGE)
        services.note_connected(by=casey_seat, cid=CASEYS_PAGE)

    return come
