"""A real mail server for tests, on a free port; it can refuse, put off, and fall silent."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from tests.support.server import free_port

Answer = Callable[[str], str | None]


@dataclass
class Received:
    """One mail as it came over the wire."""

    sender: str
    to: list[str]
    raw: bytes

    @property
    def mail(self) -> EmailMessage:
        message = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return message

    @property
    def text(self) -> str:
        return str(self.mail.get_content())

    @property
    def link(self) -> str:
        """The only address of Roost's in it."""
        found = re.findall(r"https?://\S+", self.text)
        assert len(found) == 1, found
        return str(found[0])


@dataclass
class Post:
    """What the mail server has taken. `on_recipient` and `on_data` may answer with a refusal, such
    as "550 no such user"; with None the mail goes on."""

    port: int
    received: list[Received] = field(default_factory=list)
    on_recipient: Answer = lambda address: None
    on_data: Answer = lambda address: None

    @property
    def settings(self) -> dict[str, Any]:
        """What ROOST_SMTP has to be to send here."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "username": "",
            "password": "",
            "use_tls": False,
            "use_ssl": False,
            "timeout": 5,
        }

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def wait_for(self, address: str, *, subject: str = "", seconds: float = 15) -> Received:
        """The first mail to an address, with `subject` in its subject, once it has come. Raises
        AssertionError."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for received in self.received:
                if address in received.to and subject in str(received.mail["Subject"]):
                    return received
            time.sleep(0.05)
        raise AssertionError(f"No mail has come for {address}.")

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        refusal = self.on_recipient(address)
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        refusal = self.on_data(envelope.rcpt_tos[0])
        if refusal is None:
            self.received.append(Received(envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return refusal or "250 OK"


@contextmanager
def post_office(port: int = 0) -> Iterator[Post]:
    """A mail server for the length of a block."""
    post = Post(port or free_port())
    controller = Controller(post, hostname="127.0.0.1", port=post.port)
    controller.start()
    try:
        yield post
    finally:
        controller.stop()


@contextmanager
def silent_server() -> Iterator[int]:
    """A port where somebody picks up and never says a word."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def pick_up() -> None:
            with contextlib.suppress(OSError):
                while True:
                    held.append(listener.accept()[0])

        threading.Thread(target=pick_up, daemon=True).start()
        yield int(listener.getsockname()[1])
    for connection in held:
        connection.close()
