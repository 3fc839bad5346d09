"""The server's application: pages through Django's WSGI handler in a pool of threads, sockets
through Channels, and the worker beside them. Figures behind this: docs/adr/0003-server.md."""

import asyncio
import os
import socket
import threading
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "roost.config.settings")

from django.core.wsgi import get_wsgi_application

pages: Any = get_wsgi_application()

import uvicorn  # noqa: E402
from a2wsgi import WSGIMiddleware  # noqa: E402
from channels.routing import URLRouter  # noqa: E402
from channels.security.websocket import OriginValidator  # noqa: E402
from django.conf import settings  # noqa: E402

from roost.accounts.sockets import DoorSockets, server_stops  # noqa: E402
from roost.config.chores import CHORES  # noqa: E402
from roost.core import wake  # noqa: E402
from roost.core.push import use_loop  # noqa: E402
from roost.outbox.worker import work  # noqa: E402

THREADS = 8

with_worker = True


def _origins() -> list[str]:
    """Where a page that opens a socket may come from: our own origin, by any of its loopback
    names when it is on this machine."""
    origin = settings.ROOST_ORIGIN
    if settings.ORIGIN_IS_SECURE:
        return [origin]
    return [
        origin,
        *(f"http://{host}:{settings.ROOST_PORT}" for host in ("127.0.0.1", "localhost")),
    ]


def _sockets() -> Any:
    from roost.office.sockets import routes as office
    from roost.portal.sockets import routes as portal

    return OriginValidator(DoorSockets(URLRouter([*office, *portal])), _origins())


class Application:
    """Hands each kind of connection to its part."""

    def __init__(self) -> None:
        self.http: Any = WSGIMiddleware(pages, workers=THREADS)
        self.websocket = _sockets()
        self.stop = threading.Event()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self.http(scope, receive, send)
        elif scope["type"] == "websocket":
            try:
                await self.websocket(scope, receive, send)
            except ValueError as error:
                # An address with no socket behind it.
                if not str(error).startswith("No route found"):
                    raise
                await send({"type": "websocket.close"})
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                use_loop(asyncio.get_running_loop())
                if with_worker:
                    threading.Thread(target=work, args=(self.stop, CHORES), name="worker").start()
                await send({"type": "lifespan.startup.complete"})
            else:
                use_loop(None)
                self.stop.set()
                wake.worker()
                await send({"type": "lifespan.shutdown.complete"})
                return


application = Application()


class Server(uvicorn.Server):
    """Lets sockets know that it stops before it ends them."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        server_stops.set()
        await super().shutdown(sockets)
