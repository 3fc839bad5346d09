"""The mails that staff matters cause."""

from typing import Any

from roost.outbox.kinds import register
from roost.outbox.models import OutgoingMessage
from roost.practices.addresses import full_url


def _office(message: OutgoingMessage) -> dict[str, Any]:
    return {"url": full_url(message.practice, "office", "log-in")}


register(
    "staff_added", label="Added to the staff", template="staff/mail/staff_added.txt",
    filling=_office,
)  # fmt: skip
