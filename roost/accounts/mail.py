"""The mails that accounts cause."""

from typing import Any

from roost.accounts.enums import LinkPurpose
from roost.accounts.links import fill_in
from roost.outbox.kinds import register
from roost.outbox.models import OutgoingMessage
from roost.practices.addresses import full_url

for purpose, label in [
    (LinkPurpose.INVITATION, "Invitation"),
    (LinkPurpose.STAFF_INVITATION, "Staff invitation"),
    (LinkPurpose.RESET, "Password reset"),
]:
    register(
        purpose.value,
        label=label,
        template=f"accounts/mail/{purpose.value}.txt",
        filling=fill_in,
    )


def _log_in_address(message: OutgoingMessage) -> dict[str, Any]:
    return {"url": full_url(message.practice, message.arguments["door"], "forgot-password")}


register(
    "password_changed",
    label="Password changed",
    template="accounts/mail/password_changed.txt",
    filling=_log_in_address,
)
