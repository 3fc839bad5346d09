"""What a page is told of the relay over a long call: in time, while it is in, and never after."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings as configuration
from django.db import connections

from roost.config.asgi import _sockets
from roost.core.tenancy import scope
from roost.core.time import now
from roost.practices.models import Practice
from roost.scheduling.models import Appointment
from roost.video import services
from roost.video.consumers import SOON
from roost.video.queries import Seat, get_seat_for, get_staff_seat_for
from roost.video.turn import LIFETIME, relay_urls
from tests.support.cast import Cast, make_appointment
from tests.support.doors import session_cookie
from tests.video.conftest import CASEYS_PAGE, TARAS_PAGE

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def relay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "ROOST_TURN_URL", "turn:turn.example.com:3478")
    monkeypatch.setattr(configuration, "ROOST_TURN_SECRET", "a relay's secret of some length")


class Socket:
    """A socket of the application, without a server."""

    def __init__(self, path: str, *, cookie: str) -> None:
        headers = [(b"origin", configuration.ROOST_ORIGIN.encode()), (b"cookie", cookie.encode())]
        self.line = ApplicationCommunicator(
            _sockets(),
            {"type": "websocket", "path": path, "headers": headers, "query_string": b"",
             "subprotocols": []},
        )  # fmt: skip

    async def open(self) -> None:
        await self.line.send_input({"type": "websocket.connect"})
        assert (await self.line.receive_output(5))["type"] == "websocket.accept"

    async def say(self, **message: Any) -> None:
        await self.line.send_input({"type": "websocket.receive", "text": json.dumps(message)})

    async def hear(self, *, seconds: float = 5) -> dict[str, Any]:
        """The next message, or the close."""
        told = await self.line.receive_output(seconds)
        return dict(json.loads(told["text"])) if told["type"] == "websocket.send" else dict(told)

    async def is_silent(self) -> bool:
        return await self.line.receive_nothing(timeout=SOON + 0.2)

    async def close(self, *, code: int = 1001) -> None:
        await self.line.send_input({"type": "websocket.disconnect", "code": code})
        await self.line.wait(5)


class Call:
    """Casey's socket in a session of three hours, in which Tara is too."""

    def __init__(self, cast: Cast) -> None:
        with scope(cast.practice.pk):
            self.session = make_appointment(cast.tara, cast.casey, service=cast.individual)
            Appointment.objects.filter(pk=self.session.pk).update(
                ends_at=self.session.starts_at + timedelta(hours=3)
            )
            self.attendee = self.session.attendees.get()
        self.cast = cast
        name, key = session_cookie(cast.casey_account, "portal")
        path = f"/portal/maple/room/{self.session.uuid}/{self.attendee.uuid}/socket/"
        self.socket = Socket(path, cookie=f"{name}={key}")

    def seats(self) -> tuple[Seat, Seat]:
        return (
            get_staff_seat_for(self.cast.tara, self.session.uuid),
            get_seat_for(self.cast.casey_account, self.session.uuid, self.attendee.uuid),
        )

    async def act(self, what: Callable[[Seat, Seat], Any]) -> None:
        def run() -> None:
            with scope(self.cast.practice.pk):
                what(*self.seats())

        await sync_to_async(run)()

    async def ping(self) -> list[dict[str, Any]]:
        """All that Casey's page is told at one ping."""
        await self.socket.say(type="ping")
        heard = [await self.socket.hear()]
        while not await self.socket.is_silent():
            heard.append(await self.socket.hear())
        return [message for message in heard if message["type"] != "pong"]

    async def hear(self, kind: str) -> dict[str, Any]:
        while (message := await self.socket.hear())["type"] != kind:
            pass
        return message

    async def begin(self) -> None:
        """Casey waits; Tara goes in and admits."""

        def go_in(tara: Seat, _: Seat) -> None:
            services.enter_waiting_room(by=tara, cid=TARAS_PAGE, name="Tara")
            services.note_connected(by=tara, cid=TARAS_PAGE)

        await self.act(go_in)
        await self.socket.open()
        await self.socket.say(type="hello", cid=CASEYS_PAGE)
        assert (await self.hear("state"))["ice"] == []
        await self.socket.say(type="ready", name="Casey")
        assert (await self.hear("state"))["ice"] == []
        # Nothing of the relay comes before admission, however long it takes.
        with time_machine.travel(now() + timedelta(hours=1, minutes=30)):
            assert await self.ping() == []
        await self.act(lambda tara, _: services.admit_person(by=tara, cid=CASEYS_PAGE))
        await self.socket.say(type="join")
        assert bool((await self.hear("state"))["ice"]) == bool(relay_urls())
        await self.hear("joined")
        while not await self.socket.is_silent():
            await self.socket.hear()


def in_call(cast: Cast, story: Callable[[Call], Awaitable[None]]) -> None:
    """Let a story happen to a call that has just begun."""

    async def run() -> None:
        call = await sync_to_async(Call)(cast)
        try:
            await call.begin()
            await story(call)
        finally:
            await call.socket.close()
            # This loop's thread ends with it, and would leave its connection open.
            await sync_to_async(connections.close_all)()

    asyncio.run(run())


def expiry(ice: list[dict[str, Any]]) -> float:
    return float(ice[0]["username"].partition(":")[0])


def test_three_hours_never_find_expired_credentials(cast: Cast) -> None:
    async def story(call: Call) -> None:
        start, renewals, held_until = now(), 0, now() + LIFETIME
        for minutes in range(0, 180, 10):
            with time_machine.travel(start + timedelta(minutes=minutes)):
                for message in await call.ping():
                    assert message["type"] == "ice", message
                    assert message["policy"] == "all"
                    renewals += 1
                    assert expiry(message["ice"]) > held_until.timestamp()
                    held_until = now() + LIFETIME
                # With the server gone at this moment, they would do for most of an hour.
                assert held_until - now() > timedelta(minutes=50)
        # Not at every ping: each costs the browser work.
        assert renewals == 2

    in_call(cast, story)


def test_who_is_removed_gets_no_more(cast: Cast) -> None:
    async def story(call: Call) -> None:
        await call.act(lambda tara, _: services.remove_person(by=tara, cid=CASEYS_PAGE))
        removed_at = now()
        with time_machine.travel(removed_at + timedelta(hours=1, minutes=30)):
            await call.socket.say(type="ping")
            heard = [await call.socket.hear()]
            while heard[-1]["type"] != "websocket.close":
                heard.append(await call.socket.hear())
        assert "removed" in [message.get("reason") for message in heard]
        # What was said before may still be on its way; nothing was made anew since.
        held = [expiry(message["ice"]) for message in heard if message.get("ice")]
        assert all(until <= (removed_at + LIFETIME).timestamp() for until in held)

    in_call(cast, story)


def test_who_left_gets_no_more(cast: Cast) -> None:
    async def story(call: Call) -> None:
        # From another window of theirs.
        await call.act(lambda _, casey: services.leave_room(by=casey, cid=CASEYS_PAGE))
        with time_machine.travel(now() + timedelta(hours=1, minutes=30)):
            assert [m for m in await call.ping() if m["type"] == "ice"] == []

    in_call(cast, story)


def test_a_practice_that_wants_relay_only_is_heard_in_a_running_call(cast: Cast) -> None:
    async def story(call: Call) -> None:
        assert await call.ping() == []
        change = Practice.objects.filter(pk=cast.practice.pk).update
        await sync_to_async(change)(relay_only=True)
        (told,) = await call.ping()
        assert (told["type"], told["policy"], len(told["ice"])) == ("ice", "relay", 1)
        assert await call.ping() == []
        await sync_to_async(change)(relay_only=False)
        (told,) = await call.ping()
        assert (told["type"], told["policy"]) == ("ice", "all")

    in_call(cast, story)


def test_without_a_relay_nothing_is_renewed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "ROOST_TURN_URL", "")

    async def story(call: Call) -> None:
        with time_machine.travel(now() + timedelta(hours=1, minutes=30)):
            assert await call.ping() == []

    in_call(cast, story)
