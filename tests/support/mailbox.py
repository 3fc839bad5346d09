"""A real SMTP server that keeps what it is given."""

from __future__ import annotations

import email
import email.policy
import re
import time
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from tests.support.server import free_port


class Mailbox:
    """An SMTP server on loopback. `refuse` answers for it: "451 later", "550 no such mailbox"."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuse = ""
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port())

    @property
    def url(self) -> str:
        """What ROOST_SMTP_URL is set to."""
        return f"smtp://127.0.0.1:{self.controller.port}"

    def __enter__(self) -> Mailbox:
        self.controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.controller.stop()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuse:
            return self.refuse
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append(mail)  # type: ignore[arg-type]
        return "250 Taken"

    def wait_for(self, to: str, number: int = 1, *, seconds: float = 15) -> EmailMessage:
        """The mail number `number` to an address, once it has come. Raises AssertionError."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = [mail for mail in self.mails if mail["To"] == to]
            if len(found) >= number:
                return found[number - 1]
            time.sleep(0.05)
        raise AssertionError(f"No mail number {number} has come for {to}.")


def link_in(mail: EmailMessage) -> str:
    """The one link in a mail."""
    links = re.findall(r"https?://\S+", mail.get_content())
    assert len(links) == 1, links
    return links[0]
