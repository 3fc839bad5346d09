"""The therapist provides credentials: every step of it, over HTTP, and what must not come of it."""

import logging
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from roost.accounts.enums import LinkPurpose
from roost.accounts.links import make_link
from roost.accounts.models import Account, MailLink, SignIn
from roost.accounts.queries import newest_invitation
from roost.accounts.services import set_starter_password
from roost.audit.models import AuditEvent
from roost.clients.enums import Relationship
from roost.clients.models import Client, PortalAccess
from roost.clients.services import give_starter_password, take_access_away
from roost.core.time import now
from roost.office.trail import trail_of
from roost.outbox.models import OutgoingMessage
from roost.outbox.services import deliver_due
from roost.practices.models import Practice
from roost.staff.models import StaffMember
from tests.support.cast import PASSWORD, give, make_account, make_client, shown
from tests.support.doors import Visitor
from tests.support.post import Post, post_office
from tests.support.rows import all_rows

Door = Callable[..., Visitor]
NOOR = "noor@client.example"
STARTER = "kettle-orbit-walnut-47"
NEW = "my own quiet sentence"


@pytest.fixture
def post(settings: Any) -> Any:
    with post_office() as post:
        settings.ROOST_SMTP = post.settings
        yield post


def _fields(answer: Any) -> dict[str, str]:
    """What the access form holds, as a browser would send it."""
    text = answer.content.decode()
    form = text[text.index('autocomplete="off">') : text.index("</form>", text.index('name="do"'))]
    values = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', form))
    values.pop("csrfmiddlewaretoken", None)
    [chosen] = re.findall(r'<option value="([^"]*)" selected', form)
    return {**values, "relationship": chosen}


def _sure(asked: Any, relationship: str = "self") -> dict[str, str]:
    """The same form, once the question on it has been answered."""
    return {**_fields(asked), "relationship": relationship}


def _open(visitor: Visitor, client: Client) -> dict[str, str]:
    return _fields(visitor.go("client-access", client=client.uuid))


def _press(visitor: Visitor, client: Client, do: str, **values: str) -> Any:
    return visitor.send("client-access", {"do": do, **values}, client=client.uuid)


def _save(visitor: Visitor, client: Client, email: str = NOOR, **values: str) -> Any:
    first = {**_open(visitor, client), "email": email, "starter_password": STARTER}
    return _press(visitor, client, "save", **{**first, **values})


def _secret(answer: Any) -> str:
    found = re.search(r'<span class="secret">([^<]+)</span>', answer.content.decode())
    assert found
    return found[1]


def _events(action: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action=action).order_by("pk"))


def _log_in(portal: Door, password: str, email: str = NOOR) -> Any:
    return portal().send("log-in", {"email": email, "password": password})


# Step by step


def test_the_whole_way_from_the_record_to_my_account(
    office: Door, portal: Door, tara: StaffMember, noor: Client
) -> None:
    therapist = office(tara)
    # Office → Clients → the record → Contact & Clinical → Account Details → Edit
    listed = therapist.go("clients").content.decode()
    assert therapist.path("client", client=noor.uuid) in listed
    record = therapist.go("client", client=noor.uuid).content.decode()
    assert "Contact &amp; Clinical" in record
    assert "Account Details" in record
    assert "No portal access yet" in record
    assert therapist.path("client-access", client=noor.uuid) in record
    # Email and Starter password, with Generate
    fields = _open(therapist, noor)
    assert (fields["email"], fields["relationship"]) == (NOOR, "self")
    assert fields["starter_password"] == ""
    generated = _fields(_press(therapist, noor, "generate", **fields))
    assert generated["form_key"] == fields["form_key"]
    password = generated["starter_password"]
    assert re.fullmatch(r"[a-z]+(-[a-z]+){3}-\d\d", password)
    # Save
    card = _press(therapist, noor, "save", **generated)
    text = card.content.decode()
    assert _secret(card) == password
    assert NOOR in text
    # As one reads it out, and as one types it.
    assert '<dd class="any">127.0.0.1:8000/portal/maple</dd>' in text
    assert portal().get("/portal/maple")["Location"] == "/portal/maple/"
    assert '<svg class="qr' in text or "<path d=" in text
    assert "My Account" in text
    assert "Forgot Your Password?" in text
    # The client logs in and chooses a password
    client = portal()
    answer = client.send("log-in", {"email": NOOR, "password": password})
    assert answer["Location"] == "/portal/maple/choose-password/"
    assert client.send("choose-password", {"new_password": NEW})["Location"] == (
        "/portal/maple/my-account/"
    )
    assert "Noor Haddad" in client.go("account").content.decode()
    account = Account.objects.get(email=NOOR)
    assert account.vouched_at is not None
    assert account.mailbox_proven_at is None
    assert "Can log in" in therapist.go("client", client=noor.uuid).content.decode()


def test_the_card_is_the_answer_to_save_and_stands_nowhere_else(
    office: Door, tara: StaffMember, noor: Client, caplog: pytest.LogCaptureFixture
) -> None:
    therapist = office(tara)
    with caplog.at_level(logging.DEBUG):
        card = _save(therapist, noor)
    assert card.status_code == 200
    assert card["Cache-Control"] == "no-store"
    assert not card.has_header("Location")
    assert _secret(card) == STARTER
    assert card.content.decode().count(STARTER) == 1
    rows = all_rows()
    assert NOOR in rows
    assert STARTER not in rows
    assert STARTER not in caplog.text
    for row in SignIn.objects.all():
        from roost.accounts.sessions import SessionStore

        assert STARTER not in str(SessionStore().decode(row.session_data))
    assert STARTER not in "".join(therapist.cookies.output())
    for route in ("client", "client-access", "client-messages"):
        assert STARTER not in therapist.go(route, client=noor.uuid).content.decode()
    [access], [given], [starter] = (
        PortalAccess.objects.filter(client=noor),
        _events("access.given"),
        _events("starter.given"),
    )
    assert (access.relationship, access.given_by) == (Relationship.SELF, tara)
    assert (given.actor, given.client_uuid) == (tara.account, noor.uuid)
    assert given.details == {"relationship": "self", "account": str(access.account.uuid)}
    assert (starter.actor, starter.client_uuid, starter.details) == (tara.account, noor.uuid, {})


def test_a_resubmit_shows_the_record_with_words_and_without_the_password(
    office: Door, portal: Door, tara: StaffMember, noor: Client
) -> None:
    therapist = office(tara)
    fields = {**_open(therapist, noor), "starter_password": STARTER}
    assert _secret(_press(therapist, noor, "save", **fields)) == STARTER
    again = _press(therapist, noor, "save", **{**fields, "starter_password": "other-words-here-12"})
    assert again["Location"] == therapist.path("client", client=noor.uuid)
    shown = therapist.get(again["Location"]).content.decode()
    assert "was shown once, and can’t be shown again" in shown
    assert "Generate" in shown
    assert STARTER not in shown
    assert "other-words-here-12" not in shown
    assert PortalAccess.objects.filter(client=noor).count() == 1
    assert len(_events("starter.given")) == 1
    assert _log_in(portal, "other-words-here-12").status_code == 422
    assert _log_in(portal, STARTER).status_code == 302


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Type one, or press Generate"),
        ("short", "needs 12 or more"),
        ("maple-noor-haddad", "too close to your name"),
        ("password12345", "on the lists"),
    ],
)
def test_a_starter_password_keeps_to_the_rules_of_passwords(
    office: Door, tara: StaffMember, noor: Client, typed: str, words: str
) -> None:
    answer = _save(office(tara), noor, starter_password=typed)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Account.objects.filter(email=NOOR).exists()
    assert not PortalAccess.objects.filter(client=noor).exists()
    assert _events("access.given") == []


def test_a_new_starter_password_takes_the_place_of_the_old_one(
    office: Door, portal: Door, tara: StaffMember, noor: Client
) -> None:
    therapist = office(tara)
    _save(therapist, noor)
    client = portal()
    client.send("log-in", {"email": NOOR, "password": STARTER})
    assert client.go("choose-password").status_code == 200
    card = _save(therapist, noor, starter_password="lantern-gravel-teapot-31")
    assert _secret(card) == "lantern-gravel-teapot-31"
    assert client.go("choose-password")["Location"].startswith("/portal/maple/log-in/")
    assert _log_in(portal, STARTER).status_code == 422
    assert _log_in(portal, "lantern-gravel-teapot-31").status_code == 302
    assert PortalAccess.objects.filter(client=noor).count() == 1


def test_a_starter_password_lives_as_long_as_the_practice_says(
    office: Door, tara: StaffMember, noor: Client, maple: Practice
) -> None:
    for days in (1, 7, 30):
        Practice.objects.filter(pk=maple.pk).update(starter_password_days=days)
        before = now()
        card = _save(office(tara), noor)
        account = Account.objects.get(email=NOOR)
        assert account.starter_expires_at is not None
        assert (
            timedelta()
            <= account.starter_expires_at - before - timedelta(days=days)
            < (timedelta(seconds=10))
        )
        assert "Starter password, until" in card.content.decode()


# Addresses that have a log-in already


def test_an_address_with_an_own_password_is_asked_about_and_keeps_it(
    office: Door, portal: Door, tara: StaffMember, noor: Client, casey_account: Account
) -> None:
    therapist = office(tara)
    before = casey_account.password
    sign_in = portal(casey_account)
    asked = _save(therapist, noor, casey_account.email, relationship="partner")
    assert asked.status_code == 409
    text = asked.content.decode()
    assert "casey@client.example has a log-in already" in text
    assert "They use the password they already have" in text
    # So none is asked for, and no link to choose one is offered.
    assert 'name="starter_password"' not in text
    assert 'value="invite"' not in text
    assert not PortalAccess.objects.filter(client=noor).exists()
    assert OutgoingMessage.objects.count() == 0
    fields = _fields(asked)
    assert fields["confirmed"] == casey_account.email
    # Nobody is tied to a log-in of somebody's without a word on what they are to the client.
    assert fields["relationship"] == ""
    unsaid = _press(therapist, noor, "save", **fields)
    assert unsaid.status_code == 422
    assert not PortalAccess.objects.filter(client=noor).exists()
    card = _press(therapist, noor, "save", **{**fields, "relationship": "partner"})
    assert card.status_code == 200
    assert "They use the password they already have" in card.content.decode()
    assert STARTER not in card.content.decode()
    [access] = PortalAccess.objects.filter(client=noor)
    assert (access.account, access.relationship) == (casey_account, "partner")
    casey_account.refresh_from_db()
    assert (casey_account.password, casey_account.starter_password) == (before, "")
    assert _log_in(portal, PASSWORD, casey_account.email).status_code == 302
    assert _log_in(portal, STARTER, casey_account.email).status_code == 422
    assert sign_in.go("account").status_code == 200
    [message] = OutgoingMessage.objects.all()
    assert (message.kind, message.to) == ("access_given", casey_account.email)
    assert _events("starter.given") == []


def test_an_address_corrected_beside_the_question_is_asked_about_anew(
    office: Door, tara: StaffMember, noor: Client, casey_account: Account, parker_account: Account
) -> None:
    """The answer was about another address: a stranger would be let in by a slip."""
    therapist = office(tara)
    asked = _save(therapist, noor, casey_account.email)
    corrected = {**_sure(asked), "email": parker_account.email}
    for do in ("save", "invite"):
        again = _press(therapist, noor, do, **corrected)
        assert again.status_code == 409
        assert f"{parker_account.email} has a log-in already" in again.content.decode()
    assert not PortalAccess.objects.filter(client=noor).exists()
    assert _press(therapist, noor, "save", **_sure(again)).status_code == 200
    assert PortalAccess.objects.get(client=noor).account == parker_account


def test_the_question_does_not_say_whose_the_address_is(
    office: Door, tara: StaffMember, noor: Client, parker_account: Account, robin: Client
) -> None:
    asked = _save(office(tara), noor, parker_account.email)
    assert asked.status_code == 409
    assert robin.name == "Robin Parker"
    assert not re.search(
        r"Robin|Remy|Theo|Parker\b", asked.content.decode().replace("parker@client.example", "")
    )


def test_the_address_of_a_colleague_keeps_its_password(
    office: Door, portal: Door, tara: StaffMember, theo: StaffMember, noor: Client
) -> None:
    before = theo.account.password
    asked = _save(office(tara), noor, theo.account.email)
    assert asked.status_code == 409
    card = _press(office(tara), noor, "save", **_sure(asked))
    assert "They use the password they already have" in card.content.decode()
    theo.account.refresh_from_db()
    assert (theo.account.password, theo.account.starter_password) == (before, "")
    assert _log_in(portal, PASSWORD, theo.account.email).status_code == 302


def test_a_colleague_who_has_no_password_yet_gets_no_starter_password(
    office: Door, tara: StaffMember, theo: StaffMember, noor: Client
) -> None:
    theo.account.set_unusable_password()
    theo.account.save()
    asked = _save(office(tara), noor, theo.account.email)
    assert asked.status_code == 409
    card = _press(office(tara), noor, "save", **_sure(asked))
    assert card.status_code == 200
    assert STARTER not in card.content.decode()
    theo.account.refresh_from_db()
    assert theo.account.starter_password == ""


def test_a_starter_password_tied_to_a_colleagues_client_is_not_replaced(
    office: Door, portal: Door, tara: StaffMember, theo: StaffMember, noor: Client, remy: Client
) -> None:
    shared = make_account("shared@client.example")
    shared.set_unusable_password()
    shared.save()
    give(shared, remy, Relationship.PARENT)
    set_starter_password(shared, "theos-own-words-12", days=7)
    asked = _save(office(tara), noor, shared.email)
    assert asked.status_code == 409
    card = _press(office(tara), noor, "save", **_sure(asked))
    assert card.status_code == 200
    assert STARTER not in card.content.decode()
    assert _log_in(portal, "theos-own-words-12", shared.email).status_code == 302
    assert _log_in(portal, STARTER, shared.email).status_code == 422
    assert PortalAccess.objects.filter(account=shared, client=noor).exists()


def test_a_starter_password_tied_to_own_clients_is_replaced_after_the_question(
    office: Door, portal: Door, tara: StaffMember, noor: Client, casey: Client
) -> None:
    _save(office(tara), noor)
    asked = _save(office(tara), casey, NOOR, starter_password="lantern-gravel-teapot-31")
    assert asked.status_code == 409
    assert "They use the password they already have" not in asked.content.decode()
    card = _press(office(tara), casey, "save", **_sure(asked))
    assert _secret(card) == "lantern-gravel-teapot-31"
    assert _log_in(portal, STARTER).status_code == 422
    assert _log_in(portal, "lantern-gravel-teapot-31").status_code == 302


def test_an_address_of_another_practice_is_new_here(
    office: Door, tara: StaffMember, noor: Client, other: Any
) -> None:
    card = _save(office(tara), noor, "olivia@cedar.example")
    assert _secret(card) == STARTER
    assert Account.objects.filter(email="olivia@cedar.example").count() == 1


# Invitations


def _states(client: Client) -> list[tuple[str, str]]:
    link = newest_invitation(client.uuid)
    assert link is not None
    return [(step.words, step.state) for step in trail_of(link)]


def test_an_invitation_shows_its_state_at_each_step(
    office: Door, portal: Door, tara: StaffMember, noor: Client, post: Post
) -> None:
    therapist = office(tara)

    def seen() -> str:
        text = therapist.go("client", client=noor.uuid).content.decode()
        found = re.search(r'class="trail">(.*?)</ul>', text, re.S)
        assert found
        return re.sub(r"\s*<[^>]+>\s*", "|", found[1]).strip("|").replace("||", "|")

    sent = _press(therapist, noor, "invite", **_open(therapist, noor))
    assert sent["Location"] == therapist.path("client", client=noor.uuid)
    assert "is in the outbox" in therapist.get(sent["Location"]).content.decode()
    assert seen() == "Queued|Accepted by the mail server|Done"
    assert _states(noor)[0] == ("Queued", "now")
    post.on_recipient = lambda to: "451 greylisted"
    deliver_due()
    assert seen() == (
        "Queued|Not there yet. The mail server refused it. It is tried again by itself."
    )
    post.on_recipient = lambda to: "550 no such user"
    OutgoingMessage.objects.update(due_at=now())
    deliver_due()
    assert seen() == (
        "Queued|Failed. That address doesn’t exist. "
        "Correct it under Edit, or give a starter password."
    )
    post.on_recipient = lambda to: None
    OutgoingMessage.objects.update(state="queued", due_at=now())
    deliver_due()
    assert seen() == "Queued|Accepted by the mail server|Link used|Done"
    assert _states(noor)[-2:] == [("Link used", ""), ("Done", "")]
    path = urlsplit(post.received[0].link).path
    portal().get(path)
    assert _states(noor)[-2:] == [("Link used", ""), ("Done", "")]
    portal().post(path, {"new_password": "short"})
    assert _states(noor)[-1] == ("Choosing a password", "now")
    portal().post(path, {"new_password": NEW})
    assert _states(noor)[-1] == ("Done", "done")
    assert "Can log in" in therapist.go("client", client=noor.uuid).content.decode()
    [event] = _events("invitation.sent")
    assert (event.actor, event.client_uuid, event.details) == (tara.account, noor.uuid, {})


def test_an_invitation_that_nobody_needs_any_more_is_no_failure(
    office: Door, portal: Door, tara: StaffMember, noor: Client, post: Post
) -> None:
    """Who was invited and got in by a starter password is in; there is nothing to send again."""
    therapist = office(tara)
    _press(therapist, noor, "invite", **_open(therapist, noor))
    deliver_due()
    _save(therapist, noor)
    assert "Send again" in therapist.go("client", client=noor.uuid).content.decode()
    client = portal()
    client.send("log-in", {"email": NOOR, "password": STARTER})
    client.send("choose-password", {"new_password": NEW})
    assert _states(noor) == [
        ("Queued", "done"), ("Accepted by the mail server", "done"), ("Not needed any more", ""),
    ]  # fmt: skip
    page = therapist.go("client", client=noor.uuid).content.decode()
    assert "Not needed any more" in page
    assert "Send again" not in page
    # One that had not left yet leaves no more, and that is no failure either.
    OutgoingMessage.objects.filter(kind="invitation").update(state="queued", due_at=now())
    assert _states(noor) == [("Queued", "done"), ("Not needed any more", "")]
    deliver_due()
    assert OutgoingMessage.objects.get(kind="invitation").state == "failed"
    assert _states(noor) == [("Queued", "done"), ("Not needed any more", "")]
    # Access that was taken away is another thing.
    held = PortalAccess.objects.get(client=noor)
    Account.objects.filter(pk=held.account_id).update(password="!")
    assert _states(noor)[-1][1] == "failed"


def test_an_invitation_sent_twice_by_one_form_is_sent_once(
    office: Door, tara: StaffMember, noor: Client
) -> None:
    therapist = office(tara)
    fields = _open(therapist, noor)
    assert [_press(therapist, noor, "invite", **fields).status_code for _ in range(2)] == [302, 302]
    assert MailLink.objects.count() == OutgoingMessage.objects.count() == 1


def test_a_second_invitation_takes_the_place_of_the_first(
    office: Door, portal: Door, tara: StaffMember, noor: Client, post: Post
) -> None:
    for _ in range(2):
        _press(office(tara), noor, "invite", **_open(office(tara), noor))
        deliver_due()
    first, second = (urlsplit(r.link).path for r in post.received)
    assert portal().get(first).status_code == 410
    assert portal().get(second).status_code == 200
    assert PortalAccess.objects.filter(client=noor).count() == 1


def test_a_sixth_invitation_within_the_hour_is_refused_in_words(
    office: Door, tara: StaffMember, noor: Client
) -> None:
    therapist = office(tara)
    for _ in range(5):
        assert _press(therapist, noor, "invite", **_open(therapist, noor)).status_code == 302
    sixth = _press(therapist, noor, "invite", **_open(therapist, noor))
    assert sixth.status_code == 422
    assert "Five e-mails went to this address within the hour" in sixth.content.decode()
    assert OutgoingMessage.objects.count() == 5
    assert _secret(_save(therapist, noor)) == STARTER


def test_an_invitation_to_somebody_with_a_password_only_tells_them(
    office: Door, tara: StaffMember, noor: Client, casey_account: Account
) -> None:
    therapist = office(tara)
    asked = _press(
        therapist, noor, "invite", **{**_open(therapist, noor), "email": casey_account.email}
    )
    assert asked.status_code == 409
    _press(therapist, noor, "invite", **_sure(asked))
    assert [m.kind for m in OutgoingMessage.objects.all()] == ["access_given"]
    assert MailLink.objects.count() == 0


# Access is taken away


def test_taking_access_away_ends_every_sign_in_in_the_same_transaction(
    office: Door,
    portal: Door,
    tara: StaffMember,
    casey: Client,
    casey_account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from roost.clients import services

    held = PortalAccess.objects.get(client=casey)
    one, two = portal(casey_account), portal(casey_account)
    assert one.go("account").status_code == 200
    therapist = office(tara)
    asked = therapist.go("take-access-away", client=casey.uuid, access=held.uuid)
    assert casey_account.email in asked.content.decode()
    monkeypatch.setattr(services, "enqueue", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        therapist.send("take-access-away", client=casey.uuid, access=held.uuid)
    assert two.go("account").status_code == 200
    assert _events("access.taken") == []
    monkeypatch.undo()
    done = therapist.send("take-access-away", client=casey.uuid, access=held.uuid)
    assert done["Location"] == therapist.path("client", client=casey.uuid)
    assert one.go("account").status_code == two.go("account").status_code == 302
    assert SignIn.objects.filter(account=casey_account).count() == 0
    [event] = _events("access.taken")
    assert (event.actor, event.client_uuid) == (tara.account, casey.uuid)
    assert [m.kind for m in OutgoingMessage.objects.all()] == ["access_taken"]
    back = portal()
    back.send("log-in", {"email": casey_account.email, "password": PASSWORD})
    page = back.go("account").content.decode()
    assert "Casey Nguyen" not in page
    assert back.go("details", client=casey.uuid).status_code == 404
    assert (
        therapist.send("take-access-away", client=casey.uuid, access=held.uuid).status_code == 404
    )


def test_a_starter_password_and_an_invitation_die_with_the_last_access(
    office: Door, portal: Door, tara: StaffMember, noor: Client, post: Post
) -> None:
    therapist = office(tara)
    _press(therapist, noor, "invite", **_open(therapist, noor))
    _save(therapist, noor)
    deliver_due()
    path = urlsplit(post.received[0].link).path
    assert portal().get(path).status_code == 200
    held = PortalAccess.objects.get(client=noor)
    therapist.send("take-access-away", client=noor.uuid, access=held.uuid)
    assert _log_in(portal, STARTER).status_code == 422
    assert portal().get(path).status_code == 410
    assert portal().post(path, {"new_password": NEW}).status_code == 410


def test_what_ends_with_the_last_access_ends_once_and_is_written_down(
    office: Door, tara: StaffMember, noor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from roost.accounts import services

    _save(office(tara), noor)
    held = PortalAccess.objects.get(client=noor)
    # They had asked for a link of their own.
    reset = make_link(held.account, LinkPurpose.RESET, door="portal")
    pushed: list[str] = []
    monkeypatch.setattr(services, "push", lambda group, message: pushed.append(group))
    take_access_away(access=held, by=tara)
    assert len(pushed) == 1
    reset.refresh_from_db()
    assert reset.replaced_at is not None
    [taken] = _events("starter.taken")
    assert (taken.actor, taken.subject_uuid) == (tara.account, held.account.uuid)


def test_a_colleague_who_was_a_client_keeps_their_way_into_the_office(
    office: Door, olivia: StaffMember, noor: Client
) -> None:
    """Invited as staff, and taken off a record before they have chosen a password."""
    account = make_account("nina@maple.example")
    account.set_unusable_password()
    account.save()
    held = give(account, noor)
    invitation = make_link(held.account, LinkPurpose.STAFF_INVITATION, door="office")
    reset = make_link(held.account, LinkPurpose.RESET, door="portal")
    take_access_away(access=held, by=olivia)
    for link in (invitation, reset):
        link.refresh_from_db()
    assert invitation.is_live(now())
    assert not reset.is_live(now())


# Whose client it is


@pytest.mark.parametrize("route", ["client", "edit-client", "client-access", "client-sessions"])
def test_a_therapist_finds_nothing_of_a_colleagues_client_and_the_try_is_kept(
    office: Door, tara: StaffMember, theo: StaffMember, noor: Client, route: str
) -> None:
    assert office(tara).go(route, client=noor.uuid).status_code == 200
    answer = office(theo).go(route, client=noor.uuid)
    nobody = office(theo).go(route, client=uuid.uuid4())
    assert (answer.status_code, nobody.status_code) == (404, 404)
    strip = re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"')
    assert strip.sub("", answer.content.decode()) == strip.sub("", nobody.content.decode())
    refusals = _events("access.refused")
    assert [(e.actor, e.details["client"]) for e in refusals][:1] == [
        (theo.account, str(noor.uuid))
    ]
    assert refusals[0].details == {
        "status": 404,
        "route": f"office:{route}",
        "client": str(noor.uuid),
    }


def test_a_colleague_cannot_give_access_to_a_client_of_somebody_else(
    office: Door, tara: StaffMember, theo: StaffMember, noor: Client
) -> None:
    fields = {**_open(office(tara), noor), "starter_password": STARTER}
    for do in ("save", "generate", "invite"):
        assert _press(office(theo), noor, do, **fields).status_code == 404
    assert not PortalAccess.objects.filter(client=noor).exists()


def test_lists_and_searches_hold_own_clients_only(
    office: Door, olivia: StaffMember, tara: StaffMember, theo: StaffMember
) -> None:
    def names(member: StaffMember, **query: str) -> list[str]:
        text = office(member).go("clients", query).content.decode()
        return re.findall(r'class="name any" href="[^"]+">([^<]+)<', text)

    assert names(olivia) == ["Noor Haddad", "Casey Nguyen", "Remy Parker", "Robin Parker"]
    assert names(tara) == ["Noor Haddad", "Casey Nguyen"]
    assert names(theo) == ["Remy Parker", "Robin Parker"]
    assert names(tara, q="parker") == []
    assert names(olivia, q="PARKER rob") == ["Robin Parker"]
    assert names(tara, q="casey@client") == ["Casey Nguyen"]


def test_a_therapist_who_adds_a_client_is_assigned_and_an_owner_chooses(
    office: Door, tara: StaffMember, olivia: StaffMember, theo: StaffMember
) -> None:
    names = {"first_name": "Zoe", "last_name": "Quill"}
    key = str(uuid.uuid4())
    for _ in range(2):
        answer = office(tara).send("add-client", {**names, "form_key": key})
        assert answer.status_code == 302
    client = Client.objects.get(last_name="Quill")
    assert list(client.therapists.all()) == [tara]
    # A field that a therapist's form does not have is not read.
    sneaky = {**names, "last_name": "Sneak", "form_key": str(uuid.uuid4())}
    office(tara).send("add-client", {**sneaky, "therapists": [str(theo.uuid)]})
    assert list(Client.objects.get(last_name="Sneak").therapists.all()) == [tara]
    office(olivia).send(
        "add-client",
        {**names, "last_name": "Owned", "form_key": str(uuid.uuid4()), "therapists": [theo.uuid]},
    )
    assert list(Client.objects.get(last_name="Owned").therapists.all()) == [theo]
    assert len(_events("client.added")) == 3
    sneaky |= {"therapists": [theo.uuid], "shown": shown(client)}
    assert office(tara).send("edit-client", sneaky, client=client.uuid).status_code == 302
    assert list(client.therapists.all()) == [tara]


def test_the_client_is_told_nothing_of_a_record_that_is_not_theirs(
    portal: Door, parker_account: Account, casey: Client, casey_account: Account
) -> None:
    assert portal(casey_account).go("details", client=casey.uuid).status_code == 200
    for route in ("details", "sessions"):
        assert portal(parker_account).go(route, client=casey.uuid).status_code == 404
    visitor = portal(parker_account)
    assert visitor.get(visitor.path("account"), {"person": str(casey.uuid)}).status_code == 404
    assert make_client("A B").pk


def test_who_is_away_stands_ticked_in_the_form_and_keeps_their_clients(
    office: Door, olivia: StaffMember, theo: StaffMember, tara: StaffMember
) -> None:
    """Or sees nobody new. Saving another field takes nothing away, and unticking them does."""
    client = make_client("Ines Ortiz", tara, theo)
    for away in ({"sees_clients": False}, {"is_active": False}):
        StaffMember.objects.filter(pk=theo.pk).update(**away)
        page = office(olivia).go("edit-client", client=client.uuid).content.decode()
        boxes = re.findall(r'<input type="checkbox" name="therapists" value="([^"]+)"[^>]*', page)
        assert ("Theo Lang, RSW (away)" in page) == ("is_active" in away)
        assert "Tara Okafor, RP (away)" not in page
        ticked = re.findall(r'name="therapists" value="([^"]+)"[^>]* checked', page)
        assert set(ticked) == {str(tara.uuid), str(theo.uuid)} <= set(boxes)
        typed = {
            "first_name": "Ines", "last_name": "Ortiz", "therapists": ticked,
            "form_key": str(uuid.uuid4()), "phone": f"416 555 01{len(str(away))}",
            "shown": shown(client),
        }  # fmt: skip
        assert office(olivia).send("edit-client", typed, client=client.uuid).status_code == 302
        assert set(client.assignments.values_list("therapist_id", flat=True)) == {tara.pk, theo.pk}
    changed = AuditEvent.objects.filter(action="client.changed", client_uuid=client.uuid)
    assert {name for event in changed for name in event.details["fields"]} == {"phone"}
    typed |= {"therapists": [str(tara.uuid)], "shown": shown(client)}
    assert office(olivia).send("edit-client", typed, client=client.uuid).status_code == 302
    assert set(client.assignments.values_list("therapist_id", flat=True)) == {tara.pk}
    # Another client's form does not offer them.
    other = make_client("Ida Orr", tara)
    page = office(olivia).go("edit-client", client=other.uuid).content.decode()
    assert str(theo.uuid) not in page


def test_a_payers_address_does_not_become_the_clients(tara: StaffMember) -> None:
    """It is no evidence of who the client is, and would be ranked as such later."""
    client = make_client("Ines Ortiz", tara)
    give_starter_password(
        key=uuid.uuid4(), client=client, email="ex@home.example", relationship="payer",
        starter_password=STARTER, confirmed=False, by=tara,
    )  # fmt: skip
    client.refresh_from_db()
    assert client.email == ""
    assert not AuditEvent.objects.filter(action="client.changed").exists()
