"""The channel layer of an installation with one process, and no Redis."""

import time

from channels.layers import InMemoryChannelLayer

CLEAN_EVERY = 10.0


class MemoryLayer(InMemoryChannelLayer):  # type: ignore[misc]
    """Channels' own, which looks through every socket and every group for what has expired, at each
    message that it sends or hands over. With thousands of sockets that is most of what a process
    does; here it is done every ten seconds."""

    _cleaned_at = float("-inf")

    def _clean_expired(self) -> None:
        moment = time.monotonic()
        if moment - self._cleaned_at >= CLEAN_EVERY:
            self._cleaned_at = moment
            super()._clean_expired()
