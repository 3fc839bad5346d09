"""A real Redis for tests, which keeps nothing, and what it was told."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.server import free_port


@dataclass(frozen=True)
class Redis:
    port: int
    password: str

    @property
    def url(self) -> str:
        """As ROOST_REDIS_URL names it."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @contextmanager
    def overheard(self) -> Iterator[list[bytes]]:
        """All that it is told during a block, as it comes."""
        heard: list[bytes] = []
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as line:
            line.sendall(f"AUTH {self.password}\r\nMONITOR\r\n".encode())
            greeting = b""
            while greeting.count(b"+OK\r\n") < 2:
                greeting += line.recv(4096)
            line.settimeout(None)

            def listen() -> None:
                try:
                    while more := line.recv(65_536):
                        heard.append(more)
                except OSError:
                    pass

            listener = threading.Thread(target=listen, daemon=True)
            listener.start()
            yield heard
            line.shutdown(socket.SHUT_RDWR)
            listener.join(5)


@contextmanager
def redis(
    folder: Path, *, port: int = 0, password: str = "a-password-of-its-own"
) -> Iterator[Redis]:
    """A Redis that answers, for the length of a block."""
    running = Redis(port or free_port(), password)
    command = ["redis-server", "--port", str(running.port), "--bind", "127.0.0.1", "--save", "",
               "--requirepass", password, "--dir", str(folder)]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _wait_ready(process, running.port)
        yield running
    finally:
        process.kill()
        process.wait(5)


def _wait_ready(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
                line.sendall(b"PING\r\n")
                if line.recv(64):
                    return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("Redis is not ready.")
