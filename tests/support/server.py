"""A real Roost for tests: its own process, port and data folder; it can be killed and come back."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[2]
MIGRATE = "from django.core.management import call_command\ncall_command('migrate', verbosity=0)"
PREPARE = "from roost.config.cli import prepare\nprepare()"


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`roost serve` on a data folder. `origin` is where it is; its words go to `log`."""

    def __init__(self, data_dir: Path, *, port: int = 0, **settings: str) -> None:
        self.data_dir = data_dir
        self.port = port or free_port()
        self.settings = settings
        self.process: subprocess.Popen[bytes] | None = None
        self.log = data_dir / "server.log"
        self._runner: Runner | None = None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What every process of this Roost runs with: no setting of the caller's own."""
        own = {
            name: value
            for name, value in os.environ.items()
            # Pytest says in one of its own where it is just now.
            if not name.startswith(("ROOST_", "PYTEST_"))
        }
        return own | {
            "ROOST_DATA_DIR": str(self.data_dir),
            "ROOST_PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
            **self.settings,
        }

    def start(self, *, seconds: float = 120) -> Server:
        """Start it and wait until it is ready. Raises RuntimeError with its log if it is not."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "roost.config.cli", "serve"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        self.wait_ready(seconds=seconds)
        return self

    def wait_ready(self, *, seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process is None or self.process.poll() is not None:
                break
            try:
                with urlopen(f"{self.origin}/readyz", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (URLError, OSError):
                pass
            time.sleep(0.05)
        raise RuntimeError(f"Roost is not ready:\n{self.log.read_text()[-4000:]}")

    def kill(self) -> None:
        """kill -9: no goodbye, nothing tidied."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """An orderly end."""
        self._end(signal.SIGTERM)
        self.forget()

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
        self.process = None

    def restart(self) -> None:
        """kill -9, then again on the same port and data."""
        self.kill()
        self.start()

    def run(self, code: str, *arguments: str, seconds: float = 60) -> str:
        """Run Python with Django set up on this Roost's data. Returns what it prints. Raises
        RuntimeError with its words if it fails or takes longer than so many seconds."""
        runner = self._runner
        if runner is None or not runner.lives or runner.environment != self.environment:
            self.forget()
            runner = self._runner = Runner(self.environment)
        return runner.run(code, arguments, seconds=seconds)

    def forget(self) -> None:
        """End the process that has run Python here; the next `run` begins another."""
        if self._runner is not None:
            self._runner.end()
        self._runner = None


class Runner:
    """tests/support/runner.py in an environment."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.runner"],
            cwd=ROOT,
            env=environment | {"DJANGO_SETTINGS_MODULE": "roost.config.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self.end = weakref.finalize(self, _end_group, self.process)

    @property
    def lives(self) -> bool:
        return self.end.alive and self.process.poll() is None

    def run(self, code: str, arguments: tuple[str, ...], *, seconds: float) -> str:
        asked, answers = self.process.stdin, self.process.stdout
        assert asked is not None
        assert answers is not None
        with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
            names = {"out": out.name, "err": err.name}
            line = json.dumps({"code": code, "arguments": arguments, **names})
            asked.write(f"{line}\n".encode())
            asked.flush()
            in_time, _, _ = select.select([answers], [], [], seconds)
            answer = answers.readline() if in_time else b""
            if answer.strip() != b"0":
                if not answer:
                    self.end()  # It would answer this when something else is asked.
                words = err.read().decode()[-4000:]
                raise RuntimeError(words or f"It has not ended well: {answer.decode()}")
            return out.read().decode()


def _end_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):
                stream.close()


@functools.cache
def _prepared() -> Path:
    """A data folder as a first start on SQLite leaves it, made once for all the servers here: an
    empty database, and the static files."""
    folder = Path(tempfile.mkdtemp(prefix="roost-prepared-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    prepared = Server(folder)
    prepared.run(PREPARE, seconds=180)
    prepared.forget()
    return folder


def prepared(data_dir: Path, **settings: str) -> Server:
    """A server that has yet to start, with its database made: on SQLite unless `settings` name
    another, which is then the caller's to make (the fixture `database` does)."""
    server = Server(data_dir, **settings)
    data_dir.mkdir(parents=True, exist_ok=True)
    if not (data_dir / "static").exists():
        shutil.copytree(_prepared() / "static", data_dir / "static")
    if "ROOST_DATABASE_URL" not in settings and not (data_dir / "roost.sqlite3").exists():
        shutil.copy(_prepared() / "roost.sqlite3", data_dir)
    return server


@contextmanager
def serving(data_dir: Path, **settings: str) -> Iterator[Server]:
    """A ready server for the length of a block."""
    server = prepared(data_dir, **settings)
    try:
        yield server.start()
    finally:
        server.stop()
