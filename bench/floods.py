"""How long two people's messages take while somebody in another room floods the server.

The flood comes from a process of its own, 1,000 messages a second, from one socket or from several
that each keep below the rate at which a socket is closed; whoever is closed comes back at once.
Round trips in the quiet room are measured without it and with it, in turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from tests.support.rooms import Booked, book
from tests.support.server import ROOT, Server, serving

ROUNDS, TRIPS, GOAL = 10, 20, 100.0
RATE = 1000
SEVERAL = 25
TARA, CASEY = "tara-page-load-00001", "casey-page-load-0001"
CANDIDATE = {"candidate": "candidate:1 1 udp 2113937151 192.0.2.7 50000 typ host", "sdpMid": "0"}
FLOODS = {
    "one socket, signals": (1, {"type": "signal", "to": TARA, "candidate": CANDIDATE}),
    "one socket, pings": (1, {"type": "ping"}),
    "several sockets, signals": (SEVERAL, {"type": "signal", "to": TARA, "candidate": CANDIDATE}),
    "several sockets, pings": (SEVERAL, {"type": "ping"}),
    "several sockets, knocks": (SEVERAL, {"type": "ready", "name": "Mallory"}),
}


def address_of(booked: Booked, door: str) -> tuple[str, dict[str, str]]:
    """Where a person's socket is, and the headers that open it."""
    page = booked.office_room if door == "office" else booked.portal_room()
    cookie = booked.cookie(door)
    return (
        page.replace("http", "ws", 1) + "socket/",
        {"Cookie": f"{cookie['name']}={cookie['value']}", "Origin": booked.server.origin},
    )


# The flood, in its own process


async def _flood_from(where: str, headers: dict[str, str], text: str, rate: float) -> None:
    headers = dict(headers)
    origin: Any = headers.pop("Origin")
    hello = json.dumps({"type": "hello", "cid": CASEY})
    while True:
        with contextlib.suppress(WebSocketException, OSError, TimeoutError):
            async with open_socket(where, origin=origin, additional_headers=headers) as socket:
                reader = asyncio.create_task(_read(socket))
                try:
                    await socket.send(hello)
                    due = time.monotonic()
                    while True:
                        await socket.send(text)
                        due = max(due + 1 / rate, time.monotonic() - 0.1)
                        await asyncio.sleep(max(due - time.monotonic(), 0))
                finally:
                    reader.cancel()
        await asyncio.sleep(0.01)


async def _read(socket: Any) -> None:
    with contextlib.suppress(WebSocketException):
        async for _ in socket:
            pass


async def _flood(where: str, headers: dict[str, str], text: str, sockets: int) -> None:
    await asyncio.gather(
        *(_flood_from(where, headers, text, RATE / sockets) for _ in range(sockets))
    )


@contextlib.contextmanager
def flooding(booked: Booked, sockets: int, message: dict[str, Any]) -> Iterator[None]:
    """Somebody floods their own room's socket for the length of a block."""
    where, headers = address_of(booked, "portal")
    asked = json.dumps([where, headers, json.dumps(message), sockets])
    process = subprocess.Popen([sys.executable, "-m", "bench.floods", asked], cwd=ROOT)
    try:
        time.sleep(2)
        yield
        assert process.poll() is None, "The flood has ended by itself."
    finally:
        process.kill()
        process.wait(10)


# The quiet room


class Quiet:
    """Two people in a call, who say things to each other and to the server."""

    def __init__(self, tara: ClientConnection, casey: ClientConnection) -> None:
        self.tara, self.casey = tara, casey
        self._say(tara, type="hello", cid=TARA)
        self._say(tara, type="ready", name="Tara")
        self._hear(tara, "state", state="admitted")
        self._say(tara, type="join")
        self._hear(tara, "joined")
        self._say(casey, type="hello", cid=CASEY)
        self._say(casey, type="ready", name="Casey")
        self._hear(casey, "state", state="waiting")
        self._say(tara, type="admit", cid=CASEY)
        self._hear(casey, "state", state="admitted")
        self._say(casey, type="join")
        self._hear(casey, "joined")
        self._hear(tara, "joined", cid=CASEY)
        time.sleep(0.5)

    def _say(self, socket: ClientConnection, **message: Any) -> None:
        socket.send(json.dumps(message))

    def _hear(self, socket: ClientConnection, kind: str, **fields: Any) -> None:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            message = json.loads(socket.recv(timeout=20))
            if message["type"] == kind and fields.items() <= message.items():
                return
        raise AssertionError(f"No {kind} came within 20 seconds.")

    def trips(self) -> dict[str, float]:
        """Milliseconds of one round trip of each kind."""
        start = time.perf_counter()
        self._say(self.tara, type="signal", to=CASEY, candidate=CANDIDATE)
        self._hear(self.casey, "signal")
        self._say(self.casey, type="signal", to=TARA, candidate=CANDIDATE)
        self._hear(self.tara, "signal")
        signalled = time.perf_counter()
        self._say(self.casey, type="ping")
        self._hear(self.casey, "pong")
        answered = time.perf_counter()
        # Answered only once the ping's own work is done, and from the database.
        self._say(self.casey, type="hello", cid=CASEY)
        self._hear(self.casey, "state")
        looked = time.perf_counter()
        return {
            "signal there and back": (signalled - start) * 1000,
            "ping": (answered - signalled) * 1000,
            "look at the room": (looked - answered) * 1000,
        }


@contextlib.contextmanager
def quiet_room(server: Server) -> Iterator[Quiet]:
    booked = book(server)
    with contextlib.ExitStack() as stack:
        sockets = []
        for door in ("office", "portal"):
            where, headers = address_of(booked, door)
            origin: Any = headers.pop("Origin")
            sockets.append(
                stack.enter_context(connect(where, origin=origin, additional_headers=headers))
            )
        yield Quiet(*sockets)


def measure(rounds: int = ROUNDS) -> dict[str, dict[str, list[float]]]:
    """For each flood, and for none, the milliseconds of each kind of round trip."""
    found: dict[str, dict[str, list[float]]] = {name: {} for name in ["none", *FLOODS]}

    def sample(name: str, quiet: Quiet) -> None:
        for _ in range(TRIPS):
            for kind, milliseconds in quiet.trips().items():
                found[name].setdefault(kind, []).append(milliseconds)
            # What the two may ask themselves is counted too.
            time.sleep(0.25)

    with (
        tempfile.TemporaryDirectory(prefix="roost-bench-") as folder,
        serving(Path(folder)) as server,
        quiet_room(server) as quiet,
    ):
        stranger = book(server, slug="willow")
        for _ in range(rounds):
            sample("none", quiet)
            for name, (sockets, message) in FLOODS.items():
                with flooding(stranger, sockets, message):
                    sample(name, quiet)
    return found


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def table(found: dict[str, dict[str, list[float]]]) -> str:
    lines = ["Another room's round trips, under a flood of 1,000 messages a second"]
    lines.append(f"  {'flood':26} {'n':>4} {'round trip':22} {'median':>9} {'p95':>9}   added")
    missed = 0
    for name, kinds in found.items():
        for kind, values in kinds.items():
            without = found["none"][kind]
            middle, late = statistics.median(values), p95(values)
            added = middle - statistics.median(without), late - p95(without)
            missed += max(added) >= GOAL
            lines.append(
                f"  {name:26} {len(values):>4} {kind:22} {middle:>6.1f} ms {late:>6.1f} ms   "
                f"{added[0]:.1f} / {added[1]:.1f} ms"
            )
    lines.append(f"  added, median and p95: goal: below 100 ms {'MISSED' if missed else 'reached'}")
    return "\n".join(lines)


def main(rounds: int = ROUNDS) -> int:
    sys.stdout.write("\n" + table(measure(rounds)) + "\n")
    return 0


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1].startswith("["):
        asyncio.run(_flood(*json.loads(sys.argv[1])))
    raise SystemExit(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
