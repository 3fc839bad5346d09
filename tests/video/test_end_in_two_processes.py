"""A call ends by time for everybody, whichever process of the server their socket is at, and no
browser is asked what time it is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace

import pytest

from tests.support.rooms import book
from tests.support.server import Server, free_port, serving
from tests.video.test_sockets import CASEY, TARA, Talk, on

pytestmark = pytest.mark.slow

# The window of the only session ends in so many seconds.
END_IN = """
import sys
from datetime import timedelta
from roost.core.tenancy import scope
from roost.core.time import now
from roost.practices.models import Practice
from roost.scheduling.models import Appointment
with scope(Practice.objects.get(slug="maple").pk):
    start = now() + timedelta(seconds=float(sys.argv[1])) - timedelta(minutes=80)
    Appointment.objects.update(starts_at=start, ends_at=start + timedelta(minutes=50))
"""


@pytest.fixture(scope="module")
def servers(
    tmp_path_factory: pytest.TempPathFactory, database: dict[str, str]
) -> Iterator[tuple[Server, Server]]:
    """Two processes on the same data, which can't reach each other's sockets."""
    folder = tmp_path_factory.mktemp("roost")
    with (
        serving(folder, **database) as one,
        serving(folder, port=free_port(), **database) as other,
    ):
        yield one, other


def told_after_ping(talk: Talk, phase: str) -> None:
    """It is said at one of the next pings, which a page sends every ten seconds; or in a state that
    is told anyhow."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        talk.say(type="ping")
        talk.hear("pong")
        if any(said.get("time", said).get("phase") == phase for said in talk.heard):
            return
        time.sleep(0.5)
    raise AssertionError(f"Nothing of “{phase}” came: {talk.heard}")


def join_once_admitted(casey: Talk) -> None:
    """The other process has let them in, and tells nobody here."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        casey.say(type="join")
        with suppress(TimeoutError, AssertionError):
            casey.hear("joined", cid=CASEY, seconds=1)
            return
    raise AssertionError(f"They were not let in: {casey.heard}")


def test_the_time_is_told_by_each_process_by_itself(servers: tuple[Server, Server]) -> None:
    one, other = servers
    booked = book(one)
    with ExitStack() as sockets:
        tara = sockets.enter_context(on(booked, "office"))
        casey = sockets.enter_context(on(replace(booked, server=other), "portal"))
        tara.say(type="hello", cid=TARA)
        tara.say(type="ready", name="Tara")
        tara.say(type="join")
        tara.hear("joined", cid=TARA)
        casey.say(type="hello", cid=CASEY)
        casey.say(type="ready", name="Casey")
        casey.hear("state", state="waiting")
        tara.say(type="admit", cid=CASEY)
        join_once_admitted(casey)

        one.run(END_IN, "25")
        for talk in (tara, casey):
            told_after_ping(talk, "closing")
        for talk in (tara, casey):
            talk.hear("time", phase="overtime", seconds=40)
        one.run(END_IN, str(25 - 3600))
        for talk in (tara, casey):
            told_after_ping(talk, "ending")
        for talk in (tara, casey):
            assert talk.hear("ended", seconds=40)["reason"] == "late"
            assert talk.ended() == 4410
