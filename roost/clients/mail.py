"""The mails that clients' access causes. They name no client and no therapist."""

from typing import Any

from roost.outbox.kinds import register
from roost.outbox.models import OutgoingMessage
from roost.practices.addresses import full_url, portal_url


def _portal(message: OutgoingMessage) -> dict[str, Any]:
    return {"url": portal_url(message.practice)}


def _prospects(message: OutgoingMessage) -> dict[str, Any]:
    return {"url": full_url(message.practice, "office", "prospects")}


for kind, label in [
    ("access_given", "Access given"),
    ("access_taken", "Access taken away"),
    ("record_opened", "Somebody else has access"),
    ("record_closed", "Somebody else’s access ended"),
    ("account_vouched", "Verified by staff"),
    ("correction_answered", "A correction was answered"),
]:
    register(kind, label=label, template=f"clients/mail/{kind}.txt", filling=_portal)
register(
    "prospect_waiting",
    label="A prospect is waiting",
    template="clients/mail/prospect_waiting.txt",
    filling=_prospects,
)
