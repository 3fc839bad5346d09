"""Whether the time an answer takes tells if an address is known: log in, create account, reset,
resend, and logging in with the password one has just signed up with.

Pairs of a known and an unknown address, in turn and each time in another order, over one
connection, from a new source each time (as a trusted proxy reports them) so that no limit is met.
"""

import http.client
import random
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from urllib.parse import urlencode

from tests.support.server import Server, serving

PAIRS, GOAL_MS = 200, 10.0
PASSWORD = "violet umbrella by the door"
SEED = """
import sys, django; django.setup()
from django.contrib.auth.hashers import make_password
from roost.accounts.models import Account
from roost.core.tenancy import scope
from roost.practices.models import Practice
practice = Practice.objects.create(slug="maple", name="Maple Counselling", allow_sign_up=True)
with scope(practice.pk):
    one = make_password("a plain sentence of eleven")
    Account.objects.bulk_create(
        Account(email=f"known{n}@client.example", password=one) for n in range(int(sys.argv[1]))
    )
"""


class Person:
    """Somebody at the portal, over a connection that stays open; each request has a new source."""

    def __init__(self, server: Server) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        self.origin = server.origin
        self.cookies: dict[str, str] = {}
        self.token = ""

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> float:
        """Send one request; returns how many milliseconds its answer took."""
        source = ".".join(str(random.randint(1, 250)) for _ in range(4))
        headers = {"X-Forwarded-For": source, "Origin": self.origin}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = None
        if form is not None:
            body = urlencode({**form, "csrfmiddlewaretoken": self.token})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        begun = time.perf_counter()
        self.line.request(method, f"/portal/maple/{path}", body, headers)
        answer = self.line.getresponse()
        text = answer.read().decode()
        took = (time.perf_counter() - begun) * 1000
        assert answer.status in (200, 302, 422), (path, answer.status)
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        if found := re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', text):
            self.token = found[1]
        return took

    def leave(self) -> None:
        """Forget the sign-up, as another browser would."""
        self.cookies = {name: v for name, v in self.cookies.items() if "sign_up" not in name}


def log_in(person: Person, email: str) -> float:
    return person.ask("POST", "log-in/", {"email": email, "password": "not this one at all"})


def reset(person: Person, email: str) -> float:
    return person.ask("POST", "forgot-password/", {"email": email})


def create_account(person: Person, email: str) -> float:
    form = {"first_name": "Kit", "last_name": "Rook", "email": email, "password": PASSWORD}
    return person.ask("POST", "create-account/", {**form, "form_key": str(uuid.uuid4())})


def log_in_after_it(person: Person, email: str) -> float:
    return person.ask("POST", "log-in/", {"email": email, "password": PASSWORD})


def resend(person: Person, email: str) -> float:
    return person.ask("POST", "account/", {"do": "resend"})


def measure(server: Server, pairs: int) -> dict[str, dict[bool, list[float]]]:
    """Milliseconds by step, for known (True) and unknown addresses."""
    steps = [log_in, reset, create_account, log_in_after_it, resend]
    found: dict[str, dict[bool, list[float]]] = {s.__name__: {True: [], False: []} for s in steps}
    person = Person(server)
    for number in range(-3, pairs):
        order = [True, False]
        random.shuffle(order)
        for step in steps:
            for known in order:
                email = f"{'known' if known else 'other'}{number + 3}@client.example"
                person.leave()
                person.ask("GET", "log-in/")
                if step is resend:
                    # In a visit of its own, when the pause of a minute has passed.
                    log_in_after_it(person, email)
                    let_pause_pass(server, email)
                    person.ask("GET", "account/")
                took = step(person, email)
                if number >= 0:
                    found[step.__name__][known].append(took)
    return found


def let_pause_pass(server: Server, email: str) -> None:
    """Let the sign-up's last e-mail have left an hour ago."""
    database = sqlite3.connect(server.data_dir / "roost.sqlite3", timeout=20)
    with database:
        database.execute(
            "update accounts_signup set mailed_at = datetime(mailed_at, '-1 hour') where email = ?",
            [email],
        )
    database.close()


def table(found: dict[str, dict[bool, list[float]]]) -> str:
    """Medians of both kinds, and how far apart they are."""
    lines = [f"{'known or unknown':22} {'n':>4} {'known':>9} {'unknown':>9} {'apart':>9}"]
    for name, times in found.items():
        known, unknown = (statistics.median(times[kind]) for kind in (True, False))
        lines.append(
            f"{name.replace('_', ' '):22} {len(times[True]):>4} {known:>6.1f} ms "
            f"{unknown:>6.1f} ms {abs(known - unknown):>6.1f} ms"
        )
    lines.append(f"(goal: medians at most {GOAL_MS:.0f} ms apart)")
    return "\n".join(lines)


def main() -> int:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else PAIRS
    folder = tempfile.TemporaryDirectory(prefix="roost-bench-")
    with folder, serving(Path(folder.name), ROOST_TRUSTED_PROXIES="127.0.0.1") as server:
        subprocess.run(
            [sys.executable, "-c", SEED, str(pairs + 3)],
            env=server.environment | {"DJANGO_SETTINGS_MODULE": "roost.config.settings"},
            check=True,
        )
        sys.stdout.write(table(measure(server, pairs)) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
