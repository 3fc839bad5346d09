"""Sockets behind a door: who is on them, and their end when the sign-in ends.

The practice, the door and the cookie come from the URL just as for pages. A watch looks at all open
sockets of this process every two seconds and closes those whose sign-in is gone, in one query.
"""

import asyncio
import contextlib
import json
import logging
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable
from http.cookies import CookieError, SimpleCookie
from typing import Any
from weakref import WeakValueDictionary

from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from roost.accounts.allowances import (
    MESSAGE,
    MOST_SOCKETS,
    QUESTION,
    SOCKET,
    Allowance,
    allowance_of,
    forget_fresh,
)
from roost.accounts.models import Account, SignIn
from roost.accounts.services import must_choose_password, socket_group
from roost.accounts.sessions import hashed, open_sign_in
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
# "The server met something it did not expect" (RFC 6455, 7.4.1): the page tries again.
STUMBLED = 1011
# Set once this process begins to stop: it ends all lines itself then. The code of a line's end does
# not tell, since whoever is at the other end may choose it.
server_stops = threading.Event()
# What sending raises when the other side has gone: uvicorn's word for it is an OSError.
GONE = (RuntimeError, OSError)
# Said with the code, for whoever reads a browser's console; pages have words of their own.
REASONS = {
    SIGNED_OUT: "Signed out.",
    NOT_FOUND: "There is no such place for this account.",
    TOO_MUCH: "Too much at once.",
    NOT_UNDERSTOOD: "Not understood.",
}
# Whoever comes back faster than they may is kept waiting so long before they are told.
SECONDS_TO_COOL = 2.0


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
        key = _key_in(scope_, slug)
        # Whoever opens many at once waits for themselves only, as with what their sockets ask.
        turn = _turns.setdefault(key, asyncio.Lock())
        async with turn:
            practice, account = await database_sync_to_async(_who)(scope_["door"], slug, key)
        scope_["practice"], scope_["account"] = practice, account
        scope_["sign_in"] = key if account is not None else ""
        return await self.app(scope_, receive, send)


# By the key of a cookie, for as long as a socket that brought it is being looked up.
_turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


def _facts(scope_: dict[str, Any]) -> RequestFacts:
    headers = dict(scope_["headers"])
    return RequestFacts(
        source=(scope_.get("client") or ("",))[0][:45],
        user_agent=headers.get(b"user-agent", b"").decode("latin-1")[:200],
        door=scope_["door"],
    )


def _key_in(scope_: dict[str, Any], slug: str) -> str:
    """The key of the sign-in that a socket's cookie names, whether or not there is one."""
    cookies: dict[str, str] = {}
    for name, value in scope_["headers"]:
        if name == b"cookie":
            with contextlib.suppress(CookieError):
                cookies |= {k: m.value for k, m in SimpleCookie(value.decode("latin-1")).items()}
    take_door_cookies(cookies, scope_["door"], slug)
    return hashed(cookies.get(settings.SESSION_COOKIE_NAME, ""))


def _who(door: str, slug: str, key: str) -> tuple[Practice | None, Account | None]:
    practice = find_practice(slug) if slug else None
    if practice is None:
        return None, None
    with scope(practice.pk):
        row = open_sign_in(key, door)
        if row is None or not row.account.is_active or must_choose_password(row.account):
            return practice, None
        return practice, row.account


class SignedInConsumer(AsyncWebsocketConsumer):
    """A JSON socket of somebody signed in, with caps on size and rate.

    The rate is the account's, over all its sockets (roost.accounts.allowances). Subclasses
    implement `enter` (may they be here? False closes as "not found") and `heard`. Database work
    goes through `self.in_practice(function, …)`, which opens the scope.
    """

    most_characters = 64 * 1024

    practice: Practice
    account: Account
    allowance: Allowance

    is_closing = False
    # Whether it was ended since it could not hear what other sockets say any more.
    has_lost_touch = False
    _is_counted = False

    async def __call__(self, scope_: dict[str, Any], receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope_, receive, send)
        except Exception:
            # The layer between sockets has failed (Redis is away), and no end of the line is told.
            self.has_lost_touch = True
            await self._stumble()
            await self.disconnect(STUMBLED)

    async def dispatch(self, message: dict[str, Any]) -> None:
        # Channels would look after database connections here, in the one thread that does all
        # database work. `in_practice` does that by itself, and a signal asks no database: it must
        # not wait behind those who do.
        if self.is_closing and message["type"] == "websocket.receive":
            return
        try:
            await getattr(self, message["type"].replace(".", "_"))(message)
        except StopConsumer:
            raise
        except Exception:
            await self._stumble()
            if message["type"] == "websocket.disconnect":
                # Nothing more comes to it.
                raise StopConsumer from None

    async def _stumble(self) -> None:
        """End after an error. The page comes back by itself, and the end goes through `disconnect`
        as any other does."""
        log.exception("A socket has stumbled.")
        await self.close(STUMBLED)

    def start(self, act: Callable[[], Awaitable[None]]) -> None:
        """Do something beside the messages. An error in it ends the socket like one in a message:
        what was to be told would else never be."""
        task = asyncio.get_running_loop().create_task(self._beside(act))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _beside(self, act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        except Exception:
            await self._stumble()

    async def connect(self) -> None:
        self.sign_in: str = self.scope["sign_in"]
        self._tasks: set[asyncio.Task[None]] = set()
        self._groups: list[str] = []
        if self.scope["account"] is None:
            # Accepted first: a browser is told the close code of an open socket only.
            await self.accept()
            return await self.close(SIGNED_OUT)
        self.practice, self.account = self.scope["practice"], self.scope["account"]
        self.allowance = allowance_of(self.account.pk)
        if self.allowance.sockets >= MOST_SOCKETS or not self.allowance.take(SOCKET):
            await self.accept()
            await asyncio.sleep(SECONDS_TO_COOL)
            return await self.close(TOO_MUCH)
        self.allowance.sockets += 1
        self._is_counted = True
        if not await self.enter():
            await self.accept()
            return await self.close(NOT_FOUND)
        await self.join(socket_group(self.account.pk))
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
        if not self.allowance.take(MESSAGE):
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

    async def join(self, group: str) -> None:
        """Hear what is said to a group, until the socket ends."""
        self._groups.append(group)
        await self.channel_layer.group_add(group, self.channel_name)

    async def join_again(self) -> None:
        """Be heard of in its groups, also where the layer has begun anew and knows of none."""
        for group in self._groups:
            await self.channel_layer.group_add(group, self.channel_name)

    def may_ask(self) -> bool:
        """Whether the account may ask the database something more just now."""
        return self.allowance.take(QUESTION - MESSAGE)

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close it, once; what has come meanwhile is not looked at any more."""
        if not self.is_closing:
            self.is_closing = True
            with contextlib.suppress(*GONE):
                await super().close(code, reason or REASONS.get(code or 0))

    async def say(self, **message: Any) -> None:
        """Send one JSON object."""
        with contextlib.suppress(*GONE):
            await self.send(text_data=json.dumps(message))

    async def in_practice(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run database work in a thread, inside the practice's scope, once the account's other
        sockets have had their turns."""

        def run() -> Any:
            token = request_facts.set(self.scope["facts"])
            try:
                with scope(self.practice.pk):
                    return function(*args, **kwargs)
            finally:
                request_facts.reset(token)

        async with self.allowance.turn:
            return await database_sync_to_async(run)()

    async def disconnect(self, code: int) -> None:
        watch.discard(self)
        self.is_closing = True
        if not self._is_counted:
            return
        self._is_counted = False
        self.allowance.sockets -= 1
        try:
            await self.gone()
        finally:
            for group in self._groups:
                await self.channel_layer.group_discard(group, self.channel_name)

    async def account_signed_out(self, event: dict[str, Any]) -> None:
        """Some sign-in of this account has ended: see at once whether it was this one."""
        if not await database_sync_to_async(_alive)({self.sign_in}):
            await self.sign_out()

    async def sign_out(self) -> None:
        """The sign-in is gone, and so is all that was open by it."""
        watch.discard(self)
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
            forget_fresh()
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
