"""Sockets behind a door: who is on them, and their end when the sign-in ends.

The practice, the door and the cookie come from the URL just as for pages. A watch looks at all open
sockets of this process every two seconds and closes those whose sign-in is gone, in one query.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from http.cookies import CookieError, SimpleCookie
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from roost.accounts.backend import PracticeBackend
from roost.accounts.models import Account, SignIn
from roost.accounts.services import must_choose_password, socket_group
from roost.accounts.sessions import hashed
from roost.core.context import RequestFacts, request_facts
from roost.core.tenancy import across_practices, scope
from roost.core.time import now
from roost.practices.middleware import DOOR_PATH, take_door_cookies
from roost.practices.models import Practice
from roost.practices.queries import find_practice

log = logging.getLogger("roost.sockets")
WATCH_SECONDS = 2.0
# Close codes: RFC 6455 leaves 4000–4999 to the application.
SIGNED_OUT, NOT_FOUND, TOO_MUCH, NOT_UNDERSTOOD = 4401, 4404, 4429, 4400


class DoorSockets:
    """Finds practice, door and account of a socket; `scope` gets them, or None where unknown."""

    def __init__(self, app: Callable[..., Awaitable[Any]]) -> None:
        self.app = app

    async def __call__(self, scope_: dict[str, Any], receive: Any, send: Any) -> Any:
        scope_ = dict(scope_)
        match = DOOR_PATH.match(scope_["path"])
        scope_["door"] = match["door"] if match else ""
        scope_["facts"] = _facts(scope_)
        slug = match["slug"] if match else ""
        practice, account, key = await database_sync_to_async(_who)(scope_, slug)
        scope_["practice"], scope_["account"], scope_["sign_in"] = practice, account, key
        return await self.app(scope_, receive, send)


def _facts(scope_: dict[str, Any]) -> RequestFacts:
    headers = dict(scope_["headers"])
    return RequestFacts(
        source=(scope_.get("client") or ("",))[0][:45],
        user_agent=headers.get(b"user-agent", b"").decode("latin-1")[:200],
        door=scope_["door"],
    )


def _who(scope_: dict[str, Any], slug: str) -> tuple[Practice | None, Account | None, str]:
    practice = find_practice(slug) if slug else None
    if practice is None:
        return None, None, ""
    cookies: dict[str, str] = {}
    for name, value in scope_["headers"]:
        if name == b"cookie":
            with contextlib.suppress(CookieError):
                cookies |= {k: m.value for k, m in SimpleCookie(value.decode("latin-1")).items()}
    take_door_cookies(cookies, scope_["door"], slug)
    key = hashed(cookies.get(settings.SESSION_COOKIE_NAME, ""))
    with scope(practice.pk):
        row = SignIn.objects.filter(
            session_key=key, door=scope_["door"], expire_date__gt=now()
        ).first()
        account = PracticeBackend().get_user(row.account_id) if row else None
        if account is None or must_choose_password(account):
            return practice, None, ""
        return practice, account, key


class SignedInConsumer(AsyncWebsocketConsumer):
    """A JSON socket of somebody signed in, with caps on size and rate.

    Subclasses implement `enter` (may they be here? False closes as "not found") and `heard`.
    Database work goes through `self.in_practice(function, …)`, which opens the scope.
    """

    most_characters = 64 * 1024
    most_per_second = 50.0
    burst = 200.0

    practice: Practice
    account: Account

    async def connect(self) -> None:
        self.sign_in: str = self.scope["sign_in"]
        self._tokens, self._refilled = self.burst, time.monotonic()
        if self.scope["account"] is None:
            # Accepted first: a browser is told the close code of an open socket only.
            await self.accept()
            return await self.close(SIGNED_OUT)
        self.practice, self.account = self.scope["practice"], self.scope["account"]
        await self.channel_layer.group_add(socket_group(self.account.pk), self.channel_name)
        if not await self.enter():
            await self.accept()
            return await self.close(NOT_FOUND)
        watch.add(self)
        await self.accept()
        await self.entered()

    async def enter(self) -> bool:
        """Whether this account may be on this socket."""
        raise NotImplementedError

    async def entered(self) -> None:
        """The socket is open."""

    async def heard(self, message: dict[str, Any]) -> None:
        """A JSON object has arrived."""

    async def gone(self) -> None:
        """The socket is closed."""

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self._within_rate():
            return await self.close(TOO_MUCH)
        if text_data is None or len(text_data) > self.most_characters:
            return await self.close(NOT_UNDERSTOOD)
        try:
            message = json.loads(text_data)
        except (ValueError, RecursionError):
            return await self.close(NOT_UNDERSTOOD)
        if not isinstance(message, dict):
            return await self.close(NOT_UNDERSTOOD)
        await self.heard(message)

    def _within_rate(self) -> bool:
        moment = time.monotonic()
        self._tokens += (moment - self._refilled) * self.most_per_second
        self._tokens, self._refilled = min(self._tokens, self.burst) - 1, moment
        return self._tokens >= 0

    async def say(self, **message: Any) -> None:
        """Send one JSON object."""
        with contextlib.suppress(RuntimeError):  # the browser has just gone
            await self.send(text_data=json.dumps(message))

    async def in_practice(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run database work in a thread, inside the practice's scope."""

        def run() -> Any:
            token = request_facts.set(self.scope["facts"])
            try:
                with scope(self.practice.pk):
                    return function(*args, **kwargs)
            finally:
                request_facts.reset(token)

        return await database_sync_to_async(run)()

    async def disconnect(self, code: int) -> None:
        watch.discard(self)
        if self.scope["account"] is not None:
            group = socket_group(self.account.pk)
            await self.channel_layer.group_discard(group, self.channel_name)
            await self.gone()

    async def account_signed_out(self, event: dict[str, Any]) -> None:
        """Some sign-in of this account has ended: see at once whether it was this one."""
        if not await database_sync_to_async(_alive)({self.sign_in}):
            await self.sign_out()

    async def sign_out(self) -> None:
        """The sign-in is gone, and so is all that was open by it."""
        watch.discard(self)
        with contextlib.suppress(RuntimeError):  # closed already
            await self.close(SIGNED_OUT)
        await self.put_out()

    async def put_out(self) -> None:
        """Whoever is on the socket has lost the right to be."""


def _alive(keys: set[str]) -> set[str]:
    """Which of these sign-ins still stand."""
    with across_practices():
        rows = SignIn.objects.filter(expire_date__gt=now(), account__is_active=True)
        found: set[str] = set()
        names = list(keys)
        for start in range(0, len(names), 500):
            part = names[start : start + 500]
            found |= set(rows.filter(session_key__in=part).values_list("pk", flat=True))
        return found


class SocketWatch:
    """All open sockets of this process, looked over every two seconds while there are any."""

    def __init__(self) -> None:
        self._sockets: dict[str, set[SignedInConsumer]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    def add(self, socket: SignedInConsumer) -> None:
        self._sockets[socket.sign_in].add(socket)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())

    def discard(self, socket: SignedInConsumer) -> None:
        held = self._sockets.get(socket.sign_in)
        if held is not None:
            held.discard(socket)
            if not held:
                del self._sockets[socket.sign_in]

    async def _look(self) -> None:
        while self._sockets:
            await asyncio.sleep(WATCH_SECONDS)
            keys = set(self._sockets)
            try:
                alive = await database_sync_to_async(_alive)(keys)
            except Exception:  # noqa: S112 -- a database that is away for a moment ends no call
                continue
            for key in keys - alive:
                for socket in list(self._sockets.get(key, ())):
                    try:
                        await socket.sign_out()
                    except Exception:
                        log.exception("A socket could not be ended.")


watch = SocketWatch()
