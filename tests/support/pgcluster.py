"""A PostgreSQL cluster that lives as long as a test run.

    python -m tests.support.pgcluster run -- pytest

runs the command with ROOST_DATABASE_URL pointing to a fresh cluster, then stops
the cluster, deletes it and exits with the command's status. It listens on a free
loopback port and on a socket in its own folder, trusts whoever connects, and
trades durability for speed.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

ROLE = "roost"
DATABASE = "roost"
START_SECONDS = 60
STOP_SECONDS = 30
PORT_TRIES = 5

SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "listen_addresses": "127.0.0.1",
    "max_connections": "700",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class ClusterError(Exception):
    """The cluster could not be made or started; the message says what to do."""


@dataclass(frozen=True)
class Cluster:
    """A running cluster: `url` is what ROOST_DATABASE_URL takes, `folder` goes away with it."""

    url: str
    folder: Path
    binaries: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def stop(self) -> None:
        """Stop it as an administrator does: whoever is connected is cut off."""
        _stop(self.folder, self.binaries, find_owner())

    def start(self) -> None:
        """Start it again at the same address. Raises ClusterError when it does not."""
        _start_at(int(urlsplit(self.url).port or 0), self.folder, self.binaries, find_owner())


def find_binaries() -> Path:
    """The folder of the newest PostgreSQL server here. Raises ClusterError when there is none."""

    def version(folder: Path) -> tuple[int, ...]:
        return tuple(int(part) for part in folder.parent.name.split(".") if part.isdigit())

    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=version, reverse=True)
    on_path = shutil.which("initdb")
    candidates = [*debian, *([Path(on_path).resolve().parent] if on_path else [])]
    for folder in candidates:
        if all((folder / name).exists() for name in ("initdb", "pg_ctl", "postgres")):
            return folder
    raise ClusterError("No PostgreSQL server is installed: apt-get install postgresql")


def find_owner() -> pwd.struct_passwd | None:
    """Whom to run the server as: None for oneself, or another user when we are root.

    PostgreSQL refuses to run as root.
    """
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    for user in pwd.getpwall():
        if user.pw_uid != 0:
            return user
    raise ClusterError("PostgreSQL does not run as root, and there is no other user here.")


def _as_owner(
    command: Sequence[str | Path], *, owner: pwd.struct_passwd | None, cwd: Path, seconds: float
) -> None:
    """Run a command of PostgreSQL's to its end. Raises ClusterError with what it printed."""
    identity = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner else {}
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PG", "ROOST_")) and name != "NOTIFY_SOCKET"
    }
    # A file, not a pipe: the server inherits it and would keep a pipe open for ever.
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        try:
            done = subprocess.run(
                [str(part) for part in command],
                cwd=cwd,
                env=environment | {"LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us; we then stop the server in order
                timeout=seconds,
                check=False,
                **identity,
            )
        except subprocess.TimeoutExpired as error:
            raise ClusterError(f"{command[0]} took more than {seconds:.0f} s") from error
        if done.returncode:
            output.seek(0)
            raise ClusterError(f"{command[0]} failed:\n{output.read()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(folder: Path, binaries: Path, owner: pwd.struct_passwd | None) -> int:
    """Start the server and return its port. Raises ClusterError with the server's log."""
    log = folder / "log"
    for tries_left in reversed(range(PORT_TRIES)):
        port = _free_port()
        try:
            _start_at(port, folder, binaries, owner)
        except ClusterError as error:
            said = log.read_text(errors="replace") if log.exists() else ""
            if tries_left and "Address already in use" in said:
                log.unlink()
                continue
            raise ClusterError(f"{error}\n{said}") from error
        return port
    raise AssertionError("unreachable")


def _start_at(port: int, folder: Path, binaries: Path, owner: pwd.struct_passwd | None) -> None:
    """Start the server at one port. Raises ClusterError."""
    options = ["-w", "-t", str(START_SECONDS), "-D", folder / "data", "-l", folder / "log"]
    _as_owner(
        [binaries / "pg_ctl", "start", *options, "-o", f"-p {port}"],
        owner=owner,
        cwd=folder,
        seconds=START_SECONDS + 10,
    )


def _is_running(data: Path) -> bool:
    try:
        os.kill(int((data / "postmaster.pid").read_text().split()[0]), 0)
    except (OSError, ValueError, IndexError):
        return False
    return True


def _stop(folder: Path, binaries: Path, owner: pwd.struct_passwd | None) -> None:
    """Stop the server that owns this data folder, gently and then at once; no other is touched."""
    data = folder / "data"
    options = ["-w", "-t", str(STOP_SECONDS), "-D", data]
    for mode in ("fast", "immediate"):
        if not _is_running(data):
            return
        with contextlib.suppress(ClusterError):
            _as_owner(
                [binaries / "pg_ctl", "stop", *options, "-m", mode],
                owner=owner,
                cwd=folder,
                seconds=STOP_SECONDS + 10,
            )


@contextlib.contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Yield a fresh, running Cluster with one empty database; stop and delete it on the way out.

    Raises ClusterError when it cannot be made.
    """
    binaries = find_binaries()
    owner = find_owner()
    # Not TMPDIR: a socket's path may have 107 bytes only.
    folder = Path(tempfile.mkdtemp(prefix="roost-pg-", dir="/tmp"))
    try:
        if owner:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        _as_owner(
            [binaries / "initdb", "-D", folder / "data", "-U", ROLE, *options],
            owner=owner,
            cwd=folder,
            seconds=START_SECONDS,
        )
        settings = {**SETTINGS, "unix_socket_directories": str(folder)}
        with (folder / "data" / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        port = _start(folder, binaries, owner)
        _as_owner(
            [binaries / "createdb", "-h", folder, "-p", str(port), "-U", ROLE, DATABASE],
            owner=owner,
            cwd=folder,
            seconds=START_SECONDS,
        )
        yield Cluster(f"postgres://{ROLE}@127.0.0.1:{port}/{DATABASE}", folder, binaries)
    finally:
        _stop(folder, binaries, owner)
        shutil.rmtree(folder, ignore_errors=True)


def run(command: Sequence[str]) -> int:
    """Run a command beside a cluster of its own and return its status.

    A command that a signal ended gives 128 + the signal's number, as in a shell. SIGTERM,
    SIGHUP and Ctrl-C reach the command first; the cluster goes when the command has gone.
    """
    child: subprocess.Popen[bytes] | None = None
    received: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        # A terminal has given Ctrl-C to the command already.
        if child is not None and number != signal.SIGINT:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, pass_on)

    with running_cluster() as cluster:
        if received:
            return 128 + received[0]
        child = subprocess.Popen(command, env=os.environ | {"ROOST_DATABASE_URL": cluster.url})
        if received:
            child.terminate()
        status = _wait(child, received)
    return 128 - status if status < 0 else status


def _wait(child: subprocess.Popen[bytes], received: Sequence[int]) -> int:
    """The command's status; one that ignores our signal for long is ended."""
    deadline: float | None = None
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return child.wait(timeout=0.5)
        if received and deadline is None:
            deadline = time.monotonic() + STOP_SECONDS
        if deadline is not None and time.monotonic() > deadline:
            child.kill()


def main(arguments: Sequence[str]) -> int:
    """The command line; returns the exit status, 3 when the cluster cannot be had."""
    if len(arguments) < 3 or list(arguments[:2]) != ["run", "--"]:
        print("usage: python -m tests.support.pgcluster run -- COMMAND…", file=sys.stderr)
        return 2
    try:
        return run(arguments[2:])
    except ClusterError as error:
        print(error, file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
