"""A real Redis for tests, which keeps nothing, and what it was told."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.server import free_port


class Redis:
    """One that keeps nothing: whoever starts it again finds it empty."""

    def __init__(self, folder: Path, *, port: int = 0, password: str = "of-its-own") -> None:
        self.folder, self.port, self.password = folder, port or free_port(), password
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Redis:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                   "--requirepass", self.password, "--dir", str(self.folder)]  # fmt: skip
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while time.monotonic() < end and self._process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as line:
                    line.sendall(b"PING\r\n")
                    if line.recv(64):
                        return self
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("Redis is not ready.")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(5)

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
            try:
                yield heard
            finally:
                line.shutdown(socket.SHUT_RDWR)
                listener.join(5)


@contextmanager
def redis(folder: Path, **options: Any) -> Iterator[Redis]:
    """One that answers, for the length of a block."""
    running = Redis(folder, **options)
    try:
        yield running.start()
    finally:
        running.stop()
