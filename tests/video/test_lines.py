"""What a page is told that comes back on a new line, and what becomes of the old one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import OperationalError, connections

from roost.accounts import allowances, sockets
from roost.accounts.allowances import allowance_of
from roost.accounts.sockets import STUMBLED, TOO_MUCH, server_stops
from roost.clients.enums import Relationship
from roost.core import logs
from roost.core.push import use_loop
from roost.core.tenancy import scope
from roost.core.time import now
from roost.video import consumers, services
from roost.video.consumers import REPLACED, SILENT
from roost.video.models import Presence
from roost.video.queries import Seat, waiting_for
from roost.video.rules import GRACE
from tests.support.cast import Cast, give, make_account
from tests.support.doors import session_cookie
from tests.video.conftest import CASEYS_PAGE, TARAS_PAGE
from tests.video.test_renewal import Call, Socket

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

# What a server says to all lines that it ends as it stops: "service restart" (IANA).
RESTARTS = 1012


class Line(Call):
    """Casey's line to the room, and those that follow it."""

    def another(self) -> Socket:
        name, key = session_cookie(self.cast.casey_account, "portal")
        path = f"/portal/maple/room/{self.session.uuid}/{self.attendee.uuid}/socket/"
        return Socket(path, cookie=f"{name}={key}")

    async def back(self, cid: str = CASEYS_PAGE) -> Socket:
        """A new line of the same page, or of another."""
        line = await sync_to_async(self.another)()
        await line.open()
        await line.say(type="hello", cid=cid)
        return line

    async def state(self) -> str:
        def look() -> str:
            with scope(self.cast.practice.pk):
                return str(Presence.objects.get(attendee=self.attendee).state)

        return await sync_to_async(look)()

    async def waits(self) -> int:
        def look() -> int:
            with scope(self.cast.practice.pk):
                return len(waiting_for(self.cast.tara))

        return await sync_to_async(look)()

    async def begin(self) -> None:
        """Casey is in the call with Tara."""
        await self.wait_in_vain()
        await self.act(lambda tara, _: services.admit_person(by=tara, cid=CASEYS_PAGE))
        await self.socket.say(type="join")
        await all_of(self.socket)
        assert await self.state() == "connected"

    async def wait_in_vain(self) -> None:
        """Casey waits; Tara is in."""

        def go_in(tara: Seat, _: Seat) -> None:
            services.enter_waiting_room(by=tara, cid=TARAS_PAGE, name="Tara")
            services.note_connected(by=tara, cid=TARAS_PAGE)

        await self.act(go_in)
        await self.socket.open()
        await self.socket.say(type="hello", cid=CASEYS_PAGE)
        await self.socket.say(type="ready", name="Casey")
        await all_of(self.socket)


async def all_of(line: Socket) -> list[dict[str, Any]]:
    """All that a page is told until nothing more comes."""
    heard: list[dict[str, Any]] = []
    while not await line.line.receive_nothing(timeout=1):
        heard.append(await line.hear())
    return heard


def on_the_line(cast: Cast, story: Callable[[Line], Awaitable[None]]) -> None:
    """Let a story happen, with pushes reaching sockets as in the server."""

    async def run() -> None:
        call = await sync_to_async(Line)(cast)
        use_loop(asyncio.get_running_loop())
        try:
            await story(call)
        finally:
            use_loop(None)
            await sync_to_async(connections.close_all)()

    asyncio.run(run())


def test_the_end_of_a_line_that_has_been_followed_loses_nobody(cast: Cast) -> None:
    async def story(call: Line) -> None:
        await call.begin()
        new = await call.back()
        await all_of(new)
        (end,) = await all_of(call.socket)
        assert (end["type"], end["code"]) == ("websocket.close", REPLACED)
        await call.socket.close()
        assert await call.state() == "connected"
        await new.close()
        assert await call.state() == "lost"

    on_the_line(cast, story)


def test_a_ping_does_not_swallow_what_is_to_be_told_soon(cast: Cast) -> None:
    """The look of a ping tells nothing that has not changed for the page itself; one that was due
    for the others' sake is still made aloud."""

    async def story(call: Line) -> None:
        await call.begin()
        await call.act(lambda tara, _: services.leave_room(by=tara, cid=TARAS_PAGE))
        while (await call.socket.hear())["type"] != "left":
            pass
        await call.socket.say(type="ping")
        told = await all_of(call.socket)
        assert [m["people"] for m in told if m["type"] == "state"] == [[]]

    on_the_line(cast, story)


def test_who_waits_is_renewed_in_time_and_looked_at_seldom(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two thousand can wait on one process: each ping costs next to nothing."""
    did: list[str] = []

    def counting(name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            did.append(name)
            return act(*args, **kwargs)

        return counted

    async def story(call: Line) -> None:
        await call.wait_in_vain()
        monkeypatch.setattr(services, "note_here", counting("renewed", services.note_here))
        monkeypatch.setattr(consumers, "standing_of", counting("looked", consumers.standing_of))
        begun, start = now(), time.monotonic()
        clock = SimpleNamespace(monotonic=lambda: start)
        monkeypatch.setattr(consumers, "time", clock)
        for seconds in range(10, 131, 10):
            clock.monotonic = partial(float, start + seconds)
            with time_machine.travel(begun + timedelta(seconds=seconds)):
                assert await call.waits() == 1
                await call.socket.say(type="ping")
                assert (await call.socket.hear())["type"] == "pong"
                assert await call.socket.is_silent()
        assert did.count("renewed") == 4
        assert did.count("looked") == 1
        # Given up meanwhile, as with a page that was asleep: then there is something to look at.
        clock.monotonic = partial(float, start + 300)
        with time_machine.travel(begun + timedelta(seconds=300)):
            assert await call.waits() == 0
            await call.socket.say(type="ping")
            await all_of(call.socket)
            assert await call.waits() == 1

    on_the_line(cast, story)


def test_the_others_hear_of_a_new_line_whose_old_one_nobody_has_missed(cast: Cast) -> None:
    """What was said to the old one is lost: they say it again."""

    async def story(call: Line) -> None:
        await call.begin()

        def make_tara() -> Socket:
            name, key = session_cookie(cast.tara.account, "office")
            path = f"/office/maple/room/{call.session.uuid}/socket/"
            return Socket(path, cookie=f"{name}={key}")

        tara = await sync_to_async(make_tara)()
        await tara.open()
        await tara.say(type="hello", cid=TARAS_PAGE)
        await all_of(tara)
        new = await call.back()
        back = {"type": "back", "cid": CASEYS_PAGE}
        assert back in await all_of(tara)
        # The page asks for other credentials with the same word.
        await new.say(type="hello", cid=CASEYS_PAGE)
        assert back not in await all_of(tara)
        assert back not in await all_of(new)
        await new.close()
        await tara.close()

    on_the_line(cast, story)


def test_nobody_else_ends_a_line_by_the_name_of_its_page(cast: Cast) -> None:
    """Whoever is in the room knows it, and may have a right to the same seat."""

    async def story(call: Line) -> None:
        await call.begin()

        def make_partner() -> Socket:
            with scope(cast.practice.pk):
                alex = make_account("alex@client.example")
                give(alex, cast.casey, Relationship.PARENT)
            name, key = session_cookie(alex, "portal")
            path = f"/portal/maple/room/{call.session.uuid}/{call.attendee.uuid}/socket/"
            return Socket(path, cookie=f"{name}={key}")

        other = await sync_to_async(make_partner)()
        await other.open()
        await other.say(type="hello", cid=CASEYS_PAGE)
        (ended,) = [each for each in await all_of(other) if each["type"] == "ended"]
        assert ended["reason"] == "taken"
        assert await all_of(call.socket) == []
        assert await call.state() == "connected"
        await other.close()
        assert await call.state() == "connected"
        await call.socket.close()

    on_the_line(cast, story)


def test_so_it_is_in_the_waiting_room(cast: Cast) -> None:
    async def story(call: Line) -> None:
        await call.wait_in_vain()
        new = await call.back()
        await all_of(new)
        await call.socket.close()
        assert await call.waits() == 1
        await new.close()

    on_the_line(cast, story)


def test_a_session_that_ended_while_the_line_was_down_says_so(cast: Cast) -> None:
    async def story(call: Line) -> None:
        await call.begin()
        await call.socket.close()
        await call.act(lambda tara, _: services.end_room(by=tara))
        heard = await all_of(await call.back())
        (ended,) = [each for each in heard if each["type"] == "ended"]
        assert (ended["reason"], ended["again"]) == ("ended", True)
        assert heard[-1]["type"] == "websocket.close"

    on_the_line(cast, story)


def test_a_session_that_was_opened_again_meanwhile_is_waited_for_anew(cast: Cast) -> None:
    async def story(call: Line) -> None:
        await call.begin()
        await call.socket.close()
        await call.act(lambda tara, _: (services.end_room(by=tara), services.reopen_room(by=tara)))
        line = await call.back()
        (state,) = [each for each in await all_of(line) if each["type"] == "state"]
        assert state["state"] == "left"
        await line.say(type="ready", name="Casey")
        await all_of(line)
        assert await call.state() == "waiting"
        await line.close()

    on_the_line(cast, story)


def test_whoever_was_declined_while_the_line_was_down_is_told(cast: Cast) -> None:
    async def story(call: Line) -> None:
        await call.wait_in_vain()
        await call.socket.close()
        await call.act(lambda tara, _: services.decline_person(by=tara, cid=CASEYS_PAGE))
        heard = await all_of(await call.back())
        left = {"type": "left", "cid": CASEYS_PAGE, "reason": "declined"}
        assert left in heard
        assert heard[-1]["type"] == "websocket.close"

    on_the_line(cast, story)


def test_a_page_whose_place_another_took_learns_that_it_is_nobody_now(cast: Cast) -> None:
    """What the page makes of it stands in presence.js: it does not take the place back."""

    async def story(call: Line) -> None:
        await call.begin()
        await call.socket.close()
        laptop = await call.back("casey-page-load-0002")
        await laptop.say(type="ready", name="Casey")
        await all_of(laptop)
        phone = await call.back()
        states = [each for each in await all_of(phone) if each["type"] == "state"]
        assert states
        assert {(each["state"], len(each["people"])) for each in states} == {("", 0)}
        await phone.close()
        assert await call.state() == "admitted"
        await laptop.close()

    on_the_line(cast, story)


def test_a_database_that_stumbles_ends_the_line_and_keeps_nobody_connected(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(**_: Any) -> None:
        raise OperationalError("database is locked")

    async def story(call: Line) -> None:
        await call.begin()
        monkeypatch.setattr(services, "note_here", stumble)
        await call.socket.say(type="ping")
        end = (await all_of(call.socket))[-1]
        assert (end["type"], end["code"]) == ("websocket.close", STUMBLED)
        # As the server does once a socket is closed.
        await call.socket.close()
        assert await call.state() == "lost"

    on_the_line(cast, story)


def test_a_look_that_stumbles_ends_the_line_too(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What was to be told a moment later would never be told: the page comes back and asks."""

    row = "(Casey Nguyen) is locked"

    def stumble(_: Any) -> None:
        raise OperationalError(row)

    async def story(call: Line) -> None:
        await call.begin()
        monkeypatch.setattr(consumers, "standing_of", stumble)
        await call.act(lambda tara, _: services.leave_room(by=tara, cid=TARAS_PAGE))
        left, *_, end = await all_of(call.socket)
        assert (left["type"], left["cid"]) == ("left", TARAS_PAGE)
        assert (end["type"], end["code"]) == ("websocket.close", STUMBLED)
        await call.socket.close()
        assert await call.state() == "lost"

    on_the_line(cast, story)
    (record,) = [each for each in caplog.records if "has stumbled" in each.getMessage()]
    written = logs.Line().format(record)
    assert "OperationalError" in written
    assert "Casey" not in written


@pytest.fixture
def stopping() -> Iterator[None]:
    """The server has begun to stop."""
    server_stops.set()
    yield
    server_stops.clear()


@pytest.mark.usefixtures("stopping")
def test_a_server_that_stops_in_order_has_seen_nobody_go(cast: Cast) -> None:
    """It ends all lines itself, and is away for as long as it is away: as if it had died."""

    async def story(call: Line) -> None:
        await call.begin()
        await call.socket.close(code=RESTARTS)
        assert await call.state() == "connected"

    on_the_line(cast, story)


def test_a_page_that_says_the_server_stops_is_lost_as_any_other(cast: Cast) -> None:
    """A program that is no browser may end its line with any code."""

    async def story(call: Line) -> None:
        await call.begin()
        await call.socket.close(code=RESTARTS)
        assert await call.state() == "lost"

    on_the_line(cast, story)


@pytest.mark.usefixtures("stopping")
def test_who_waits_when_a_server_stops_in_order_is_expected_back_for_a_few_seconds(
    cast: Cast,
) -> None:
    """Whoever closes their page meanwhile does not stand at the door once it is back."""

    async def story(call: Line) -> None:
        await call.wait_in_vain()
        assert await call.waits() == 1
        await call.socket.close(code=RESTARTS)
        with time_machine.travel(now() + GRACE + timedelta(seconds=1)):
            assert await call.waits() == 0

    on_the_line(cast, story)


def test_a_line_that_can_hear_no_other_is_ended_and_nobody_given_up(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What sockets say to each other goes through a layer, which fails when Redis does."""

    layer, away = get_channel_layer(), asyncio.Event()
    real = layer.receive

    async def receive(channel: str) -> Any:
        if away.is_set():
            raise ConnectionError("Redis is away.")
        return await real(channel)

    monkeypatch.setattr(layer, "receive", receive)

    async def story(call: Line) -> None:
        await call.begin()
        allowance = allowance_of(cast.casey_account.pk)
        assert allowance.sockets == 1
        away.set()
        # Its next wait for the layer is its last.
        await call.act(lambda tara, _: services.leave_room(by=tara, cid=TARAS_PAGE))
        end = (await all_of(call.socket))[-1]
        assert (end["type"], end["code"]) == ("websocket.close", STUMBLED)
        assert await call.state() == "connected"
        assert allowance.sockets == 0

    on_the_line(cast, story)


def test_a_layer_that_has_begun_anew_is_told_again_who_listens(cast: Cast) -> None:
    """A Redis that was started again knows nobody; each ping says who is there."""

    async def story(call: Line) -> None:
        await call.begin()
        get_channel_layer().groups.clear()
        await call.socket.say(type="ping")
        await all_of(call.socket)
        await call.act(lambda tara, _: services.leave_room(by=tara, cid=TARAS_PAGE))
        assert (await call.hear("left"))["cid"] == TARAS_PAGE

    on_the_line(cast, story)


def test_in_overtime_a_server_that_was_away_signs_nobody_out(cast: Cast) -> None:
    """After a call of hours the sign-in has long been idle: that counts for who is out of it."""

    async def story(call: Line) -> None:
        await call.begin()
        new = await sync_to_async(call.another)()
        closes = call.session.starts_at + timedelta(hours=3, minutes=30)

        def ping(tara: Seat, casey: Seat) -> None:
            services.note_here(by=tara, cid=TARAS_PAGE)
            services.note_here(by=casey, cid=CASEYS_PAGE)

        with time_machine.travel(closes, tick=False):
            await call.act(ping)
        with time_machine.travel(closes + timedelta(minutes=5)):
            await new.open()
            await new.say(type="hello", cid=CASEYS_PAGE)
            heard = await all_of(new)
            state = [each for each in heard if each["type"] == "state"][-1]
            assert (state["state"], state["time"]["phase"]) == ("connected", "overtime")
            assert [person["cid"] for person in state["people"]] == [TARAS_PAGE]
            await new.close()

    on_the_line(cast, story)


def test_a_page_that_never_pings_is_asked_to_come_again(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(call: Line) -> None:
        monkeypatch.setattr(consumers, "SECONDS_OF_SILENCE", 5.0)
        await call.begin()
        await call.socket.say(type="ping")
        assert [each["type"] for each in await all_of(call.socket)] == ["pong"]
        end = await call.socket.hear(seconds=8)
        assert (end["type"], end["code"]) == ("websocket.close", SILENT)

    on_the_line(cast, story)


def test_whoever_has_said_too_much_is_kept_waiting_and_then_welcome(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that coming back again and again costs the server nothing."""
    monkeypatch.setattr(sockets, "SECONDS_TO_COOL", 1.5)

    async def story(call: Line) -> None:
        allowance = allowance_of(cast.casey_account.pk)
        monkeypatch.setattr(allowances, "PER_SECOND", 0.0)
        allowance.tokens = 0.0
        line = call.socket
        await line.open()
        await line.say(type="hello", cid=CASEYS_PAGE)
        assert await line.line.receive_nothing(timeout=1)
        end = await line.hear()
        assert (end["type"], end["code"]) == ("websocket.close", TOO_MUCH)
        assert allowance.sockets == 0
        allowance.tokens = allowances.BURST
        again = await call.back()
        assert (await again.hear())["type"] == "state"
        await again.close()

    on_the_line(cast, story)
