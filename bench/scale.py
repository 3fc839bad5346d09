"""My Account of a client with 5,000 sessions, and in a practice of a million, beside 50.

Three servers on data folders of their own, asked in turn in the same rounds: requests per second
over four connections and CPU time per request, medians, and their ratios to the small one.
"""

import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.pages import SEED, Target
from tests.support.server import Server

ROUNDS, REQUESTS = 12, 120
FEW, MANY, MILLION = 50, 5_000, 1_000_000
# A practice of 20,000 clients with 50 sessions each, written past the ORM: two million rows.
CROWD = """
import sys
from django.db import connection, transaction
from roost.core.tenancy import scope
from roost.practices.models import Practice
from roost.scheduling.models import Appointment
practice = Practice.objects.get()
with scope(practice.pk):
    one = Appointment.objects.first()
sessions, each = int(sys.argv[1]), 50
last = sessions - 1
numbers = f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {last})"
with transaction.atomic(), connection.cursor() as cursor:
    cursor.execute("SELECT max(id) FROM clients_client")
    client = cursor.fetchone()[0] + 1
    cursor.execute("SELECT max(id) FROM scheduling_appointment")
    first = cursor.fetchone()[0] + 1
    def columns(table, **own):
        cursor.execute(f"SELECT name FROM pragma_table_info('{table}')")
        names = [row[0] for row in cursor.fetchall()]
        return ", ".join(names), ", ".join(own.get(name, f"t.{name}") for name in names)
    at = "'now', '-' || (i % 3650) || ' days', '+' || (i % 24) || ' hours'"
    start = f"strftime('%Y-%m-%d %H:%M:%S', {at})"
    end = f"strftime('%Y-%m-%d %H:%M:%S', {at}, '+50 minutes')"
    fresh = "lower(hex(randomblob(16)))"
    for table, count, own in [
        ("clients_client", sessions // each, dict(id=f"{client} + i", uuid=fresh)),
        ("scheduling_appointment", sessions,
         dict(id=f"{first} + i", uuid=fresh, starts_at=start, ends_at=end)),
        ("scheduling_attendee", sessions,
         dict(id=f"{first} + 100 + i", uuid=fresh, starts_at=start,
              client_id=f"{client} + i / {each}", appointment_id=f"{first} + i")),
    ]:
        names, values = columns(table, **own)
        cursor.execute(
            f"{numbers} INSERT INTO {table} ({names}) SELECT {values} FROM n, "
            f"(SELECT * FROM {table} ORDER BY id LIMIT 1) t WHERE i < {count}")
with connection.cursor() as cursor:
    cursor.execute("ANALYZE")
"""


def _run(server: Server, code: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=server.environment | {"DJANGO_SETTINGS_MODULE": "roost.config.settings"},
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip


def _target(stack: ExitStack, name: str, *, own: int, crowd: int = 0) -> Target:
    """A server whose client has `own` sessions, in a practice of `crowd` more."""
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="roost-bench-"))
    server = Server(Path(folder)).start()
    stack.callback(server.stop)
    seed = SEED.replace("range(50)", f"range({own})").replace("days=7 *", "days=0.55 *")
    cookie, value = _run(server, seed).split()
    if crowd:
        _run(server, "import django; django.setup()" + CROWD, str(crowd))
    assert server.process is not None
    path = "/portal/maple/my-account/"
    return Target(name, server.port, server.process.pid, path, REQUESTS, f"{cookie}={value}")


def main(crowd: int = MILLION) -> None:
    with ExitStack() as stack:
        targets = [
            _target(stack, f"{FEW} sessions", own=FEW),
            _target(stack, f"{MANY:,} sessions", own=MANY),
            _target(stack, f"{FEW} among {crowd:,}", own=FEW, crowd=crowd),
        ]
        for target in targets:
            target.round()
            target.rates.clear()
            target.cpu.clear()
        for _ in range(ROUNDS):
            for target in targets:
                target.round()
    print(f"\nMy Account by size (4 connections, {ROUNDS} interleaved rounds, medians)")
    print(f"  {'':26}{'requests/s':>12}{'CPU ms/request':>18}{'CPU to the first':>18}")
    cpu = [statistics.median(target.cpu) for target in targets]
    for target, each in zip(targets, cpu, strict=True):
        rate = statistics.median(target.rates)
        print(f"  {target.name:26}{rate:12.0f}{each:18.2f}{each / cpu[0]:18.2f}")
    print("  (goals: 5,000 within 1.2, a practice of a million within 1.5)")


if __name__ == "__main__":
    main(*(int(number) for number in sys.argv[1:]))
