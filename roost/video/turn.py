"""Short-lived credentials for the relay (coturn's `use-auth-secret`)."""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

LIFETIME = timedelta(hours=2)


def ice_servers(identity: str, moment: datetime) -> list[dict[str, Any]]:
    """What a browser is told about relays, in the form RTCPeerConnection takes.

    `identity` stands in the relay's log for the person. Empty when no relay is configured.
    """
    if not settings.ROOST_TURN_URL:
        return []
    user = f"{int((moment + LIFETIME).timestamp())}:{identity}"
    digest = hmac.new(settings.ROOST_TURN_SECRET.encode(), user.encode(), hashlib.sha1).digest()
    return [
        {
            "urls": [url.strip() for url in settings.ROOST_TURN_URL.split(",") if url.strip()],
            "username": user,
            "credential": base64.b64encode(digest).decode(),
        }
    ]
