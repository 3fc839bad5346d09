"""The demo, and the states on it that it does not have by itself: `seed()` makes them in a process
of its own, and names what the pages in tests/support/looks are looked at with."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

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
from roost.clients.models import Client, PortalAccess, Prospect
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
from roost.video.models import Presence, VideoRoom
from roost.video.rehearsals import keep_check
from tests.support.cast import PASSWORD, make_account
from tests.support.doors import session_cookie, visit_cookie
from tests.support.looks.other_practices import LONG, make_newcomer, seed_empty, seed_many

STARTER = "quiet-heron-under-ice-42"


def seed() -> dict[str, Any]:
    """Make the states that the demo does not have. Returns ids by name, link parts, cookies."""
    token = request_facts.set(RequestFacts(source="127.0.0.1"))
    try:
        facts = _seed_maple()
        facts["cookies"] |= seed_empty() | seed_many()
        return facts
    finally:
        request_facts.reset(token)


def _seed_maple() -> dict[str, Any]:
    practice = Practice.objects.get(slug="maple")
    with scope(practice.pk):
        ids, cookies = {}, {}
        StaffMember.objects.create(
            account=make_newcomer("una@maple.example"), role="therapist", display_name="Una Berg"
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
        "void receipt": void.uuid,
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
    left_over, _ = record_payment(
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
        "used receipt": left_over.uuid,
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
        "moved": at(1000),
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
        make = make_account if name in {"maria", "payer", "nobody"} else make_newcomer
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
