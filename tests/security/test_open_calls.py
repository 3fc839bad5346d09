"""An open call ends for everybody when the right to it does, and no message stops the server."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from roost.accounts.sockets import SIGNED_OUT, SocketWatch
from roost.clients.enums import Relationship
from roost.video.messages import BadMessage, check
from roost.video.queries import seats_for
from tests.support.cast import Cast, give, make_account, make_appointment
from tests.support.rooms import Booked, book
from tests.support.server import Server, serving
from tests.video.test_sockets import CASEY, TARA, bring_in, on

ENDS = {
    "the sign-in is gone": (
        "from roost.accounts.models import SignIn\n"
        "    SignIn.objects.filter(account__email='casey@client.example').delete()"
    ),
    "the access is gone": (
        "from roost.clients.models import PortalAccess\n"
        "    PortalAccess.objects.update(ended_at=now())"
    ),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database: dict[str, str]) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("roost"), **database) as running:
        yield running


def change(booked: Booked, code: str) -> None:
    booked.server.run(
        "from roost.practices.models import Practice\n"
        "from roost.core.tenancy import scope\nfrom roost.core.time import now\n"
        f"with scope(Practice.objects.get(slug={booked.slug!r}).pk):\n    {code}"
    )


@pytest.mark.slow
@pytest.mark.parametrize("what", ENDS)
def test_the_other_side_is_told_too(server: Server, what: str) -> None:
    """Media flow between the browsers alone: the therapist's must drop whoever has no right to be
    there any more, whatever the other browser does."""
    booked = book(server, slug=f"end-{len(what)}")
    with ExitStack() as sockets:
        tara = sockets.enter_context(on(booked, "office"))
        casey = sockets.enter_context(on(booked, "portal"))
        tara.say(type="hello", cid=TARA)
        tara.say(type="ready", name="Tara")
        tara.say(type="join")
        tara.hear("joined", cid=TARA)
        casey.say(type="hello", cid=CASEY)
        casey.say(type="ready", name="Casey")
        casey.hear("state", state="waiting")
        bring_in(tara, casey)
        change(booked, ENDS[what])
        with suppress(ConnectionClosed):
            casey.say(type="ping")
        assert tara.hear("left", cid=CASEY, seconds=5)["reason"] == "left"
        state = tara.hear("state")
        assert [person for person in state["people"] if person["cid"] == CASEY] == []
        assert casey.ended() in (SIGNED_OUT, 4410)


class _Stubborn:
    """A socket whose browser does not answer the close: a second one is an error."""

    def __init__(self, key: str) -> None:
        self.sign_in, self.closed = key, 0

    async def sign_out(self) -> None:
        self.closed += 1
        raise RuntimeError("Unexpected ASGI message 'websocket.close'")


def test_one_stubborn_socket_does_not_blind_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roost.accounts.sockets.WATCH_SECONDS", 0.01)
    monkeypatch.setattr("roost.accounts.sockets.database_sync_to_async", _none_alive)

    async def look() -> tuple[_Stubborn, _Stubborn]:
        watch, first = SocketWatch(), _Stubborn("a")
        watch.add(first)  # type: ignore[arg-type]
        await asyncio.sleep(0.05)
        second = _Stubborn("b")
        watch._sockets["b"].add(second)  # type: ignore[arg-type]
        await asyncio.sleep(0.05)
        watch._sockets.clear()
        return first, second

    first, second = asyncio.run(look())
    assert first.closed >= 1
    assert second.closed >= 1


def _none_alive(function: Any) -> Any:
    async def answer(keys: set[str]) -> set[str]:
        return set()

    return answer


@pytest.mark.parametrize(
    "message",
    [
        {"type": "ready", "name": "\ud800"},
        {"type": "signal", "to": CASEY, "description": {"type": "offer", "sdp": "v=0 \udfff"}},
        {"type": "signal", "to": CASEY, "candidate": {"candidate": "\ud800"}},
        {"type": "join", "offer": {"type": "offer", "sdp": "\udc00"}},
    ],
)
def test_half_a_character_is_no_message(message: dict[str, Any]) -> None:
    arrived = json.loads(json.dumps(message))
    with pytest.raises(BadMessage):
        check(arrived)


def test_a_partner_joins_only_where_they_attend_themselves(cast: Cast, maple: Any) -> None:
    """A parent of one attendee who is the partner of another is none of the two."""
    account = make_account("partner@client.example")
    give(account, cast.casey, Relationship.PARTNER)
    give(account, cast.remy, Relationship.PARENT)
    with_child = make_appointment(cast.tara, cast.casey, cast.remy, service=cast.family)
    assert [seat.own_name for seat in seats_for(account, with_child.uuid)] == ["Remy"]
    give(account, cast.noor)
    together = make_appointment(cast.tara, cast.casey, cast.noor, service=cast.family)
    assert {seat.own_name for seat in seats_for(account, together.uuid)} == {"Casey", "Noor"}
