"""Who keeps a place in a call: the one who was admitted to it, and not for ever."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine

from roost.clients.enums import Relationship
from roost.clients.models import PortalAccess
from roost.clients.services import take_access_away
from roost.core.time import now
from roost.scheduling.models import Appointment
from roost.video import services
from roost.video.enums import Closed, PersonState
from roost.video.errors import NotAdmitted, RoomClosed
from roost.video.models import Presence, VideoRoom
from roost.video.queries import (
    Seat,
    as_told,
    get_seat_for,
    get_staff_seat_for,
    may_finish,
    seats_for,
    standing_of,
    waiting_for,
)
from roost.video.rules import GRACE, LEASE, PLACE_KEPT
from tests.support.cast import Cast, give, make_account, make_appointment
from tests.video.conftest import CASEYS_PAGE, TARAS_PAGE

NEW_PAGE, NOORS_PAGE, ALEXS_PAGE = (
    "casey-page-load-0002",
    "noors-page-load-0001",
    "alex-page-load-0001",
)
A_SECOND, A_DAY = timedelta(seconds=1), timedelta(days=1)


def come(seat: Seat, cid: str) -> Presence:
    return services.enter_waiting_room(by=seat, cid=cid, name="")


def tara_goes_in(seat: Seat) -> None:
    come(seat, TARAS_PAGE)
    services.note_connected(by=seat, cid=TARAS_PAGE)


def let_in(seat: Seat, cid: str, tara: Seat) -> None:
    come(seat, cid)
    services.admit_person(by=tara, cid=cid)
    services.note_connected(by=seat, cid=cid)


def told_to(seat: Seat) -> list[tuple[str, str]]:
    standing = standing_of(seat)
    told = [as_told(person, standing.moment) for person in standing.others]
    return [(each["name"], each["state"]) for each in told]


@pytest.fixture
def both(cast: Cast, maple: object) -> Appointment:
    """A session of Casey and Noor, each with a log-in of their own."""
    give(make_account("noor@client.example"), cast.noor)
    return make_appointment(cast.tara, cast.casey, cast.noor, service=cast.family)


@pytest.fixture
def tara(cast: Cast, both: Appointment) -> Seat:
    return get_staff_seat_for(cast.tara, both.uuid)


@pytest.fixture
def casey(cast: Cast, both: Appointment) -> Seat:
    return seats_for(cast.casey_account, both.uuid)[0]


@pytest.fixture
def noor(cast: Cast, both: Appointment) -> Seat:
    account = PortalAccess.objects.get(client=cast.noor).account
    return seats_for(account, both.uuid)[0]


@pytest.fixture
def alex_as_casey(cast: Cast, both: Appointment) -> Seat:
    """Somebody else with access to Casey and a seat in the session, who may choose Casey's."""
    alex = PortalAccess.objects.get(client=cast.noor).account
    give(alex, cast.casey, Relationship.PARTNER)
    return next(seat for seat in seats_for(alex, both.uuid) if seat.own_name == "Casey")


# -- one account's place is not another's ----------------------------------------------------------


def test_an_admission_does_not_pass_to_another_account(
    tara: Seat, casey: Seat, alex_as_casey: Seat
) -> None:
    tara_goes_in(tara)
    let_in(casey, CASEYS_PAGE, tara)
    with pytest.raises(RoomClosed) as refused:
        come(alex_as_casey, ALEXS_PAGE)
    assert refused.value.reason == Closed.TAKEN
    assert standing_of(alex_as_casey).closed == Closed.TAKEN
    assert standing_of(alex_as_casey).others == []
    assert standing_of(casey).is_inside
    assert told_to(tara) == [("Casey", PersonState.CONNECTED)]


def test_a_cid_that_others_in_the_room_know_opens_nothing_to_them(
    tara: Seat, casey: Seat, alex_as_casey: Seat
) -> None:
    tara_goes_in(tara)
    let_in(casey, CASEYS_PAGE, tara)
    assert not standing_of(alex_as_casey).speaks_under(CASEYS_PAGE)
    assert services.note_regained(by=alex_as_casey, cid=CASEYS_PAGE) is None
    assert services.note_lost(by=alex_as_casey, cid=CASEYS_PAGE) is False
    for act in (services.note_connected, services.leave_room):
        with pytest.raises(NotAdmitted):
            act(by=alex_as_casey, cid=CASEYS_PAGE)
    assert told_to(tara) == [("Casey", PersonState.CONNECTED)]


def test_a_place_that_is_free_again_must_be_admitted_anew_for_another_account(
    tara: Seat, casey: Seat, alex_as_casey: Seat
) -> None:
    tara_goes_in(tara)
    let_in(casey, CASEYS_PAGE, tara)
    services.leave_room(by=casey, cid=CASEYS_PAGE)
    assert come(alex_as_casey, ALEXS_PAGE).state == PersonState.WAITING
    with pytest.raises(RoomClosed) as refused:
        come(casey, NEW_PAGE)
    assert refused.value.reason == Closed.TAKEN


@pytest.mark.parametrize("lapsed", [False, True], ids=["left", "lost for long"])
def test_another_log_in_inherits_nothing_of_a_place_that_is_free_again(
    tara: Seat, casey: Seat, noor: Seat, alex_as_casey: Seat, lapsed: bool
) -> None:
    tara_goes_in(tara)
    let_in(casey, CASEYS_PAGE, tara)
    let_in(noor, NOORS_PAGE, tara)
    if lapsed:
        services.note_lost(by=casey, cid=CASEYS_PAGE)
    else:
        services.leave_room(by=casey, cid=CASEYS_PAGE)
    with time_machine.travel(now() + GRACE + PLACE_KEPT + A_SECOND, tick=False):
        before = standing_of(alex_as_casey)
        assert not before.is_inside and before.others == []
        come(alex_as_casey, ALEXS_PAGE)
        after = standing_of(alex_as_casey)
        assert after.state == PersonState.WAITING
        assert not after.is_inside and after.others == []
        assert not after.has_been_in and not may_finish(alex_as_casey)


def test_who_has_closed_the_waiting_room_and_comes_again_waits_anew(
    tara: Seat, casey: Seat
) -> None:
    come(casey, CASEYS_PAGE)
    Presence.objects.update(told_at=now())
    services.note_lost(by=casey, cid=CASEYS_PAGE)
    since = Presence.objects.get().waiting_since
    # A reload is no new coming.
    assert come(casey, NEW_PAGE).waiting_since == since
    services.note_lost(by=casey, cid=NEW_PAGE)
    with time_machine.travel(now() + timedelta(minutes=25), tick=False):
        again = come(casey, CASEYS_PAGE)
        assert again.waiting_since == now()
        assert again.told_at is None


def test_the_same_account_takes_its_place_along_to_another_device(tara: Seat, casey: Seat) -> None:
    tara_goes_in(tara)
    let_in(casey, CASEYS_PAGE, tara)
    assert come(casey, NEW_PAGE).state == PersonState.ADMITTED


# -- nor for ever ----------------------------------------------------------------------------------


def test_who_lost_the_line_for_long_does_not_walk_in_on_somebody_else(
    tara: Seat, casey: Seat, noor: Seat
) -> None:
    tara_goes_in(tara)
    let_in(casey, CASEYS_PAGE, tara)
    let_in(noor, NOORS_PAGE, tara)
    services.note_lost(by=casey, cid=CASEYS_PAGE)
    assert ("Casey", PersonState.LOST) in told_to(tara)
    with time_machine.travel(now() + GRACE + PLACE_KEPT + A_SECOND, tick=False):
        for seat, cid in ((tara, TARAS_PAGE), (noor, NOORS_PAGE)):
            services.note_here(by=seat, cid=cid)
        assert told_to(tara) == [("Noor", PersonState.CONNECTED)]
        assert come(casey, NEW_PAGE).state == PersonState.WAITING
        assert told_to(noor) == [("Tara Okafor", PersonState.CONNECTED)]
        person = standing_of(casey).person
        # When they were last heard of, not when they came back.
        assert person is not None and person.left_at is not None
        assert person.left_at <= now() - PLACE_KEPT


@pytest.mark.parametrize(
    ("joined", "noted", "away"),
    [
        (True, True, GRACE + PLACE_KEPT),
        # Let in while the phone was locked: its page had not joined yet.
        (False, True, GRACE + PLACE_KEPT),
        # The server died with the line, and nobody could note its end.
        (True, False, LEASE + timedelta(minutes=20)),
    ],
)
def test_nor_does_a_page_that_was_asleep(
    tara: Seat, casey: Seat, noor: Seat, joined: bool, noted: bool, away: timedelta
) -> None:
    tara_goes_in(tara)
    if joined:
        let_in(casey, CASEYS_PAGE, tara)
    else:
        come(casey, CASEYS_PAGE)
        services.admit_person(by=tara, cid=CASEYS_PAGE)
    let_in(noor, NOORS_PAGE, tara)
    if noted:
        services.note_lost(by=casey, cid=CASEYS_PAGE)
    with time_machine.travel(now() + away + A_SECOND, tick=False):
        for seat, cid in ((tara, TARAS_PAGE), (noor, NOORS_PAGE)):
            services.note_here(by=seat, cid=cid)
        back = services.note_regained(by=casey, cid=CASEYS_PAGE)
        assert back is not None and back.state == PersonState.WAITING
        with pytest.raises(NotAdmitted):
            services.note_connected(by=casey, cid=CASEYS_PAGE)
        assert [p.display_name for p in waiting_for(tara.appointment.therapist)] == ["Casey"]
        assert standing_of(casey).has_been_in == joined


@pytest.mark.parametrize("page", [CASEYS_PAGE, NEW_PAGE])
def test_but_goes_straight_back_to_a_therapist_alone(tara: Seat, casey: Seat, page: str) -> None:
    tara_goes_in(tara)
    let_in(casey, CASEYS_PAGE, tara)
    services.note_lost(by=casey, cid=CASEYS_PAGE)
    with time_machine.travel(now() + timedelta(minutes=10), tick=False):
        come(tara, TARAS_PAGE)
        if page == CASEYS_PAGE:
            services.note_here(by=casey, cid=page)
        else:
            come(casey, page)
        assert standing_of(casey).is_inside


def test_who_was_admitted_and_never_came_frees_the_place(tara: Seat, casey: Seat) -> None:
    tara_goes_in(tara)
    come(casey, CASEYS_PAGE)
    services.admit_person(by=tara, cid=CASEYS_PAGE)
    assert len(told_to(tara)) == 1
    with time_machine.travel(now() + LEASE + PLACE_KEPT + A_SECOND, tick=False):
        assert told_to(tara) == []


def test_who_was_connected_to_a_server_that_died_is_seen_as_lost(tara: Seat, casey: Seat) -> None:
    tara_goes_in(tara)
    let_in(casey, CASEYS_PAGE, tara)
    with time_machine.travel(now() + LEASE + A_SECOND, tick=False):
        assert told_to(tara) == [("Casey", PersonState.LOST)]
    # Their pictures go on meanwhile, and nobody hangs up on anybody when it is back.
    with time_machine.travel(now() + timedelta(minutes=15), tick=False):
        services.note_here(by=tara, cid=TARAS_PAGE)
        assert told_to(tara) == [("Casey", PersonState.LOST)]
        services.note_here(by=casey, cid=CASEYS_PAGE)
        assert told_to(tara) == [("Casey", PersonState.CONNECTED)]
    with time_machine.travel(now() + timedelta(minutes=22), tick=False):
        services.note_here(by=tara, cid=TARAS_PAGE)
        assert standing_of(tara).is_inside


# -- what a ping mends -----------------------------------------------------------------------------


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    heard: list[str] = []
    monkeypatch.setattr(
        "roost.video.services.held.push", lambda group, message: heard.append(message["type"])
    )
    return heard


def test_somebody_who_was_thought_gone_is_seen_again(
    cast: Cast, casey_seat: Seat, pushed: list[str]
) -> None:
    come(casey_seat, CASEYS_PAGE)
    with time_machine.travel(now() + LEASE + A_SECOND, tick=False):
        assert waiting_for(cast.tara) == []
        pushed.clear()
        services.note_here(by=casey_seat, cid=CASEYS_PAGE)
        assert len(waiting_for(cast.tara)) == 1
        assert set(pushed) == {"room.changed", "bell.rang"}
        pushed.clear()
        services.note_here(by=casey_seat, cid=CASEYS_PAGE)
        assert pushed == []


def test_somebody_who_was_noted_as_lost_while_their_line_was_up_is_connected_again(
    casey_seat: Seat, tara_seat: Seat, in_call: Callable[[], None]
) -> None:
    in_call()
    services.note_lost(by=casey_seat, cid=CASEYS_PAGE)
    services.note_here(by=casey_seat, cid=CASEYS_PAGE)
    assert told_to(tara_seat) == [("Casey", PersonState.CONNECTED)]


# -- access that ends, appointments that move ------------------------------------------------------


def test_whose_access_ends_while_their_line_is_down_is_out(
    cast: Cast, tara_seat: Seat, casey_seat: Seat, in_call: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    in_call()
    services.note_lost(by=casey_seat, cid=CASEYS_PAGE)
    told: list[str] = []
    monkeypatch.setattr(
        "roost.video.services.held.push",
        lambda group, message: told.append(message.get("left", "")),
    )
    access = PortalAccess.objects.get(account=cast.casey_account, client=cast.casey)
    take_access_away(access=access, by=cast.olivia)
    services.recheck_rooms_of(cast.casey)
    assert told_to(tara_seat) == []
    assert CASEYS_PAGE in told


def test_whose_access_stays_is_left_alone(
    cast: Cast, tara_seat: Seat, in_call: Callable[[], None]
) -> None:
    in_call()
    services.recheck_rooms_of(cast.casey)
    assert told_to(tara_seat) == [("Casey", PersonState.CONNECTED)]


def _move_by_a_day(session: Appointment, cast: Cast) -> None:
    row = Appointment.objects.get(pk=session.pk)
    Appointment.objects.filter(pk=session.pk).update(
        starts_at=row.starts_at + A_DAY, ends_at=row.ends_at + A_DAY
    )
    services.close_room_of(session, by=cast.tara.account)


@pytest.mark.parametrize("act", ["leave", "remove", "end"])
def test_nothing_of_yesterday_holds_for_a_session_that_was_moved(
    cast: Cast, session: Appointment, tara_seat: Seat, casey_seat: Seat,
    in_call: Callable[[], None], act: str,
) -> None:  # fmt: skip
    in_call()
    if act == "leave":
        services.leave_room(by=casey_seat, cid=CASEYS_PAGE)
    elif act == "remove":
        services.remove_person(by=tara_seat, cid=CASEYS_PAGE)
    else:
        services.end_room(by=tara_seat)
    _move_by_a_day(session, cast)
    assert VideoRoom.objects.get().ended_at is None
    with time_machine.travel(now() + A_DAY, tick=False):
        tara = get_staff_seat_for(cast.tara, session.uuid)
        casey = get_seat_for(cast.casey_account, session.uuid, session.attendees.get().uuid)
        assert standing_of(tara).closed is None
        tara_goes_in(tara)
        assert come(casey, NEW_PAGE).state == PersonState.WAITING
