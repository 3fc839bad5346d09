"""Every page and state that people meet, and a practice made for it: seeded on the demo.

`seed()` runs in a process of its own on the demo's data; `STATES` name what it has made.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from playwright.sync_api import Page

from roost.accounts import sign_ups
from roost.accounts.enums import LinkPurpose
from roost.accounts.limits import count, log_in_subjects, mail_subjects
from roost.accounts.links import make_link, token_of
from roost.accounts.models import Account, MailLink, SignIn, SignUp
from roost.accounts.services import set_starter_password
from roost.audit.models import AuditEvent
from roost.billing.balances import bills_to_invoice
from roost.billing.codes import say_code
from roost.billing.credit import give_back, void_refund
from roost.billing.models import Invoice, Receipt
from roost.billing.services import record_payment
from roost.billing.years import count_year_pdf
from roost.clients import corrections, prospects
from roost.clients.enums import Relationship
from roost.clients.models import Assignment, Client, PortalAccess, Prospect
from roost.clients.services import edit_own_details, send_invitation
from roost.core.context import RequestFacts, request_facts
from roost.core.tenancy import scope
from roost.core.time import now
from roost.outbox.enums import MessageState
from roost.outbox.models import OutgoingMessage
from roost.practices.models import Practice
from roost.scheduling.enums import Attendance, Mode
from roost.scheduling.models import Appointment, Attendee, Service
from roost.scheduling.services import cancel_appointment
from roost.staff.models import StaffMember
from roost.staff.services import create_practice
from roost.video.models import Presence, VideoRoom
from roost.video.rehearsals import keep_check
from tests.support.cast import PASSWORD, make_account
from tests.support.doors import session_cookie, visit_cookie

STARTER = "quiet-heron-under-ice-42"
LONG = ("Maria-Alejandra", "Fernández-Oyelaran de la Cruz")
MANY = 500
# The client of the practice with much of everything, for the paths that name one.
ALEX = uuid.UUID("0a1e0000-0000-4000-8000-000000000500")


# What is seeded


def seed() -> dict[str, Any]:
    """Make the states that the demo does not have. Returns ids by name, link parts, cookies."""
    token = request_facts.set(RequestFacts(source="127.0.0.1"))
    try:
        facts = _seed_maple()
        facts["cookies"] |= _seed_empty() | _seed_many()
        return facts
    finally:
        request_facts.reset(token)


def _seed_maple() -> dict[str, Any]:
    practice = Practice.objects.get(slug="maple")
    with scope(practice.pk):
        ids, cookies = {}, {}
        StaffMember.objects.create(
            account=_make_newcomer("una@maple.example"), role="therapist", display_name="Una Berg"
        )
        for member in StaffMember.objects.select_related("account"):
            name = member.display_name.split()[0].lower()
            ids[name] = member.uuid
            cookies[name] = session_cookie(member.account, "office")
        people = {"casey": "Casey", "noor": "Noor", "robin": "Robin", "remy": "Remy",
                  "maria": LONG[0], "wei": "Wei", "willow": "Willow", "priya": "Priya",
                  "luc": "Luc"}  # fmt: skip
        clients = {name: Client.objects.get(first_name=first) for name, first in people.items()}
        ids |= {name: client.uuid for name, client in clients.items()}
        accounts = {
            name: Account.objects.get(email=f"{name}@client.example")
            for name in ("casey", "parker")
        }
        ids["casey's access"] = PortalAccess.objects.get(account=accounts["casey"]).uuid
        ids |= _sessions(clients)
        accounts |= _more_accounts(clients)
        for name, account in accounts.items():
            cookies[name] = session_cookie(account, "portal")
        _more_browsers(accounts)
        works = dict.fromkeys(("camera", "microphone", "speaker", "connection"), "works")
        keep_check(by=accounts["casey"], found=works)
        keep_check(by=accounts["parker"], found={**works, "microphone": "denied"})
        ids["service"] = Service.objects.get(name="Family").uuid
        ids |= _receipts(clients["casey"]) | _money(practice, clients["robin"])
        ids |= _wishes(clients, accounts)
        _made_often(accounts["parker"])
        ids |= _mails(practice, accounts, clients)
        for _ in range(10):
            count(log_in_subjects("busy@client.example"))
        for _ in range(5):
            count(mail_subjects("payer@client.example"))
        new_cookies, new_links = _sign_ups(StaffMember.objects.get(display_name="Olivia Osei"))
        ids |= {
            f"{name} prospect": Prospect.objects.get(email=f"{where}.example").uuid
            for name, where in (
                ("new", "new@prospect"), ("new long", "new-long@prospect"),
                ("done", "proven@prospect"), ("linked", "willow@prospect"),
                ("known", "casey@client"),
            )
        }  # fmt: skip
        return {
            "ids": {name: str(value) for name, value in ids.items()},
            "links": _links(accounts) | new_links | _moves(clients["robin"], accounts["parker"]),
            "cookies": cookies | new_cookies,
        }


def _more_browsers(accounts: dict[str, Account]) -> None:
    """Casey and Maria are signed in elsewhere too, and with what they are there."""
    windows = "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0.0.0 Safari/537.36"
    SignIn.objects.update(user_agent=windows)
    for name, door, agent in (
        ("casey", "portal", "Mozilla/5.0 (iPhone) Version/18.1 Safari/604.1"),
        ("casey", "portal", "Mozilla/5.0 (Android 15; Mobile) Firefox/140.0"),
        ("maria", "portal", "Mozilla/5.0 (Macintosh) Version/18.1 Safari/605.1"),
        ("maria", "office", windows),
    ):
        session_cookie(accounts[name], door)
        SignIn.objects.filter(user_agent="test").update(
            user_agent=agent, used_at=now() - timedelta(hours=2)
        )


def _sign_ups(olivia: StaffMember) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """People who have signed up, as far as each has come: their cookies, and links."""
    cookies, links = {}, {}
    names = {"new": ("Ida", "Berg"), "new long": LONG, "confirmed": ("Ola", "Dahl"),
             "late": ("Liv", "Moe"), "proven": ("Per", "Lie")}  # fmt: skip
    for name, (first, last) in names.items():
        prospect, _ = prospects.sign_up(
            key=uuid.uuid4(), email=f"{name.replace(' ', '-')}@prospect.example",
            password=PASSWORD, zone_name="", first_name=first, last_name=last,
        )  # fmt: skip
        sign_up = prospect.sign_up
        assert sign_up is not None
        cookies[name] = visit_cookie(sign_up)
        links[name] = {"sign_up": str(sign_up.uuid), "token": sign_ups.token_of(sign_up)}
        if name == "confirmed":
            prospects.verify(
                prospect=prospect, seen=prospect.email, by=olivia, reason="Showed ID at the desk"
            )
        elif name == "proven":
            prospects.prove_mailbox(sign_up, through="link")
        elif name == "late":
            hours_ago = now() - timedelta(hours=30)
            SignUp.objects.filter(pk=sign_up.pk).update(
                mailed_at=hours_ago, link_expires_at=hours_ago + timedelta(hours=24)
            )
    _make_prospects(olivia)
    pat = Account.objects.get(email="pat@prospect.example")
    cookies["pat"] = session_cookie(pat, "portal")
    return cookies, links


def _make_prospects(olivia: StaffMember) -> None:
    """Prospects that staff have linked, dismissed, or can only dismiss, and one that no mail
    reaches."""

    def asks(email: str, first: str, last: str) -> Prospect:
        return prospects.sign_up(
            key=uuid.uuid4(), email=email, password=PASSWORD, zone_name="", first_name=first,
            last_name=last,
        )[0]  # fmt: skip

    willow = Client.objects.get(first_name="Willow")
    prospects.associate(
        prospect=asks("willow@prospect.example", "Willow", "Redsky"),
        seen="willow@prospect.example", client=willow,
        relationship=Relationship.SELF, by=olivia,
    )  # fmt: skip
    prospects.dismiss(prospect=asks("spam@prospect.example", *LONG), by=olivia)
    asks("casey@client.example", "Casey", "Nguyen")
    gone = asks("gone@prospect.example", "Gus", "Away")
    OutgoingMessage.objects.filter(to=gone.email).update(state=MessageState.FAILED)
    noor = Client.objects.get(first_name="Noor")
    asks(noor.email, noor.first_name, noor.last_name)


def _moves(client: Client, account: Account) -> dict[str, dict[str, str]]:
    """A log-in that is to move to the e-mail that its record has now."""
    client.email = "robin.parker@new.example"
    client.save(update_fields=["email"])
    link = make_link(account, LinkPurpose.NEW_ADDRESS, door="portal", address=client.email)
    return {"new address": {"link": str(link.uuid), "token": token_of(link)}}


def _wishes(clients: dict[str, Client], accounts: dict[str, Account]) -> dict[str, Any]:
    """A correction in each state: one that waits, one declined, one accepted."""
    theo = StaffMember.objects.get(display_name="Theo Lang")
    asked = {
        name: corrections.ask_for_correction(
            key=uuid.uuid4(), client=clients[name], by=accounts[holder],
            date_of_birth=date(1992, 2, 29), **names,
        )
        for name, holder, names in (
            ("maria", "maria", {"first_name": LONG[0] + " Ester", "last_name": LONG[1] * 2}),
            ("robin", "parker", {"last_name": "Parker-Lee"}), ("remy", "parker", {}),
        )
    }  # fmt: skip
    corrections.decline_correction(
        request=asked["robin"], by=theo,
        reason="Your health card says Parker. Bring the new one to your next session.",
    )  # fmt: skip
    corrections.accept_correction(request=asked["remy"], by=theo)
    edit_own_details(client=clients["maria"], by=accounts["maria"], phone="+14165550188")
    AuditEvent.objects.filter(action="client.changed", client_uuid=clients["maria"].uuid).update(
        door="portal"
    )
    return {f"{name}'s wish": each.uuid for name, each in asked.items()}


def _receipts(casey: Client) -> dict[str, Any]:
    """A receipt that is valid and one that is void, a session that is paid and one that is not."""
    mine = Receipt.objects.filter(client=casey)
    valid, void = mine.filter(voided_at=None)[0], mine.exclude(voided_at=None)[0]
    unpaid = Appointment.objects.filter(
        attendees__client=casey, attendees__attendance=Attendance.ATTENDED, receipts=None
    )
    return {
        "receipt": valid.uuid,
        "this year": now().year,
        "code": say_code(valid.code),
        "void code": say_code(void.code),
        "paid": valid.appointment.uuid,
        "voided": void.appointment.uuid,
        "unpaid": unpaid[0].uuid,
    }


def _money(practice: Practice, robin: Client) -> dict[str, Any]:
    """Sessions of several people, an invoice, and credit of Robin's, of which some went back."""
    olivia = StaffMember.objects.get(display_name="Olivia Osei")
    today = now().astimezone(practice.zone).date()
    owed = bills_to_invoice(robin, practice)[0].appointment
    record_payment(
        by=olivia, key=uuid.uuid4(), appointment=owed, amount=Decimal(500), method="cash",
        paid_on=today, keep_over=True,
    )  # fmt: skip
    for n in range(2):
        refund, _ = give_back(
            by=olivia, key=uuid.uuid4(), client=robin, practice=practice, amount=Decimal(10 + n),
            method="cash", refunded_on=today,
        )  # fmt: skip
    void_refund(by=olivia, refund=refund)
    return {
        "group": Appointment.objects.get(service__type="group").uuid,
        "couple": Appointment.objects.get(service__type="couple").uuid,
        "invoice": Invoice.objects.get().uuid,
        "who owes nothing": Client.objects.create(first_name="Ines", last_name="Dahl").uuid,
    }


def _made_often(account: Account) -> None:
    """Somebody who has asked for a year's PDF as often as one may."""
    for _ in range(20):
        count_year_pdf(account)


def _sessions(clients: dict[str, Client]) -> dict[str, Any]:
    """One session of each kind, by name."""
    casey, moment = clients["casey"], now()
    tara = StaffMember.objects.get(display_name="Tara Okafor")
    theo = StaffMember.objects.get(display_name="Theo Lang")
    service = Service.objects.get(name="Individual")

    def at(hours: float, *, who: Client = casey, therapist: StaffMember = tara, **more: Any) -> Any:
        start = moment + timedelta(hours=hours)
        values = {"mode": Mode.VIDEO, **more}
        row = Appointment.objects.create(
            therapist=therapist, service=service, starts_at=start,
            ends_at=start + timedelta(minutes=50), **values,
        )  # fmt: skip
        Attendee.objects.create(appointment=row, client=who)
        return row

    mine = Appointment.objects.filter(therapist=tara, mode=Mode.VIDEO)
    fixed = mine.get(is_demo=True, attendees__client=casey)
    made = {
        "open": fixed,
        "early": at(80),
        "over": mine.filter(ends_at__lt=moment - timedelta(days=2), attendees__client=casey)[0],
        "cancelled": cancel_appointment(by=tara, appointment=at(100)),
        "by phone": at(120, mode=Mode.PHONE),
        "family": Appointment.objects.filter(service__name="Family", starts_at__gt=moment)[0],
        "ended": at(-0.4, therapist=theo, who=clients["luc"]),
        "long": at(140, who=clients["maria"]),
        "held": at(-30),
    }
    Attendee.objects.create(appointment=made["held"], client=clients["maria"])
    room = VideoRoom.objects.create(appointment=made["ended"], ended_at=moment)
    Presence.objects.create(room=room, staff_member=theo, state="left", cid="theo", left_at=moment)
    room = VideoRoom.objects.create(appointment=made["held"])
    left_at = moment - timedelta(hours=29)
    for who in (
        {"staff_member": tara},
        {"attendee": made["held"].attendees.get(client=casey)},
    ):
        Presence.objects.create(room=room, state="left", left_at=left_at, **who)
    return {
        **{name: appointment.uuid for name, appointment in made.items()},
        **{
            f"{name} seat": made[name].attendees.get(client=casey).uuid
            for name in ("open", "early", "over", "cancelled", "by phone", "held")
        },
    }


def _make_newcomer(email: str) -> Account:
    """An account that nobody has chosen a password for yet."""
    account = Account(email=email)
    account.set_unusable_password()
    account.save()
    return account


def _more_accounts(clients: dict[str, Client]) -> dict[str, Account]:
    """Holders of every kind of access, and of none."""
    held = {
        "maria": (clients["maria"], Relationship.SELF),
        "starter": (clients["priya"], Relationship.SELF),
        "expired": (clients["luc"], Relationship.SELF),
        "invited": (clients["wei"], Relationship.SELF),
        "payer": (clients["casey"], Relationship.PAYER),
        "nobody": None,
    }
    accounts = {}
    for name, access in held.items():
        make = make_account if name in {"maria", "payer", "nobody"} else _make_newcomer
        accounts[name] = make(f"{name}@client.example")
        if access is not None:
            client, relationship = access
            PortalAccess.objects.create(
                account=accounts[name], client=client, relationship=relationship
            )
    send_invitation(
        key=uuid.uuid4(), client=clients["wei"], email="invited@client.example",
        relationship=Relationship.SELF, confirmed=True,
        by=StaffMember.objects.get(display_name="Olivia Osei"),
    )  # fmt: skip
    set_starter_password(accounts["starter"], STARTER, days=7)
    set_starter_password(accounts["expired"], STARTER, days=-1)
    return accounts


def _links(accounts: dict[str, Account]) -> dict[str, dict[str, str]]:
    """Mailed links, alive and dead in each way."""
    theo = StaffMember.objects.get(display_name="Theo Lang").account
    una = StaffMember.objects.get(display_name="Una Berg").account

    def invitation(account: Account) -> dict[str, str]:
        """The one that was mailed from the record; its mailbox is full."""
        row = MailLink.objects.select_related("message").get(account=account)
        OutgoingMessage.objects.filter(pk=row.message.pk).update(
            state=MessageState.FAILED, tries=1, tried_at=now(),
            trouble="The mail server says: 5.2.2 <invited@client.example>: over quota (552)",
        )  # fmt: skip
        return {"link": str(row.uuid), "token": token_of(row)}

    def link(
        account: Account, purpose: LinkPurpose, door: str = "portal", **values: Any
    ) -> dict[str, str]:
        row = make_link(account, purpose, door=door)
        if values:
            MailLink.objects.filter(pk=row.pk).update(**values)
        return {"link": str(row.uuid), "token": token_of(row)}

    moment, reset = now(), LinkPurpose.RESET
    return {
        "invitation": invitation(accounts["invited"]),
        "newer": link(accounts["parker"], reset, replaced_at=moment),
        "expired": link(accounts["nobody"], reset, expires_at=moment - timedelta(hours=1)),
        "busy": link(accounts["payer"], reset, expires_at=moment - timedelta(hours=1)),
        "done": link(accounts["maria"], reset, done_at=moment),
        "reset": link(accounts["casey"], reset),
        "office reset": link(theo, reset, "office"),
        "office invitation": link(una, LinkPurpose.STAFF_INVITATION, "office"),
        "office expired": link(una, reset, "office", expires_at=moment - timedelta(hours=1)),
    }


def _mails(
    practice: Practice, accounts: dict[str, Account], clients: dict[str, Client]
) -> dict[str, Any]:
    """An e-mail in each state, about the client with the longest name."""
    client, made = clients["maria"], {}
    states = [
        (MessageState.ACCEPTED, ""),
        (MessageState.QUEUED, ""),
        (MessageState.FAILED, "550 5.1.1 <maria@client.example>: Recipient address rejected"),
    ]
    for number, (state, trouble) in enumerate(states):
        row = OutgoingMessage.objects.create(
            kind="access_given", to=accounts["maria"].email, client_uuid=client.uuid, state=state,
            message_id=f"<{state}-{number}@roost.example>", due_at=now() + timedelta(days=2),
            trouble=trouble, tries=number, tried_at=now() if number else None,
        )  # fmt: skip
        made[f"{state} mail"] = row.uuid
    return made


def _seed_empty() -> dict[str, tuple[str, str]]:
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


def _seed_many() -> dict[str, tuple[str, str]]:
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
                account=_make_newcomer(f"{LONG[0].lower()}.{n}@the-cooperative-practice.example"),
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


# What is looked at


@dataclass(frozen=True)
class State:
    """One picture: a page, whose it is, and what was done there.

    `route` is the page's name in the URLconf ("office:client"), or a path. `ids` are its arguments,
    by what they are called in the seed; `link` names a mailed link. `status` is what the page
    itself was answered with, before `then`, which may lead `to` another route. `heading` is what
    the page then says, where that tells it from the one it was.
    """

    name: str
    route: str
    who: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    link: str = ""
    query: str = ""
    practice: str = "maple"
    status: int = 200
    then: Callable[[Page], None] | None = None
    to: str = ""
    heading: str = ""


def press(label: str) -> Callable[[Page], None]:
    """Press a button and wait for what follows."""

    def act(page: Page) -> None:
        page.get_by_role("button", name=label, exact=True).first.click()
        page.wait_for_load_state()

    return act


def fill(button: str, **values: str) -> Callable[[Page], None]:
    """Fill fields by their names, then press a button."""

    def act(page: Page) -> None:
        page.locator("form").evaluate_all("all => all.forEach(each => each.noValidate = true)")
        for name, value in values.items():
            page.locator(f"[name={name}]").first.fill(value)
        press(button)(page)

    return act


def generate_and_save(page: Page) -> None:
    press("Generate")(page)
    press("Save")(page)


def find_ma(page: Page) -> None:
    """Search for some of many, with the button."""
    page.locator("[name=q]").fill("ma")
    press("Find")(page)


def tick(*names: str) -> Callable[[Page], None]:
    """Tick prospects by their names."""

    def act(page: Page) -> None:
        for name in names:
            page.get_by_label(f"Choose {name}", exact=True).first.check()

    return act


def tick_and_press(label: str, *names: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        tick(*names)(page)
        press(label)(page)

    return act


def dismiss(page: Page) -> None:
    tick_and_press("Dismiss", "Gus Away")(page)
    press("Dismiss")(page)


def associate(page: Page) -> None:
    """Associate without a word on the second question."""
    page.get_by_label("Partner").check()
    press("Associate")(page)


def want_relay_only(page: Page) -> None:
    page.get_by_label("Yes").check()
    press("Save")(page)


def open_menu(page: Page) -> None:
    page.locator(".who").click()


def without_cookies(page: Page) -> None:
    """Log in from a page whose cookie is gone."""
    page.context.clear_cookies()
    fill("Log in", email="casey@client.example", password="whatever it was")(page)


def too_large(page: Page) -> None:
    """Log in with more than Roost reads of any form."""
    page.locator("form [type=hidden]").last.evaluate("each => each.value = 'x'.repeat(300000)")
    fill("Log in", email="casey@client.example", password="whatever it was")(page)


def come_and_leave(page: Page) -> None:
    """Go into the waiting room of a session, and leave it."""
    page.get_by_role("button", name="Go to the waiting room").click()
    page.get_by_role("button", name="Leave the waiting room").click()
    page.get_by_role("heading", name="Your next session").wait_for()


def rehearse(
    *broken: str, error: str = "NotAllowedError", heard: str = "Yes"
) -> Callable[[Page], None]:
    """Test camera and sound, where getUserMedia fails for `broken` kinds."""

    def act(page: Page) -> None:
        page.evaluate(
            """([kinds, name]) => {
              const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
              navigator.mediaDevices.getUserMedia = (wanted) => kinds.some((kind) => wanted[kind])
                ? Promise.reject(new DOMException("no", name)) : real(wanted);
            }""",
            [list(broken), error],
        )
        page.get_by_role("button", name="Start the test").click()
        page.locator("#way:has-text('Your browser can send')").wait_for(timeout=40_000)
        page.get_by_role("button", name="Play").click()
        page.get_by_role("button", name=heard, exact=True).click()
        title = "Not everything works yet" if broken or heard == "No" else "Camera and sound work"
        page.locator(f"#result:has-text('{title}')").wait_for(timeout=40_000)
        page.locator("#kept:not(:empty)").wait_for(timeout=40_000)

    return act


RIGHT = {"email": "tara@maple.example", "password": "harbour-demo-passphrase"}
ROBIN = {"client": "robin"}
CASEY = {"client": "casey"}
LONGEST = {"client": "maria"}

PORTAL = [
    State("log-in", "portal:log-in"),
    State("log-in idle", "portal:log-in", query="idle=1"),
    State("log-in out", "portal:log-in", query="out=1"),
    State("log-in wrong", "portal:log-in",
          then=fill("Log in", email="casey@client.example", password="not this one")),
    State("log-in empty", "portal:log-in", then=fill("Log in")),
    State("log-in wrong door", "portal:log-in", then=fill("Log in", **RIGHT)),
    State("log-in starter expired", "portal:log-in",
          then=fill("Log in", email="expired@client.example", password=STARTER)),
    State("log-in too many", "portal:log-in",
          then=fill("Log in", email="busy@client.example", password="not this one")),
    State("log-in many", "portal:log-in", practice="grove"),
    State("log-in empty practice", "portal:log-in", practice="birch"),
    State("csrf", "portal:log-in", then=without_cookies, heading="This page is out of date"),
    State("too large", "portal:log-in", then=too_large, heading="That didn’t arrive whole"),
    State("forgot", "portal:forgot-password"),
    State("forgot error", "portal:forgot-password", then=fill("Send the link", email="casey")),
    State("forgot asked", "portal:forgot-password",
          then=fill("Send the link", email="somebody@client.example")),
    State("invitation", "portal:invitation", link="invitation"),
    State("invitation error", "portal:invitation", link="invitation",
          then=fill("Save and go in", new_password="short")),
    State("reset", "portal:reset", link="reset"),
    State("link done", "portal:reset", link="done", status=410),
    State("link newer", "portal:reset", link="newer", status=410),
    State("link expired", "portal:reset", link="expired", status=410),
    State("link renewed", "portal:reset", link="expired", status=410,
          then=press("Send me a new link"), to="portal:renew-link"),
    State("link too many", "portal:reset", link="busy", status=410,
          then=press("Send me a new link"), to="portal:renew-link"),
    State("choose password", "portal:choose-password", "starter"),
    State("choose password error", "portal:choose-password", "starter",
          then=fill("Save and go in", new_password=STARTER)),
    State("create account", "portal:create-account"),
    State("create account error", "portal:create-account",
          then=fill("Create Account", first_name=LONG[0], email="no address", password="short")),
    State("create account refused", "portal:create-account", practice="birch", status=403),
    State("sign-up", "portal:sign-up", "new"),
    State("sign-up menu", "portal:sign-up", "new", then=open_menu),
    State("sign-up long", "portal:sign-up", "new long"),
    State("sign-up wrong code", "portal:sign-up", "new", then=fill("Verify", code="000000")),
    State("sign-up sent", "portal:sign-up", "late", then=press("Resend verification email")),
    State("sign-up corrected", "portal:correct-address", "new long",
          then=fill("Save and send", email="maria-alejandra.fernandez@prospect.example"),
          to="portal:sign-up"),
    State("sign-up verified", "portal:sign-up", "confirmed"),
    State("correct address", "portal:correct-address", "new"),
    State("correct address error", "portal:correct-address", "new",
          then=fill("Save and send", email="no address")),
    State("verify", "portal:verify", "new", link="new"),
    State("verify elsewhere", "portal:verify", link="new"),
    State("verify elsewhere wrong", "portal:verify", link="new",
          then=fill("Verify my e-mail", password="not this one")),
    State("verify done", "portal:verify", link="proven", status=410),
    State("waiting", "portal:account", "pat"),
    State("new address", "portal:new-address", link="new address"),
    State("new address wrong", "portal:new-address", link="new address",
          then=fill("Use this address", password="not this one")),
    State("account", "portal:account", "casey"),
    State("account menu", "portal:account", "casey", then=open_menu),
    State("account family", "portal:account", "parker"),
    State("account child", "portal:account", "parker", query="person={remy}"),
    State("account long", "portal:account", "maria"),
    State("account many", "portal:account", "alex", practice="grove"),
    State("account payer", "portal:account", "payer"),
    State("account none", "portal:account", "nobody"),
    State("change password", "portal:change-password", "casey"),
    State("change password error", "portal:change-password", "casey",
          then=fill("Save", current_password="not this one", new_password="short")),
    State("security", "portal:security", "casey"),
    State("security one", "portal:security", "nobody"),
    State("security everywhere", "portal:security", "maria",
          then=press("Sign out everywhere else")),
    State("security moving", "portal:change-address", "nobody",
          then=fill("Send the link", email="elsewhere@new.example"), to="portal:security"),
    State("change address", "portal:change-address", "casey"),
    State("change address error", "portal:change-address", "casey",
          then=fill("Send the link", email="casey")),
    State("sessions", "portal:sessions", "casey", CASEY),
    State("sessions year", "portal:sessions", "casey", CASEY, query="year=2026"),
    State("sessions empty year", "portal:sessions", "casey", CASEY, query="year=1999"),
    State("sessions family", "portal:sessions", "parker", {"client": "remy"}),
    State("sessions long", "portal:sessions", "maria", LONGEST),
    State("sessions of hundreds", f"/portal/grove/my-account/sessions/{ALEX}/", "alex"),
    State("sessions of hundreds later", f"/portal/grove/my-account/sessions/{ALEX}/", "alex",
          query="page=5"),
    State("receipts", "portal:receipts", "casey", CASEY),
    State("receipts balance", "portal:receipts", "parker", ROBIN),
    State("receipts none", "portal:receipts", "maria", LONGEST),
    State("receipts made often", "portal:receipts-of-year", "parker",
          {"client": "robin", "year": "this year"}, status=429),
    State("receipt check", "portal:receipt-check", ids={"code": "code"}),
    State("receipt check void", "portal:receipt-check", ids={"code": "void code"}),
    State("receipt unknown", "/portal/maple/receipt/0000-0000-0000-0000/", status=404,
          heading="No receipt has this code"),
    State("details", "portal:details", "casey", CASEY),
    State("details waiting", "portal:details", "maria", LONGEST),
    State("details declined", "portal:details", "parker", {"client": "robin"}),
    State("details accepted", "portal:details", "parker", {"client": "remy"}),
    State("ask correction", "portal:ask-correction", "casey", CASEY),
    State("ask correction error", "portal:ask-correction", "casey", CASEY,
          then=fill("Ask the practice", first_name="")),
    State("details error", "portal:details", "casey", CASEY, then=fill("Save", phone="call me")),
    State("details saved", "portal:details", "maria", LONGEST,
          then=fill("Save", phone="4165550111"), to="portal:account"),
    State("time zone", "portal:time-zone", "casey"),
    State("not found", "/portal/maple/nothing-here/", "casey", status=404),
    State("not found anybody", "/portal/maple/nothing-here/", status=404),
    State("not found long", "/portal/grove/nothing-here/", "alex", status=404),
    State("no practice", "/portal/nobody-is-here/", status=404),
    State("front", "/"),
    State("room early", "portal:room-person", "casey",
          {"appointment": "early", "attendee": "early seat"}),
    State("room over", "portal:room-person", "casey",
          {"appointment": "over", "attendee": "over seat"}),
    State("room cancelled", "portal:room-person", "casey",
          {"appointment": "cancelled", "attendee": "cancelled seat"}),
    State("room by phone", "portal:room-person", "casey",
          {"appointment": "by phone", "attendee": "by phone seat"}),
    State("room choose", "portal:room", "parker", {"appointment": "family"}),
    State("room left", "portal:room-person", "casey",
          {"appointment": "open", "attendee": "open seat"}, then=come_and_leave),
    State("room after", "portal:room-after", "casey",
          {"appointment": "held", "attendee": "held seat"}),
    State("rehearse", "portal:rehearse", "casey"),
    State("rehearse long", "portal:rehearse", "maria"),
    State("rehearse works", "portal:rehearse", "casey", then=rehearse()),
    State("rehearse blocked", "portal:rehearse", "casey", then=rehearse("audio", "video")),
    State("rehearse camera missing", "portal:rehearse", "maria",
          then=rehearse("video", error="NotFoundError")),
    State("rehearse microphone in use", "portal:rehearse", "parker",
          then=rehearse("audio", error="NotReadableError")),
    State("rehearse unheard", "portal:rehearse", "casey", then=rehearse(heard="No")),
]  # fmt: skip

OFFICE = [
    State("office log-in", "office:log-in"),
    State("office log-in wrong", "office:log-in",
          then=fill("Log in", email="tara@maple.example", password="not this one")),
    State("office log-in wrong door", "office:log-in",
          then=fill("Log in", email="nobody@client.example", password=PASSWORD)),
    State("office csrf", "office:log-in", then=without_cookies,
          heading="This page is out of date"),
    State("office too large", "office:log-in", then=too_large,
          heading="That didn’t arrive whole"),
    State("office forgot", "office:forgot-password"),
    State("office reset", "office:reset", link="office reset"),
    State("office invitation", "office:invitation", link="office invitation"),
    State("office link dead", "office:invitation", link="office expired", status=410),
    State("office choose password", "office:choose-password", "una"),
    State("today", "office:today", "tara"),
    State("today everyone", "office:today", "olivia"),
    State("today menu", "office:today", "tara", then=open_menu),
    State("today none", "office:today", "bea", practice="birch"),
    State("rehearse office", "office:rehearse", "tara"),
    State("rehearse office works", "office:rehearse", "tara", then=rehearse()),
    State("today many", "office:today", "wilhelmina", practice="grove"),
    State("sessions week", "office:sessions", "olivia"),
    State("sessions week mine", "office:sessions", "theo"),
    State("sessions none", "office:sessions", "bea", practice="birch"),
    State("sessions many", "office:sessions", "wilhelmina", practice="grove"),
    State("book", "office:book", "tara"),
    State("book for", "office:book", "tara", query="client={casey}"),
    State("book error", "office:book", "tara", query="client={casey}",
          then=fill("Book", day="2020-01-01", hour="10:00")),
    State("book found", "office:book", "olivia",
          then=find_ma),
    State("book none", "office:book", "bea", practice="birch"),
    State("appointment", "office:appointment", "tara", {"appointment": "early"}),
    State("appointment family", "office:appointment", "theo", {"appointment": "family"}),
    State("appointment long", "office:appointment", "tara", {"appointment": "long"}),
    State("appointment cancelled", "office:appointment", "tara", {"appointment": "cancelled"}),
    State("appointment paid", "office:appointment", "tara", {"appointment": "paid"}),
    State("appointment voided", "office:appointment", "tara", {"appointment": "voided"}),
    State("appointment unpaid", "office:appointment", "tara", {"appointment": "unpaid"}),
    State("payment", "office:payment", "tara", {"appointment": "unpaid"}),
    State("payment error", "office:payment", "tara", {"appointment": "unpaid"},
          then=fill("Record and issue receipt", amount="999", paid_on="2020-01-01")),
    State("payment early", "office:payment", "tara", {"appointment": "early"}),
    State("void receipt", "office:void-receipt", "olivia", {"receipt": "receipt"}),
    State("appointment group", "office:appointment", "olivia", {"appointment": "group"}),
    State("appointment couple", "office:appointment", "theo", {"appointment": "couple"}),
    State("billed", "office:billed", "tara", {"appointment": "unpaid"}),
    State("billed settled", "office:billed", "theo", {"appointment": "couple"}),
    State("billed group", "office:billed", "olivia", {"appointment": "group"},
          query="client={noor}"),
    State("payment more", "office:payment", "tara", {"appointment": "unpaid"},
          then=fill("Record and issue receipt", amount="500")),
    State("export", "office:export-receipts", "olivia"),
    State("export error", "office:receipts-csv", "olivia", status=422,
          query="start=2026-02-02&end=2026-02-01"),
    State("client receipts owner", "office:client-receipts", "olivia", ROBIN),
    State("statement", "office:client-statement", "olivia", ROBIN),
    State("statement none", "office:client-statement", "olivia", LONGEST,
          query="start=2010-01-01&end=2010-12-31"),
    State("statement error", "office:client-statement", "olivia", ROBIN, status=422,
          query="start=2026-02-02&end=2026-02-01"),
    State("refund", "office:refund-credit", "olivia", ROBIN),
    State("refund error", "office:refund-credit", "olivia", ROBIN,
          then=fill("Record", amount="50000")),
    State("refund none", "office:refund-credit", "olivia", LONGEST),
    State("invoice", "office:invoice-client", "olivia", ROBIN),
    State("invoice error", "office:invoice-client", "olivia", ROBIN,
          then=fill("Issue invoice", due_on="")),
    State("invoice none", "office:invoice-client", "olivia",
          {"client": "who owes nothing"}),
    State("void invoice", "office:void-invoice", "olivia", {"invoice": "invoice"}),
    State("receipts office", "office:receipts", "olivia"),
    State("receipts office none", "office:receipts", "bea", practice="birch"),
    State("client receipts", "office:client-receipts", "tara", CASEY),
    State("client receipts none", "office:client-receipts", "olivia", LONGEST),
    State("move", "office:move", "tara", {"appointment": "early"}),
    State("move error", "office:move", "tara", {"appointment": "early"},
          then=fill("Move", day="2020-01-01", hour="10:00")),
    State("cancel", "office:cancel", "tara", {"appointment": "early"}),
    State("clients", "office:clients", "tara"),
    State("clients all", "office:clients", "olivia", query="page=2"),
    State("clients nobody", "office:clients", "tara", query="q=zzz"),
    State("clients none", "office:clients", "bea", practice="birch"),
    State("clients many", "office:clients", "wilhelmina", query="page=9", practice="grove"),
    State("prospects", "office:prospects", "olivia"),
    State("prospects therapist", "office:prospects", "tara", status=404),
    State("prospects ticked", "office:prospects", "olivia", then=tick("Ida Berg")),
    State("prospects several ticked", "office:prospects", "olivia",
          then=tick("Ida Berg", "Per Lie")),
    State("prospects trouble", "office:prospects", "olivia",
          then=tick_and_press("Resend", "Per Lie")),
    State("prospects dismissed filter", "office:prospects", "olivia", query="state=dismissed",
          then=tick(" ".join(LONG))),
    State("prospects nobody", "office:prospects", "olivia", query="q=zzz"),
    State("prospects none", "office:prospects", "bea", practice="birch"),
    State("prospects many", "office:prospects", "wilhelmina", query="page=9", practice="grove"),
    State("dismiss", "office:prospects", "olivia",
          then=tick_and_press("Dismiss", "Ida Berg", "Per Lie"), to="office:dismiss-prospects"),
    State("dismiss nobody", "office:dismiss-prospects", "olivia", status=422),
    State("dismissed", "office:prospects", "olivia", then=dismiss),
    State("verify", "office:verify-prospect", "olivia", {"prospect": "new long prospect"}),
    State("verify wrong", "office:verify-prospect", "olivia", {"prospect": "new prospect"},
          then=fill("Verify", code="AAA-AAA")),
    State("verify nothing", "office:verify-prospect", "olivia", {"prospect": "new prospect"},
          then=fill("Verify")),
    State("verify done", "office:verify-prospect", "olivia", {"prospect": "done prospect"},
          status=409),
    State("create from prospect", "office:create-from-prospect", "olivia",
          {"prospect": "new prospect"}),
    State("create from prospect alike", "office:create-from-prospect", "olivia",
          {"prospect": "new long prospect"}, then=press("Save")),
    State("associate", "office:associate", "olivia", {"prospect": "new long prospect"}),
    State("associate none alike", "office:associate", "olivia", {"prospect": "new prospect"}),
    State("associate chosen", "office:associate", "olivia", {"prospect": "new long prospect"},
          query="client={maria}"),
    State("associate found", "office:associate", "olivia", {"prospect": "done prospect"},
          query="q=ma"),
    State("associate asks", "office:associate", "olivia", {"prospect": "done prospect"},
          query="client={casey}", then=associate),
    State("associate handled", "office:associate", "olivia", {"prospect": "linked prospect"},
          status=409),
    State("associate known", "office:associate", "olivia", {"prospect": "known prospect"},
          status=409),
    State("client unverified", "office:client", "olivia", {"client": "willow"}),
    State("client unverified therapist", "office:client", "theo", {"client": "willow"}),
    State("client waited for", "office:client", "olivia", {"client": "noor"}),
    State("clients unverified", "office:clients", "olivia", query="q=willow"),
    State("add client", "office:add-client", "olivia"),
    State("add client error", "office:add-client", "tara",
          then=fill("Save", email="no address", phone="call me", first_name="Ngozi")),
    State("add client alike", "office:add-client", "olivia",
          then=fill("Save", first_name="Maria Alejandra", last_name="Fernandez Oyelaran de la Cruz",
                    date_of_birth="1988-02-02", address="1 Quiet Road")),
    State("client", "office:client", "tara", CASEY),
    State("client without access", "office:client", "tara", {"client": "noor"}),
    State("client long", "office:client", "olivia", LONGEST),
    State("correction", "office:correction", "olivia", {**LONGEST, "asked": "maria's wish"}),
    State("corrections", "office:corrections", "olivia"),
    State("corrections none", "office:corrections", "tara"),
    State("correction error", "office:correction", "olivia", {**LONGEST, "asked": "maria's wish"},
          then=press("Decline")),
    State("correction answered", "office:correction", "theo",
          {"client": "robin", "asked": "robin's wish"}),
    State("client invited", "office:client", "olivia", {"client": "wei"}),
    State("client starter", "office:client", "olivia", {"client": "priya"}),
    State("edit client", "office:edit-client", "olivia", LONGEST),
    State("edit client error", "office:edit-client", "tara", CASEY,
          then=fill("Save", first_name="", phone="call me")),
    State("access", "office:client-access", "tara", {"client": "noor"}),
    State("access error", "office:client-access", "tara", {"client": "noor"},
          then=fill("Save", email="no address")),
    State("access asks", "office:client-access", "tara", {"client": "noor"},
          then=fill("Save", email="casey@client.example", starter_password=STARTER)),
    State("hand-off", "office:client-access", "olivia", {"client": "remy"},
          then=lambda page: fill("Generate", email="remy@client.example")(page)
          or press("Save")(page)),
    State("hand-off long", "office:client-access", "olivia", {"client": "priya"},
          then=generate_and_save),
    State("take away", "office:take-access-away", "tara",
          {"client": "casey", "access": "casey's access"}),
    State("move log-in", "office:move-log-in", "olivia", {"client": "robin"}),
    State("client sessions", "office:client-sessions", "tara", CASEY),
    State("client messages", "office:client-messages", "olivia", LONGEST),
    State("client messages none", "office:client-messages", "tara", CASEY),
    State("office account", "office:account", "tara"),
    State("office account owner", "office:account", "olivia"),
    State("office account error", "office:account", "tara",
          then=fill("Save", current_password="not this one", new_password="short")),
    State("practice", "office:practice", "olivia"),
    State("practice error", "office:practice", "olivia",
          then=fill("Save", name="", phone="call us")),
    State("client portal", "office:client-portal", "olivia"),
    State("client portal error", "office:client-portal", "olivia",
          then=fill("Save", starter_password_days="99")),
    State("client portal therapist", "office:client-portal", "tara"),
    State("staff", "office:staff", "olivia"),
    State("staff many", "office:staff", "wilhelmina", practice="grove"),
    State("invite", "office:invite-staff", "olivia"),
    State("invite error", "office:invite-staff", "olivia",
          then=fill("Send invitation", display_name="", email="no address")),
    State("staff member", "office:staff-member", "olivia", {"member": "theo"}),
    State("staff member invited", "office:staff-member", "olivia", {"member": "una"}),
    State("receipt settings", "office:receipt-settings", "olivia"),
    State("receipt settings missing", "office:receipt-settings", "wilhelmina", practice="grove"),
    State("receipt settings none", "office:receipt-settings", "bea", practice="birch"),
    State("receipt settings error", "office:receipt-settings", "olivia",
          then=fill("Save", receipt_prefix="2026-")),
    State("receipt settings no logo", "office:receipt-settings", "olivia",
          then=fill("Replace the logo"), to="office:receipt-logo"),
    State("services", "office:services", "olivia"),
    State("services none", "office:services", "bea", practice="birch"),
    State("add service", "office:add-service", "olivia"),
    State("add service error", "office:add-service", "olivia",
          then=fill("Save", name="", duration_minutes="1")),
    State("service", "office:service", "olivia", {"service": "service"}),
    State("service tax error", "office:service", "olivia", {"service": "service"},
          then=fill("Set tax", from_on="", name="x")),
    State("video", "office:video", "olivia"),
    State("video error", "office:video", "olivia", then=want_relay_only),
    State("messages", "office:messages", "olivia"),
    State("messages none", "office:messages", "bea", practice="birch"),
    State("messages many", "office:messages", "wilhelmina", practice="grove"),
    State("message", "office:message", "olivia", {"message": "queued mail"}),
    State("message failed", "office:message", "olivia", {"message": "failed mail"}),
    State("forbidden", "office:staff", "tara", status=403, heading="This isn’t yours to do"),
    State("office not found", "office:client", "theo", CASEY, status=404),
    State("office room ended", "office:room", "theo", {"appointment": "ended"}),
    State("office room after", "office:room-after", "theo", {"appointment": "ended"}),
    State("office room after several", "office:room-after", "tara", {"appointment": "held"}),
    State("office room after marked", "office:room-after", "tara", {"appointment": "held"},
          then=press("No show Casey Nguyen")),
    State("office room early", "office:room", "tara", {"appointment": "early"}),
]  # fmt: skip

STATES = PORTAL + OFFICE
