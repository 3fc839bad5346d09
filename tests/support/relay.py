"""A real coturn for tests, with deploy/coturn/turnserver.conf: only what a test must have otherwise
(secret, ports, addresses, certificate) is put in its place."""

from __future__ import annotations

import re
import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from roost.video.turn_client import RelayAddress
from tests.support.server import ROOT, free_port

CONFIGURATION = ROOT / "deploy/coturn/turnserver.conf"
SECRET = "a-relay-secret-of-more-than-32-characters"
# Peers on this machine, which the file refuses, for calls between two browsers on it.
# A relay behind a router, as far as 127.0.0.2 can be one: it names a public address.
BEHIND_ROUTER = (
    "external-ip=1.2.3.4/127.0.0.2", "allow-loopback-peers", "allowed-peer-ip=127.0.0.2"
)  # fmt: skip
LOOPBACK_PEERS = ("allow-loopback-peers", "allowed-peer-ip=127.0.0.1")


@dataclass(frozen=True)
class Relay:
    """A running relay, with its own words in `log` and its certificate's maker in `authority`."""

    host: str
    port: int
    tls_port: int
    log: Path
    authority: Path

    @property
    def urls(self) -> dict[str, str]:
        """As ROOST_TURN_URL names it, by way."""
        return {
            "udp": f"turn:{self.host}:{self.port}",
            "tcp": f"turn:{self.host}:{self.port}?transport=tcp",
            "tls": f"turns:{self.host}:{self.tls_port}",
        }

    @property
    def settings(self) -> dict[str, str]:
        """What Roost is told of it."""
        return {"ROOST_TURN_URL": ", ".join(self.urls.values()), "ROOST_TURN_SECRET": SECRET}

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority))

    def address(self, way: str) -> RelayAddress:
        return RelayAddress(self.host, self.tls_port if way == "tls" else self.port, way)


def make_certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """A certificate for an address, signed by itself, and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", f"/CN={host}", "-addext", f"subjectAltName=IP:{host}",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


def configured(
    folder: Path,
    host: str,
    *,
    secret: str,
    ports: tuple[int, int],
    more: Sequence[str],
    without: Sequence[str],
    is_loud: bool = True,
) -> tuple[str, Relay]:
    """The shipped file with a test's own values, and where it will listen."""
    certificate, key = make_certificate(folder, host)
    port, tls_port = ports
    text = CONFIGURATION.read_text()
    own = {
        r"#static-auth-secret=": f"static-auth-secret={secret}" if secret else "",
        r"listening-port=3478": f"listening-port={port}",
        r"tls-listening-port=5349": f"tls-listening-port={tls_port}",
        r"cert=.*": f"cert={certificate}",
        r"pkey=.*": f"pkey={key}",
        # Its words come to the test.
        r"syslog": "log-file=stdout",
        r"no-stdout-log": "",
        **dict.fromkeys(without, ""),
    }
    for line, other in own.items():
        text, times = re.subn(rf"(?m)^{line}$", other, text)
        assert times == 1, line
    here = [f"listening-ip={host}", f"relay-ip={host}", f"pidfile={folder}/pid",
            f"userdb={folder}/turndb", "new-log-timestamp"]  # fmt: skip
    if is_loud:
        here.append("verbose")
    relay = Relay(host, port, tls_port, folder / "relay.log", certificate)
    return "\n".join([text, *here, *more, ""]), relay


@contextmanager
def relaying(
    folder: Path,
    *,
    host: str = "127.0.0.1",
    secret: str = SECRET,
    ports: tuple[int, int] | None = None,
    more: Sequence[str] = (),
    without: Sequence[str] = (),
    before: Sequence[str] = (),
    is_loud: bool = True,
) -> Iterator[Relay]:
    """A ready relay for the length of a block. `more` are lines for the end of its file,
    `without` those that are left out; `before` stands before its command; `ports` are its plain
    one and that for TLS. One that is not `is_loud` says no more than it does as shipped."""
    folder.mkdir(parents=True, exist_ok=True)
    text, relay = configured(
        folder,
        host,
        secret=secret,
        ports=ports or (free_port(), free_port()),
        more=more,
        without=without,
        is_loud=is_loud,
    )
    file = folder / "turnserver.conf"
    file.write_text(text)
    with relay.log.open("wb") as log:
        process = subprocess.Popen(
            [*before, "turnserver", "-c", str(file)], stdout=log, stderr=log, cwd=folder
        )
    try:
        _wait_ready(process, relay)
        yield relay
    finally:
        process.kill()
        process.wait(10)


def _wait_ready(process: subprocess.Popen[bytes], relay: Relay) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        # The last thing that it says before it answers by every way.
        if "Total General servers" in relay.log.read_text():
            return
        time.sleep(0.05)
    raise RuntimeError(f"The relay is not ready:\n{relay.log.read_text()[-3000:]}")
