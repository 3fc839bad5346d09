"""Pushing to open sockets, always after commit and always on the server's own loop.

With channels in memory the loop that serves the sockets must do the sending: a bare thread's own
loop would leave the message lying until the socket's time-out. The server calls `use_loop` once.
"""

import asyncio
import logging
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction

log = logging.getLogger("roost.push")
_loop: asyncio.AbstractEventLoop | None = None


def use_loop(loop: asyncio.AbstractEventLoop | None) -> None:
    """Name the loop that serves this process's sockets, or None when it ends."""
    global _loop
    _loop = loop


def push(group: str, message: dict[str, Any]) -> None:
    """Send `message` to every socket in `group` once the open transaction has been committed.

    Outside a transaction it goes at once. In a process that serves no sockets it goes through
    Redis when there is one; otherwise nobody can be listening.
    """
    transaction.on_commit(lambda: _send(group, message), robust=True)


def _send(group: str, message: dict[str, Any]) -> None:
    layer = get_channel_layer()
    if _loop is not None and _loop.is_running():
        sending = asyncio.run_coroutine_threadsafe(layer.group_send(group, message), _loop)
        sending.add_done_callback(_complain)
    elif settings.ROOST_REDIS_URL:
        async_to_sync(layer.group_send)(group, message)


def _complain(sending: Any) -> None:
    if not sending.cancelled() and (error := sending.exception()) is not None:
        log.error("A push was lost: %s", type(error).__name__)


def is_listening() -> bool:
    """Whether this process can push: it serves sockets itself, or Redis carries the message."""
    return bool(settings.ROOST_REDIS_URL) or (_loop is not None and _loop.is_running())
