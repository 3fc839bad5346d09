"""Networks that cannot reach each other, for two browsers; a relay's address can be reached from
both. Needs root. No packet leaves this machine.

Each network is a namespace of its own. Roost stays outside and is handed in through a Unix socket,
since a namespace has its own loopback: `python -m tests.support.networks PORT PATH` listens there.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.server import ROOT

# Documentation's own networks (RFC 5737): the shipped relay refuses none of them.
RELAY = "192.0.2.99"
LINKS = {"tara": "198.51.100", "casey": "203.0.113"}
# Where somebody is who has moved to another network.
ELSEWHERE = "192.0.2"
# A network card that there is not.
NOBODY = "02:00:00:00:00:99"


@dataclass(frozen=True)
class Networks:
    """The namespaces by whose they are: "tara", "casey", "relay"."""

    names: dict[str, str]

    def inside(self, whose: str) -> list[str]:
        """What stands before a command that is to run there."""
        return ["ip", "netns", "exec", self.names[whose]]

    def move(self, whose: str) -> None:
        """Their network goes, and another one comes a moment later."""
        name = self.names[whose]
        tag = name.partition("-")[0]
        _ip("-n", name, "link", "del", f"{tag}h{list(LINKS).index(whose)}")
        time.sleep(0.5)
        _link(name, f"{tag}m0", self.names["relay"], f"{tag}m1", ELSEWHERE)

    @contextmanager
    def cut(self, whose: str) -> Iterator[None]:
        """Nothing comes through for the length of a block, and nobody is told: a lift, a tunnel."""
        number, name, relay = list(LINKS).index(whose), self.names[whose], self.names["relay"]
        tag = name.partition("-")[0]
        ends = [(name, f"{tag}h{number}", 1), (relay, f"{tag}t{number}", 2)]
        for space, device, last in ends:
            _ip("-n", space, "neigh", "replace", f"{LINKS[whose]}.{last}", "lladdr", NOBODY,
                "dev", device, "nud", "permanent")  # fmt: skip
        try:
            yield
        finally:
            for space, device, last in ends:
                _ip("-n", space, "neigh", "del", f"{LINKS[whose]}.{last}", "dev", device)

    @contextmanager
    def narrow(self, whose: str, *, kbit: int) -> Iterator[None]:
        """What goes out there has so many kilobits a second, for the length of a block: what is
        more waits for up to 400 ms, and is lost."""
        name = self.names[whose]
        device = f"{name.partition('-')[0]}h{list(LINKS).index(whose)}"
        queue = ["netns", "exec", name, "tc", "qdisc"]
        shape = ["tbf", "rate", f"{kbit}kbit", "burst", "3kb", "latency", "400ms"]
        _ip(*queue, "add", "dev", device, "root", *shape)
        try:
            yield
        finally:
            _ip(*queue, "del", "dev", device, "root")

    @contextmanager
    def lose(self, whose: str, *, percent: int) -> Iterator[None]:
        """So much of what goes either way is lost by chance, for the length of a block, however
        little it is. Dropped where it arrives: who sends is told nothing."""
        name, relay = self.names[whose], self.names["relay"]
        tag, number = name.partition("-")[0], list(LINKS).index(whose)
        with ExitStack() as made:
            for space, device in ((name, f"{tag}h{number}"), (relay, f"{tag}t{number}")):
                chance = f"numgen random mod 100 < {percent}"
                drop = f'iifname "{device}" meta l4proto udp {chance} drop;'
                hook = "type filter hook prerouting priority 0;"
                _nft(space, f"table ip loss {{ chain arriving {{ {hook} {drop} }}; }}")
                made.callback(_nft, space, "delete table ip loss")
            yield

    def browser(self, whose: str, folder: Path) -> str:
        """A Chromium that lives there."""
        wrapper = folder / f"chromium-{whose}"
        command = " ".join(self.inside(whose))
        wrapper.write_text(f'#!/bin/sh\nexec {command} /usr/bin/chromium "$@"\n')
        wrapper.chmod(0o755)
        return str(wrapper)


def _link(whose: str, near: str, relay: str, far: str, network: str) -> None:
    """Connect the namespace `whose` with the relay's, by a cable and two addresses."""
    _ip("link", "add", near, "netns", whose, "type", "veth", "peer", "name", far, "netns", relay)
    for name, device, last in ((whose, near, 2), (relay, far, 1)):
        _ip("-n", name, "addr", "add", f"{network}.{last}/24", "dev", device)
        _ip("-n", name, "link", "set", device, "up")
    _ip("-n", whose, "route", "add", "default", "via", f"{network}.1")


def _nft(space: str, rules: str) -> None:
    """Change the packet filter of one namespace."""
    command = ["ip", "netns", "exec", space, "nft", "-f", "-"]
    done = subprocess.run(command, input=rules, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"nft {rules}: {done.stderr}")


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr}")


@contextmanager
def islands() -> Iterator[Networks]:
    """Both networks and the relay's, for the length of a block."""
    tag = f"r{os.getpid() % 100_000}"
    names = {whose: f"{tag}-{whose}" for whose in (*LINKS, "relay")}
    with ExitStack() as made:
        for name in names.values():
            _ip("netns", "add", name)
            made.callback(_ip, "netns", "del", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", names["relay"], "addr", "add", f"{RELAY}/32", "dev", "lo")
        forwarding = ["sysctl", "-qw", "net.ipv4.ip_forward=0"]
        subprocess.run(["ip", "netns", "exec", names["relay"], *forwarding], check=True)
        for number, (whose, network) in enumerate(LINKS.items()):
            here, there = f"{tag}h{number}", f"{tag}t{number}"
            _link(names[whose], here, names["relay"], there, network)
        yield Networks(names)


# -- handing Roost in ----------------------------------------------------------------------------


@contextmanager
def handed_in(networks: Networks, port: int, folder: Path) -> Iterator[None]:
    """What listens at 127.0.0.1:`port` is to be had at the same address in both networks."""
    path = str(folder / "roost.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    _serve(listener, lambda: socket.create_connection(("127.0.0.1", port)))
    command = [sys.executable, "-m", "tests.support.networks", str(port), path]
    doors = [
        subprocess.Popen([*networks.inside(whose), *command], cwd=ROOT, stdout=subprocess.PIPE)
        for whose in LINKS
    ]
    try:
        for door in doors:
            assert door.stdout is not None
            assert door.stdout.readline() == b"open\n"
        yield
    finally:
        for door in doors:
            door.kill()
            door.wait(5)
        listener.close()


def _serve(listener: socket.socket, reach: Callable[[], socket.socket]) -> None:
    def accept() -> None:
        while True:
            try:
                near, _ = listener.accept()
                far = reach()
            except OSError:
                return
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(one, other), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def _pump(one: socket.socket, other: socket.socket) -> None:
    try:
        while data := one.recv(65_536):
            other.sendall(data)
    except OSError:
        pass
    finally:
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def _door(port: int, path: str) -> None:
    def reach() -> socket.socket:
        far = socket.socket(socket.AF_UNIX)
        far.connect(path)
        return far

    _serve(socket.create_server(("127.0.0.1", port), backlog=64), reach)
    print("open", flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    _door(int(sys.argv[1]), sys.argv[2])
