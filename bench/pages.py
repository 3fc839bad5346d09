"""My Account with 50 sessions, beside a bare ASGI "hello" and a trivial Django view.

Requests per second over four kept-alive connections, and CPU time of the server's process per
request; ten interleaved rounds, medians.
"""

import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path

from bench.floors import floor
from tests.support.server import Server

ROUNDS, CONNECTIONS = 10, 4
TICK = os.sysconf("SC_CLK_TCK")
SEED = """
import django; django.setup()
from datetime import timedelta
from roost.core.tenancy import scope
from roost.core.time import now
from roost.practices.models import Practice
from roost.scheduling.models import Appointment
from tests.support.cast import make_appointment, make_cast
from tests.support.doors import session_cookie
cast = make_cast("maple", "Maple Counselling", "America/Toronto")
with scope(cast.practice.pk):
    for n in range(50):
        make_appointment(cast.tara, cast.casey, service=cast.individual,
                         starts_at=now() + timedelta(days=7 * (3 - n), hours=1))
print(*session_cookie(cast.casey_account, "portal"))
"""


@dataclass
class Target:
    """Something that answers requests, and what was measured of it."""

    name: str
    port: int
    pid: int
    path: str
    requests: int
    cookie: str = ""
    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def round(self) -> None:
        """One round: `requests` in all, over all connections."""
        cpu, begun = cpu_seconds(self.pid), time.perf_counter()
        threads = [threading.Thread(target=self._ask) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.rates.append(self.requests / (time.perf_counter() - begun))
        self.cpu.append((cpu_seconds(self.pid) - cpu) / self.requests * 1000)

    def _ask(self) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        cookies = SimpleCookie(self.cookie)
        for _ in range(self.requests // CONNECTIONS):
            held = "; ".join(f"{name}={each.value}" for name, each in cookies.items())
            line.request("GET", self.path, headers={"Cookie": held})
            answer = line.getresponse()
            answer.read()
            # As a browser does, which has had its CSRF cookie since the log-in page.
            for given in answer.headers.get_all("Set-Cookie", []):
                cookies.load(given)
            assert answer.status == 200, (self.name, answer.status)
        line.close()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def main() -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="roost-bench-"))
        server = Server(Path(folder)).start()
        stack.callback(server.stop)
        seeded = subprocess.run(
            [sys.executable, "-c", SEED],
            env=server.environment | {"DJANGO_SETTINGS_MODULE": "roost.config.settings"},
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        name, value = seeded.stdout.split()
        hello_port, hello_pid = stack.enter_context(floor("hello"))
        trivial_port, trivial_pid = stack.enter_context(floor("trivial"))
        assert server.process is not None
        account = Target(
            "My Account, 50 sessions", server.port, server.process.pid,
            "/portal/maple/my-account/", 200, f"{name}={value}",
        )  # fmt: skip
        targets = [
            Target("bare ASGI hello", hello_port, hello_pid, "/", 2000),
            Target("trivial Django view", trivial_port, trivial_pid, "/", 1000),
            account,
        ]
        for target in targets:
            target.round()
            target.rates.clear()
            target.cpu.clear()
        for _ in range(ROUNDS):
            for target in targets:
                target.round()
    report(targets)


def report(targets: list[Target]) -> None:
    """Print the table and the two figures that have a goal."""
    print(f"\nPages ({CONNECTIONS} connections, {ROUNDS} interleaved rounds, medians)")
    print(f"  {'':26}{'requests/s':>12}{'min – max':>18}{'CPU ms/request':>18}")
    for target in targets:
        spread = f"{min(target.rates):.0f} – {max(target.rates):.0f}"
        rate, cpu = statistics.median(target.rates), statistics.median(target.cpu)
        print(f"  {target.name:26}{rate:12.0f}{spread:>18}{cpu:18.2f}")
    trivial, account = targets[1], targets[2]
    ratio = statistics.median(account.rates) / statistics.median(trivial.rates)
    print(f"  My Account / trivial view: 1/{1 / ratio:.1f} of the rate (goal: at least 1/20)")
    print(f"  CPU of My Account: {statistics.median(account.cpu):.2f} ms (goal: at most 5)")


if __name__ == "__main__":
    main()
