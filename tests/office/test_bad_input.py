"""Every form of both doors under what people, robots and thieves type into it."""

import html
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from roost.accounts.enums import LinkPurpose
from roost.accounts.links import make_link, token_of
from roost.accounts.models import Account, SignIn, SignUp
from roost.accounts.services import set_starter_password
from roost.accounts.sessions import hashed
from roost.accounts.sign_ups import token_of as token_of_sign_up
from roost.clients.corrections import ask_for_correction
from roost.clients.models import Client, PortalAccess
from roost.clients.prospects import sign_up
from roost.practices.models import Practice
from roost.staff.checks import routes
from tests.support.cast import Cast, give, make_account, make_appointment, shown
from tests.support.doors import Visitor, session_cookie, visit_cookie
from tests.support.money import attended, invoice_of, make_billable, pay, refund_of

LONG = "x" * 10_000
MARKUP = "\"><script>alert(1)</script><b>'&amp;{{ 7*7 }}{% now 'Y' %}"
HOSTILE = {
    "empty": "",
    "long": LONG,
    "markup": MARKUP,
    "direction": "\u202egnp.exe\u2066Casey",
    "lines": "Casey\r\nBcc: thief@evil.example\r\n\r\nHello",
    "nul": "Ca\x00sey",
    "emoji": "👩‍👧‍👦 Zoë 🏳️‍🌈",
    "surrogate": "\ufffd\ufffe",
    "formula": '=HYPERLINK("https://evil.example")',
    "number": "-1",
    "huge": "9" * 400,
    "array": "[]",
    "not a number": "NaN",
    "date": "0000-00-00",
    "late": "9999-12-31",
}


@dataclass
class Form:
    """One form: where it is, who sends it, and what is right in each of its fields. `secret` are
    fields that never come back."""

    route: str
    door: str
    by: str
    good: dict[str, Any]
    ids: tuple[str, ...] = ()
    secret: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        return f"{self.door}:{self.route}"


KEY = "<key>"
PERSON = {
    "first_name": "Zoe", "last_name": "Quill", "preferred_name": "Z", "pronouns": "she/her",
    "email": "zoe@client.example", "phone": "416 555 0142", "date_of_birth": "1990-02-03",
    "in_care_since": "2024-05-06", "address": "1 Quiet Road\nToronto",
    "emergency_contact": "Sam, 416 555 0143", "form_key": KEY,
}  # fmt: skip
PROFILE = {
    "display_name": "Nina New", "role": "therapist", "sees_clients": "on", "title": "RP",
    "college": "CRPO", "registration_number": "1234", "supervisor": "<theo>", "form_key": KEY,
}  # fmt: skip

FORMS = [
    *(
        form
        for door in ("office", "portal")
        for form in (
            Form("log-in", door, "anonymous", {
                "email": "casey@client.example", "password": "wrong but long", "zone": "",
                "next": "",
            }, secret={"password"}),
            Form("forgot-password", door, "anonymous", {"email": "casey@client.example"}),
            Form("reset", door, "anonymous", {"new_password": "my own quiet sentence"},
                 ("link", "token"), {"new_password"}),
            Form("invitation", door, "anonymous", {"new_password": "my own quiet sentence"},
                 ("link", "token"), {"new_password"}),
            Form("renew-link", door, "anonymous", {}, ("link", "token")),
            Form("log-out", door, "account", {}),
        )
    ),
    Form("create-account", "portal", "anonymous", {
        "first_name": "Zoe", "last_name": "Quill", "preferred_name": "Z", "phone": "416 555 0142",
        "email": "zoe@client.example", "date_of_birth": "1990-02-03", "zone": "Europe/Berlin",
        "password": "my own quiet sentence", "form_key": KEY,
    }, secret={"password"}),
    Form("sign-up", "portal", "sign up", {"do": "verify", "code": "123456"}),
    Form("correct-address", "portal", "sign up", {"email": "zoe@client.example"}),
    Form("verify", "portal", "anonymous", {"password": "my own quiet sentence"},
         ("sign_up", "token"), {"password"}),
    Form("renew-verification", "portal", "anonymous", {}, ("sign_up", "token")),
    Form("new-address", "portal", "anonymous", {"password": "my own quiet sentence"},
         ("link", "token"), {"password"}),
    Form("choose-password", "portal", "starter", {"new_password": "my own quiet sentence"},
         secret={"new_password"}),
    Form("choose-password", "office", "starter", {"new_password": "my own quiet sentence"},
         secret={"new_password"}),
    Form("change-password", "portal", "account", {
        "current_password": "a plain sentence of eleven", "new_password": "my own quiet sentence",
    }, secret={"current_password", "new_password"}),
    Form("account", "office", "account", {
        "current_password": "a plain sentence of eleven", "new_password": "my own quiet sentence",
    }, secret={"current_password", "new_password"}),
    *(
        Form(route, door, "account", {}, ids)
        for door in ("office", "portal")
        for route, ids in (("end-device", ("sign_in",)), ("sign-out-everywhere", ()))
    ),
    Form("change-address", "portal", "account", {"email": "zoe@client.example", "do": "ask"}),
    Form("details", "portal", "account", {
        "preferred_name": "Cas", "phone": "416 555 0142", "address": "1 Quiet Road",
        "shown": "<shown>",
    }, ("client",)),
    Form("ask-correction", "portal", "account", {
        "first_name": "Casey", "last_name": "Tran", "date_of_birth": "1994-03-09", "form_key": KEY,
    }, ("client",)),
    Form("withdraw-correction", "portal", "account", {}, ("client", "asked")),
    Form("correction", "office", "owner", {"do": "decline", "reason": "Bring your card."},
         ("client", "asked")),
    Form("time-zone", "portal", "account", {"zone": "Europe/Berlin"}),
    Form("add-client", "office", "owner", {**PERSON, "therapists": "<theo>", "confirmed": ""}),
    Form("edit-client", "office", "owner", {**PERSON, "therapists": "<theo>", "shown": "<shown>"},
         ("client",)),
    Form("client-access", "office", "owner", {
        "email": "zoe@client.example", "relationship": "self", "form_key": KEY, "do": "save",
        "starter_password": "kettle-orbit-walnut-47", "confirmed": "",
    }, ("client",)),
    Form("move-log-in", "office", "owner", {}, ("client",)),
    Form("take-access-away", "office", "owner", {}, ("client", "access")),
    Form("practice", "office", "owner", {
        "name": "Maple Counselling", "phone": "416 555 0142", "address": "1 Quiet Road",
        "mail_sender_name": "Maple", "zone_name": "America/Toronto", "staff_idle_minutes": "30",
        "client_idle_minutes": "60", "currency": "CAD", "late_cancel_percent": "50",
    }),
    Form("receipt-settings", "office", "owner", {
        "paper": "letter", "tax_number": "123456789 RT0001", "receipt_prefix": "MC-",
        "receipt_language": "fr", "uses_invoices": "yes",
    }),
    Form("receipt-logo", "office", "owner", {}),
    Form("remove-receipt-logo", "office", "owner", {}),
    Form("client-portal", "office", "owner", {
        "allow_sign_up": "no", "starter_password_days": "7", "join_minutes_before": "30",
        "join_minutes_after": "30",
    }),
    Form("video", "office", "owner", {
        "relay_only": "no", "after_call_words": "Take care.", "fallback_words": "We call you.",
    }),
    Form("test-relay", "office", "owner", {}),
    Form("invite-staff", "office", "owner", {**PROFILE, "email": "nina@maple.example"}),
    Form("staff-member", "office", "owner", {**PROFILE, "is_active": "on"}, ("member",)),
    Form("invite-staff-again", "office", "owner", {}, ("member",)),
    Form("send-message-now", "office", "owner", {}, ("message",)),
    Form("add-service", "office", "owner", {
        "name": "Couple", "type": "couple", "duration_minutes": "75", "fee": "210.00",
        "billing_code": "96.02", "form_key": KEY,
    }),
    Form("service", "office", "owner", {
        "name": "Individual", "type": "individual", "duration_minutes": "55", "do": "save",
        "fee": "150", "billing_code": "",
    }, ("service",)),
    Form("book", "office", "owner", {
        "clients": "<casey>", "therapist": "<tara>", "service": "<service>", "mode": "video",
        "day": "<day>", "hour": "14:00", "which": "", "form_key": KEY, "do": "book", "q": "",
    }),
    Form("move", "office", "owner", {"day": "<day>", "hour": "15:00", "which": "", "seen": ""},
         ("appointment",)),
    Form("cancel", "office", "owner", {}, ("appointment",)),
    Form("attendance", "office", "owner", {"attendance": "attended", "from": "day"},
         ("appointment",)),
    Form("attendance", "office", "owner", {
        "attendance": "attended", "attendee": "<attendee>", "from": "client", "of": "<casey>",
        "was": "<attendee>:no_show",
    }, ("appointment",)),
    Form("billed", "office", "owner", {"client": "<casey>", "payer_is": "", "payer": "Sam Payer"},
         ("appointment",)),
    Form("payment", "office", "owner", {
        "amount": "50", "method": "cash", "paid_on": "<today>", "payer": "Robin Parker",
        "client": "<casey>", "payer_is": "", "keep_over": "", "form_key": KEY,
    }, ("appointment",)),
    Form("void-receipt", "office", "owner", {}, ("receipt",)),
    Form("refund-credit", "office", "owner", {
        "amount": "5", "method": "cash", "refunded_on": "<today>", "form_key": KEY,
    }, ("client",)),
    Form("void-refund", "office", "owner", {}, ("refund",)),
    Form("invoice-client", "office", "owner", {
        "charges": "<held>", "due_on": "<day>", "form_key": KEY,
    }, ("client",)),
    Form("void-invoice", "office", "owner", {}, ("invoice",)),
    Form("service", "office", "owner", {
        "do": "tax", "from_on": "2024-06-20", "kind": "taxed", "name": "HST", "percent": "13",
    }, ("service",)),
    Form("room", "office", "therapist", {}, ("appointment",)),
    *(
        form
        for door in ("office", "portal")
        for form in (
            Form("rehearse", door, "account", {
                "camera": "works", "microphone": "denied", "speaker": "", "connection": "works",
            }),
            Form("rehearse-relay", door, "account", {}),
        )
    ),
    Form("prospects", "office", "owner", {"do": "dismiss", "prospect": "<prospect>"}),
    Form("dismiss-prospects", "office", "owner", {"prospect": "<prospect>"}),
    Form("restore-prospects", "office", "owner", {"prospect": "<prospect>"}),
    Form("verify-prospect", "office", "owner", {
        "code": "", "reason": "Met at the desk", "seen": "una@prospect.example",
    },
         ("prospect",)),
    Form("resend-verification", "office", "owner", {}, ("prospect",)),
    Form("create-from-prospect", "office", "owner",
         {**PERSON, "therapists": "<theo>", "seen": "una@prospect.example"},
         ("prospect",)),
    Form("associate", "office", "owner", {
        "client": "<casey>", "relationship": "self", "sure": "", "seen": "una@prospect.example",
    }, ("prospect",)),
    Form("prospect-mail", "office", "owner", {"wants": "yes"}),
    Form("undo-link", "office", "owner", {"link": "2026-11-24T18:00:00+00:00"}, ("prospect",)),
]  # fmt: skip
# What a form cannot be without its key, and what it does.
BUTTONS = {"do", "confirmed", "form_key"}


@pytest.fixture
def send(cast: Cast, maple: Any) -> Callable[..., Any]:
    """Send a form as its sender would, with some of its fields as they should not be."""
    from roost.core.time import now

    starter = make_account("noor@client.example")
    starter.set_unusable_password()
    starter.save()
    give(starter, cast.noor)
    give(cast.casey_account, cast.noor, "guardian")
    set_starter_password(starter, "lantern-gravel-teapot-31", days=7)
    make_billable(cast)
    appointment = make_appointment(cast.tara, cast.casey, service=cast.individual)
    held = attended(cast)
    receipt = pay(cast, attended(cast))
    refund, invoice = refund_of(cast), invoice_of(cast)
    links = {
        d: make_link(cast.parker_account, p, door=d)
        for d, p in (("portal", LinkPurpose.RESET), ("office", LinkPurpose.INVITATION))
    }
    from datetime import timedelta

    from roost.outbox.services import enqueue

    message = enqueue("access_given", to=cast.casey.email, client_uuid=cast.casey.uuid)
    prospect, _ = sign_up(
        key=uuid.uuid4(), email="una@prospect.example", password="violet umbrella by the door",
        zone_name="", first_name="Una", last_name="Okoro",
    )  # fmt: skip
    assert prospect.sign_up is not None
    verification = {
        "sign_up": prospect.sign_up.uuid, "token": token_of_sign_up(prospect.sign_up),
    }  # fmt: skip
    new_address = make_link(
        cast.parker_account, LinkPurpose.NEW_ADDRESS, door="portal", address="robin@new.example"
    )
    cast.casey.email = "casey@new.example"
    cast.casey.save(update_fields=["email"])
    Practice.objects.update(allow_sign_up=True)
    ids = {
        "client": cast.casey.uuid,
        "access": PortalAccess.objects.get(client=cast.casey).uuid,
        "member": cast.theo.uuid,
        "message": message.uuid,
        "service": cast.individual.uuid,
        "appointment": appointment.uuid,
        "receipt": receipt.uuid,
        "refund": refund.uuid,
        "invoice": invoice.uuid,
        "prospect": prospect.uuid,
        "asked": ask_for_correction(
            key=uuid.uuid4(), client=cast.noor, by=cast.casey_account, last_name="Tran"
        ).uuid,
    }
    day = (now() + timedelta(days=30)).date().isoformat()
    people = {"<theo>": cast.theo, "<tara>": cast.tara, "<casey>": cast.casey}
    fill = {
        **{k: str(v.uuid) for k, v in people.items()},
        "<shown>": shown(cast.casey),
        "<service>": str(cast.individual.uuid),
        "<prospect>": str(prospect.uuid),
        "<held>": str(held.uuid),
        "<attendee>": str(held.attendees.get().uuid),
        "<day>": day,
        "<today>": now().astimezone(maple.zone).date().isoformat(),
    }

    def account_of(form: Form) -> Account | None:
        if form.by == "account":
            return cast.casey_account if form.door == "portal" else cast.tara.account
        if form.by == "sign up":
            return None
        members = {"owner": cast.olivia.account, "therapist": cast.tara.account}
        return {"anonymous": None, "starter": starter, **members}[form.by]

    def go(form: Form, changes: dict[str, Any], **options: Any) -> Any:
        visitor = Visitor(maple, form.door, account_of(form))
        visitor.raise_request_exception = False
        # Each try comes from somewhere else, so that no limit hides what a form does.
        visitor.defaults["REMOTE_ADDR"] = f"2001:db8:{uuid.uuid4().hex[:4]}::1"
        if form.by == "sign up":
            name, key = visit_cookie(SignUp.objects.get(uuid=verification["sign_up"]))
            visitor.cookies[name] = key
        link = new_address if form.route == "new-address" else links[form.door]
        own = {**ids, "link": link.uuid, "token": token_of(link)}
        if "asked" in form.ids:
            own["client"] = cast.noor.uuid
        if form.route in ("attendance", "billed", "payment"):
            own["appointment"] = held.uuid
        if "sign_in" in form.ids:
            _, key = session_cookie(visitor.account, form.door)
            own["sign_in"] = SignIn.objects.get(session_key=hashed(key)).uuid
        own |= verification if "sign_up" in form.ids else {}
        where = visitor.path(form.route, **{name: own[name] for name in form.ids})
        if options:
            return visitor.generic("POST", where, **options)
        values = {k: fill.get(v, v) for k, v in form.good.items()}
        if "form_key" in values:
            values["form_key"] = str(uuid.uuid4())
        return visitor.post(where, {**values, **changes})

    return go


def _words(answer: Any) -> str:
    text = answer.content.decode()
    assert "Traceback" not in text
    assert "Exception" not in text
    return text


def _check(answer: Any, where: str) -> None:
    """Words, not a trace: and nothing of what was typed has become markup."""
    assert answer.status_code < 500, where
    assert answer.status_code in (200, 302, 400, 404, 409, 410, 422, 429), where
    text = _words(answer)
    assert "<script>alert" not in text, where
    # A form that has more to say, and a search, show what was typed as it was typed.
    kept = answer.status_code in (422, 429) or where.startswith("office:book")
    assert kept or not re.search("[\x00\u202e]", text), where
    if answer.status_code >= 400:
        assert re.search(r"<h[12][^>]*>[^<]{5,}", text), where


def test_every_form_is_here() -> None:
    posting = {n for n, e in routes() if "POST" in e.callback.access.methods}
    assert posting == {form.name for form in FORMS}


# PostgreSQL refuses more than SQLite does, but for a number that no column holds.
KINDS = {
    "postgresql": ("long", "lines", "nul", "surrogate", "huge", "not a number", "date"),
    "sqlite": ("markup", "direction", "huge"),
}


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.name)
def test_each_field_takes_anything_and_answers_in_words(
    form: Form, send: Callable[..., Any]
) -> None:
    from django.db import connection, transaction

    for name in form.good:
        for kind in KINDS[connection.vendor]:
            value = HOSTILE[kind]
            with transaction.atomic():
                _check(send(form, {name: value}), f"{form.name} {name} {kind}")
                transaction.set_rollback(True)


@pytest.mark.one_database
@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.name)
def test_all_fields_at_once_too(form: Form, send: Callable[..., Any]) -> None:
    from django.db import transaction

    for kind, value in HOSTILE.items():
        with transaction.atomic():
            answer = send(form, dict.fromkeys(form.good, value))
            _check(answer, f"{form.name} {kind}")
            transaction.set_rollback(True)


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.name)
def test_double_missing_and_unasked_fields_do_no_harm(
    form: Form, send: Callable[..., Any], cast: Cast
) -> None:
    from django.db import transaction

    unasked = {
        "id": "1", "pk": "1", "practice": "2", "practice_id": "2", "is_active": "on",
        "role": "owner", "password": "!", "email_verified": "1", "account": "1", "uuid": "x",
        "created_at": "1999-01-01", "search_text": "x", "archived_at": "1999-01-01",
    }  # fmt: skip
    tries: list[dict[str, Any]] = [{k: v for k, v in unasked.items() if k not in form.good}]
    tries += [{name: ["Zoe", "Zoe", MARKUP]} for name in form.good if name not in BUTTONS]
    tries += [{"form_key": bad} for bad in ("", "garbage", MARKUP, LONG) if "form_key" in form.good]
    before = Client.objects.filter(practice=cast.practice).count()
    for changes in tries:
        with transaction.atomic():
            _check(send(form, changes), f"{form.name} {changes}"[:200])
            cast.tara.refresh_from_db()
            assert cast.tara.role == "therapist"
            assert Client.objects.filter(practice=cast.practice).count() <= before + 1
            transaction.set_rollback(True)


KEPT = [
    form
    for form in FORMS
    if form.route
    in ("log-in", "forgot-password", "create-account", "details", "change-address",
        "ask-correction", "add-client", "edit-client", "client-access", "practice", "invite-staff",
        "staff-member", "add-service", "service")
]  # fmt: skip
TYPED = {"preferred_name", "first_name", "title", "display_name", "name", "college", "address"}


@pytest.mark.parametrize("form", KEPT, ids=lambda f: f.name)
def test_what_was_typed_is_kept_and_printed_escaped_when_a_form_has_more_to_say(
    form: Form, send: Callable[..., Any]
) -> None:
    """One field is wrong; the others hold markup, which comes back as it was typed, escaped."""
    wrong = {
        "log-in": {"email": "no address"},
        "forgot-password": {"email": "no address"},
        "create-account": {"email": "no address"},
        "details": {"phone": "no number"},
        "change-address": {"email": "no address"},
        "ask-correction": {"date_of_birth": "1066-10-14"},
        "add-client": {"email": "no address"},
        "edit-client": {"email": "no address"},
        "client-access": {"email": "no address"},
        "practice": {"staff_idle_minutes": "-5"},
        "invite-staff": {"email": "no address"},
        "staff-member": {"role": "emperor"},
        "add-service": {"duration_minutes": "0"},
        "service": {"duration_minutes": "0"},
        "service, tax": {"percent": "-1"},
    }[form.route if form.good.get("do") != "tax" else "service, tax"]
    typed = {name: f'<i>{name}</i> & "co"' for name in form.good if name in TYPED}
    secrets = dict.fromkeys(form.secret, "a secret <i>that</i> was typed")
    answer = send(form, {**typed, **wrong, **secrets})
    assert answer.status_code == 422
    text = _words(answer)
    for value in typed.values():
        assert value not in text
        assert value in html.unescape(text)
    [(name, value)] = wrong.items()
    assert f'value="{value}"' in text or name == "role"
    assert "a secret" not in html.unescape(text)
    assert 'role="alert"' in text
    assert 'aria-invalid="true"' in text


def test_names_with_markup_are_printed_escaped_on_every_page_that_shows_them(
    cast: Cast, maple: Any
) -> None:
    Client.objects.filter(pk=cast.casey.pk).update(
        first_name=MARKUP[:90],
        preferred_name="<i>Cas</i>",
        address="<u>1</u>\n<u>2</u>",
        emergency_contact="<s>x</s>\ny",
    )
    cast.tara.display_name, cast.tara.title = "<i>Tara</i> T", "<u>RP</u>"
    cast.tara.save()
    appointment = make_appointment(cast.tara, cast.casey, service=cast.individual)
    owner = Visitor(maple, "office", cast.olivia.account)
    therapist = Visitor(maple, "office", cast.tara.account)
    client = Visitor(maple, "portal", cast.casey_account)
    ids = {"client": cast.casey.uuid}
    pages = [owner.go("clients"), owner.go("staff"), owner.go("today", {"whose": "everyone"})]
    pages += [owner.go(r, **ids) for r in ("client", "edit-client", "client-access")]
    pages += [owner.go(r, **ids) for r in ("client-sessions", "client-messages")]
    pages += [owner.go("appointment", appointment=appointment.uuid)]
    pages += [owner.go("book", {"client": str(cast.casey.uuid), "q": "cas"})]
    pages += [therapist.go("today"), therapist.go("sessions"), therapist.go("account")]
    pages += [therapist.go("room", appointment=appointment.uuid)]
    pages += [client.go("account"), client.go("sessions", **ids), client.go("details", **ids)]
    seen = 0
    for page in pages:
        assert page.status_code == 200
        text = page.content.decode()
        assert not re.search(r"<script>alert|<i>Cas|<u>1|<s>x|<i>Tara|<u>RP", text)
        assert "49{" not in text
        seen += "&lt;" in text
    assert seen > 12


# Bodies


@pytest.mark.one_database
@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.name)
def test_a_body_that_is_none_gets_4xx_or_the_form_again(
    form: Form, send: Callable[..., Any]
) -> None:
    from django.db import transaction

    multipart = "multipart/form-data; boundary=x"
    url = "application/x-www-form-urlencoded"
    bodies: list[tuple[bytes, str]] = [
        (b"--x\r\nnot a part at all", multipart),
        (
            b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\n\xff\xfe\r\n--x--',
            multipart,
        ),
        (b"", "multipart/form-data"),
        (b"x", "multipart/form-data; boundary=" + "b" * 500),
        (b"email=%FF%FE&first_name=%C3%28&new_password=\xff\xff", url),
        (b"%00=%00&=&&&;;" + b"&" * 150, url),
        (b"a=1&" * 1000, url),
        (b"email=x", url + "; charset=utf-7"),
        (b"email=x", url + "; charset=nonsense"),
        (b'{"email": "x"}', "application/json"),
        (b"\x00" * 100, "application/octet-stream"),
        (b"first_name=" + b"x" * 3_000_000, url),
        (
            b'--x\r\nContent-Disposition: form-data; name="email"; filename="a"\r\n\r\n'
            + b"x" * 3_000_000
            + b"\r\n--x--\r\n",
            multipart,
        ),
    ]  # fmt: skip
    # Where nothing ticked is an answer, too, an empty form is right.
    plain = not form.good or form.route == "prospect-mail"
    for body, kind in bodies:
        with transaction.atomic():
            answer = send(form, {}, data=body, content_type=kind)
            where = f"{form.name} {kind} {body[:30]!r}"
            assert answer.status_code < 500, where
            if len(body) > 1_000_000 and kind == url and not plain:
                assert 400 <= answer.status_code < 500, where
            if answer.status_code == 302 and not plain:
                # An empty form is right where every field may be empty.
                assert form.route in ("details", "log-in", "attendance", "billed"), where
            _words(answer)
            transaction.set_rollback(True)


@pytest.mark.parametrize(
    "query",
    ["q=" + "x" * 5000, "q=%00", "q=%FF%FE", "page=0", "page=-1", "page=99999999999999999999",
     "page=abc", "day=0000-00-00", "day=9999-12-31", "day=%00", "whose=garbage", "whose=everyone",
     "client=garbage", "client=&client=", "person=garbage", "next=" + "/" * 900, "idle=&out=%00"],
)  # fmt: skip
def test_no_query_breaks_a_page(cast: Cast, maple: Any, query: str) -> None:
    owner = Visitor(maple, "office", cast.olivia.account)
    client = Visitor(maple, "portal", cast.casey_account)
    ids = {"client": cast.casey.uuid}
    for visitor, names in (
        (owner, ["clients", "prospects", "today", "sessions", "book", "messages", "staff"]),
        (client, ["account", "time-zone"]),
        (Visitor(maple, "office"), ["log-in", "forgot-password"]),
    ):
        visitor.raise_request_exception = False
        for name in names:
            answer = visitor.get(f"{visitor.path(name)}?{query}")
            assert answer.status_code in (200, 404), (name, query)
    for name in ("client-sessions", "client-messages"):
        assert owner.get(f"{owner.path(name, **ids)}?{query}").status_code == 200
    assert client.get(f"{client.path('sessions', **ids)}?{query}").status_code == 200


@pytest.mark.parametrize(
    "cookie",
    ["", "x" * 4000, "\x01\x02", "'; DROP TABLE", "é" * 20, "a" * 32, "None", "../../x"],
)
def test_no_cookie_breaks_a_page(cast: Cast, maple: Any, cookie: str) -> None:
    visitor = Visitor(maple, "portal")
    visitor.raise_request_exception = False
    header = f"roost-portal-maple={cookie}; roost-portal-maple_csrf={cookie}; =; ;;"
    for name, status in (("log-in", 200), ("account", 302)):
        answer = visitor.get(visitor.path(name), HTTP_COOKIE=header)
        assert answer.status_code == status
