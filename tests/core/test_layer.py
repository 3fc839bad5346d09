"""The channel layer in memory: what has expired goes, and looking for it costs next to nothing."""

from __future__ import annotations

import asyncio

import pytest
from channels.layers import InMemoryChannelLayer, get_channel_layer

from roost.core import layer
from roost.core.layer import CLEAN_EVERY, MemoryLayer


class Clock:
    at = 1000.0

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(layer, "time", clock)
    return clock


def test_it_is_looked_through_every_ten_seconds(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Channels does so at every message, through all sockets and groups there are."""
    looks: list[float] = []
    monkeypatch.setattr(InMemoryChannelLayer, "_clean_expired", lambda _: looks.append(clock.at))

    async def talk() -> None:
        held = MemoryLayer()
        for _ in range(30):
            await held.group_send("room", {"type": "said"})
            clock.at += 1

    asyncio.run(talk())
    assert looks == [1000.0, 1010.0, 1020.0]


def test_what_nobody_has_taken_goes_in_the_end(clock: Clock) -> None:
    async def talk() -> None:
        held = MemoryLayer(expiry=0)
        await held.group_add("room", "specific.gone")
        await held.group_send("room", {"type": "said"})
        assert "specific.gone" in held.channels
        clock.at += CLEAN_EVERY
        await held.group_send("room", {"type": "said"})
        assert not held.groups["room"]

    asyncio.run(talk())


def test_an_installation_without_redis_has_it() -> None:
    assert isinstance(get_channel_layer(), MemoryLayer)
