"""Calls that close while people are in them, and rooms that stay shut to somebody, on a real server
and by its own pages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from roost.accounts.sockets import TOO_MUCH
from tests.security.test_revocation import first_cookie, send_form
from tests.support.rooms import Booked, book
from tests.support.server import Server, serving
from tests.video.test_sockets import ANSWER, CASEY, NEW, OFFER, TARA, Talk, bring_in, on

pytestmark = pytest.mark.slow

TOMORROW = """
import sys
from datetime import timedelta
from roost.core.tenancy import scope
from roost.core.time import now
from roost.practices.models import Practice
from roost.scheduling.models import Appointment
practice = Practice.objects.get(slug=sys.argv[1])
with scope(practice.pk):
    found = Appointment.objects.get(uuid=sys.argv[2])
    print((now() + timedelta(days=1)).astimezone(practice.zone).date(), found.starts_at.isoformat())
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database: dict[str, str]) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("roost"), **database) as running:
        yield running


@pytest.fixture
def booked(server: Server, request: pytest.FixtureRequest) -> Booked:
    """A session in a practice of its own, so that nothing else is in Tara's way."""
    number = abs(hash(request.node.name)) % 10**8
    # It has not begun: one that has can neither be moved nor cancelled any more.
    return book(server, slug=f"room-{number}", minutes=10)


@pytest.fixture
def call(booked: Booked) -> Iterator[tuple[Talk, Talk]]:
    """Tara and Casey, who talk."""
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
        yield tara, casey


def cancel(booked: Booked) -> None:
    page = f"{booked.office}/sessions/{booked.appointment}/cancel/"
    send_form(page, first_cookie(booked, "office"), {})


def move(booked: Booked) -> None:
    day, seen = booked.server.run(TOMORROW, booked.slug, booked.appointment).split()
    page = f"{booked.office}/sessions/{booked.appointment}/move/"
    fields = {"day": day, "hour": "13:00", "seen": seen, "which": ""}
    send_form(page, first_cookie(booked, "office"), fields)


@pytest.mark.parametrize(
    ("act", "reason"), [(cancel, "cancelled"), (move, "early")], ids=["cancelled", "moved"]
)
def test_the_call_of_a_session_that_is_off_ends_with_a_reason_on_both_sides(
    call: tuple[Talk, Talk], booked: Booked, act: Any, reason: str
) -> None:
    act(booked)
    for talk in call:
        # Unasked: no ping has to come first.
        assert talk.hear("ended")["reason"] == reason
        assert talk.ended() == 4410
    for door in ("office", "portal"):
        with on(booked, door) as again:
            again.say(type="hello", cid=NEW)
            assert again.hear("ended")["reason"] == reason
            assert again.ended() == 4410
            assert [m for m in again.heard if m["type"] == "state"] == []


EVERYTHING: list[dict[str, Any]] = [
    {"type": "ready", "name": "Casey"},
    {"type": "join"},
    {"type": "join", "offer": OFFER},
    {"type": "signal", "to": TARA, "description": ANSWER},
    {"type": "signal", "to": TARA, "candidate": {"candidate": "candidate:1 1 udp 1 192.0.2.7 9"}},
    {"type": "admit", "cid": CASEY},
    {"type": "admit", "cid": NEW},
    {"type": "admit_all"},
    {"type": "ping"},
    {"type": "leave"},
]


def _knock(booked: Booked, messages: list[dict[str, Any]]) -> tuple[int, list[dict[str, Any]]]:
    """Say it all on a new line. Returns how that ends, and all that was heard; one that came too
    soon is tried again."""
    while True:
        with on(booked, "portal") as again:
            with suppress(ConnectionClosed):
                for each in messages:
                    again.say(**each)
            code = again.ended()
        if code != TOO_MUCH:
            return code, again.heard


def test_who_is_removed_comes_back_by_no_message_no_line_and_no_page(
    call: tuple[Talk, Talk], booked: Booked
) -> None:
    tara, casey = call
    tara.say(type="remove", cid=CASEY)
    assert casey.hear("left", cid=CASEY)["reason"] == "removed"
    assert casey.ended() == 4410
    tara.hear("left", cid=CASEY)
    tara.silence("joined", seconds=0.5)
    tara.heard.clear()
    for number, message in enumerate(EVERYTHING):
        # With the page it had, and with a new one; after hello, and in place of it.
        for cid in (CASEY, f"{NEW}-{number}"):
            for first in ([{"type": "hello", "cid": cid}], []):
                code, heard = _knock(booked, [*first, message])
                assert code in (4400, 4403, 4410)
                assert {m["type"] for m in heard} <= {"left", "ended", "pong"}, message
                assert TARA not in str(heard) and "Tara" not in str(heard)
    # As much as they may say is said: the allowance grows again.
    time.sleep(4)
    # As Tara, whose page's name they have heard, they come to nothing either.
    with on(booked, "portal") as again:
        again.say(type="hello", cid=TARA)
        again.ended()
        assert {m["type"] for m in again.heard} <= {"left", "ended"}
    tara.say(type="ping")
    tara.hear("pong")
    assert not [m for m in tara.heard if m["type"] in ("joined", "signal")]
    people = [m["people"] for m in tara.heard if m["type"] == "state"]
    assert all(p["state"] == "removed" for shown in people for p in shown)
    # Until she lets them back in: then they knock like anybody.
    tara.say(type="admit", cid=CASEY)
    tara.hear("state")
    with on(booked, "portal") as again:
        again.say(type="hello", cid=NEW)
        again.say(type="ready", name="Casey")
        again.hear("state", state="admitted")


def test_an_ended_room_that_is_opened_again_lets_nobody_in_by_themselves(
    call: tuple[Talk, Talk], booked: Booked
) -> None:
    tara, casey = call
    tara.say(type="end")
    assert tara.hear("ended", reason="ended")["again"] is True
    assert casey.hear("ended", reason="ended")["again"] is True
    assert (tara.ended(), casey.ended()) == (4410, 4410)
    send_form(booked.office_room, first_cookie(booked, "office"), {}, to=booked.office_room + "?")
    with on(booked, "office") as her, on(booked, "portal") as his:
        her.say(type="hello", cid=f"{TARA}-2")
        her.say(type="ready", name="Tara")
        her.say(type="join")
        her.hear("joined", cid=f"{TARA}-2")
        # The page that was in before is as far away as any other.
        his.say(type="hello", cid=CASEY)
        his.say(type="join", offer=OFFER)
        his.hear("state", people=[])
        his.say(type="ready", name="Casey")
        assert his.hear("state", state="waiting")["people"] == []
        her.silence("joined", seconds=0.5)
        her.say(type="admit", cid=CASEY)
        his.hear("state", state="admitted")
