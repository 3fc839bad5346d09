#!/usr/bin/env python3
"""Do what the README tells a newcomer to do, and fail where it fails.

usage: scripts/try-readme.py [--done COMMAND]… [README]

Every line that starts with `$ ` in a block fenced as ```console is run, in order, in a
fresh copy of what git tracks. A command that serves (`make run`, `roost serve`) gets a free
port and an empty data folder, must say ready at /readyz in time, must answer at every
address of its own that it printed, and must stop when told to. Any other command must
exit with 0. A command given with --done has been run already and is not run again.
"""

import argparse
import contextlib
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

READY_SECONDS = 180
STOP_SECONDS = 30
COMMAND_SECONDS = 45 * 60

ROOT = Path(__file__).resolve().parent.parent
ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


class Failed(Exception):
    """A command of the README did not do what it should; the message says which and how."""


def commands_in(readme: str) -> list[str]:
    """The commands of the console blocks, in order; a line ending in a backslash goes on."""
    found: list[str] = []
    fence = ""
    going_on = False
    for line in readme.splitlines():
        stripped = line.strip()
        if stripped.startswith("```"):
            fence = "" if fence else stripped
            going_on = False
        elif fence == "```console":
            if going_on:
                found[-1] += "\n" + stripped
            elif stripped.startswith("$ "):
                found.append(stripped[2:])
            else:
                continue
            going_on = found[-1].endswith("\\")
    return found


def without_settings(command: str) -> list[str]:
    """The words of a command, less the variables set before it and a remark behind it."""
    words = shlex.split(command, comments=True)
    while words and ASSIGNMENT.match(words[0]):
        words.pop(0)
    return words


def serves(command: str) -> bool:
    """Whether a command goes on until it is stopped."""
    words = without_settings(command)
    if words[:2] == ["make", "run"]:
        return True
    return len(words) > 1 and Path(words[0]).name == "roost" and words[1] == "serve"


def with_settings(command: str, settings: dict[str, str]) -> str:
    """The command with our port and folder put over the ones it names itself."""
    for name, value in settings.items():
        command = re.sub(rf"\b{name}=\S*", f"{name}={shlex.quote(value)}", command)
    return command


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def status_of(url: str) -> int:
    """The HTTP status after redirects; 0 when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


@contextlib.contextmanager
def fresh_copy() -> Iterator[Path]:
    """A folder with what git tracks here, as it stands in the work tree."""
    with tempfile.TemporaryDirectory(prefix="roost-readme-") as folder:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True
        ).stdout
        copy = Path(folder, "roost")
        copy.mkdir()
        packed = subprocess.Popen(
            ["tar", "--null", "--files-from=-", "--create"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert packed.stdin is not None
        packed.stdin.write(listed)
        packed.stdin.close()
        subprocess.run(["tar", "--extract"], cwd=copy, stdin=packed.stdout, check=True)
        if packed.wait():
            raise Failed("the tracked files could not be copied")
        yield copy


def try_command(command: str, *, copy: Path, environment: dict[str, str]) -> None:
    """Run a command to its end. Raises Failed when it does not exit with 0."""
    running = subprocess.Popen(
        ["bash", "-c", command],
        cwd=copy,
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        status = running.wait(COMMAND_SECONDS)
    except subprocess.TimeoutExpired:
        raise Failed(f"`{command}` took more than {COMMAND_SECONDS} s") from None
    finally:
        signal_group(running, signal.SIGKILL)
        running.wait()
    if status:
        raise Failed(f"`{command}` exited with {status}")


def signal_group(running: "subprocess.Popen[bytes]", number: int) -> None:
    """Signal a command and what it started; nothing when none of it is left."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(running.pid, number)


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def stop(running: "subprocess.Popen[bytes]", *, port: int) -> bool:
    """Ask a server to stop; whether it went, and freed its port, in time by itself."""
    signal_group(running, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while running.poll() is None or is_listening(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def try_server(command: str, *, copy: Path, environment: dict[str, str]) -> None:
    """Start a serving command, see that it is ready and what it printed opens, and stop it.

    Raises Failed with what the command printed.
    """
    port = free_port()
    settings = {"ROOST_PORT": str(port), "ROOST_DATA_DIR": environment["ROOST_DATA_DIR"]}
    here = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as output:

        def printed() -> str:
            output.seek(0)
            return output.read().decode(errors="replace")

        started_at = time.monotonic()
        running = subprocess.Popen(
            ["bash", "-c", with_settings(command, settings)],
            cwd=copy,
            env=environment | settings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while status_of(f"{here}/readyz") != 200:
                if running.poll() is not None:
                    raise Failed(f"`{command}` exited with {running.returncode}:\n{printed()}")
                if time.monotonic() - started_at > READY_SECONDS:
                    raise Failed(f"`{command}` was not ready in {READY_SECONDS} s:\n{printed()}")
                time.sleep(0.1)
            took = time.monotonic() - started_at
            own = re.compile(rf"http://(?:127\.0\.0\.1|localhost):{port}[^\s\"'<>)\]]*")
            addresses = sorted({found.rstrip(".,;") for found in own.findall(printed())})
            for address in addresses:
                if not 200 <= (status := status_of(address)) < 400:
                    raise Failed(f"`{command}` printed {address}, which answers {status}")
        finally:
            in_time = stop(running, port=port)
            signal_group(running, signal.SIGKILL)
            running.wait()
        if not in_time:
            raise Failed(f"`{command}` did not stop in {STOP_SECONDS} s:\n{printed()}")
    print(f"  ready after {took:.1f} s, {len(addresses)} printed addresses open, stopped")


def try_readme(readme: Path, *, done: list[str]) -> int:
    """Try every command, and return how many there were. Raises Failed at the first bad one."""
    commands = commands_in(readme.read_text())
    if not commands:
        raise Failed(f"{readme.name} has no command to try")
    finished = [without_settings(command) for command in done]
    with fresh_copy() as copy, tempfile.TemporaryDirectory(prefix="roost-readme-data-") as data:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("ROOST_")
        }
        # The demo's database is marked, and refused by a server that is not a demo.
        folders = {True: f"{data}/demo", False: f"{data}/own"}
        for command in commands:
            print(f"$ {command}", flush=True)
            words = without_settings(command)
            if words in finished:
                print("  done before", flush=True)
                continue
            settings = {"ROOST_DATA_DIR": folders[words[:1] == ["make"]]}
            attempt = try_server if serves(command) else try_command
            attempt(with_settings(command, settings), copy=copy, environment=environment | settings)
            sys.stdout.flush()
    return len(commands)


def main() -> int:
    parser = argparse.ArgumentParser(description="Do what the README tells a newcomer to do.")
    parser.add_argument("readme", nargs="?", type=Path, default=ROOT / "README.md")
    parser.add_argument("--done", action="append", default=[], metavar="COMMAND")
    arguments = parser.parse_args()
    try:
        count = try_readme(arguments.readme, done=arguments.done)
    except Failed as error:
        print(f"The README fails: {error}", file=sys.stderr)
        return 1
    print(f"All {count} commands of {arguments.readme.name} work.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
