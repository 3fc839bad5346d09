"""What one account may say on all its sockets together."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from types import SimpleNamespace

import pytest

from roost.accounts import allowances, sockets
from roost.accounts.allowances import (
    BURST,
    MESSAGE,
    PER_SECOND,
    QUESTION,
    Allowance,
    allowance_of,
    forget_fresh,
)
from roost.accounts.sessions import hashed
from roost.accounts.sockets import DoorSockets, SignedInConsumer
from roost.core.context import RequestFacts


class Clock:
    def __init__(self) -> None:
        self.at = 1000.0

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(allowances, "time", clock)
    monkeypatch.setattr(allowances, "_allowances", {})
    return clock


def make(clock: Clock) -> Allowance:
    return Allowance(filled_at=clock.at)


def test_a_burst_is_free_and_then_only_the_rate(clock: Clock) -> None:
    held = make(clock)
    assert sum(held.take(MESSAGE) for _ in range(1000)) == BURST
    clock.at += 1
    assert sum(held.take(MESSAGE) for _ in range(1000)) == PER_SECOND


def test_asking_the_database_takes_more(clock: Clock) -> None:
    held = make(clock)
    assert sum(held.take(QUESTION) for _ in range(1000)) == BURST / QUESTION


def test_what_is_refused_takes_nothing(clock: Clock) -> None:
    held = make(clock)
    held.tokens = 3
    assert not held.take(QUESTION)
    assert held.take(MESSAGE)
    assert held.tokens == 2


def test_it_never_holds_more_than_a_burst(clock: Clock) -> None:
    held = make(clock)
    clock.at += 10_000
    assert sum(held.take(MESSAGE) for _ in range(1000)) == BURST


def test_an_account_has_one_and_another_has_its_own(clock: Clock) -> None:
    assert allowance_of(1) is allowance_of(1)
    assert allowance_of(1) is not allowance_of(2)


def test_only_what_is_full_and_not_in_use_is_forgotten(clock: Clock) -> None:
    full, used, open_ = (allowance_of(number) for number in (1, 2, 3))
    used.filled_at = full.filled_at = open_.filled_at = clock.at
    used.take(MESSAGE)
    open_.sockets = 1
    forget_fresh()
    assert allowance_of(2) is used
    assert allowance_of(3) is open_
    assert allowance_of(1) is not full
    clock.at += 1
    forget_fresh()
    assert allowance_of(2) is not used


def test_many_sockets_of_one_account_hold_another_up_for_one_turn() -> None:
    """All database work is done by one thread: nobody's questions stand in a row before it."""
    done: list[str] = []

    def work(name: str) -> None:
        time.sleep(0.01)
        done.append(name)

    def socket_of(allowance: Allowance) -> SignedInConsumer:
        socket = SignedInConsumer()
        socket.scope = {"facts": RequestFacts()}
        socket.practice, socket.allowance = SimpleNamespace(pk=1), allowance  # type: ignore[assignment]
        return socket

    async def meet() -> None:
        mallory, casey = Allowance(), Allowance()
        many = [socket_of(mallory) for _ in range(10)]
        asked = [asyncio.create_task(each.in_practice(partial(work, "mallory"))) for each in many]
        await asyncio.sleep(0)
        await socket_of(casey).in_practice(partial(work, "casey"))
        await asyncio.gather(*asked)

    asyncio.run(meet())
    assert len(done) == 11
    assert done.index("casey") <= 1


def test_many_sockets_that_open_hold_another_up_for_one_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who is on them is looked up for one after the other, of those that bring the same cookie."""
    found: list[str] = []

    def who(door: str, slug: str, key: str) -> tuple[None, None]:
        time.sleep(0.01)
        found.append(key)
        return None, None

    async def app(*_: object) -> None:
        pass

    async def nothing() -> None:
        pass

    async def open_(cookie: str) -> None:
        headers = [(b"cookie", f"roost-portal-maple={cookie}".encode())]
        path = "/portal/maple/room/1/socket/"
        await DoorSockets(app)({"path": path, "headers": headers}, nothing, nothing)

    async def meet() -> None:
        opened = [asyncio.create_task(open_("mallory")) for _ in range(10)]
        await asyncio.sleep(0)
        await open_("casey")
        await asyncio.gather(*opened)

    monkeypatch.setattr(sockets, "_who", who)
    asyncio.run(meet())
    assert len(found) == 11
    assert found.index(hashed("casey")) <= 1
