"""Who may sit where, and what they are told."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import Http404

from roost.clients.enums import Relationship
from roost.core.tenancy import scope
from roost.core.time import now
from roost.scheduling.models import Appointment
from roost.video import services
from roost.video.enums import Closed, PersonState
from roost.video.models import Presence
from roost.video.queries import (
    Seat,
    get_seat_for,
    get_staff_seat_for,
    has_stepped_out,
    seats_for,
    standing_of,
    waiting_for,
)
from roost.video.turn import ice_servers
from tests.support.cast import Cast, give, make_account, make_appointment
from tests.video.conftest import CASEYS_PAGE, TARAS_PAGE


def test_only_the_appointments_therapist_has_its_seat(cast: Cast, session: Appointment) -> None:
    assert get_staff_seat_for(cast.tara, session.uuid).is_therapist
    for colleague in (cast.olivia, cast.adam, cast.theo):
        with pytest.raises(Http404):
            get_staff_seat_for(colleague, session.uuid)
    cast.tara.is_active = False
    with pytest.raises(Http404):
        get_staff_seat_for(cast.tara, session.uuid)


def test_wrong_people_find_no_seat(cast: Cast, session: Appointment) -> None:
    attendee = session.attendees.get()
    assert get_seat_for(cast.casey_account, session.uuid, attendee.uuid).own_name == "Casey"
    payer, stranger = make_account("payer@client.example"), make_account("new@client.example")
    give(payer, cast.casey, Relationship.PAYER)
    for account in (cast.parker_account, payer, stranger):
        with pytest.raises(Http404):
            seats_for(account, session.uuid)
    with pytest.raises(Http404):
        get_seat_for(cast.casey_account, session.uuid, uuid.uuid4())
    with pytest.raises(Http404):
        get_seat_for(cast.casey_account, uuid.uuid4(), attendee.uuid)


def test_ended_access_opens_no_seat(cast: Cast, session: Appointment) -> None:
    cast.casey_account.portal_access.update(ended_at=now())
    with pytest.raises(Http404):
        seats_for(cast.casey_account, session.uuid)


def test_another_practices_room_does_not_exist(
    cast: Cast, other: Cast, session: Appointment
) -> None:
    with scope(other.practice.pk), pytest.raises(Http404):
        seats_for(other.casey_account, session.uuid)
    with scope(other.practice.pk), pytest.raises(Http404):
        get_staff_seat_for(other.tara, session.uuid)


def test_a_parent_may_take_each_childs_seat(cast: Cast, maple: Any) -> None:
    family = make_appointment(cast.theo, cast.robin, cast.remy, service=cast.family)
    seats = seats_for(cast.parker_account, family.uuid)
    assert [seat.own_name for seat in seats] == ["Robin", "Remy"]


def test_a_partner_joins_only_where_both_attend(cast: Cast, maple: Any) -> None:
    partner = make_account("partner@client.example")
    give(partner, cast.casey, Relationship.PARTNER)
    alone = make_appointment(cast.tara, cast.casey, service=cast.individual)
    with pytest.raises(Http404):
        seats_for(partner, alone.uuid)
    give(partner, cast.noor)
    both = make_appointment(cast.tara, cast.casey, cast.noor, service=cast.family)
    assert {seat.own_name for seat in seats_for(partner, both.uuid)} == {"Casey", "Noor"}
    with pytest.raises(Http404):
        seats_for(partner, alone.uuid)


def test_nothing_is_told_of_others_before_admission(tara_seat: Seat, casey_seat: Seat) -> None:
    services.enter_waiting_room(by=tara_seat, cid=TARAS_PAGE, name="Tara")
    services.note_connected(by=tara_seat, cid=TARAS_PAGE)
    services.enter_waiting_room(by=casey_seat, cid=CASEYS_PAGE, name="Casey")
    # There is somebody to tell of: the therapist sees who waits.
    assert [p.cid for p in standing_of(tara_seat).others] == [CASEYS_PAGE]
    waiting = standing_of(casey_seat)
    assert (waiting.state, waiting.others, waiting.ice()) == ("waiting", [], [])
    services.admit_person(by=tara_seat, cid=CASEYS_PAGE)
    assert [p.cid for p in standing_of(casey_seat).others] == [TARAS_PAGE]


def test_relay_credentials_come_only_with_admission(
    tara_seat: Seat, casey_seat: Seat, settings: Any
) -> None:
    settings.ROOST_TURN_URL = "turn:turn.example:3478,turns:turn.example:5349"
    settings.ROOST_TURN_SECRET = "a relay's secret"
    services.enter_waiting_room(by=casey_seat, cid=CASEYS_PAGE, name="")
    assert standing_of(casey_seat).ice() == []
    services.enter_waiting_room(by=tara_seat, cid=TARAS_PAGE, name="")
    services.admit_person(by=tara_seat, cid=CASEYS_PAGE)
    (server,) = standing_of(casey_seat).ice()
    assert server["urls"] == ["turn:turn.example:3478", "turns:turn.example:5349"]
    services.remove_person(by=tara_seat, cid=CASEYS_PAGE)
    assert standing_of(casey_seat).ice() == []


def test_relay_credentials_are_coturns(settings: Any) -> None:
    settings.ROOST_TURN_URL = "turn:turn.example:3478"
    settings.ROOST_TURN_SECRET = "north"
    (server,) = ice_servers("person", datetime(2026, 1, 1, tzinfo=UTC))
    assert server["username"] == "1767232800:person"
    # printf %s 1767232800:person | openssl dgst -sha1 -hmac north -binary | base64
    assert server["credential"] == "mi/bg8WVl0RzUM02fEoPohz1OWA="


def test_who_waits_is_known_to_her_therapist_only(
    cast: Cast, casey_seat: Seat, django_assert_num_queries: Any
) -> None:
    assert waiting_for(cast.tara) == []
    services.enter_waiting_room(by=casey_seat, cid=CASEYS_PAGE, name="Casey")
    with django_assert_num_queries(1):
        (person,) = waiting_for(cast.tara)
        assert person.attendee.client.name == "Casey Nguyen"
    assert waiting_for(cast.theo) == []
    services.note_lost(by=casey_seat, cid=CASEYS_PAGE)
    Presence.objects.update(here_until=now() - timedelta(seconds=1))
    assert waiting_for(cast.tara) == []


def test_nobody_waits_for_a_cancelled_or_closed_room(
    cast: Cast, session: Appointment, casey_seat: Seat
) -> None:
    services.enter_waiting_room(by=casey_seat, cid=CASEYS_PAGE, name="Casey")
    assert len(waiting_for(cast.tara)) == 1
    Appointment.objects.update(cancelled_at=now())
    assert waiting_for(cast.tara) == []
    long_ago = now() - timedelta(hours=3)
    Appointment.objects.update(
        cancelled_at=None, starts_at=long_ago, ends_at=long_ago + timedelta(minutes=50)
    )
    assert waiting_for(cast.tara) == []


def test_stepped_out_is_who_may_return(
    session: Appointment, tara_seat: Seat, casey_seat: Seat, in_call: Callable[[], None]
) -> None:
    attendee, casey = session.attendees.get(), casey_seat.account
    assert not has_stepped_out(attendee, casey)
    in_call()
    services.leave_room(by=casey_seat, cid=CASEYS_PAGE)
    assert has_stepped_out(attendee, casey)
    services.end_room(by=tara_seat)
    assert not has_stepped_out(attendee, casey)


def test_stepped_out_is_not_who_was_removed_or_has_another_log_in(
    session: Appointment, tara_seat: Seat, casey_seat: Seat, in_call: Callable[[], None]
) -> None:
    attendee = session.attendees.get()
    in_call()
    services.leave_room(by=casey_seat, cid=CASEYS_PAGE)
    assert not has_stepped_out(attendee, make_account("alex@client.example"))
    services.enter_waiting_room(by=casey_seat, cid=CASEYS_PAGE, name="Casey")
    services.remove_person(by=tara_seat, cid=CASEYS_PAGE)
    assert not has_stepped_out(attendee, casey_seat.account)


def test_whoever_only_waited_has_not_stepped_out(session: Appointment, casey_seat: Seat) -> None:
    services.enter_waiting_room(by=casey_seat, cid=CASEYS_PAGE, name="Casey")
    services.leave_room(by=casey_seat, cid=CASEYS_PAGE)
    assert not has_stepped_out(session.attendees.get(), casey_seat.account)


def test_overtime_is_for_those_inside_while_the_therapist_is(
    session: Appointment, tara_seat: Seat, casey_seat: Seat, in_call: Callable[[], None]
) -> None:
    in_call()
    start = now() - timedelta(minutes=85)
    Appointment.objects.update(starts_at=start, ends_at=start + timedelta(minutes=50))
    seat = get_seat_for(casey_seat.account, session.uuid, session.attendees.get().uuid)
    assert standing_of(seat).closed is None
    away = Presence.objects.filter(attendee=None)
    away.update(here_until=now() - timedelta(minutes=3))
    # The server was away itself: nobody saw her line end.
    assert standing_of(seat).closed is None
    away.update(state=PersonState.LOST)
    assert standing_of(seat).closed == Closed.LATE
