"""A practice with one video session that is open now, made in a real Roost's database, and
browsers signed in to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, expect

from tests.support.server import Server

SEED = r"""
import json, sys
from datetime import timedelta
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from roost.accounts.models import Account
from roost.accounts.sessions import SessionStore
from roost.clients.enums import Relationship
from roost.clients.models import Assignment, Client, PortalAccess
from roost.core.context import RequestFacts, request_facts
from roost.core.tenancy import scope
from roost.core.time import now
from roost.practices.models import Practice
from roost.scheduling.enums import Mode, ServiceType
from roost.scheduling.models import Appointment, Attendee, Service
from roost.staff.enums import Role
from roost.staff.models import StaffMember

asked = json.loads(sys.argv[1])
practice, _ = Practice.objects.get_or_create(
    slug=asked["slug"], defaults={"name": "Maple Counselling", "phone": "+14165550142"}
)

def sign_in(account, door):
    token = request_facts.set(RequestFacts(door=door))
    try:
        store = SessionStore()
        store[SESSION_KEY] = str(account.pk)
        store[BACKEND_SESSION_KEY] = "roost.accounts.backend.PracticeBackend"
        store[HASH_SESSION_KEY] = account.get_session_auth_hash()
        store.create()
        return store.session_key
    finally:
        request_facts.reset(token)

def account_of(email):
    account = Account.objects.filter(email=email).first()
    if account is None:
        account = Account(email=email)
        account.set_password("a long enough passphrase")
        account.save()
    return account

with scope(practice.pk):
    tara_account = account_of("tara@maple.example")
    tara, _ = StaffMember.objects.get_or_create(
        account=tara_account,
        defaults={"role": Role.THERAPIST, "display_name": "Tara Okafor", "title": "RP"},
    )
    service, _ = Service.objects.get_or_create(
        name="Individual, 50 min", type=ServiceType.INDIVIDUAL, duration_minutes=50
    )
    start = now() + timedelta(minutes=asked["minutes"])
    appointment = Appointment.objects.create(
        therapist=tara, service=service, mode=asked["mode"], starts_at=start,
        ends_at=start + timedelta(minutes=50), booked_by=tara,
    )
    people = []
    for first, last, email in asked["clients"]:
        client, new = Client.objects.get_or_create(first_name=first, last_name=last)
        if new:
            Assignment.objects.create(client=client, therapist=tara)
        account = account_of(email)
        PortalAccess.objects.get_or_create(
            account=account, client=client, defaults={"relationship": asked["relationship"]}
        )
        attendee = Attendee.objects.create(appointment=appointment, client=client)
        people.append({
            "attendee": str(attendee.uuid), "client": str(client.uuid),
            "key": sign_in(account, "portal"), "email": email,
        })
    print(json.dumps({
        "appointment": str(appointment.uuid), "therapist": sign_in(tara_account, "office"),
        "people": people,
    }))
"""


@dataclass(frozen=True)
class Booked:
    """One video session in a real Roost, and the session keys of who may join it."""

    server: Server
    slug: str
    appointment: str
    therapist_key: str
    people: list[dict[str, str]]

    @property
    def office(self) -> str:
        return f"{self.server.origin}/office/{self.slug}"

    @property
    def portal(self) -> str:
        return f"{self.server.origin}/portal/{self.slug}"

    @property
    def office_room(self) -> str:
        return f"{self.office}/room/{self.appointment}/"

    def portal_room(self, number: int = 0) -> str:
        attendee = self.people[number]["attendee"]
        return f"{self.portal}/room/{self.appointment}/{attendee}/"

    def cookie(self, door: str, number: int = 0) -> dict[str, Any]:
        """The sign-in of the therapist (door "office") or of a client, as a browser keeps it."""
        key = self.therapist_key if door == "office" else self.people[number]["key"]
        return {"name": f"roost-{door}-{self.slug}", "value": key, "url": self.server.origin}


def book(
    server: Server,
    *,
    slug: str = "maple",
    minutes: float = -5,
    mode: str = "video",
    clients: list[tuple[str, str, str]] | None = None,
    relationship: str = "self",
) -> Booked:
    """Book a session of Tara's that starts in `minutes`, with Casey if no clients are named."""
    asked = {
        "slug": slug,
        "minutes": minutes,
        "mode": mode,
        "clients": clients or [("Casey", "Nguyen", "casey@client.example")],
        "relationship": relationship,
    }
    made = json.loads(server.run(SEED, json.dumps(asked)))
    return Booked(server, slug, made["appointment"], made["therapist"], made["people"])


def expect_waits(page: Page, *, timeout: float = 60_000) -> None:
    """The page's person is in the waiting room, by the server's word: whether or not the therapist
    has been told."""
    expect(page.locator("#told[data-told]")).to_be_visible(timeout=timeout)
