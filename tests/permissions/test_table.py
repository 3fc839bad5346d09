"""Who gets what: every route × visitor × method, and nothing that the table does not name.

Add a row to OFFICE or PORTAL for each new route; a route without one fails here. A row lists what
the visitors of its door get, in the order of MEMBERS or ATTENDING: a status, or the route that
they are sent on to. Methods without a column are answered with 405. What the anonymous, people of
another practice and people in by a starter password get follows from who a view is open to, and a
row says only where it is something else.
"""

import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.db import connection, models, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path, resolve, reverse

from roost.accounts import sign_ups
from roost.accounts.enums import LinkPurpose
from roost.accounts.links import mail_link, token_of
from roost.accounts.models import Account, AttemptCount, MailLink, SignIn, SignUp
from roost.accounts.moving import move_log_in
from roost.accounts.services import set_starter_password
from roost.accounts.sessions import hashed
from roost.audit.models import AnonymousRefusals, AuditEvent
from roost.billing.codes import say_code
from roost.billing.documents import document_of
from roost.billing.invoice_pdf import document_of_invoice
from roost.billing.logos import set_logo
from roost.clients.corrections import ask_for_correction
from roost.clients.enums import Relationship
from roost.clients.models import PortalAccess
from roost.clients.prospects import sign_up
from roost.core.tenancy import scope
from roost.core.time import now
from roost.outbox.models import OutgoingMessage
from roost.practices.models import Practice
from roost.staff.checks import every_route_says_who_may_use_it, routes
from roost.staff.enums import Role
from roost.staff.models import StaffMember
from roost.staff.permissions import Who
from tests.support.cast import Cast, give, make_account, make_appointment, make_staff
from tests.support.doors import Visitor, session_cookie, visit_cookie
from tests.support.money import attended, invoice_of, make_billable, pay, refund_of
from tests.support.pictures import picture

Outcome = int | str
Outcomes = Outcome | list[Outcome]

# Casey, Casey's appointment and everything tied to it are Tara's. The client is signed in at the
# office door, where only staff have anything to look for.
MEMBERS = ["owner", "admin", "therapist", "other therapist"]
# The page is Casey's; the colleague is signed in at the portal, and has no access to anybody.
ATTENDING = ["self", "parent", "partner", "payer", "other client", "colleague"]
# Methods that no page knows are tried by these; whoever else sends them is not even looked at.
UNKNOWN_METHODS = ["PUT", "PATCH", "DELETE", "OPTIONS"]
TRIED_BY = {"anonymous", "owner", "other therapist", "self"}
LOG_IN, CHOOSE = "log-in", "choose-password"


@dataclass
class Row:
    """What a route answers. `others` overrides what follows from who its view is open to."""

    get: Outcomes | None = None
    post: Outcomes | None = None
    others: dict[str, dict[str, Outcome]] = field(default_factory=dict)


def anyone(get: Outcomes | None = None, post: Outcomes | None = None, **others: Any) -> Row:
    """A page that is the same for everybody."""
    return Row(get, post, {name.replace("_", " "): each for name, each in others.items()})


def _way_in(home: str) -> dict[str, Row]:
    """The pages around logging in, which both doors have."""
    nobody = {"GET": 200, "POST": 422}
    in_already = {"GET": home, "POST": home}
    return {
        "log-in": anyone(
            home, home, anonymous=nobody, abroad=nobody, sign_up=nobody, starter=in_already
        ),
        "forgot-password": anyone(200, 422),
        "invitation": anyone(200, 422),
        "reset": anyone(200, 422),
        "renew-link": anyone(post=200),
        "choose-password": Row(home, home, {"starter": {"GET": 200, "POST": 422}}),
    }


MINE: list[Outcome] = [200, 200, 200, 404]
MINE_POST: list[Outcome] = [422, 422, 422, 404]
RUN: list[Outcome] = [200, 200, 403, 403]
RUN_POST: list[Outcome] = [422, 422, 403, 403]


def hidden(outcome: Outcome) -> list[Outcome]:
    """What owners and admins get where there is nothing for a therapist."""
    return [outcome, outcome, 404, 404]


OFFICE: dict[str, Row] = {
    **_way_in("today"),
    "log-out": Row(post=LOG_IN, others={"starter": {"POST": LOG_IN}}),
    "home": Row("today"),
    "account": Row(200, 422),
    # Nobody else's sign-in is there to be ended; the owner's own would be (tests/accounts).
    "end-device": Row(post=[404, 404, "account", 404]),
    "sign-out-everywhere": Row(post="account"),
    "prospect-mail": Row(post=hidden("account")),
    # Sessions
    "today": Row(200),
    "sessions": Row(200),
    "book": Row(200, 422),
    "appointment": Row(MINE),
    "move": Row(MINE, MINE_POST),
    "cancel": Row(MINE, ["appointment", "appointment", "appointment", 404]),
    # Attendance, payments, receipts
    "attendance": Row(post=["appointment", "appointment", "appointment", 404]),
    "billed": Row(MINE, ["appointment", "appointment", "appointment", 404]),
    "payment": Row(MINE, MINE_POST),
    "receipts": Row(RUN),
    "receipt-pdf": Row(MINE),
    "void-receipt": Row(MINE, ["appointment", "appointment", "appointment", 404]),
    "client-receipts": Row(MINE),
    "export-receipts": Row(RUN),
    "receipts-csv": Row([422, 422, 403, 403]),
    "client-statement": Row(RUN),
    "client-statement-pdf": Row(RUN),
    "refund-credit": Row(RUN, RUN_POST),
    "void-refund": Row(post=["client-receipts", "client-receipts", 403, 403]),
    "invoice-client": Row(RUN, RUN_POST),
    "invoice-pdf": Row(RUN),
    "void-invoice": Row(RUN, ["client-receipts", "client-receipts", 403, 403]),
    # Video
    "room": Row([404, 404, 200, 404], [404, 404, "room", 404]),
    # Nobody has been in the call: the therapist is sent to the room.
    "room-after": Row([404, 404, "room", 404]),
    "rehearse": Row(200, 422),
    "rehearse-relay": Row(post=200),
    # Clients
    "clients": Row(200),
    "add-client": Row(200, 422),
    "client": Row(MINE),
    "edit-client": Row(MINE, MINE_POST),
    "client-access": Row(MINE, MINE_POST),
    "move-log-in": Row([200, 200, 404, 404], ["client", "client", 404, 404]),
    "take-access-away": Row(MINE, ["client", "client", "client", 404]),
    "corrections": Row(200),
    "correction": Row(MINE, MINE_POST),
    "client-sessions": Row(MINE),
    "client-messages": Row(MINE),
    # Prospects
    "prospects": Row(hidden(200), hidden(422)),
    "dismiss-prospects": Row(hidden(422), hidden(422)),
    "restore-prospects": Row(post=hidden(422)),
    "verify-prospect": Row(hidden(200), hidden(422)),
    "resend-verification": Row(post=hidden("prospects")),
    "create-from-prospect": Row(hidden(200), hidden(422)),
    "associate": Row(hidden(200), hidden(422)),
    "undo-link": Row(post=hidden(409)),
    # Settings
    "settings": Row(["practice", "practice", "client-portal", "client-portal"]),
    "practice": Row(RUN, RUN_POST),
    "client-portal": Row(200, RUN_POST),
    "portal-qr": Row(200),
    "staff": Row(RUN),
    "invite-staff": Row(RUN, RUN_POST),
    "staff-member": Row(RUN, RUN_POST),
    "invite-staff-again": Row(post=["staff-member", "staff-member", 403, 403]),
    "services": Row(RUN),
    "receipt-settings": Row(RUN, RUN_POST),
    "receipt-logo": Row(post=RUN_POST),
    "receipt-logo-png": Row(RUN),
    "remove-receipt-logo": Row(post=["receipt-settings", "receipt-settings", 403, 403]),
    "receipt-sample": Row(RUN),
    "add-service": Row(RUN, RUN_POST),
    "service": Row(RUN, RUN_POST),
    "video": Row(RUN, RUN_POST),
    # No relay is set up in a test.
    "test-relay": Row(post=["video", "video", 403, 403]),
    "messages": Row(RUN),
    "message": Row(RUN),
    "send-message-now": Row(post=["message", "message", 403, 403]),
}

REHEARSE: list[Outcome] = [200, 200, 200, 404, 200, 404]
JOIN: list[Outcome] = [200, 200, 404, 404, 404, 404]

NEW_HERE: dict[str, dict[str, Outcome]] = {
    "anonymous": {"GET": 200, "POST": 422},
    "abroad": {"GET": 200, "POST": 422},
    "sign up": {"GET": "sign-up", "POST": "sign-up"},
}
HAS_ACCOUNT: dict[str, dict[str, Outcome]] = {
    "starter": {"GET": "account", "POST": "account"},
    "sign up": {"GET": 200, "POST": 422},
}

PORTAL: dict[str, Row] = {
    **_way_in("account"),
    "log-out": anyone(post=LOG_IN),
    "home": anyone(
        "account", anonymous={"GET": LOG_IN}, abroad={"GET": LOG_IN}, sign_up={"GET": "sign-up"}
    ),
    # Create Account, and the Account page
    "create-account": anyone("account", "account", **NEW_HERE),
    "sign-up": Row("account", "account", HAS_ACCOUNT),
    "correct-address": Row("account", "account", HAS_ACCOUNT),
    "new-address": anyone(200, 422),
    "verify": anyone(200, 422, sign_up={"GET": 200, "POST": "account"}),
    "renew-verification": anyone(post="verify"),
    "account": Row(200),
    "change-password": Row(200, 422),
    "security": Row(200),
    "change-address": Row([200, 200, 200, 200, 200, 404], [422, 422, 422, 422, 422, 404]),
    "end-device": Row(post=["security", 404, 404, 404, 404, 404]),
    "sign-out-everywhere": Row(post="security"),
    "time-zone": Row(200, 422),
    "sessions": Row([200, 200, 200, 404, 404, 404]),
    "details": Row([200, 200, 404, 404, 404, 404], [422, 422, 404, 404, 404, 404]),
    "ask-correction": Row([200, 200, 404, 404, 404, 404], [422, 422, 404, 404, 404, 404]),
    "withdraw-correction": Row(post=["details", "details", 404, 404, 404, 404]),
    "receipts": Row([200, 200, 200, 200, 404, 404]),
    "receipts-of-year": Row([200, 200, 404, 200, 404, 404]),
    "receipt-pdf": Row([200, 200, 404, 200, 404, 404]),
    "invoice-pdf": Row([200, 200, 404, 200, 404, 404]),
    "receipt-check": anyone(200),
    "room": Row(["room-person", "room-person", 404, 404, 404, 404]),
    "room-person": Row(JOIN),
    "room-after": Row(["room-person", "room-person", 404, 404, 404, 404]),
    "rehearse": Row(REHEARSE, [422, 422, 422, 404, 422, 404]),
    "rehearse-relay": Row(post=REHEARSE),
}

ROOT: dict[str, Row] = {
    "front": anyone(200),
    "healthz": anyone(200),
    # No worker and no sockets live in a test.
    "readyz": anyone(503),
}

TABLE: dict[str, Row] = {
    **ROOT,
    **{f"office:{name}": row for name, row in OFFICE.items()},
    **{f"portal:{name}": row for name, row in PORTAL.items()},
}
ROUTES = dict(routes())


# The world


@dataclass
class World:
    """Maple as it is visited, Cedar as those from abroad know it, and one id for each name."""

    cast: Cast
    ids: dict[str, Any]
    foreign_ids: dict[str, Any]
    visitors: dict[str, dict[str, Visitor]]


def _ids(cast: Cast) -> dict[str, Any]:
    """One thing for each id that a route may hold: Casey's, or Tara's."""
    with scope(cast.practice.pk):
        appointment = make_appointment(cast.tara, cast.casey, service=cast.individual)
        make_billable(cast)
        receipt = pay(cast, attended(cast), "50")
        document_of(receipt)
        refund, invoice = refund_of(cast), invoice_of(cast)
        document_of_invoice(invoice)
        set_logo(cast.practice, picture(), by=cast.olivia.account)
        access = PortalAccess.objects.get(client=cast.casey, account=cast.casey_account)
        invited = make_staff("Nina New", Role.THERAPIST, cast.practice.slug)
        invited.account.set_unusable_password()
        invited.account.save()
        links = {
            door: mail_link(cast.casey_account, LinkPurpose.RESET, door=door)
            for door in ("office", "portal")
        }
        # The second link took the place of the first; here both are wanted.
        links["office"].replaced_at = None
        links["office"].save()
        message = OutgoingMessage.objects.order_by("pk")[0]
        cast.casey.email = "casey.nguyen@new.example"
        cast.casey.save(update_fields=["email"])
        move_log_in(cast.casey_account, cast.casey.email, by=cast.olivia.account)
        new_address = MailLink.objects.get(purpose=LinkPurpose.NEW_ADDRESS)
        prospect, _ = sign_up(
            key=uuid.uuid4(), email="una@prospect.example", password="violet umbrella by the door",
            zone_name="", first_name="Una", last_name="Okoro",
        )  # fmt: skip
        assert prospect.sign_up is not None
        return {
            "sign_up": prospect.sign_up.uuid,
            "new address": (new_address.uuid, token_of(new_address)),
            "sign up's token": sign_ups.token_of(prospect.sign_up),
            "prospect": prospect.uuid,
            "client": cast.casey.uuid,
            "access": access.uuid,
            "appointment": appointment.uuid,
            "attendee": appointment.attendees.get().uuid,
            "member": invited.uuid,
            "service": cast.individual.uuid,
            "message": message.uuid,
            "receipt": receipt.uuid,
            "refund": refund.uuid,
            "invoice": invoice.uuid,
            "year": receipt.payment.paid_on.year,
            "code": say_code(receipt.code),
            "asked": ask_for_correction(
                key=uuid.uuid4(), client=cast.casey, by=cast.casey_account, last_name="Tran"
            ).uuid,
            "office sign-in": _signed_in(cast.tara.account, "office"),
            "portal sign-in": _signed_in(cast.casey_account, "portal"),
            "links": {door: (link.uuid, token_of(link)) for door, link in links.items()},
        }


def _signed_in(account: Account, door: str) -> uuid.UUID:
    """One more browser of somebody's."""
    _, key = session_cookie(account, door)
    return SignIn.objects.get(session_key=hashed(key)).uuid


def _starter(account: Account) -> Account:
    account.set_unusable_password()
    account.save()
    set_starter_password(account, "kettle-orbit-walnut-47", days=7)
    return account


def _accounts(cast: Cast) -> dict[str, dict[str, Account]]:
    """Who stands at each door."""
    with scope(cast.practice.pk):
        new_client = _starter(make_account("noor@client.example"))
        give(new_client, cast.noor)
        tied = {
            name: make_account(f"{name}@client.example") for name in ("parent", "partner", "payer")
        }
        for name, account in tied.items():
            give(account, cast.casey, Relationship(name))
        new_colleague = make_staff("Sam Starter", Role.THERAPIST, cast.practice.slug)
        return {
            "office": {
                "owner": cast.olivia.account,
                "admin": cast.adam.account,
                "therapist": cast.tara.account,
                "other therapist": cast.theo.account,
                "client": cast.casey_account,
                "starter": _starter(new_colleague.account),
            },
            "portal": {
                "self": cast.casey_account,
                **tied,
                "other client": cast.parker_account,
                "colleague": cast.tara.account,
                "starter": new_client,
            },
        }


@pytest.fixture
def world(cast: Cast, other: Cast) -> World:
    Practice.objects.update(allow_sign_up=True)
    visitors: dict[str, dict[str, Visitor]] = {"office": {}, "portal": {}}
    abroad = _accounts(other)
    for door, people in _accounts(cast).items():
        visitors[door]["anonymous"] = Visitor(cast.practice, door)
        for name, account in people.items():
            with scope(cast.practice.pk):
                visitors[door][name] = Visitor(cast.practice, door, account)
        for name, account in abroad[door].items():
            with scope(other.practice.pk):
                visitor = Visitor(other.practice, door, account)
            # Theirs to send at any practice's address, and under its cookie's name as well.
            key = visitor.cookies[f"roost-{door}-cedar"].value
            visitor.cookies[f"roost-{door}-maple"] = key
            visitors[door][f"{name} abroad"] = visitor
    ids = _ids(cast)
    with scope(cast.practice.pk):
        new = visitors["portal"]["sign up"] = Visitor(cast.practice, "portal")
        name, key = visit_cookie(SignUp.objects.get(uuid=ids["sign_up"]))
        new.cookies[name] = key
    return World(cast, ids, _ids(other), visitors)


# What is expected


def _methods(visitor: str) -> list[str]:
    if visitor.endswith(" abroad"):
        return ["GET", "POST"]
    return ["GET", "HEAD", "POST", *(UNKNOWN_METHODS if visitor in TRIED_BY else [])]


def _spread(outcomes: Outcomes, names: list[str]) -> dict[str, Outcome]:
    listed = outcomes if isinstance(outcomes, list) else [outcomes] * len(names)
    return dict(zip(names, listed, strict=True))


def _expected(name: str, visitors: list[str]) -> dict[tuple[str, str], Outcome]:
    """Who gets what from a route, method by method."""
    row, who = TABLE[name], ROUTES[name].callback.access.who
    hidden = ROUTES[name].callback.access.hidden
    named = MEMBERS if name.startswith("office:") else ATTENDING
    expected: dict[tuple[str, str], Outcome] = {}
    for visitor in visitors:
        for method in _methods(visitor):
            column = "GET" if method == "HEAD" else method
            outcomes = {"GET": row.get, "POST": row.post}.get(column)
            kind = "abroad" if visitor.endswith(" abroad") else visitor
            if outcomes is None and hidden and kind not in ("owner", "admin"):
                # What does not exist for somebody has no methods either.
                away = {"anonymous": LOG_IN, "abroad": LOG_IN, "starter": CHOOSE}
                got: Outcome = away.get(kind, 404)
            elif outcomes is None:
                got = 405
            elif column in row.others.get(kind, {}):
                got = row.others[kind][column]
            elif kind in named:
                got = _spread(outcomes, named)[kind]
            elif who is Who.ANYONE:
                assert not isinstance(outcomes, list)
                got = outcomes
            elif kind in ("anonymous", "abroad"):
                got = LOG_IN
            elif kind == "sign up":
                got = "sign-up"
            elif kind == "starter":
                got = CHOOSE
            elif who is Who.ACCOUNT:
                assert not isinstance(outcomes, list)
                got = outcomes
            else:
                got = 404
            expected[visitor, method] = got
    return expected


# What happens


def _path(name: str, world: World, ids: dict[str, Any] | None = None) -> str:
    door = name.partition(":")[0]
    ids = ids or world.ids
    kwargs = {}
    for key in ROUTES[name].pattern.converters:
        if key == "code":
            kwargs[key] = ids[key]
        elif key == "sign_in":
            kwargs[key] = ids[f"{door} sign-in"]
        elif name == "portal:new-address" and key in ("link", "token"):
            kwargs[key] = ids["new address"][key == "token"]
        elif "sign_up" in ROUTES[name].pattern.converters and key == "token":
            kwargs[key] = ids["sign up's token"]
        elif key in ("link", "token"):
            kwargs[key] = ids["links"][door][key == "token"]
        else:
            kwargs[key] = ids[key]
    if ":" in name:
        kwargs["practice"] = world.cast.practice.slug
    return reverse(name, kwargs=kwargs)


def _outcome(answer: HttpResponse) -> Outcome:
    """The status, or the name of the route that a redirect leads to."""
    if answer.status_code != 302:
        return answer.status_code
    name = resolve(urlsplit(answer["Location"]).path).view_name
    return name.partition(":")[2]


NOT_COMPARED = {AuditEvent, AnonymousRefusals}
HARMLESS = ("SELECT", "SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")
# A wrong code is a guess, and guesses are counted; so is what takes long to make.
COUNTED = {"portal:receipt-check": 404, "portal:receipts-of-year": 200}


def _dump() -> dict[str, list[tuple[Any, ...]]]:
    """Every row there is, but for the audit log."""
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values_list())
        for model in apps.get_models()
        if model.__module__.startswith("roost.") and model not in NOT_COMPARED
    }


WRITES = re.compile(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"')


@contextmanager
def _writes() -> Iterator[set[str]]:
    """The tables that are written to meanwhile, or else the statement that is not read here."""
    written: set[str] = set()

    def note(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        target = WRITES.match(sql)
        if target:
            written.add(target[1])
        elif not sql.lstrip("(").startswith(HARMLESS):
            written.add(sql)
        return execute(sql, *more)

    with connection.execute_wrapper(note):
        yield written


def _refusals(world: World) -> list[tuple[int | None, Any, Any]]:
    with scope(world.cast.practice.pk):
        rows = AuditEvent.objects.filter(action="access.refused").order_by("pk")
        return [(r.actor_id, r.details["status"], r.details["route"]) for r in rows]


@pytest.fixture
def visit(world: World) -> Callable[[str, Visitor, str, str], HttpResponse]:
    """Ask, look at what it left behind, and undo it."""
    before, refused = _dump(), _refusals(world)
    assert refused == []

    def ask(name: str, visitor: Visitor, method: str, where: str) -> HttpResponse:
        with transaction.atomic():
            data = {"data": {"unasked": "field"}} if method == "POST" else {}
            with _writes() as written:
                answer = getattr(visitor, method.lower())(where, **data)
            if method in ("GET", "HEAD") and written - {m._meta.db_table for m in NOT_COMPARED}:
                after = _dump()
                if answer.status_code == COUNTED.get(name):
                    after[AttemptCount._meta.label] = before[AttemptCount._meta.label]
                assert after == before
            if answer.status_code in (403, 404) and _is_here(visitor, world):
                assert _refusals(world) == [(visitor.account.pk, answer.status_code, name)]
            else:
                assert _refusals(world) == []
            transaction.set_rollback(True)
        return answer

    return ask


def _is_here(visitor: Visitor, world: World) -> bool:
    return visitor.account is not None and visitor.practice == world.cast.practice


# The table


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert len(ROUTES) > 50
    assert set(ROUTES) == set(TABLE)


def _by_dozens(names: Iterable[str]) -> list[Any]:
    """Twelve routes to a world, which takes longer to make than to visit."""
    listed = list(names)
    dozens = [listed[n : n + 12] for n in range(0, len(listed), 12)]
    return [pytest.param(dozen, id=f"{dozen[0]}…{dozen[-1]}") for dozen in dozens]


@pytest.mark.one_database
@pytest.mark.parametrize("names", _by_dozens(TABLE))
def test_each_visitor_gets_what_the_table_says(
    names: list[str], world: World, visit: Callable[..., HttpResponse]
) -> None:
    for name in names:
        _assert_as_listed(name, world, visit)


def _assert_as_listed(name: str, world: World, visit: Callable[..., HttpResponse]) -> None:
    door, _, _ = name.rpartition(":")
    visitors = world.visitors[door] if door else {"anonymous": world.visitors["portal"]["self"]}
    where, got = _path(name, world), {}
    for who, visitor in visitors.items():
        for method in _methods(who):
            cookies = visitor.cookies.output()
            answer = visit(name, visitor, method, where)
            got[who, method] = _outcome(answer)
            if got[who, method] == LOG_IN and method in ("GET", "HEAD") and "home" not in name:
                asked = parse_qs(urlsplit(answer["Location"]).query)
                assert asked == {"next": [where]}
            assert "no-store" in answer["Cache-Control"]
            if visitor.cookies.output() != cookies:
                visitor.cookies.load(cookies.replace("Set-Cookie: ", ""))
    assert got == _expected(name, list(visitors)), name


WITH_IDS = [name for name in TABLE if set(ROUTES[name].pattern.converters) - {"practice"}]


@pytest.mark.one_database
@pytest.mark.parametrize("names", _by_dozens(WITH_IDS))
def test_an_id_of_another_practice_is_as_unknown_as_one_of_nobody(
    names: list[str], world: World, visit: Callable[..., HttpResponse]
) -> None:
    for name in names:
        _assert_unknown(name, world, visit)


def _assert_unknown(name: str, world: World, visit: Callable[..., HttpResponse]) -> None:
    door = name.partition(":")[0]
    row, converters = TABLE[name], ROUTES[name].pattern.converters
    is_link = "token" in converters
    nobodys: dict[str, Any] = {key: uuid.uuid4() for key in world.ids if key != "links"}
    nobodys["new address"] = (uuid.uuid4(), world.ids["new address"][1])
    nobodys["sign up's token"] = world.ids["sign up's token"]
    nobodys["year"] = world.ids["year"]
    nobodys["links"] = {door: (uuid.uuid4(), world.ids["links"][door][1])}
    strange = {"of Cedar": world.foreign_ids, "of nobody": nobodys}
    named = set(converters) - {"practice", "year"}
    if len(named) > 1 and not is_link:
        # Each id on its own, beside a right one.
        for key in named:
            strange[f"{key} of Cedar"] = {**world.ids, key: world.foreign_ids[key]}
    methods = [m for m, column in (("GET", row.get), ("POST", row.post)) if column is not None]
    assert methods, name
    first = "therapist" if door == "office" else "self"
    # Pages that do not exist for a therapist.
    if ROUTES[name].callback.access.hidden or name == "office:move-log-in":
        first = "owner"
    for who in ("owner", "therapist") if door == "office" else ("self",):
        visitor = world.visitors[door][who]
        for method in methods:
            mine = _outcome(visit(name, visitor, method, _path(name, world)))
            if who == first:
                assert mine not in (404, 410), f"{name}: what must not leak would not be there."
            for ids in strange.values():
                answer = visit(name, visitor, method, _path(name, world, ids))
                # A page for those who run the practice refuses a therapist whatever is asked for.
                gone = 410 if is_link else 403 if mine == 403 else 404
                assert answer.status_code == gone, name


def test_a_link_of_one_door_opens_nothing_at_the_other(
    world: World, visit: Callable[..., HttpResponse]
) -> None:
    for door, wrong in (("office", "portal"), ("portal", "office")):
        ids = {**world.ids, "links": {door: world.ids["links"][wrong]}}
        for route in ("reset", "invitation"):
            name = f"{door}:{route}"
            visitor = world.visitors[door]["anonymous"]
            assert visit(name, visitor, "GET", _path(name, world)).status_code == 200
            for method in ("GET", "POST"):
                assert visit(name, visitor, method, _path(name, world, ids)).status_code == 410


# What a view declares


def test_every_view_declares_who_may_use_it_and_how() -> None:
    assert [e for e in run_checks() if e.id == "roost.E003"] == []
    for name, entry in ROUTES.items():
        row = TABLE[name]
        declared = set(entry.callback.access.methods)
        listed = {m for m, each in (("GET", row.get), ("POST", row.post)) if each is not None}
        assert declared == listed, name


def _bare(request: HttpRequest) -> HttpResponse:
    return HttpResponse("for anybody at all")


urlpatterns = [path("bare/", _bare, name="bare")]


@pytest.mark.urls(__name__)
def test_a_view_that_declares_nothing_fails_the_system_check() -> None:
    assert [(e.id, e.obj) for e in every_route_says_who_may_use_it(None)] == [("roost.E003", _bare)]


# At other times


@pytest.fixture
def idle(world: World) -> Iterator[World]:
    """Everybody has left the desk for two hours."""
    from roost.accounts.models import SignIn

    with scope(world.cast.practice.pk):
        SignIn.objects.update(used_at=now() - timedelta(hours=2))
        yield world


def test_after_the_idle_limit_every_page_asks_for_log_in(idle: World) -> None:
    for name in (name for name in TABLE if ":" in name):
        who = ROUTES[name].callback.access.who
        door = name.partition(":")[0]
        visitor = idle.visitors[door]["therapist" if door == "office" else "self"]
        cookies = visitor.cookies.output()
        method = "get" if TABLE[name].get is not None else "post"
        with transaction.atomic():
            answer = getattr(visitor, method)(_path(name, idle))
            transaction.set_rollback(True)
        visitor.cookies.load(cookies.replace("Set-Cookie: ", ""))
        if who is Who.ANYONE and name not in ("portal:home", "portal:log-out"):
            wanted: Outcome = "verify" if name == "portal:renew-verification" else 200
        else:
            wanted = LOG_IN
        assert _outcome(answer) == wanted, name


def test_somebody_disabled_is_anonymous_at_once(world: World) -> None:
    visitor = world.visitors["office"]["therapist"]
    assert visitor.get(_path("office:client", world)).status_code == 200
    with scope(world.cast.practice.pk):
        Account.objects.filter(pk=visitor.account.pk).update(is_active=False)
    assert _outcome(visitor.get(_path("office:client", world))) == LOG_IN


def test_a_colleague_who_has_left_finds_no_office(world: World) -> None:
    visitor = world.visitors["office"]["therapist"]
    assert visitor.get(_path("office:client", world)).status_code == 200
    with scope(world.cast.practice.pk):
        StaffMember.objects.filter(pk=world.cast.tara.pk).update(is_active=False)
    for name in ("office:client", "office:today", "office:account", "office:clients"):
        assert visitor.get(_path(name, world)).status_code == 404


def test_no_address_outside_the_table_says_more_than_404(world: World) -> None:
    strange = ["/office/maple/nothing/", "/office/nobody/", "/portal/nobody/log-in/", "/admin/"]
    strange += ["/office/maple/clients/1/", "/office/MAPLE/clients/", "/portal/maple/../cedar/"]
    for visitor in (world.visitors["office"]["owner"], world.visitors["office"]["anonymous"]):
        assert [visitor.get(where).status_code for where in strange] == [404] * len(strange)


def test_models_compared_are_those_with_rows(world: World) -> None:
    """The dump would notice: it holds what a page could change."""
    dump = _dump()
    for model in (Account, StaffMember, OutgoingMessage, PortalAccess):
        assert isinstance(model, type(models.Model))
        assert dump[model._meta.label], model
