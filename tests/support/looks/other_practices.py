"""Two practices beside the demo's: one with nothing in it, and one with much of everything."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

from roost.accounts.models import Account
from roost.clients.enums import Relationship
from roost.clients.models import Assignment, Client, PortalAccess, Prospect
from roost.core.tenancy import scope
from roost.core.time import now
from roost.outbox.enums import MessageState
from roost.outbox.models import OutgoingMessage
from roost.practices.models import Practice
from roost.scheduling.enums import Attendance, Mode
from roost.scheduling.models import Appointment, Attendee, Service
from roost.staff.models import StaffMember
from roost.staff.services import create_practice
from roost.video.models import Presence, VideoRoom
from tests.support.cast import PASSWORD, make_account
from tests.support.doors import session_cookie

LONG = ("Maria-Alejandra", "Fernández-Oyelaran de la Cruz")
MANY = 500
# The client of the practice with much of everything, for the paths that name one.
ALEX = uuid.UUID("0a1e0000-0000-4000-8000-000000000500")


def make_newcomer(email: str) -> Account:
    """An account that nobody has chosen a password for yet."""
    account = Account(email=email)
    account.set_unusable_password()
    account.save()
    return account


def seed_empty() -> dict[str, tuple[str, str]]:
    """A practice as `create-practice` leaves it, and a client there with nothing booked."""
    create_practice(
        slug="birch", name="Birch", zone_name="America/Toronto",
        owner_email="owner@birch.example", owner_name="Bea Lund",
    )  # fmt: skip
    practice = Practice.objects.get(slug="birch")
    with scope(practice.pk):
        owner = StaffMember.objects.select_related("account").get()
        owner.account.set_password(PASSWORD)
        owner.account.save()
        return {"bea": session_cookie(owner.account, "office")}


def seed_many() -> dict[str, tuple[str, str]]:
    """A practice where everything is long and there is much of it."""
    name = "The Cooperative Practice for Psychotherapy, Couple and Family Counselling of Grove"
    create_practice(
        slug="grove", name=name, zone_name="America/Toronto",
        owner_email="wilhelmina-anastasia.featherstonehaugh@the-cooperative-practice.example",
        owner_name="Wilhelmina-Anastasia Featherstonehaugh-Oyelaran",
    )  # fmt: skip
    practice = Practice.objects.get(slug="grove")
    practice.phone = "+14165550199"
    practice.address = "Suite 1204, 88 Saint-Jean-Baptiste-de-la-Salle Boulevard West\nToronto"
    practice.save()
    moment = now()
    with scope(practice.pk):
        owner = StaffMember.objects.select_related("account").get()
        owner.title = "RP (Qualifying), MA, CCC"
        owner.save()
        owner.account.set_password(PASSWORD)
        owner.account.save()
        for n in range(40):
            StaffMember.objects.create(
                account=make_newcomer(f"{LONG[0].lower()}.{n}@the-cooperative-practice.example"),
                role="therapist" if n % 9 else "admin", display_name=f"{' '.join(LONG)} {n}",
                title="RP (Qualifying), MA, CCC", registration_number=f"RP-{1000 + n}",
                sees_clients=False, is_active=n % 7 > 0,
            )  # fmt: skip
        clients = Client.objects.bulk_create(
            Client(
                uuid=uuid.uuid4() if n else ALEX,
                first_name=LONG[0], last_name=f"{LONG[1]} {n}", preferred_name="Alex",
                email=f"maria-alejandra.fernandez-oyelaran.de.la.cruz.{n}@client.example",
                phone="+14165550123",
            )
            for n in range(MANY)
        )  # fmt: skip
        Assignment.objects.bulk_create(Assignment(client=c, therapist=owner) for c in clients)
        service = Service.objects.create(
            name="Emotionally focused individual psychotherapy, extended", type="individual",
            duration_minutes=50,
        )  # fmt: skip
        sessions = Appointment.objects.bulk_create(
            Appointment(
                therapist=owner, service=service, mode=list(Mode)[n % 3],
                starts_at=moment + timedelta(hours=n - MANY + 4),
                ends_at=moment + timedelta(hours=n - MANY + 4, minutes=50),
            )
            for n in range(MANY)
        )  # fmt: skip
        kinds = [Attendance.ATTENDED, Attendance.NO_SHOW, Attendance.LATE_CANCEL]
        Attendee.objects.bulk_create(
            Attendee(
                appointment=a, client=clients[0], starts_at=a.starts_at,
                attendance=kinds[n % 3] if a.ends_at < moment else Attendance.SCHEDULED,
            )
            for n, a in enumerate(sessions)
        )  # fmt: skip
        OutgoingMessage.objects.bulk_create(
            OutgoingMessage(
                kind="access_given", to=clients[0].email, client_uuid=clients[0].uuid,
                message_id=f"<{n}@roost.example>", due_at=moment, state=MessageState.ACCEPTED,
            )
            for n in range(MANY)
        )  # fmt: skip
        Prospect.objects.bulk_create(
            Prospect(
                first_name=LONG[0], last_name=f"{LONG[1]} {n}", preferred_name="Alex",
                email=f"maria-alejandra.fernandez-oyelaran.de.la.cruz.{n}@prospect.example",
                phone="+14165550123", date_of_birth=date(1988, 2, 2),
            )
            for n in range(MANY)
        )  # fmt: skip
        account = make_account(clients[0].email)
        for client in clients[:6]:
            PortalAccess.objects.create(
                account=account, client=client,
                relationship=Relationship.SELF if client is clients[0] else Relationship.PARENT,
            )  # fmt: skip
        room = VideoRoom.objects.create(appointment=sessions[MANY - 4])
        Presence.objects.create(
            room=room, attendee=sessions[MANY - 4].attendees.get(), cid="somebody",
            display_name=clients[0].name, state="waiting", waiting_since=moment,
            here_until=moment + timedelta(hours=1),
        )  # fmt: skip
        return {
            "wilhelmina": session_cookie(owner.account, "office"),
            "alex": session_cookie(account, "portal"),
        }
