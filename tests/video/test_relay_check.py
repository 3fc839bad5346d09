"""What Roost says of a relay: of a real one, rightly and wrongly set up, and of none."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as configuration

from roost.core.findings import Finding, Grade
from roost.core.time import now
from roost.video import relay_check
from roost.video.relay_check import check_relay
from roost.video.turn import LIFETIME, credential
from roost.video.turn_client import (
    INDICATION,
    SEND,
    NoAnswer,
    RelayAddress,
    RelayTalk,
    parse_url,
)
from tests.support.relay import BEHIND_ROUTER, LOOPBACK_PEERS, SECRET, Relay, relaying
from tests.support.server import free_port

pytestmark = pytest.mark.real_clock

HOST, OUTSIDE = "127.0.0.2", BEHIND_ROUTER[0]
METADATA = "allowed-peer-ip=169.254.0.0-169.254.255.255"
Checking = Callable[..., list[Finding]]


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    with relaying(tmp_path_factory.mktemp("relay"), host=HOST, more=BEHIND_ROUTER) as running:
        yield running


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> Checking:
    """What is found of a relay, told of it as Roost is."""

    def check(at: Relay, *ways: str, secret: str = SECRET, trusted: bool = True) -> list[Finding]:
        urls = ",".join(at.urls[way] for way in ways or ("udp", "tcp", "tls"))
        monkeypatch.setattr(configuration, "ROOST_TURN_URL", urls)
        monkeypatch.setattr(configuration, "ROOST_TURN_SECRET", secret)
        found = check_relay(tls=at.trust if trusted else None)
        assert secret not in "".join(f"{each}" for each in found)
        return found

    return check


@contextmanager
def other(tmp_path_factory: pytest.TempPathFactory, *more: str) -> Iterator[Relay]:
    with relaying(tmp_path_factory.mktemp("other"), host=HOST, more=more) as running:
        yield running


def test_a_relay_as_shipped_is_right_by_every_way(relay: Relay, checked: Checking) -> None:
    found = checked(relay)
    assert [each.grade for each in found] == [Grade.RIGHT] * 3, found
    assert [each.about for each in found] == [f"Relay {url}" for url in relay.urls.values()]


def test_no_relay_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "ROOST_TURN_URL", "")
    assert check_relay() == []


def test_another_secret_is_told(relay: Relay, checked: Checking) -> None:
    (found,) = checked(relay, "udp", secret="another secret than that of the relay")
    assert (found.grade, "the secrets differ" in found.words) == (Grade.WRONG, True), found


def test_a_short_secret_is_told(relay: Relay, checked: Checking) -> None:
    short, _ = checked(relay, "udp", secret="north")
    assert (short.grade, "5 characters" in short.words) == (Grade.WRONG, True)


@pytest.mark.parametrize("way", ["udp", "tcp", "tls"])
def test_nobody_there_is_told_and_soon(
    relay: Relay, checked: Checking, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(relay_check, "PATIENCE", 0.7)
    closed = Relay("127.0.0.1", free_port(), free_port(), relay.log, relay.authority)
    start = now()
    (found,) = checked(closed, way)
    assert (found.grade, "It does not answer" in found.words) == (Grade.WRONG, True)
    assert "firewall" in found.advice
    assert now() - start < timedelta(seconds=3)


def test_silence_is_told_and_soon(
    relay: Relay, checked: Checking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_check, "PATIENCE", 0.7)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute, socket.socket() as deaf:
        mute.bind(("127.0.0.1", 0))
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        silent = Relay(
            "127.0.0.1", mute.getsockname()[1], deaf.getsockname()[1], relay.log, relay.authority
        )
        for way in ("udp", "tls"):
            (found,) = checked(silent, way)
            assert "(silence)" in found.words, found


def test_what_is_no_relay_is_told(relay: Relay, checked: Checking) -> None:
    # STUN over TLS said to a port of plain TCP, and the other way round.
    swapped = Relay("127.0.0.1", relay.tls_port, free_port(), relay.log, relay.authority)
    with socket.create_server(("127.0.0.1", 0)) as web:
        odd = Relay("127.0.0.1", swapped.port, web.getsockname()[1], relay.log, relay.authority)

        def answer() -> None:
            line, _ = web.accept()
            line.recv(100)
            line.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            line.close()

        threading.Thread(target=answer, daemon=True).start()
        (found,) = checked(odd, "tls")
    assert "no TLS is spoken there" in found.words


def test_a_certificate_nobody_trusts_is_told(relay: Relay, checked: Checking) -> None:
    (found,) = checked(relay, "tls", trusted=False)
    assert (found.grade, "its certificate is not good" in found.words) == (Grade.WRONG, True)


@pytest.mark.parametrize(
    ("hours", "words"), [(-3, "more than two hours ahead"), (1, "more than five minutes behind")]
)
def test_clocks_that_differ_are_told_from_wrong_secrets(
    relay: Relay, checked: Checking, hours: int, words: str
) -> None:
    with time_machine.travel(now() + timedelta(hours=hours)):
        (found,) = checked(relay, "udp")
    assert (found.grade, words in found.words) == (Grade.WRONG, True), found


def test_an_open_relay_is_told(checked: Checking, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("anybody")
    with relaying(
        folder, secret="", host=HOST, more=[*BEHIND_ROUTER, "no-auth"], without=["use-auth-secret"]
    ) as at:
        (found,) = checked(at, "udp")
    assert (found.grade, "lets anybody in" in found.words) == (Grade.WRONG, True), found


def test_a_way_behind_the_firewall_is_told(
    checked: Checking, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with other(
        tmp_path_factory, OUTSIDE, *LOOPBACK_PEERS, "allowed-peer-ip=169.254.0.0-169.254.255.255"
    ) as at:
        (found,) = checked(at, "tcp")
    assert found.grade == Grade.WRONG
    assert "behind your firewall: 127.0.0.1, 169.254.169.254." in found.words


def test_a_way_behind_the_firewall_by_ipv6_is_told(
    checked: Checking, tmp_path_factory: pytest.TempPathFactory
) -> None:
    both = (*BEHIND_ROUTER, "relay-ip=::1")
    with other(tmp_path_factory, *both) as at:
        assert [each.grade for each in checked(at, "udp")] == [Grade.RIGHT]
    with other(tmp_path_factory, *both, "allowed-peer-ip=fd00::-fd00::ffff") as at:
        (found,) = checked(at, "udp")
    assert (found.grade, "behind your firewall: fd00::1." in found.words) == (Grade.WRONG, True)


def test_too_wide_a_denial_is_told(
    checked: Checking, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The range that begins at :: was in a first draft of our own file."""
    with other(tmp_path_factory, OUTSIDE, "denied-peer-ip=::-::ffff:ffff:ffff") as at:
        (found,) = checked(at, "udp")
    assert (found.grade, "It passes on to nobody" in found.words) == (Grade.WRONG, True), found


def test_a_relay_that_may_not_reach_itself_is_told(
    checked: Checking, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with other(tmp_path_factory, OUTSIDE) as at:
        (found,) = checked(at, "udp")
    assert (found.grade, "does not pass on to itself" in found.words) == (Grade.WRONG, True)
    assert "allowed-peer-ip" in found.advice


@contextmanager
def swallowing(relay: Relay, kind: int) -> Iterator[Relay]:
    """The relay as it is to be had through something that lets messages of one kind vanish."""
    ends: dict[Any, socket.socket] = {}

    def hand_back(end: socket.socket, who: Any) -> None:
        with contextlib.suppress(OSError):
            while answer := end.recv(65_535):
                near.sendto(answer, who)

    def hand_on() -> None:
        with contextlib.suppress(OSError):
            while True:
                said, who = near.recvfrom(65_535)
                if who not in ends:
                    ends[who] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    ends[who].connect((relay.host, relay.port))
                    threading.Thread(target=hand_back, args=(ends[who], who), daemon=True).start()
                if int.from_bytes(said[:2]) != kind:
                    ends[who].send(said)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as near:
        near.bind(("127.0.0.1", 0))
        threading.Thread(target=hand_on, daemon=True).start()
        yield replace(relay, host="127.0.0.1", port=near.getsockname()[1])
    for end in ends.values():
        end.close()


def test_a_relay_from_which_nothing_comes_out_is_told(
    relay: Relay, checked: Checking, monkeypatch: pytest.MonkeyPatch
) -> None:
    with swallowing(relay, 0) as through:
        (found,) = checked(through, "udp")
    assert found.grade == Grade.RIGHT, found
    monkeypatch.setattr(relay_check, "PATIENCE", 0.7)
    with swallowing(relay, SEND | INDICATION) as through:
        (found,) = checked(through, "udp")
    assert found.grade == Grade.WRONG
    assert "What is sent through it does not come out" in found.words
    assert "min-port to max-port" in found.advice


def test_a_relay_at_a_private_address_is_told(
    checked: Checking, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with other(tmp_path_factory) as at:
        (found,) = checked(at, "udp")
    assert "It relays at 127.0.0.2, which nobody outside can reach" in found.words
    assert "external-ip" in found.advice


def test_a_relay_that_relays_tcp_is_told(
    checked: Checking, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("tcp")
    with relaying(folder, host=HOST, more=BEHIND_ROUTER, without=["no-tcp-relay"]) as at:
        (found,) = checked(at, "tcp")
    assert "It relays TCP" in found.words, found


def test_a_full_relay_is_told(checked: Checking, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("full")
    with relaying(
        folder, host=HOST, more=[*BEHIND_ROUTER, "total-quota=1"], without=["total-quota=2400"]
    ) as at:
        line = RelayTalk(at.address("udp"), **_named("check"))
        with line:
            line.allocate()
            (found,) = checked(at, "udp")
    assert "no room left" in found.words, found


def _named(identity: str) -> dict[str, str]:
    user, password = credential(identity, now() + LIFETIME, secret=SECRET)
    return {"user": user, "password": password}


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("turn:relay.example.com", ("relay.example.com", 3478, "udp")),
        ("turn:relay.example.com:80?transport=udp", ("relay.example.com", 80, "udp")),
        ("turn:192.0.2.7:443?transport=tcp", ("192.0.2.7", 443, "tcp")),
        ("turns:relay.example.com", ("relay.example.com", 5349, "tls")),
        ("turns:[2001:db8::7]:443?transport=tcp", ("2001:db8::7", 443, "tls")),
    ],
)
def test_an_address_is_read(url: str, address: tuple[str, int, str]) -> None:
    assert parse_url(url) == RelayAddress(*address)


@pytest.mark.parametrize(
    "url",
    ["", "relay.example.com", "stun:relay.example.com", "turn:", "turn:x:y",
     "turn:x?transport=sctp", "turns:x?transport=udp", "turn:x/y", "turn:u@x", "turn:x?a=b",
     "https://relay.example.com", "turn:x:99999"],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        parse_url(url)


@pytest.mark.parametrize("signature", [b"", b"\0\x08\0\x14" + bytes(20)])
def test_an_answer_that_the_relay_did_not_sign_does_not_count(signature: bytes) -> None:
    """Who does not know the secret cannot say yes in its place."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as liar:
        liar.bind(("127.0.0.1", 0))
        at = RelayAddress("127.0.0.1", liar.getsockname()[1], "udp")
        relayed = b"\0\x16\0\x08\0\x01\x12\x34\x01\x02\x03\x04"
        hello = (b"\0\x09\0\x04\0\0\x04\x01", b"\0\x14\0\x04here", b"\0\x15\0\x04once")

        def lie() -> None:
            asked, who = liar.recvfrom(2000)
            liar.sendto(b"\x01\x13\0\x18" + asked[4:20] + b"".join(hello), who)
            asked, who = liar.recvfrom(2000)
            body = relayed + signature
            liar.sendto(b"\x01\x03" + len(body).to_bytes(2) + asked[4:20] + body, who)
            told.set()

        told = threading.Event()
        threading.Thread(target=lie, daemon=True).start()
        line = RelayTalk(at, user="u", password="p", patience=0.6)
        with line, pytest.raises(NoAnswer):
            line.allocate()
        assert told.is_set()


@pytest.mark.parametrize("user", ["somebody", "another"])
def test_a_port_that_is_still_somebodys_is_left_to_them(relay: Relay, user: str) -> None:
    def line_from(port: int) -> RelayTalk:
        talk = RelayTalk(relay.address("udp"), **_named(user if port else "somebody"))
        talk._socket.close()
        talk._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        talk._socket.bind(("127.0.0.1", port))
        talk._socket.connect((relay.host, relay.port))
        return talk

    with line_from(0) as gone:
        gone.allocate()
        port = gone._socket.getsockname()[1]
    with line_from(port) as line:
        line.allocate()
        assert line._socket.getsockname()[1] != port
