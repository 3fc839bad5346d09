"""The floors that pages are held against: the least a server, and the least Django, can do."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from a2wsgi import WSGIMiddleware

from tests.support.server import free_port

THREADS = 8


async def hello(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """A bare ASGI "hello"."""
    if scope["type"] != "http":
        return
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


def trivial() -> Any:
    """A Django of one view and no middleware, served the way Roost is."""
    import django
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpRequest, HttpResponse
    from django.urls import path

    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("hello")

    settings.configure(
        SECRET_KEY="x" * 50, ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, MIDDLEWARE=[]
    )
    django.setup()
    globals()["urlpatterns"] = [path("", view)]
    return WSGIMiddleware(get_wsgi_application(), workers=THREADS)


@contextmanager
def floor(name: str) -> Iterator[tuple[int, int]]:
    """A floor in a process of its own: its port and process id."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.floors", name, str(port)])
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Serve one floor on a port: `python -m bench.floors hello 8100`."""
    name, port = sys.argv[1], int(sys.argv[2])
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    app = hello if name == "hello" else trivial()
    config = uvicorn.Config(app, port=port, access_log=False, log_level="error", lifespan="off")
    asyncio.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main()
