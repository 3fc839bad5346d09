"""kill -9 of a real server, again and again, while it books sessions and hands mail over: what it
has acknowledged is there, whole; what it has not is there whole or not at all; no mail is lost."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.post import post_office
from tests.support.server import Server

KILLS = 20
CLIENTS = 1500

SEED = """
import json, sys
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from roost.accounts.models import Account
from roost.accounts.sessions import SessionStore
from roost.clients.models import Assignment, Client
from roost.core.context import RequestFacts, request_facts
from roost.core.tenancy import scope
from roost.practices.models import Practice
from roost.scheduling.models import Service
from roost.staff.models import StaffMember
practice = Practice.objects.create(slug="maple", name="Maple Counselling")
with scope(practice.pk):
    account = Account(email="tara@maple.example")
    account.set_password("a plain sentence of eleven")
    account.save()
    tara = StaffMember.objects.create(account=account, role="owner", display_name="Tara Okafor")
    clients = Client.objects.bulk_create([
        Client(first_name=f"P{n}", last_name="Quill", email=f"p{n}@client.example", search_text="x")
        for n in range(int(sys.argv[1]))
    ])
    service = Service.objects.create(name="Individual", type="individual", duration_minutes=50)
    request_facts.set(RequestFacts(door="office"))
    store = SessionStore()
    store[SESSION_KEY] = str(account.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = account.get_session_auth_hash()
    store.create()
print(json.dumps({
    "key": store.session_key, "tara": str(tara.uuid), "service": str(service.uuid),
    "clients": [str(c.uuid) for c in clients],
}))
"""

# A lease ends by itself five minutes after its worker has died. Here time is made to pass.
RELEASE = """
from django.utils import timezone
from roost.core.tenancy import scope
from roost.outbox.models import OutgoingMessage
from roost.practices.models import Practice
with scope(Practice.objects.get().pk):
    past = timezone.now()
    OutgoingMessage.objects.filter(state="queued").update(leased_until=None, due_at=past)
"""

LEFT = """
import json
from roost.accounts.models import Account, MailLink
from roost.audit.models import AuditEvent
from roost.clients.models import PortalAccess
from roost.core.models import Submission
from roost.core.tenancy import scope
from roost.outbox.models import OutgoingMessage
from roost.practices.models import Practice
from roost.scheduling.models import Appointment, Attendee
def text(rows):
    return [[None if v is None else str(v) for v in row] for row in rows]
with scope(Practice.objects.get().pk):
    events = AuditEvent.objects
    print(json.dumps({
        "submissions": text(Submission.objects.values_list("kind", "key", "result")),
        "appointments": text(Appointment.objects.values_list("uuid", "starts_at")),
        "attendees": text(Attendee.objects.values_list("appointment__uuid", "client__uuid")),
        "booked": text(events.filter(action="appointment.booked").values_list(
            "subject_uuid", "client_uuid")),
        "access": text(PortalAccess.objects.values_list("uuid", "client__uuid", "account__email")),
        "accounts": text(Account.objects.values_list("email")),
        "links": text(MailLink.objects.values_list("client_uuid", "message__message_id")),
        "messages": text(OutgoingMessage.objects.values_list("message_id", "client_uuid", "state")),
        "given": text(events.filter(action="access.given").values_list("client_uuid")),
        "sent": text(events.filter(action="invitation.sent").values_list("client_uuid")),
    }))
"""


@dataclass
class Driver:
    """Somebody who sends one form after the other and notes what is acknowledged. A form whose
    answer was lost is sent again when its number is even, and given up when it is odd."""

    server: Server
    world: dict[str, Any]
    stop: threading.Event = field(default_factory=threading.Event)
    sent: dict[str, int] = field(default_factory=dict)
    acknowledged: dict[str, int] = field(default_factory=dict)
    lost_answers: int = 0
    troubles: list[str] = field(default_factory=list)

    def form(self, number: int) -> tuple[str, dict[str, str]]:
        raise NotImplementedError

    def drive(self) -> None:
        for number in range(len(self.world["clients"])):
            key = str(uuid.uuid4())
            self.sent[key] = number
            while not self.stop.is_set():
                path, values = self.form(number)
                status = self._send(path, {**values, "form_key": key})
                if status == 302:
                    self.acknowledged[key] = number
                elif status is not None:
                    self.troubles.append(f"{path} {status}")
                if status is None:
                    self.lost_answers += 1
                    if number % 2 == 0:
                        time.sleep(0.05)
                        continue
                break
            if self.stop.is_set() or self.troubles:
                return

    def _send(self, path: str, values: dict[str, str]) -> int | None:
        token = "c" * 32
        cookies = f"roost-office-maple={self.world['key']}; roost-office-maple_csrf={token}"
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        try:
            connection.request(
                "POST",
                path,
                urlencode({**values, "csrfmiddlewaretoken": token}),
                {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"},
            )
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()


class Booker(Driver):
    """Books one session after the other."""

    def form(self, number: int) -> tuple[str, dict[str, str]]:
        from datetime import date, timedelta

        day = date.today() + timedelta(days=2 + number // 12)
        return "/office/maple/sessions/book/", {
            "clients": self.world["clients"][number],
            "therapist": self.world["tara"],
            "service": self.world["service"],
            "mode": "video",
            "day": day.isoformat(),
            "hour": f"{8 + number % 12:02}:00",
            "do": "book",
        }


class Inviter(Driver):
    """Invites one client after the other."""

    def form(self, number: int) -> tuple[str, dict[str, str]]:
        client = self.world["clients"][number]
        return f"/office/maple/clients/{client}/account/", {
            "email": f"p{number}@client.example",
            "relationship": "self",
            "do": "invite",
        }


def _wait_until_all_have_left(server: Server, seconds: float = 60) -> dict[str, list[list[Any]]]:
    end = time.monotonic() + seconds
    while True:
        left: dict[str, list[list[Any]]] = json.loads(server.run(LEFT))
        if time.monotonic() > end or all(state == "accepted" for *_, state in left["messages"]):
            return left
        server.run(RELEASE)
        time.sleep(1)


@pytest.mark.one_database
@pytest.mark.slow
def test_twenty_kills_lose_nothing_and_leave_nothing_half_done(
    tmp_path: Path, database: dict[str, str]
) -> None:
    chance = random.Random(20)
    with post_office() as post:

        def take_a_moment(address: str) -> None:
            time.sleep(0.01)

        post.on_data = take_a_moment
        server = Server(tmp_path / "data", ROOST_SMTP_URL=post.url, **database)
        try:
            server.start()
            world = json.loads(server.run(SEED, str(CLIENTS)))
            drivers: list[Driver] = [Booker(server, world), Inviter(server, world)]
            threads = [threading.Thread(target=driver.drive) for driver in drivers]
            for thread in threads:
                thread.start()
            for _ in range(KILLS):
                before = [len(driver.acknowledged) for driver in drivers]
                end = time.monotonic() + 10
                while time.monotonic() < end and not any(d.troubles for d in drivers):
                    if all(len(d.acknowledged) > n for d, n in zip(drivers, before, strict=True)):
                        break
                    time.sleep(0.01)
                time.sleep(chance.uniform(0, 0.25))
                server.restart()
            for driver in drivers:
                driver.stop.set()
            for thread in threads:
                thread.join(30)
            left = _wait_until_all_have_left(server)
        finally:
            server.stop()
    booker, inviter = drivers
    assert booker.troubles == inviter.troubles == []
    assert min(len(d.acknowledged) for d in drivers) >= KILLS
    assert sum(d.lost_answers for d in drivers) > 0, "No kill has hit anything."
    _check_bookings(booker, left)
    _check_invitations(inviter, left)
    # Mail: every message has left, under its one Message-ID, and nothing that was never written.
    ids = {message_id for message_id, _, _ in left["messages"]}
    arrived = Counter(str(r.mail["Message-ID"]) for r in post.received)
    assert {state for *_, state in left["messages"]} == {"accepted"}
    assert set(arrived) == ids
    assert sum(arrived.values()) - len(ids) <= KILLS


def _check_bookings(booker: Driver, left: dict[str, list[list[Any]]]) -> None:
    made = {key: result for kind, key, result in left["submissions"] if kind == "appointment"}
    appointments = {each for each, _ in left["appointments"]}
    assert set(booker.acknowledged) <= set(made)
    assert set(made) <= set(booker.sent)
    assert sorted(made.values()) == sorted(appointments)
    assert len({start for _, start in left["appointments"]}) == len(appointments)
    whole = [[made[key], booker.world["clients"][booker.sent[key]]] for key in made]
    assert sorted(left["attendees"]) == sorted(whole)
    assert sorted(left["booked"]) == sorted(whole)


def _check_invitations(inviter: Driver, left: dict[str, list[list[Any]]]) -> None:
    # What counts as one form is its key and what was sent under it.
    forms = {
        str(uuid.uuid5(uuid.UUID(key), f"self p{number}@client.example")): key
        for key, number in inviter.sent.items()
    }
    kept = {key: result for kind, key, result in left["submissions"] if kind == "invitation"}
    assert set(kept) <= set(forms)
    made = {forms[key]: result for key, result in kept.items()}
    assert set(inviter.acknowledged) <= set(made)
    people = {inviter.world["clients"][inviter.sent[key]]: inviter.sent[key] for key in made}
    emails = {client: f"p{number}@client.example" for client, number in people.items()}
    assert sorted(each for each, *_ in left["access"]) == sorted(made.values())
    assert sorted(rest for _, *rest in left["access"]) == sorted(
        [client, email] for client, email in emails.items()
    )
    assert {email for [email] in left["accounts"]} == {"tara@maple.example", *emails.values()}
    assert sorted(left["links"]) == sorted(
        [client, message_id] for message_id, client, _ in left["messages"]
    )
    for rows in (left["given"], left["sent"], [[client] for _, client, _ in left["messages"]]):
        assert sorted(rows) == sorted([client] for client in people)
