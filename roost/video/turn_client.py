"""A TURN client as small as a check needs it: RFC 8489 and 8656 over UDP, TCP and TLS.

It says what a browser says to a relay, and nothing is relayed unless `send` is called.
"""

import hashlib
import hmac
import re
import secrets
import socket
import ssl
import struct
import time
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from types import TracebackType

COOKIE = 0x2112A442
ALLOCATE, REFRESH, SEND, DATA, PERMISSION, CHANNEL = 0x003, 0x004, 0x006, 0x007, 0x008, 0x009
INDICATION, SUCCESS, ERROR = 0x010, 0x100, 0x110
USERNAME, INTEGRITY, ERROR_CODE, REALM, NONCE = 0x0006, 0x0008, 0x0009, 0x0014, 0x0015
CHANNEL_NUMBER, LIFETIME, PEER, PAYLOAD, RELAYED = 0x000C, 0x000D, 0x0012, 0x0013, 0x0016
FAMILY, TRANSPORT = 0x0017, 0x0019
UNAUTHORIZED, FORBIDDEN, MISMATCH, STALE_NONCE = 401, 403, 437, 438
UDP, TCP = 17, 6

Peer = tuple[str, int]


class RelayError(Exception):
    """The family."""


class NoAnswer(RelayError):
    """Nothing that a relay would say came within the time. The message says what was tried."""


class Refused(RelayError):
    """The relay says no. `code` is that of RFC 8656, 19."""

    def __init__(self, code: int) -> None:
        super().__init__(f"The relay answers {code}.")
        self.code = code


@dataclass(frozen=True)
class RelayAddress:
    """Where a relay is. `way` is "udp", "tcp" or "tls"."""

    host: str
    port: int
    way: str


URL = re.compile(
    r"(turns?):(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::([0-9]{1,5}))?(?:\?transport=(udp|tcp))?"
)


def parse_url(url: str) -> RelayAddress:
    """Where a turn: or turns: URL leads (RFC 7065), as browsers read it. Raises ValueError for any
    other, and for DTLS, which no browser speaks to a relay."""
    match = URL.fullmatch(url)
    if match is None or (match[1] == "turns" and match[4] == "udp"):
        raise ValueError(f"{url!r} is no address of a relay.")
    scheme, host, port, transport = match.groups()
    is_tls = scheme == "turns"
    number = int(port) if port else (5349 if is_tls else 3478)
    if not 0 < number < 65_536:
        raise ValueError(f"{url!r} has no such port.")
    return RelayAddress(host.strip("[]"), number, "tls" if is_tls else transport or "udp")


@dataclass(frozen=True)
class _Message:
    kind: int
    tag: bytes
    attributes: dict[int, bytes]

    @property
    def code(self) -> int:
        value = self.attributes.get(ERROR_CODE, b"\0\0\0\0")
        return (value[2] & 7) * 100 + value[3]


class RelayTalk:
    """One conversation with a relay, as `user` with `password`. Use it as a context manager.

    Each call waits at most `patience` seconds. Raises NoAnswer, Refused.
    """

    def __init__(
        self,
        at: RelayAddress,
        *,
        user: str,
        password: str,
        patience: float = 3.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.at, self.user, self.password, self.patience = at, user, password, patience
        self._realm, self._nonce, self._key = b"", b"", b""
        self._rest = b""
        self._heard: list[tuple[Peer, bytes]] = []
        self._tls = tls
        self._socket = self._connect()

    def __enter__(self) -> "RelayTalk":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def _connect(self) -> socket.socket:
        where = (self.at.host, self.at.port)
        try:
            if self.at.way == "udp":
                family, kind, proto, _, address = socket.getaddrinfo(
                    *where, type=socket.SOCK_DGRAM
                )[0]
                plain = socket.socket(family, kind, proto)
                plain.connect(address)
                return plain
            plain = socket.create_connection(where, timeout=self.patience)
            if self.at.way == "tcp":
                return plain
            context = self._tls or ssl.create_default_context()
            return context.wrap_socket(plain, server_hostname=self.at.host)
        except ssl.SSLCertVerificationError as error:
            raise NoAnswer(f"its certificate is not good: {error.verify_message}") from error
        except ssl.SSLError as error:
            raise NoAnswer("no TLS is spoken there") from error
        except socket.gaierror as error:
            raise NoAnswer(f"the name {self.at.host} is not known") from error
        except TimeoutError as error:
            raise NoAnswer("silence") from error
        except OSError as error:
            raise NoAnswer((error.strerror or "no connection").lower()) from error

    # -- what is asked of it ---------------------------------------------------------------

    def allocate(self, *, transport: int = UDP, version: int = 4) -> Peer:
        """Ask for a relayed address, and return it. `version` is that of its IP."""
        wanted = {TRANSPORT: struct.pack("!B3x", transport)}
        if version == 6:
            wanted[FAMILY] = struct.pack("!B3x", 2)
        for turn in range(6):
            try:
                answer = self._ask(ALLOCATE, wanted)
                break
            except Refused as no:
                if no.code != MISMATCH or turn == 5:
                    raise
            # This port was somebody's a moment ago: another one is to be taken (RFC 8656, 7.4).
            self._socket.close()
            self._nonce, self._rest, self._socket = b"", b"", self._connect()
        return _read_address(answer.attributes.get(RELAYED, b""), answer.tag)

    def permit(self, host: str, port: int = 9) -> None:
        """Ask that a peer may be sent to."""
        self._ask(PERMISSION, {}, peer=(host, port))

    def bind_channel(self, host: str, port: int = 9, *, number: int = 0x4000) -> None:
        """Ask for a channel to a peer, which includes the permission."""
        self._ask(CHANNEL, {CHANNEL_NUMBER: struct.pack("!HH", number, 0)}, peer=(host, port))

    def refresh(self, *, seconds: int = 600) -> None:
        """Keep the allocation for so long, or give it back with 0."""
        self._ask(REFRESH, {LIFETIME: struct.pack("!I", seconds)})

    def send(self, host: str, port: int, data: bytes) -> None:
        """Have data sent to a peer. A relay that does not want to says nothing."""
        tag = secrets.token_bytes(12)
        attributes = {PEER: _write_address((host, port), tag), PAYLOAD: data}
        self._say(_pack(SEND | INDICATION, tag, attributes))

    def receive(self, *, seconds: float) -> tuple[Peer, bytes] | None:
        """The next data from a peer, with who sent it, or None if none comes in time."""
        end = time.monotonic() + seconds
        while not self._heard:
            if self._read_until(end) is None:
                return None
        return self._heard.pop(0)

    # -- questions and answers -------------------------------------------------------------

    def _ask(
        self, method: int, attributes: dict[int, bytes], *, peer: Peer | None = None
    ) -> _Message:
        # A relay first says who it is, and may change its nonce once in between.
        for _ in range(3):
            answer = self._ask_once(method, attributes, peer)
            if answer.kind == method | SUCCESS:
                return answer
            code = answer.code
            fresh = answer.attributes.get(NONCE)
            knows_us = code == UNAUTHORIZED and self._nonce
            if code not in {UNAUTHORIZED, STALE_NONCE} or knows_us or fresh is None:
                raise Refused(code)
            self._nonce = fresh
            self._realm = answer.attributes.get(REALM, self._realm)
            words = f"{self.user}:{self._realm.decode('utf-8', 'replace')}:{self.password}"
            self._key = hashlib.md5(words.encode(), usedforsecurity=False).digest()
        raise Refused(code)

    def _ask_once(self, method: int, attributes: dict[int, bytes], peer: Peer | None) -> _Message:
        tag = secrets.token_bytes(12)
        said = dict(attributes)
        if peer is not None:
            said[PEER] = _write_address(peer, tag)
        if self._nonce:
            said |= {USERNAME: self.user.encode(), REALM: self._realm, NONCE: self._nonce}
        packet = _pack(method, tag, said, key=self._key if self._nonce else b"")
        end = time.monotonic() + self.patience
        pause = 0.5
        while (moment := time.monotonic()) < end:
            self._say(packet, seconds=max(end - moment, 0.01))
            # Datagrams get lost, and are said again (RFC 8489, 6.2.1).
            until = min(moment + pause, end) if self.at.way == "udp" else end
            pause *= 2
            while (answer := self._read_until(until)) is not None:
                if answer.tag == tag:
                    return answer
        raise NoAnswer("silence")

    def _say(self, packet: bytes, *, seconds: float | None = None) -> None:
        try:
            self._socket.settimeout(seconds or self.patience)
            self._socket.sendall(packet)
        except OSError as error:
            raise NoAnswer((error.strerror or "it hangs up").lower()) from error

    def _read_until(self, end: float) -> _Message | None:
        """The next message, or None at that time. Data from peers is put aside."""
        while (left := end - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                packet = self._read_packet()
            except TimeoutError:
                return None
            except OSError as error:
                raise NoAnswer((error.strerror or "it hangs up").lower()) from error
            message = _unpack(packet, self._key)
            if message is None:
                continue
            if message.kind == DATA | INDICATION:
                peer = _read_address(message.attributes.get(PEER, b""), message.tag)
                self._heard.append((peer, message.attributes.get(PAYLOAD, b"")))
            return message
        return None

    def _read_packet(self) -> bytes:
        if self.at.way == "udp":
            return self._socket.recv(65_535)
        while len(self._rest) < 20 or len(self._rest) < 20 + int.from_bytes(self._rest[2:4]):
            more = self._socket.recv(65_535)
            if not more:
                raise ConnectionResetError
            self._rest += more
        size = 20 + int.from_bytes(self._rest[2:4])
        packet, self._rest = self._rest[:size], self._rest[size:]
        return packet


# -- bytes ---------------------------------------------------------------------------------


def _pack(kind: int, tag: bytes, attributes: dict[int, bytes], *, key: bytes = b"") -> bytes:
    body = b"".join(
        struct.pack("!HH", name, len(value)) + value + b"\0" * (-len(value) % 4)
        for name, value in attributes.items()
    )
    if not key:
        return struct.pack("!HHI", kind, len(body), COOKIE) + tag + body
    # The length already counts the integrity that is made over it (RFC 8489, 14.5).
    head = struct.pack("!HHI", kind, len(body) + 24, COOKIE) + tag + body
    return head + struct.pack("!HH", INTEGRITY, 20) + hmac.new(key, head, hashlib.sha1).digest()


def _unpack(packet: bytes, key: bytes) -> _Message | None:
    """A message, or None for what is not one, or is signed by somebody without the key."""
    if len(packet) < 20 or int.from_bytes(packet[4:8]) != COOKIE:
        return None
    kind, size = struct.unpack("!HH", packet[:4])
    if len(packet) < 20 + size:
        return None
    attributes: dict[int, bytes] = {}
    at = 20
    while at + 4 <= 20 + size:
        name, length = struct.unpack("!HH", packet[at : at + 4])
        value = packet[at + 4 : at + 4 + length]
        if name == INTEGRITY and key:
            head = packet[:2] + struct.pack("!H", at - 20 + 24) + packet[4:at]
            if not hmac.compare_digest(hmac.new(key, head, hashlib.sha1).digest(), value):
                return None
        attributes.setdefault(name, value)
        at += 4 + length + (-length % 4)
    if key and kind & ERROR == SUCCESS and INTEGRITY not in attributes:
        return None
    return _Message(kind, packet[8:20], attributes)


def _mask(tag: bytes) -> bytes:
    return struct.pack("!I", COOKIE) + tag


def _write_address(peer: Peer, tag: bytes) -> bytes:
    address = ip_address(peer[0])
    family = 2 if isinstance(address, IPv6Address) else 1
    hidden = bytes(a ^ b for a, b in zip(address.packed, _mask(tag), strict=False))
    return struct.pack("!BBH", 0, family, peer[1] ^ (COOKIE >> 16)) + hidden


def _read_address(value: bytes, tag: bytes) -> Peer:
    if len(value) not in {8, 20}:
        raise NoAnswer("what answers is no relay")
    port = int.from_bytes(value[2:4]) ^ (COOKIE >> 16)
    packed = bytes(a ^ b for a, b in zip(value[4:], _mask(tag), strict=False))
    return str(ip_address(packed)), port
