"""The standing cast: the people of two practices, alike in all but the practice."""

import itertools
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from roost.accounts.models import Account
from roost.clients.enums import Relationship
from roost.clients.forms import ClientForm
from roost.clients.models import Assignment, Client, PortalAccess, Prospect
from roost.core.forms import ShownField
from roost.core.tenancy import scope
from roost.practices.models import Practice
from roost.scheduling.enums import Mode, ServiceType
from roost.scheduling.models import Appointment, Attendee, Service
from roost.staff.enums import Role
from roost.staff.models import StaffMember

PASSWORD = "a plain sentence of eleven"
_numbers = itertools.count(1)


@dataclass
class Cast:
    """Everybody of one practice. Casey and Noor are Tara's clients, the Parkers are Theo's."""

    practice: Practice
    olivia: StaffMember
    adam: StaffMember
    tara: StaffMember
    theo: StaffMember
    casey: Client
    noor: Client
    robin: Client
    remy: Client
    casey_account: Account
    parker_account: Account
    individual: Service
    family: Service


def make_account(email: str, password: str = PASSWORD) -> Account:
    """An account with a password of its own. Needs a scope."""
    account = Account(email=email)
    account.set_password(password)
    account.save()
    return account


def make_staff(name: str, role: str, slug: str, **fields: Any) -> StaffMember:
    """A colleague who can log in. Needs a scope."""
    account = make_account(f"{name.split()[0].lower()}@{slug}.example")
    return StaffMember.objects.create(account=account, role=role, display_name=name, **fields)


def make_client(name: str, *therapists: StaffMember, **fields: Any) -> Client:
    """A client, assigned to therapists. Needs a scope."""
    first, _, last = name.partition(" ")
    client = Client.objects.create(first_name=first, last_name=last, **fields)
    for therapist in therapists:
        Assignment.objects.create(client=client, therapist=therapist)
    return client


def give(account: Account, client: Client, relationship: str = Relationship.SELF) -> PortalAccess:
    """Portal access, past the form. Needs a scope."""
    return PortalAccess.objects.create(account=account, client=client, relationship=relationship)


def shown(client: Client) -> str:
    """What the edit form of a record, as it stands, carries of what it shows. Needs a scope."""
    client.refresh_from_db()
    return str(ShownField().prepare_value(ClientForm.values_of(client)))


def link_stamp(prospect: Prospect) -> str:
    """The stamp of a prospect's link as its row has it now. Needs a scope."""
    return Prospect.objects.get(pk=prospect.pk).link_stamp


def make_appointment(
    therapist: StaffMember,
    *clients: Client,
    service: Service,
    starts_at: datetime | None = None,
    minutes: int = 50,
    mode: str = Mode.VIDEO,
) -> Appointment:
    """An appointment, past the booking form; by default it started five minutes ago."""
    starts_at = starts_at or datetime.now(UTC) - timedelta(minutes=5)
    appointment = Appointment.objects.create(
        therapist=therapist,
        service=service,
        mode=mode,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=minutes),
    )
    for client in clients:
        Attendee.objects.create(appointment=appointment, client=client)
    return appointment


def make_cast(slug: str, name: str, zone_name: str) -> Cast:
    """Make one practice and everybody in it."""
    practice = Practice.objects.create(
        slug=slug,
        name=name,
        zone_name=zone_name,
        phone="+14165550142",
        address="214 Harbord Street, Toronto",
    )
    with scope(practice.pk):
        olivia = make_staff("Olivia Osei", Role.OWNER, slug, sees_clients=False)
        adam = make_staff("Adam Arsenault", Role.ADMIN, slug, sees_clients=False)
        tara = make_staff("Tara Okafor", Role.THERAPIST, slug, title="RP")
        theo = make_staff("Theo Lang", Role.THERAPIST, slug, title="RSW")
        casey = make_client(
            "Casey Nguyen", tara, email="casey@client.example", date_of_birth=date(1994, 3, 9)
        )
        noor = make_client("Noor Haddad", tara, email="noor@client.example")
        robin = make_client("Robin Parker", theo, email="parker@client.example")
        remy = make_client("Remy Parker", theo)
        casey_account = make_account("casey@client.example")
        parker_account = make_account("parker@client.example")
        give(casey_account, casey)
        give(parker_account, robin)
        give(parker_account, remy, Relationship.PARENT)
        return Cast(
            practice, olivia, adam, tara, theo, casey, noor, robin, remy,
            casey_account, parker_account,
            Service.objects.create(
                name="Individual", type=ServiceType.INDIVIDUAL, duration_minutes=50
            ),
            Service.objects.create(name="Family", type=ServiceType.FAMILY, duration_minutes=75),
        )  # fmt: skip
