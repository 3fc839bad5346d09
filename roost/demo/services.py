"""The demo: two practices with people, two sessions around now and a year behind them.

It marks its database, and a real start refuses one that is marked. Its rows are made directly and
in bulk, past the forms; nothing here runs outside the demo.
"""

import uuid
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from roost.accounts.models import Account, SignUp
from roost.audit.services import record
from roost.billing.logos import set_logo
from roost.clients import prospects
from roost.clients.enums import Relationship
from roost.clients.models import Assignment, Client, PortalAccess, Prospect
from roost.core.tenancy import scope
from roost.core.text import search_key
from roost.core.time import from_wall_time, now, say_hour
from roost.demo import people
from roost.demo.logo import draw_logo
from roost.demo.money import make_receipts, pay_together, set_prices
from roost.practices.models import Practice
from roost.scheduling.enums import Attendance, Mode, ServiceType
from roost.scheduling.models import Appointment, Attendee, Service
from roost.scheduling.queries import taken_spans
from roost.staff.models import StaffMember
from roost.video.enums import Found
from roost.video.models import VideoRoom
from roost.video.rehearsals import keep_check

STARTED_AGO = timedelta(minutes=20)
LENGTH = timedelta(minutes=50)
HOURS = (9, 10, 11, 13)
WEEKS_BACK, WEEKS_AHEAD = 52, 4


class DemoRefused(Exception):
    """The data folder holds a real practice."""

    def __str__(self) -> str:
        return (
            "this data folder holds a real practice. The demo is made in an empty one: "
            "set ROOST_DATA_DIR to another folder, or leave ROOST_DEMO out."
        )


def refresh_demo() -> list[str]:
    """Make the demo where it is missing, and move its two fixed sessions to now.

    Returns the lines that say the way in. Raises DemoRefused for a database with a real practice.
    Records demo.refreshed.
    """
    if Practice.objects.filter(is_demo=False).exists():
        raise DemoRefused
    with transaction.atomic():
        maple = Practice.objects.filter(slug="maple").first() or _make_maple()
        Practice.objects.filter(slug="cedar").first() or _make_cedar()
        with scope(maple.pk):
            notes = _move_fixed_sessions(maple)
            record("demo.refreshed")
    return [*_way_in(), *notes]


def _way_in() -> list[str]:
    origin = settings.ROOST_ORIGIN
    return [
        "",
        "The demo: Maple Counselling (and Cedar Therapy, another island)",
        f"  Therapist   {origin}/office/maple/   tara@maple.example",
        f"  Client      {origin}/portal/maple/   casey@client.example",
        "  Also        olivia@maple.example (owner), adam@maple.example (admin),",
        "              theo@maple.example (therapist), parker@client.example (a parent),",
        "              pat@prospect.example (waits to be linked with a client)",
        f"  Password    {people.MAPLE_PASSWORD}",
        f"  Cedar       {origin}/office/cedar/   ines@cedar.example, mika@cedar.example",
        f"              {origin}/portal/cedar/   casey@client.example",
        f"  Password    {people.CEDAR_PASSWORD}",
        "",
    ]


def _make_maple() -> Practice:
    practice = Practice.objects.create(
        slug="maple",
        name="Maple Counselling",
        zone_name="America/Toronto",
        phone="+14165550142",
        address="214 Harbord Street\nToronto",
        tax_number="123456789 RT0001",
        is_demo=True,
        allow_sign_up=True,
    )
    with scope(practice.pk):
        staff = _make_staff("maple", people.MAPLE_STAFF, people.MAPLE_PASSWORD)
        tara, theo = staff["Tara Okafor"], staff["Theo Lang"]
        individual, family = _make_services()
        casey = _make_client(
            "Casey Nguyen", tara, email="casey@client.example", phone="+16475550118",
            date_of_birth=date(1994, 3, 9), pronouns="they/them",
            address="88 Lippincott Street\nToronto",
        )  # fmt: skip
        noor = _make_client(
            "Noor Haddad", tara, email="noor@client.example", phone="+14165550177",
            date_of_birth=date(1987, 8, 21), pronouns="she/her",
        )  # fmt: skip
        robin = _make_client(
            "Robin Parker", theo, email="parker@client.example", phone="+14375550109",
            date_of_birth=date(1983, 4, 12),
        )  # fmt: skip
        remy = _make_client(
            "Remy Parker", theo, date_of_birth=date(2014, 9, 3),
            emergency_contact="Robin Parker (parent)\n437 555 0109",
        )  # fmt: skip
        password = people.MAPLE_PASSWORD
        casey_account = _make_account("casey@client.example", password)
        _give(casey_account, casey)
        parker = _make_account("parker@client.example", password)
        _give(parker, robin)
        _give(parker, remy, Relationship.PARENT)
        _rehearse(casey_account, parker)
        more = _make_more_clients(people.MAPLE_CLIENTS, [tara, theo])
        signed_up = _make_sign_ups(people.MAPLE_SIGN_UPS, password)
        prospects.associate(
            prospect=signed_up["Alix"], seen=signed_up["Alix"].email, client=remy,
            relationship=Relationship.PARENT, by=staff["Olivia Osei"],
        )  # fmt: skip
        # Of each therapist's weekly hours the first two belong to the people named above.
        weekly = {tara: [casey, noor, *more[0::2]], theo: [robin, remy, *more[1::2]]}
        for therapist, clients in weekly.items():
            _make_year(practice, therapist, clients, individual, ahead=therapist is theo)
        _make_family_sessions(practice, theo, [robin, remy], family)
        _book_weeks_ahead(practice, tara, casey, individual)
        _make_coaching(practice, tara, casey)
        # Theo is in his second year: his receipts name Tara as well.
        theo.supervisor = tara
        theo.save(update_fields=["supervisor"])
        couple = _make_together(practice, theo, more[5:9:3], "Couple", weeks=4, hour=13)
        circle = Service.objects.create(
            name="Evening circle", type=ServiceType.GROUP, duration_minutes=90
        )
        group = _make_together(
            practice, tara, [casey, noor, *more[:2]], circle.name, weeks=4, hour=18
        )  # fmt: skip
        set_prices()
        olivia = staff["Olivia Osei"]
        set_logo(practice, draw_logo(), by=olivia.account)
        practice.refresh_from_db(fields=["receipt_logo"])
        make_receipts(practice, olivia, [casey, noor, robin, remy])
        pay_together(practice, olivia, couple, group, robin)
        for client in (casey, noor):
            fixed = Appointment.objects.create(
                therapist=tara, service=individual, mode=Mode.VIDEO, is_demo=True,
                starts_at=now(), ends_at=now() + LENGTH,
            )  # fmt: skip
            Attendee.objects.create(appointment=fixed, client=client)
    return practice


def _make_cedar() -> Practice:
    practice = Practice.objects.create(
        slug="cedar",
        name="Cedar Therapy",
        zone_name="America/Vancouver",
        phone="+16045550133",
        address="1120 Commercial Drive\nVancouver",
        tax_number="987654321 RT0001",
        is_demo=True,
    )
    with scope(practice.pk):
        staff = _make_staff("cedar", people.CEDAR_STAFF, people.CEDAR_PASSWORD)
        mika = staff["Mika Sato"]
        individual, _ = _make_services()
        casey = _make_client(
            "Casey Lindholm", mika, email="casey@client.example", date_of_birth=date(1972, 1, 5)
        )
        _give(_make_account("casey@client.example", people.CEDAR_PASSWORD), casey)
        more = _make_more_clients(people.CEDAR_CLIENTS, [mika])
        _make_year(practice, mika, [casey, *more], individual, ahead=True)
        set_prices()
        make_receipts(practice, staff["Ines Castellan"], [casey])
    return practice


def _make_account(email: str, password: str) -> Account:
    return Account.objects.create(
        email=email, password=make_password(password), mailbox_proven_at=now()
    )


def _make_staff(slug: str, rows: list[Any], password: str) -> dict[str, StaffMember]:
    staff = {}
    for name, role, title, college, number, sees_clients in rows:
        staff[name] = StaffMember.objects.create(
            account=_make_account(f"{name.split()[0].lower()}@{slug}.example", password),
            role=role,
            display_name=name,
            title=title,
            college=college,
            registration_number=number,
            sees_clients=sees_clients,
        )
    return staff


def _make_services() -> tuple[Service, Service]:
    individual = Service.objects.create(
        name="Individual", type=ServiceType.INDIVIDUAL, duration_minutes=50
    )
    Service.objects.create(name="Couple", type=ServiceType.COUPLE, duration_minutes=75)
    family = Service.objects.create(name="Family", type=ServiceType.FAMILY, duration_minutes=75)
    return individual, family


def _make_client(name: str, therapist: StaffMember, **fields: Any) -> Client:
    first, _, last = name.partition(" ")
    since = (now() - timedelta(weeks=WEEKS_BACK)).date()
    client = Client.objects.create(first_name=first, last_name=last, in_care_since=since, **fields)
    Assignment.objects.create(client=client, therapist=therapist)
    return client


def _make_more_clients(rows: list[Any], therapists: list[StaffMember]) -> list[Client]:
    clients = []
    for number, (name, goes_by, born) in enumerate(rows):
        first, _, last = name.partition(" ")
        plain = search_key(first, last.split()[-1]).replace(" ", ".").replace("’", "")
        clients.append(
            _make_client(
                name,
                therapists[number % len(therapists)],
                preferred_name=goes_by,
                email=f"{plain.encode('ascii', 'ignore').decode()}@client.example",
                phone=f"+1416555{number + 200:04}",
                date_of_birth=date.fromisoformat(born),
            )
        )
    return clients


def _make_sign_ups(rows: list[Any], password: str) -> dict[str, Prospect]:
    """People who have created an account, by first name; those proven have used their link."""
    made = {}
    for first, last, email, phone, born, days, proven in rows:
        prospect, _ = prospects.sign_up(
            key=uuid.uuid4(), email=email, password=password, zone_name="America/Toronto",
            first_name=first, last_name=last, phone=phone, date_of_birth=date.fromisoformat(born),
        )  # fmt: skip
        assert prospect.sign_up is not None
        if proven:
            prospects.prove_mailbox(prospect.sign_up, through="link")
        asked_at = now() - timedelta(days=days, hours=2)
        Prospect.objects.filter(pk=prospect.pk).update(created_at=asked_at)
        SignUp.objects.filter(pk=prospect.sign_up.pk).update(created_at=asked_at)
        made[first] = Prospect.objects.get(pk=prospect.pk)
    return made


def _give(account: Account, client: Client, relationship: str = Relationship.SELF) -> None:
    PortalAccess.objects.create(account=account, client=client, relationship=relationship)


def _rehearse(well: Account, in_vain: Account) -> None:
    """One has tested camera and sound and it worked; the other's browser blocks the microphone."""
    works = dict.fromkeys(("camera", "microphone", "speaker", "connection"), Found.WORKS.value)
    keep_check(by=well, found=works)
    keep_check(by=in_vain, found={**works, "microphone": Found.DENIED.value})


def _make_year(
    practice: Practice,
    therapist: StaffMember,
    clients: list[Client],
    service: Service,
    *,
    ahead: bool,
) -> None:
    """Every client's own hour of the week, held every second week, for a year back, and some
    weeks ahead where `ahead`. Nothing lies between the fixed sessions' earliest start and them."""
    moment = now()
    today = moment.astimezone(practice.zone).date()
    monday = today - timedelta(days=today.weekday())
    latest = None if ahead else moment - STARTED_AGO
    slots = [(day, hour) for hour in HOURS for day in range(5)]
    appointments: list[tuple[Appointment, Client]] = []
    for number, client in enumerate(clients):
        weekday, hour = slots[number % len(slots)]
        start_hour = hour + (6 if number >= len(slots) else 0)
        for week in range(-WEEKS_BACK, WEEKS_AHEAD if ahead else 1):
            if (week + number) % 2:
                continue
            day = monday + timedelta(weeks=week, days=weekday)
            starts_at = from_wall_time(day, time(start_hour), practice.zone, fold=0)
            if latest is not None and starts_at + LENGTH > latest:
                continue
            mode = (Mode.VIDEO, Mode.VIDEO, Mode.IN_PERSON, Mode.PHONE)[(week + number) // 2 % 4]
            appointments.append(
                (
                    Appointment(
                        therapist=therapist, service=service, mode=mode,
                        starts_at=starts_at, ends_at=starts_at + LENGTH,
                    ),
                    client,
                )
            )  # fmt: skip
    _write(appointments, moment)


def _write(appointments: list[tuple[Appointment, Client]], moment: datetime) -> None:
    rows = Appointment.objects.bulk_create([a for a, _ in appointments], batch_size=500)
    attendees = []
    for number, (row, (_, client)) in enumerate(zip(rows, appointments, strict=True)):
        attendance = Attendance.SCHEDULED
        if row.ends_at < moment:
            attendance = Attendance.NO_SHOW if number % 17 == 16 else Attendance.ATTENDED
        attendees.append(
            Attendee(appointment=row, client=client, attendance=attendance, starts_at=row.starts_at)
        )
    Attendee.objects.bulk_create(attendees, batch_size=500)


def _make_family_sessions(
    practice: Practice, therapist: StaffMember, clients: list[Client], service: Service
) -> None:
    """A family session on some Saturdays, past and to come."""
    moment = now()
    today = moment.astimezone(practice.zone).date()
    saturday = today + timedelta(days=(5 - today.weekday()) % 7 or 7)
    for weeks in (-24, -16, -8, 0):
        starts_at = from_wall_time(
            saturday + timedelta(weeks=weeks), time(11), practice.zone, fold=0
        )
        appointment = Appointment.objects.create(
            therapist=therapist, service=service, mode=Mode.VIDEO,
            starts_at=starts_at, ends_at=starts_at + timedelta(minutes=75),
        )  # fmt: skip
        held = starts_at < moment
        for client in clients:
            Attendee.objects.create(
                appointment=appointment,
                client=client,
                attendance=Attendance.ATTENDED if held else Attendance.SCHEDULED,
            )


def _make_together(
    practice: Practice,
    therapist: StaffMember,
    clients: list[Client],
    service: str,
    *,
    weeks: int,
    hour: int,
) -> Appointment:
    """A session of several people, held on a Sunday some weeks ago."""
    offered = Service.objects.get(name=service)
    today = now().astimezone(practice.zone).date()
    sunday = today - timedelta(days=today.weekday() + 1, weeks=weeks)
    starts_at = from_wall_time(sunday, time(hour), practice.zone, fold=0)
    appointment = Appointment.objects.create(
        therapist=therapist, service=offered, mode=Mode.IN_PERSON, starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=offered.duration_minutes),
    )  # fmt: skip
    for client in clients:
        Attendee.objects.create(
            appointment=appointment, client=client, attendance=Attendance.ATTENDED
        )
    return appointment


def _make_coaching(practice: Practice, therapist: StaffMember, client: Client) -> None:
    """Two sessions of a kind that is taxed, on Sundays long past."""
    service = Service.objects.create(
        name="Coaching", type=ServiceType.INDIVIDUAL, duration_minutes=50
    )
    today = now().astimezone(practice.zone).date()
    sunday = today - timedelta(days=today.weekday() + 1)
    rows = []
    for weeks in (14, 3):
        day = sunday - timedelta(weeks=weeks)
        starts_at = from_wall_time(day, time(15), practice.zone, fold=0)
        row = Appointment(
            therapist=therapist, service=service, mode=Mode.VIDEO,
            starts_at=starts_at, ends_at=starts_at + LENGTH,
        )  # fmt: skip
        rows.append((row, client))
    _write(rows, now())


def _book_weeks_ahead(
    practice: Practice, therapist: StaffMember, client: Client, service: Service
) -> None:
    today = now().astimezone(practice.zone).date()
    for weeks in (1, 2, 3):
        starts_at = from_wall_time(today + timedelta(weeks=weeks), time(14), practice.zone, fold=0)
        row = Appointment(
            therapist=therapist, service=service, mode=Mode.VIDEO,
            starts_at=starts_at, ends_at=starts_at + LENGTH,
        )  # fmt: skip
        _write([(row, client)], now())


def _move_fixed_sessions(practice: Practice) -> list[str]:
    """Move the two fixed sessions: the first began 20 minutes ago, the second follows it.

    What a person booked stays; where it is in the way the nearest free time is taken, and said.
    """
    fixed = list(
        Appointment.objects.filter(is_demo=True).select_related("therapist").order_by("pk")
    )
    moment = now().replace(second=0, microsecond=0)
    notes = []
    start = moment - STARTED_AGO
    # Out of each other's way first: neither may count as taken time of the other.
    for number, row in enumerate(fixed):
        far = datetime(1990, 1, 1, tzinfo=UTC) + timedelta(days=number)
        if row.ends_at + timedelta(minutes=practice.join_minutes_after) < moment:
            VideoRoom.objects.filter(appointment=row).delete()
        Appointment.objects.filter(pk=row.pk).update(starts_at=far, ends_at=far + LENGTH)
    for row in fixed:
        starts_at = _nearest_free(row.therapist, start)
        Appointment.objects.filter(pk=row.pk).update(
            starts_at=starts_at, ends_at=starts_at + LENGTH, cancelled_at=None
        )
        Attendee.objects.filter(appointment=row).update(
            attendance=Attendance.SCHEDULED, starts_at=starts_at
        )
        if starts_at != start:
            name = row.attendees.select_related("client").get().client.name
            notes.append(
                f"  {name}’s session is at {say_hour(starts_at, practice.zone)}: "
                "Tara has another one at the usual time."
            )
        start = starts_at + LENGTH
    return notes


def _nearest_free(therapist: StaffMember, wanted: datetime) -> datetime:
    """The start nearest to `wanted` at which the therapist is free for one session."""
    reach = timedelta(days=2)
    taken = taken_spans(therapist, (wanted - reach, wanted + reach))
    for step in range(24 * 12):
        for sign in (1, -1):
            start = wanted + sign * step * timedelta(minutes=5)
            if all(end <= start or begin >= start + LENGTH for begin, end in taken):
                return start
    return wanted + reach
