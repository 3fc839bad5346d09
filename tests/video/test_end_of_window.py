"""How a call comes to its end by time, for whom it is and whom it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from asgiref.sync import sync_to_async

from roost.accounts.models import Account
from roost.audit.models import AuditEvent
from roost.core.tenancy import scope
from roost.core.time import now, say_hour, zone
from roost.scheduling.models import Appointment
from roost.video import services
from roost.video.errors import RoomClosed
from roost.video.models import Presence, VideoRoom
from roost.video.queries import Seat, standing_of
from roost.video.rules import LEASE, Window, join_window
from tests.support.cast import Cast
from tests.video.conftest import CASEYS_PAGE, TARAS_PAGE
from tests.video.test_renewal import Call
from tests.video.test_renewal import in_call as during_call

MINUTE = timedelta(minutes=1)


def window_of(seat: Seat) -> Window:
    return join_window(seat.appointment, seat.practice)


@contextmanager
def at(moment: Any, *seats: Seat) -> Iterator[None]:
    """Then, with the pages of these seats still there."""
    with time_machine.travel(moment, tick=False):
        for seat, cid in zip(seats, (TARAS_PAGE, CASEYS_PAGE), strict=False):
            services.note_here(by=seat, cid=cid)
        yield


def ends() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action="room.ended"))


def test_a_call_ends_by_time_once_and_is_written_down(
    tara_seat: Seat, casey_seat: Seat, in_call: Callable[[], None]
) -> None:
    in_call()
    window = window_of(tara_seat)
    for moment in (window.closes_at - MINUTE, window.closes_at, window.last_at - MINUTE):
        with at(moment, tara_seat, casey_seat):
            services.end_by_time(at=casey_seat)
            assert standing_of(casey_seat).is_inside
    assert ends() == []
    with at(window.last_at, tara_seat, casey_seat):
        for seat in (casey_seat, tara_seat):
            assert standing_of(seat).closed == "late"
            services.end_by_time(at=seat)
        assert VideoRoom.objects.get().ended_at == window.last_at
    (end,) = ends()
    assert (end.actor, end.details) == (
        None,
        {"appointment": str(tara_seat.appointment.uuid)},
    )
    assert set(Presence.objects.values_list("state", flat=True)) == {"left"}


def test_past_the_window_the_call_waits_two_minutes_for_its_therapist(
    tara_seat: Seat, casey_seat: Seat, in_call: Callable[[], None]
) -> None:
    in_call()
    over = window_of(tara_seat).closes_at
    with at(over, tara_seat, casey_seat):
        services.note_lost(by=tara_seat, cid=TARAS_PAGE)
    with at(over + 2 * MINUTE):
        services.end_by_time(at=casey_seat)
        assert standing_of(casey_seat).is_inside
    with at(over + 3 * MINUTE):
        assert standing_of(casey_seat).closed == "late"
        services.end_by_time(at=casey_seat)
    assert len(ends()) == 1


@pytest.mark.parametrize("minutes", [3, 19])
def test_past_the_window_a_server_that_was_away_ends_no_call(
    tara_seat: Seat, casey_seat: Seat, in_call: Callable[[], None], minutes: int
) -> None:
    """Their pictures went on meanwhile: nobody hangs up on anybody when it is back."""
    in_call()
    over = window_of(tara_seat).closes_at
    with at(over, tara_seat, casey_seat):
        silent = over + LEASE
    with at(silent + minutes * MINUTE):
        for seat, cid in ((casey_seat, CASEYS_PAGE), (tara_seat, TARAS_PAGE)):
            assert standing_of(seat).is_inside
            services.end_by_time(at=seat)
            back = services.note_regained(by=seat, cid=cid)
            assert back is not None and back.state == "connected"
        assert standing_of(tara_seat).room == "open"
    assert ends() == []


def test_past_the_window_a_therapist_who_stays_away_ends_it_in_the_end(
    tara_seat: Seat, casey_seat: Seat, in_call: Callable[[], None]
) -> None:
    in_call()
    over = window_of(tara_seat).closes_at
    with at(over, tara_seat, casey_seat):
        silent = over + LEASE
    with at(silent + 19 * MINUTE):
        services.note_here(by=casey_seat, cid=CASEYS_PAGE)
    with at(silent + 20 * MINUTE):
        assert standing_of(casey_seat).closed == "late"
        services.end_by_time(at=casey_seat)
    assert len(ends()) == 1


def test_at_the_windows_end_nobody_comes_in_and_who_leaves_is_out(
    tara_seat: Seat, casey_seat: Seat, in_call: Callable[[], None]
) -> None:
    in_call()
    with at(window_of(tara_seat).closes_at, tara_seat, casey_seat):
        # A reload is no coming in.
        services.enter_waiting_room(by=casey_seat, cid=CASEYS_PAGE + "-2", name="Casey")
        assert standing_of(casey_seat).is_inside
        services.leave_room(by=casey_seat, cid=CASEYS_PAGE + "-2")
        with pytest.raises(RoomClosed):
            services.enter_waiting_room(by=casey_seat, cid=CASEYS_PAGE, name="Casey")
        assert standing_of(tara_seat).is_inside
        services.leave_room(by=tara_seat, cid=TARAS_PAGE)
        with pytest.raises(RoomClosed):
            services.enter_waiting_room(by=tara_seat, cid=TARAS_PAGE, name="Tara")
    assert [end.actor for end in ends()] == [tara_seat.account]


# By socket, with the clock far ahead of the browser's


async def told_at(call: Call, moment: Any) -> list[dict[str, Any]]:
    """What Casey's page hears of the time at its next ping, Tara's being there too: in a message of
    its own, or with the state where that is on its way just then."""
    with time_machine.travel(moment, tick=False):
        await call.act(lambda tara, _: services.note_here(by=tara, cid=TARAS_PAGE))
        heard = [message.get("time", message) for message in await call.ping()]
    return [
        {name: told[name] for name in ("phase", "closes", "lasts")}
        for told in heard
        if "phase" in told
    ]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_who_is_in_the_call_is_warned_by_the_servers_clock(cast: Cast) -> None:
    with scope(cast.practice.pk):
        Account.objects.filter(pk=cast.casey_account.pk).update(zone_name="America/Vancouver")

    async def story(call: Call) -> None:
        closes = call.session.starts_at + timedelta(hours=3, minutes=30)
        lasts, tz = closes + timedelta(hours=1), zone("America/Vancouver")
        hours = {"closes": say_hour(closes, tz), "lasts": say_hour(lasts, tz)}
        for moment, phase, is_new in (
            (closes - 6 * MINUTE, "open", False),
            (closes - 5 * MINUTE, "closing", True),
            (closes - 1 * MINUTE, "closing", False),
            (closes, "overtime", True),
            (lasts - 6 * MINUTE, "overtime", False),
            (lasts - 5 * MINUTE, "ending", True),
        ):
            told = await told_at(call, moment)
            assert all(each == {"phase": phase, **hours} for each in told), told
            assert told or not is_new, moment
        with time_machine.travel(lasts, tick=False):
            await call.act(lambda tara, _: services.note_here(by=tara, cid=TARAS_PAGE))
            await call.socket.say(type="ping")
            ended = await call.hear("ended")
            assert (ended["reason"], ended["again"]) == ("late", False)
            assert (await call.socket.hear())["code"] == 4410

    during_call(cast, story)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_session_that_is_moved_has_other_hours(cast: Cast) -> None:
    async def story(call: Call) -> None:
        def move() -> None:
            with scope(cast.practice.pk):
                start = now() - timedelta(hours=3, minutes=26)
                Appointment.objects.update(starts_at=start, ends_at=start + timedelta(hours=3))

        await sync_to_async(move)()
        told = await told_at(call, now())
        assert {each["phase"] for each in told} == {"closing"}

    during_call(cast, story)
