"""Short-lived credentials for the relay (coturn's `use-auth-secret`)."""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

LIFETIME = timedelta(hours=2)
# A rehearsal begins at once or not at all.
REHEARSAL_LIFETIME = timedelta(minutes=2)
# Whoever stays in a call is given new ones in time: what they hold is good for an hour at least,
# however long the server is away meanwhile.
RENEWED_AFTER = timedelta(hours=1)


def relay_urls() -> list[str]:
    """Where the relay is, as a browser is told; empty when none is configured."""
    return [url.strip() for url in settings.ROOST_TURN_URL.split(",") if url.strip()]


def credential(identity: str, expires_at: datetime, *, secret: str) -> tuple[str, str]:
    """A name and its password, which the relay takes until `expires_at`."""
    user = f"{int(expires_at.timestamp())}:{identity}"
    digest = hmac.new(secret.encode(), user.encode(), hashlib.sha1).digest()
    return user, base64.b64encode(digest).decode()


def ice_servers(
    identity: str, moment: datetime, *, lifetime: timedelta = LIFETIME
) -> list[dict[str, Any]]:
    """What a browser is told about relays, in the form RTCPeerConnection takes.

    `identity` stands in the relay's log for the person. Empty when no relay is configured.
    """
    urls = relay_urls()
    if not urls:
        return []
    user, password = credential(identity, moment + lifetime, secret=settings.ROOST_TURN_SECRET)
    return [{"urls": urls, "username": user, "credential": password}]
