"""What happens in rooms, and what is written down of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from roost.audit.models import AuditEvent
from roost.core.time import now
from roost.scheduling.models import Appointment
from roost.video import services
from roost.video.enums import Closed, PersonState
from roost.video.errors import CidTaken, NoSuchPerson, NotAdmitted, NotAllowed, RoomClosed
from roost.video.models import Presence, VideoRoom
from roost.video.queries import Seat, seats_for, standing_of
from tests.support.cast import Cast, give, make_appointment
from tests.video.conftest import CASEYS_PAGE, TARAS_PAGE

NEW_PAGE = "casey-page-load-0002"


def state_of(seat: Seat) -> str:
    return standing_of(seat).state


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


def shift(minutes: float) -> None:
    """Let every session have begun that many minutes ago."""
    start = now() - timedelta(minutes=minutes)
    Appointment.objects.update(starts_at=start, ends_at=start + timedelta(minutes=50))


def test_the_way_in(tara_seat: Seat, casey_seat: Seat, in_call: Callable[[], None]) -> None:
    in_call()
    assert (state_of(tara_seat), state_of(casey_seat)) == ("connected", "connected")
    assert actions() == [
        "room.returned",
        "room.joined",
        "room.waited",
        "room.admitted",
        "room.joined",
    ]
    admitted = AuditEvent.objects.get(action="room.admitted")
    assert admitted.actor == tara_seat.account
    assert admitted.client_uuid == casey_seat.client_uuid


def test_a_client_admits_nobody(casey_seat: Seat) -> None:
    services.enter_waiting_room(by=casey_seat, cid=CASEYS_PAGE, name="Casey")
    with pytest.raises(NotAllowed):
        services.admit_person(by=casey_seat, cid=CASEYS_PAGE)
    for act in (services.end_room, services.reopen_room):
        with pytest.raises(NotAllowed):
            act(by=casey_seat)
    with pytest.raises(NotAllowed):
        services.remove_person(by=casey_seat, cid=TARAS_PAGE)
    assert state_of(casey_seat) == "waiting"
    assert actions() == ["room.waited"]


def test_nobody_joins_before_admission(casey_seat: Seat) -> None:
    with pytest.raises(NotAdmitted):
        services.note_connected(by=casey_seat, cid=CASEYS_PAGE)
    services.enter_waiting_room(by=casey_seat, cid=CASEYS_PAGE, name="Casey")
    with pytest.raises(NotAdmitted):
        services.note_connected(by=casey_seat, cid=CASEYS_PAGE)


@pytest.mark.parametrize(
    ("minutes", "reason"), [(-31, Closed.EARLY), (81, Closed.LATE)], ids=["early", "late"]
)
def test_outside_the_window_nobody_enters(
    tara_seat: Seat, casey_seat: Seat, minutes: int, reason: Closed
) -> None:
    shift(minutes)
    for seat in (tara_seat, casey_seat):
        with pytest.raises(RoomClosed) as closed:
            services.enter_waiting_room(by=seat, cid=CASEYS_PAGE, name="")
        assert closed.value.reason == reason
    assert not Presence.objects.exists()
    assert actions() == []


def test_after_the_window_nobody_is_admitted(tara_seat: Seat, casey_seat: Seat) -> None:
    services.enter_waiting_room(by=tara_seat, cid=TARAS_PAGE, name="")
    services.enter_waiting_room(by=casey_seat, cid=CASEYS_PAGE, name="")
    shift(81)
    with pytest.raises(RoomClosed):
        services.admit_person(by=tara_seat, cid=CASEYS_PAGE)


def test_a_reload_goes_straight_back(casey_seat: Seat, in_call: Callable[[], None]) -> None:
    in_call()
    services.enter_waiting_room(by=casey_seat, cid=NEW_PAGE, name="Casey")
    assert state_of(casey_seat) == "admitted"
    with pytest.raises(NotAdmitted):  # the older page speaks for nobody now
        services.note_connected(by=casey_seat, cid=CASEYS_PAGE)
    services.note_connected(by=casey_seat, cid=NEW_PAGE)
    assert state_of(casey_seat) == "connected"


def test_in_overtime_a_reload_goes_back_too(
    tara_seat: Seat, casey_seat: Seat, in_call: Callable[[], None]
) -> None:
    in_call()
    shift(85)
    services.enter_waiting_room(by=casey_seat, cid=NEW_PAGE, name="Casey")
    assert state_of(casey_seat) == "admitted"
    services.leave_room(by=tara_seat, cid=TARAS_PAGE)
    assert VideoRoom.objects.get().ended_at is not None
    assert state_of(casey_seat) == "left"


def test_a_page_cannot_take_anothers_cid(casey_seat: Seat, tara_seat: Seat) -> None:
    services.enter_waiting_room(by=tara_seat, cid=TARAS_PAGE, name="Tara")
    with pytest.raises(CidTaken):
        services.enter_waiting_room(by=casey_seat, cid=TARAS_PAGE, name="Casey")


def test_a_lost_line_is_found_again(casey_seat: Seat, in_call: Callable[[], None]) -> None:
    in_call()
    assert services.note_lost(by=casey_seat, cid=CASEYS_PAGE)
    assert state_of(casey_seat) == "lost"
    assert services.note_regained(by=casey_seat, cid=NEW_PAGE) is None
    services.note_regained(by=casey_seat, cid=CASEYS_PAGE)
    assert state_of(casey_seat) == "connected"
    assert actions()[-2:] == ["room.lost", "room.regained"]


def test_the_socket_of_a_replaced_page_loses_nobody(
    casey_seat: Seat, in_call: Callable[[], None]
) -> None:
    in_call()
    services.enter_waiting_room(by=casey_seat, cid=NEW_PAGE, name="Casey")
    assert not services.note_lost(by=casey_seat, cid=CASEYS_PAGE)
    assert state_of(casey_seat) == "admitted"


def test_stepping_out_and_back(
    tara_seat: Seat, casey_seat: Seat, in_call: Callable[[], None]
) -> None:
    in_call()
    services.leave_room(by=casey_seat, cid=CASEYS_PAGE)
    assert state_of(casey_seat) == "left"
    services.enter_waiting_room(by=casey_seat, cid=NEW_PAGE, name="Casey")
    assert state_of(casey_seat) == "admitted"
    services.leave_room(by=casey_seat, cid=NEW_PAGE)
    services.leave_room(by=tara_seat, cid=TARAS_PAGE)
    services.enter_waiting_room(by=casey_seat, cid=CASEYS_PAGE, name="Casey")
    assert state_of(casey_seat) == "waiting"


def test_nobody_walks_in_on_the_therapist_and_somebody_else(cast: Cast, maple: Any) -> None:
    couple = make_appointment(cast.tara, cast.casey, cast.noor, service=cast.family)
    give(cast.casey_account, cast.noor, "guardian")
    casey, noor = seats_for(cast.casey_account, couple.uuid)
    tara = Seat(cast.tara.account, couple)
    services.enter_waiting_room(by=tara, cid=TARAS_PAGE, name="")
    for seat, cid in ((casey, CASEYS_PAGE), (noor, NEW_PAGE)):
        services.enter_waiting_room(by=seat, cid=cid, name="")
        services.admit_person(by=tara, cid=cid)
        services.note_connected(by=seat, cid=cid)
    services.leave_room(by=casey, cid=CASEYS_PAGE)
    services.enter_waiting_room(by=casey, cid=CASEYS_PAGE, name="")
    assert state_of(casey) == "waiting"


def test_who_is_removed_stays_out(
    tara_seat: Seat, casey_seat: Seat, in_call: Callable[[], None]
) -> None:
    in_call()
    services.remove_person(by=tara_seat, cid=CASEYS_PAGE)
    for cid in (CASEYS_PAGE, NEW_PAGE):
        with pytest.raises(RoomClosed) as closed:
            services.enter_waiting_room(by=casey_seat, cid=cid, name="Casey")
        assert closed.value.reason == Closed.REMOVED
    with pytest.raises(NotAdmitted):
        services.note_connected(by=casey_seat, cid=CASEYS_PAGE)
    assert services.note_regained(by=casey_seat, cid=CASEYS_PAGE) is None
    assert state_of(casey_seat) == "removed"
    services.admit_person(by=tara_seat, cid=CASEYS_PAGE)
    services.enter_waiting_room(by=casey_seat, cid=NEW_PAGE, name="Casey")
    assert state_of(casey_seat) == "admitted"


def test_ending_sends_all_out_and_reopening_lets_nobody_in_by_itself(
    tara_seat: Seat, casey_seat: Seat, in_call: Callable[[], None]
) -> None:
    in_call()
    services.end_room(by=tara_seat)
    assert (state_of(tara_seat), state_of(casey_seat)) == ("left", "left")
    services.enter_waiting_room(by=casey_seat, cid=CASEYS_PAGE, name="Casey")
    assert state_of(casey_seat) == "waiting"
    with pytest.raises(RoomClosed):
        services.admit_person(by=tara_seat, cid=CASEYS_PAGE)
    with pytest.raises(RoomClosed) as closed:
        services.enter_waiting_room(by=tara_seat, cid=TARAS_PAGE, name="Tara")
    assert closed.value.reason == Closed.ENDED
    services.reopen_room(by=tara_seat)
    services.enter_waiting_room(by=tara_seat, cid=TARAS_PAGE, name="Tara")
    assert (state_of(tara_seat), state_of(casey_seat)) == ("admitted", "waiting")
    services.end_room(by=tara_seat)
    shift(81)
    with pytest.raises(RoomClosed):
        services.reopen_room(by=tara_seat)


def test_a_cancelled_sessions_room_is_empty(
    cast: Cast, session: Appointment, casey_seat: Seat, in_call: Callable[[], None]
) -> None:
    in_call()
    Appointment.objects.update(cancelled_at=now())
    services.close_room_of(session, by=cast.tara.account)
    standing = standing_of(seats_for(cast.casey_account, session.uuid)[0])
    assert (standing.closed, standing.state) == (Closed.CANCELLED, "left")
    assert actions()[-1] == "room.closed"
    with pytest.raises(RoomClosed):
        services.enter_waiting_room(by=casey_seat, cid=NEW_PAGE, name="Casey")


def test_an_appointment_given_to_another_therapist_takes_the_room_along(
    cast: Cast, session: Appointment, tara_seat: Seat, in_call: Callable[[], None]
) -> None:
    in_call()
    Appointment.objects.update(therapist=cast.theo)
    services.close_room_of(session, by=cast.olivia.account)
    assert Presence.objects.get(staff_member=cast.tara).state == PersonState.LEFT
    with pytest.raises(NotAllowed):
        services.end_room(by=tara_seat)


def test_admitting_whom_nobody_sees_changes_nothing(
    tara_seat: Seat, casey_seat: Seat, in_call: Callable[[], None]
) -> None:
    in_call()
    before = actions()
    for cid in ("nobody-has-this-cid1", CASEYS_PAGE, TARAS_PAGE):
        with pytest.raises(NoSuchPerson):
            services.admit_person(by=tara_seat, cid=cid)
    assert actions() == before


def test_no_signal_is_ever_kept(
    tara_seat: Seat, casey_seat: Seat, in_call: Callable[[], None]
) -> None:
    in_call()
    secret = "v=0 192.0.2.77 a-secret-fingerprint"
    offer = {"type": "offer", "sdp": secret}
    joined = services.note_connected(by=casey_seat, cid=CASEYS_PAGE, offer=offer)
    assert joined.offered == TARAS_PAGE
    for model in (Presence, VideoRoom, AuditEvent):
        for row in model.objects.values():
            assert "192.0.2.77" not in str(row)
