"""The relay that deploy/ sets up, in a real coturn: who may use it, and where it does not go."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.conf import settings as configuration

from roost.core.time import now
from roost.video.turn import ice_servers
from roost.video.turn_client import FORBIDDEN, TCP, NoAnswer, Refused, RelayTalk, parse_url
from tests.support.relay import CONFIGURATION, LOOPBACK_PEERS, SECRET, Relay, relaying
from tests.support.server import ROOT

pytestmark = [pytest.mark.one_database, pytest.mark.slow]
WAYS = ["udp", "tcp", "tls"]
PUBLIC, PUBLIC_6 = "9.9.9.9", "2620:fe::fe"
# A machine's own, a practice's, a carrier's, a cloud's metadata, many at once, nobody's.
DENIED = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200",
    "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.192", "192.168.1.1", "198.18.0.1", "224.0.0.251",
    "240.0.0.1", "255.255.255.255",
]  # fmt: skip
DENIED_6 = [
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::10.0.0.1",
    "100::1", "2001::1", "2002:7f00:1::1", "fc00::1", "fd00::2", "fd00:ec2::254", "fe80::1",
    "fec0::1", "ff02::1",
]  # fmt: skip

Talking = Callable[..., RelayTalk]


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    folder = tmp_path_factory.mktemp("relay")
    with relaying(folder, more=["listening-ip=::1", "relay-ip=::1"]) as running:
        yield running


@pytest.fixture
def talk(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> Talking:
    """A conversation with the relay by what Roost gives a browser."""

    def open_one(
        way: str = "udp", *, secret: str = SECRET, age: timedelta = timedelta(), at: Relay = relay
    ) -> RelayTalk:
        monkeypatch.setattr(configuration, "ROOST_TURN_URL", at.urls[way])
        monkeypatch.setattr(configuration, "ROOST_TURN_SECRET", secret)
        (server,) = ice_servers("somebody", now() - age)
        return RelayTalk(
            at.address(way), user=server["username"], password=server["credential"], tls=at.trust
        )

    return open_one


@pytest.mark.parametrize("way", WAYS)
def test_what_roost_gives_out_opens_the_relay(talk: Talking, way: str) -> None:
    with talk(way) as line:
        host, port = line.allocate()
        assert (host, 49152 <= port <= 65535) == ("127.0.0.1", True)
        line.permit(PUBLIC)
        line.bind_channel(PUBLIC)
        line.refresh(seconds=0)


@pytest.mark.parametrize("way", WAYS)
def test_nothing_else_opens_it(talk: Talking, way: str) -> None:
    for wrong in (
        {"secret": "another secret than the relay's"},
        {"secret": ""},
        {"age": timedelta(hours=2, seconds=1)},
    ):
        with talk(way, **wrong) as line, pytest.raises(Refused) as no:  # type: ignore[arg-type]
            line.allocate()
        assert no.value.code == 401, wrong


def test_what_is_still_good_for_a_moment_opens_it(talk: Talking) -> None:
    with talk(age=timedelta(hours=1, minutes=59)) as line:
        line.allocate()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("version", "public", "denied"), [(4, PUBLIC, DENIED), (6, PUBLIC_6, DENIED_6)]
)
def test_it_goes_to_public_addresses_only(
    talk: Talking, way: str, version: int, public: str, denied: list[str]
) -> None:
    with talk(way) as line:
        line.allocate(version=version)
        line.permit(public)
        for number, host in enumerate(denied, start=0x4000):
            with pytest.raises(Refused) as no:
                line.permit(host)
            assert no.value.code == FORBIDDEN, host
            with pytest.raises(Refused) as no:
                line.bind_channel(host, number=number)
            assert no.value.code == FORBIDDEN, host
        line.bind_channel(public, number=0x4FFF)


@pytest.mark.parametrize("way", WAYS)
def test_nothing_sent_to_this_machine_arrives(talk: Talking, way: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer, talk(way) as line:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(1)
        line.allocate()
        line.send("127.0.0.1", peer.getsockname()[1], b"hello")
        with pytest.raises(TimeoutError):
            peer.recv(100)


def test_with_loopback_allowed_it_does_arrive(
    talk: Talking, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """So that the tests above fail for the right reason."""
    folder = tmp_path_factory.mktemp("open")
    with (
        relaying(folder, more=LOOPBACK_PEERS) as at,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer,
        talk(at=at) as line,
    ):
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(5)
        relayed = line.allocate()
        line.permit("127.0.0.1")
        line.send("127.0.0.1", peer.getsockname()[1], b"hello")
        assert peer.recvfrom(100) == (b"hello", relayed)
        peer.sendto(b"and back", relayed)
        assert line.receive(seconds=5) == (peer.getsockname(), b"and back")


def test_it_relays_no_tcp(talk: Talking) -> None:
    with talk() as line:
        with pytest.raises(Refused) as no:
            line.allocate(transport=TCP)
        assert no.value.code == 442


def test_one_person_cannot_take_it_all(
    talk: Talking, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shipped = re.search(r"(?m)^user-quota=(\d+)$", CONFIGURATION.read_text())
    assert shipped is not None
    most = int(shipped[1])
    folder = tmp_path_factory.mktemp("quota")
    with relaying(folder) as at:
        lines = [talk(at=at) for _ in range(most + 1)]
        try:
            for line in lines[:most]:
                line.allocate()
            with pytest.raises(Refused) as no:
                lines[most].allocate()
            assert no.value.code == 486
        finally:
            for line in lines:
                line.__exit__(None, None, None)


def test_as_shipped_without_a_secret_it_refuses_everybody(
    talk: Talking, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with relaying(tmp_path_factory.mktemp("bare"), secret="") as at:
        for secret in ("", SECRET, "north"):
            with talk(at=at, secret=secret) as line, pytest.raises(Refused) as no:
                line.allocate()
            assert no.value.code == 401


def test_without_a_certificate_it_serves_all_but_tls(
    talk: Talking, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The guide leaves the certificate for later."""
    missing = ["cert=/nowhere/certificate.pem", "pkey=/nowhere/key.pem"]
    with relaying(tmp_path_factory.mktemp("plain"), more=missing) as at:
        for way in ("udp", "tcp"):
            with talk(way, at=at) as line:
                line.allocate()
        with pytest.raises(NoAnswer):
            talk("tls", at=at)


def test_the_guide_names_what_there_is() -> None:
    guide = (ROOT / "docs/guides/turn.md").read_text()
    (urls,) = re.findall(r"(?m)^ROOST_TURN_URL=(.+)$", guide)
    assert [parse_url(url.strip()).way for url in urls.split(",")] == ["udp", "tcp", "tls"]
    for path in re.findall(r"(?<![\w/])deploy/\S+", guide):
        assert (ROOT / path).is_file(), path
    shipped = CONFIGURATION.read_text()
    for name in ("static-auth-secret", "realm", "external-ip", "allowed-peer-ip", "cert", "pkey",
                 "denied-peer-ip", "tls-listening-port"):  # fmt: skip
        assert re.search(rf"(?m)^#?{name}=", shipped), name
    for path in re.findall(r"(?m)^(?:cert|pkey)=(.+)$", shipped):
        assert path in guide
    for number in re.findall(r"(?m)^(?:listening-port|tls-listening-port|m..-port)=(.+)$", shipped):
        assert number in guide


def test_coturn_knows_every_line(relay: Relay) -> None:
    said = relay.log.read_text().partition("Total General servers")[0]
    assert "Bad configuration" not in said
    assert "Unknown" not in said
    assert "WARN" not in said.upper()
    assert "ERROR" not in said.upper()
    ranges = [
        line.partition("=")[2]
        for line in CONFIGURATION.read_text().splitlines()
        if line.startswith("denied-peer-ip=")
    ]
    listed = re.findall(r"Black listing: (\S+)", said)
    assert listed == ranges
    # No console.
    assert ":5766" not in said


def test_as_shipped_its_log_names_nobody_in_a_call(
    talk: Talking, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("quiet")
    with relaying(folder, is_loud=False) as at, talk(at=at) as line:
        _, port = line.allocate()
        line.permit(PUBLIC)
        line.bind_channel(PUBLIC, 40_404)
        with pytest.raises(Refused):
            line.permit("192.168.1.23")
        line.refresh(seconds=0)
    said = at.log.read_text().partition("Total General servers")[2]
    for secret in ("somebody", PUBLIC, "40404", str(port), line.user, line.password):
        assert secret not in said
    # What it refuses lies in somebody's own network, and says where that is to nobody outside.
    assert "A peer IP 192.168.1.23 denied" in said


def test_a_line_coturn_does_not_know_is_noticed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with relaying(tmp_path_factory.mktemp("odd"), more=["no-such-option"]) as at:
        assert "Bad configuration" in at.log.read_text()


def test_the_shipped_file_holds_no_secret() -> None:
    text = CONFIGURATION.read_text()
    assert not re.search(r"(?mi)^verbose", text)
    assert not re.search(r"(?m)^static-auth-secret", text)
    assert not re.search(r"(?m)^(allow-loopback-peers|allowed-peer-ip|no-auth|user=)", text)


def test_systemd_takes_the_drop_in() -> None:
    folder = ROOT / "deploy/coturn/coturn.service.d"
    (drop_in,) = folder.glob("*.conf")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "coturn.service"],
        env={"SYSTEMD_UNIT_PATH": f"{folder.parent}:", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert str(drop_in) not in done.stderr, done.stderr
