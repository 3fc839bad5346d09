"""The mails that clients' access causes. They name no client and no therapist."""

from typing import Any

from roost.outbox.kinds import register
from roost.outbox.models import OutgoingMessage
from roost.practices.addresses import portal_url


def _portal(message: OutgoingMessage) -> dict[str, Any]:
    return {"url": portal_url(message.practice)}


for kind, label in [("access_given", "Access given"), ("access_taken", "Access taken away")]:
    register(kind, label=label, template=f"clients/mail/{kind}.txt", filling=_portal)
