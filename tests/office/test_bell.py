"""The office's bell: who waits is told on every open page, and nothing of it is lost."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import OperationalError, connections

from roost.accounts.models import SignIn
from roost.accounts.sockets import NOT_UNDERSTOOD, STUMBLED
from roost.core.push import use_loop
from roost.core.tenancy import scope
from roost.core.time import now
from roost.office.sockets import BellConsumer
from roost.video import services
from roost.video.models import Presence
from roost.video.queries import Seat, bell_group, get_seat_for
from tests.support.cast import Cast, make_appointment
from tests.support.doors import session_cookie
from tests.video.conftest import CASEYS_PAGE
from tests.video.test_renewal import Socket

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


class Bell:
    """The bell of an office page of Tara's, with whom Casey has a session now."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        with scope(cast.practice.pk):
            session = make_appointment(cast.tara, cast.casey, service=cast.individual)
            attendee = session.attendees.get()
            self.casey: Seat = get_seat_for(cast.casey_account, session.uuid, attendee.uuid)
        name, key = session_cookie(cast.tara.account, "office")
        self.socket = Socket("/office/maple/bell/socket/", cookie=f"{name}={key}")

    def knock(self) -> None:
        with scope(self.cast.practice.pk):
            services.enter_waiting_room(by=self.casey, cid=CASEYS_PAGE, name="Casey")

    async def ring(self) -> None:
        group = bell_group(self.cast.tara)
        await get_channel_layer().group_send(group, {"type": "bell.rang"})

    async def count(self) -> int:
        """How many wait, by the next message."""
        told = await self.socket.hear()
        assert told["type"] == "waiting"
        return len(told["ids"])

    def caseys_presence(self) -> Presence:
        with scope(self.cast.practice.pk):
            return Presence.objects.get(attendee=self.casey.attendee)

    async def is_noted(self) -> bool:
        """Whether it is written down, once what was said has been heard, that Tara is told."""
        await self.socket.say(type="ping")
        assert await self.socket.hear() == {"type": "pong"}
        person = await sync_to_async(self.caseys_presence)()
        return person.told_at is not None


def by_the_bell(cast: Cast, story: Callable[[Bell], Awaitable[None]]) -> None:
    """Let a story happen, with pushes reaching sockets as in the server."""

    async def run() -> None:
        bell = await sync_to_async(Bell)(cast)
        use_loop(asyncio.get_running_loop())
        try:
            await bell.socket.open()
            assert await bell.count() == 0
            await story(bell)
        finally:
            use_loop(None)
            await sync_to_async(connections.close_all)()

    asyncio.run(run())


def test_a_look_that_stumbles_ends_the_socket_so_that_the_page_comes_back(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(_: BellConsumer) -> Any:
        raise OperationalError("the connection is closed")

    async def story(bell: Bell) -> None:
        monkeypatch.setattr(BellConsumer, "_waiting", stumble)
        await sync_to_async(bell.knock)()
        end = await bell.socket.hear()
        assert (end["type"], end.get("code")) == ("websocket.close", STUMBLED)
        await bell.socket.close()

    by_the_bell(cast, story)


def test_who_knocks_while_it_looks_is_told(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(bell: Bell) -> None:
        look = BellConsumer._waiting

        def look_before_the_knock(consumer: BellConsumer) -> Any:
            monkeypatch.undo()
            found = look(consumer)
            bell.knock()
            # Until the bell has rung for it.
            time.sleep(0.1)
            return found

        monkeypatch.setattr(BellConsumer, "_waiting", look_before_the_knock)
        await bell.ring()
        assert [await bell.count(), await bell.count()] == [0, 1]
        await bell.socket.close()

    by_the_bell(cast, story)


def test_a_page_that_shows_who_waits_is_how_the_therapist_is_told(cast: Cast) -> None:
    async def story(bell: Bell) -> None:
        await sync_to_async(bell.knock)()
        told = await bell.socket.hear()
        assert told["untold"] == told["ids"] != []
        assert not await bell.is_noted()
        await bell.socket.say(type="shown", ids=told["untold"])
        assert await bell.is_noted()
        await bell.ring()
        told = await bell.socket.hear()
        assert (len(told["ids"]), told["untold"]) == (1, [])
        await bell.socket.close()

    by_the_bell(cast, story)


def test_a_page_that_names_nobody_any_more_tells_the_therapist_of_nobody(cast: Cast) -> None:
    def be_idle() -> None:
        with scope(cast.practice.pk):
            mine = SignIn.objects.filter(account=cast.tara.account)
            mine.update(used_at=now() - timedelta(days=1))

    async def story(bell: Bell) -> None:
        await sync_to_async(be_idle)()
        await sync_to_async(bell.knock)()
        told = await bell.socket.hear()
        assert "Somebody is waiting. Log in" in told["knock"]
        assert (len(told["ids"]), told["untold"]) == (1, [])
        await bell.socket.say(type="shown", ids=told["ids"])
        assert not await bell.is_noted()
        await bell.socket.close()

    by_the_bell(cast, story)


SOMEBODY = str(uuid.uuid4())


@pytest.mark.parametrize(
    "message",
    [
        {"type": "shown"},
        {"type": "shown", "ids": ["Casey"]},
        {"type": "shown", "ids": [SOMEBODY], "more": 1},
        {"type": "end"},
        {"type": "hello", "cid": CASEYS_PAGE},
    ],
)
def test_what_no_page_of_the_office_says_ends_the_socket(
    cast: Cast, message: dict[str, Any]
) -> None:
    async def story(bell: Bell) -> None:
        await bell.socket.say(**message)
        end = await bell.socket.hear()
        assert (end["type"], end.get("code")) == ("websocket.close", NOT_UNDERSTOOD)
        await bell.socket.close()

    by_the_bell(cast, story)
