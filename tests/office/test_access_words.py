"""Client Portal Settings says what it did, keeps its question, and does what was sent."""

import html
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from roost.accounts.limits import count, mail_subjects
from roost.accounts.models import Account, MailLink
from roost.accounts.services import set_starter_password
from roost.audit.models import AuditEvent
from roost.clients.enums import Relationship
from roost.clients.models import Client, PortalAccess
from roost.outbox.kinds import compose
from roost.outbox.models import OutgoingMessage
from roost.staff.models import StaffMember
from tests.support.cast import give, make_account
from tests.support.doors import Visitor

Door = Callable[..., Visitor]
STARTER = "kettle-orbit-walnut-47"
NEW = "my own quiet sentence"


def _fields(answer: Any) -> dict[str, str]:
    """What the access form holds, as a browser would send it."""
    text = answer.content.decode()
    text = text[text.index('autocomplete="off">') :]
    text = text[: text.index("</form>")]
    values = {
        name: html.unescape(value)
        for name, value in re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', text)
    }
    values.pop("csrfmiddlewaretoken", None)
    offered = re.findall(r'<option value="([^"]*)"( selected)?', text)
    chosen = [value for value, selected in offered if selected]
    return {**values, "relationship": (chosen or [offered[0][0]])[0]}


def _open(visitor: Visitor, client: Client, **typed: str) -> dict[str, str]:
    return {**_fields(visitor.go("client-access", client=client.uuid)), **typed}


def _press(visitor: Visitor, client: Client, do: str, form: dict[str, str]) -> Any:
    return visitor.send("client-access", {**form, "do": do}, client=client.uuid)


def _said(visitor: Visitor, answer: Any) -> str:
    """What the page says of what was done: the answer itself, or the one it leads to."""
    if answer.status_code == 302:
        answer = visitor.get(answer["Location"])
    assert answer.status_code == 200
    found = re.findall(r'<div class="flash[^>]*>(.*?)</div>', answer.content.decode(), re.S)
    text = re.sub(r"<[^>]+>", "", " ".join(found))
    return html.unescape(re.sub(r"\s+", " ", text)).strip()


def _mails() -> list[tuple[str, str]]:
    return list(OutgoingMessage.objects.order_by("pk").values_list("kind", "to"))


@pytest.fixture
def shared(theo: StaffMember, remy: Client) -> Account:
    """A parent of Theo's client Remy, with a starter password that nobody has used yet."""
    account = make_account("shared@client.example")
    account.set_unusable_password()
    account.save()
    give(account, remy, Relationship.PARENT)
    set_starter_password(account, "theos-own-words-12", days=7)
    return account


# What is said of mail


@pytest.mark.parametrize("do", ["save", "invite"])
def test_who_is_let_in_already_is_told_nothing_and_no_page_says_they_are(
    office: Door, tara: StaffMember, casey: Client, do: str
) -> None:
    therapist = office(tara)
    answer = _press(therapist, casey, do, _open(therapist, casey, starter_password=STARTER))
    assert _mails() == []
    said = _said(therapist, answer)
    assert "told by e-mail" not in said
    assert "No e-mail was sent" in said
    assert STARTER not in answer.content.decode()
    assert not AuditEvent.objects.filter(action="access.given").exists()


@pytest.mark.parametrize("do", ["save", "invite"])
def test_another_relationship_is_new_and_its_holder_is_told(
    office: Door, tara: StaffMember, casey: Client, casey_account: Account, do: str
) -> None:
    therapist = office(tara)
    form = _open(therapist, casey, relationship="parent", starter_password=STARTER)
    answer = _press(therapist, casey, do, form)
    assert _mails() == [("access_given", casey_account.email)]
    assert "told by e-mail" in _said(therapist, answer)


def test_who_has_a_starter_password_of_a_colleagues_gets_a_link_to_choose_their_own(
    office: Door, portal: Door, tara: StaffMember, noor: Client, shared: Account
) -> None:
    """Nothing that Tara can hand over would let them in, and what they have may be over."""
    therapist = office(tara)
    first = _open(therapist, noor, email=shared.email, starter_password=STARTER)
    asked = _press(therapist, noor, "save", first)
    assert asked.status_code == 409
    assert "told by e-mail" not in asked.content.decode()
    card = _press(therapist, noor, "save", {**_fields(asked), "relationship": "parent"})
    said = _said(therapist, card)
    assert "a link to choose one is on its way there" in said
    text = card.content.decode()
    assert "They use the password they already have" not in text
    assert STARTER not in text
    [message] = OutgoingMessage.objects.all()
    assert (message.kind, message.to) == ("invitation", shared.email)
    assert message.client_uuid == noor.uuid
    assert AuditEvent.objects.filter(action="invitation.sent", client_uuid=noor.uuid).count() == 1
    assert not AuditEvent.objects.filter(action="starter.given", client_uuid=noor.uuid).exists()
    found = re.search(r"https?://\S+", compose(message)[1])
    assert found
    parent = portal()
    assert parent.post(urlsplit(found[0]).path, {"new_password": NEW}).status_code == 302
    assert parent.go("account", {"person": str(noor.uuid)}).status_code == 200


def test_the_question_promises_a_mail_only_where_one_will_be_written(
    office: Door, tara: StaffMember, noor: Client, casey: Client, casey_account: Account
) -> None:
    therapist = office(tara)
    form = _open(therapist, noor, email="new@home.example", starter_password=STARTER)
    assert _press(therapist, noor, "save", form).status_code == 200
    typed = {"email": "new@home.example", "starter_password": STARTER}
    asked = _press(therapist, casey, "save", _open(therapist, casey, **typed))
    assert asked.status_code == 409
    assert "told by e-mail" not in asked.content.decode()
    asked = _press(therapist, casey, "invite", _open(therapist, casey, **typed))
    assert "told by e-mail" in asked.content.decode()
    asked = _press(therapist, noor, "save", _open(therapist, noor, email=casey_account.email))
    assert "told by e-mail" in asked.content.decode()


def test_a_card_without_a_password_that_is_sent_again_says_nothing_of_one(
    office: Door, tara: StaffMember, noor: Client, casey_account: Account, shared: Account
) -> None:
    therapist = office(tara)
    for email, says in (
        (casey_account.email, "has access already. No e-mail was sent."),
        (shared.email, "An invitation to shared@client.example is in the outbox"),
    ):
        form = _open(therapist, noor, email=email, starter_password=STARTER)
        asked = _press(therapist, noor, "save", form)
        sure = {**_fields(asked), "relationship": "parent"}
        assert _press(therapist, noor, "save", sure).status_code == 200
        before = _mails()
        again = _press(therapist, noor, "save", sure)
        assert again["Location"] == therapist.path("client", client=noor.uuid)
        said = _said(therapist, again)
        assert says in said
        assert "shown once" not in said
        assert _mails() == before


# One form, sent again with something else in it


def test_a_form_sent_again_to_another_address_does_it_for_that_one_too(
    office: Door, tara: StaffMember, noor: Client
) -> None:
    therapist = office(tara)
    form = _open(therapist, noor)
    for email in ("noor@client.example", "noor@home.example", "noor@home.example"):
        sent = _press(therapist, noor, "invite", {**form, "email": email})
        assert f"An invitation to {email} is in the outbox" in _said(therapist, sent)
    assert _mails() == [("invitation", "noor@client.example"), ("invitation", "noor@home.example")]
    held = PortalAccess.objects.filter(client=noor, ended_at=None)
    assert set(held.values_list("account__email", flat=True)) == {
        "noor@client.example", "noor@home.example",
    }  # fmt: skip


@pytest.mark.parametrize("do", ["save", "invite"])
def test_a_form_sent_again_after_its_access_has_ended_does_not_say_that_it_stands(
    office: Door, tara: StaffMember, noor: Client, do: str
) -> None:
    """Payer, corrected to Self by a slip, and back to Payer: Self is what stands."""
    visitor = office(tara)
    form = _open(visitor, noor, email="paul@client.example", starter_password=STARTER)
    for relationship in ("payer", "self"):
        sent = {**form, "relationship": relationship, "confirmed": form["email"]}
        assert _press(visitor, noor, do, sent).status_code in (200, 302)
        visitor.go("client", client=noor.uuid)
    mails = _mails()
    back = {**form, "relationship": "payer", "confirmed": form["email"]}
    said = _said(visitor, _press(visitor, noor, do, back))
    assert "has been changed or taken away since. Nothing was done now." in said
    assert _mails() == mails
    [held] = PortalAccess.objects.filter(client=noor, ended_at=None)
    assert held.relationship == "self"


def test_a_card_asked_for_again_with_another_address_or_relationship_is_a_new_one(
    office: Door, tara: StaffMember, noor: Client
) -> None:
    therapist = office(tara)
    form = _open(therapist, noor, starter_password=STARTER)
    for typed in ({}, {"email": "noor@home.example"}, {"relationship": "parent"}):
        card = _press(therapist, noor, "save", {**form, **typed})
        assert card.status_code == 200
        assert f'<span class="secret">{STARTER}</span>' in card.content.decode()
    held = PortalAccess.objects.filter(client=noor, ended_at=None)
    assert set(held.values_list("account__email", "relationship")) == {
        ("noor@client.example", "parent"), ("noor@home.example", "self"),
    }  # fmt: skip


# The question stays until it is answered


@pytest.mark.parametrize("do", ["save", "invite"])
def test_the_question_stands_there_again_when_the_answer_says_no_relationship(
    office: Door, tara: StaffMember, noor: Client, casey_account: Account, do: str
) -> None:
    therapist = office(tara)
    asked = _press(therapist, noor, do, _open(therapist, noor, email=casey_account.email))
    unsaid = _press(therapist, noor, do, _fields(asked))
    assert unsaid.status_code == 422
    text = unsaid.content.decode()
    assert "casey@client.example has a log-in already" in text
    assert 'name="starter_password"' not in text
    assert f'name="do" value="{do}" hidden' in text
    again = _fields(unsaid)
    assert (again["confirmed"], again["relationship"]) == (casey_account.email, "")
    done = _press(therapist, noor, do, {**again, "relationship": "partner"})
    assert done.status_code in (200, 302)
    assert PortalAccess.objects.get(client=noor).relationship == "partner"


def test_what_was_chosen_under_the_question_stands_there_again_and_is_enough(
    office: Door, tara: StaffMember, noor: Client, shared: Account, casey: Client
) -> None:
    """A starter password that is refused, or made by Generate, costs nobody the answer."""
    PortalAccess.objects.filter(account=shared).update(client=casey)
    therapist = office(tara)
    first = _open(therapist, noor, email="Shared@Client.example", starter_password=STARTER)
    asked = _press(therapist, noor, "save", first)
    answer = {**_fields(asked), "relationship": "guardian", "starter_password": "short"}
    refused = _press(therapist, noor, "save", answer)
    assert refused.status_code == 422
    again = _fields(refused)
    assert (again["relationship"], again["confirmed"]) == ("guardian", shared.email)
    assert "shared@client.example has a log-in already" in refused.content.decode()
    generated = _press(therapist, noor, "generate", again)
    assert "shared@client.example has a log-in already" in generated.content.decode()
    ready = _fields(generated)
    assert (ready["relationship"], ready["confirmed"]) == ("guardian", shared.email)
    card = _press(therapist, noor, "save", ready)
    assert card.status_code == 200
    assert ready["starter_password"] in card.content.decode()


def test_the_question_stays_when_no_mail_may_leave_just_now(
    office: Door, tara: StaffMember, noor: Client, shared: Account
) -> None:
    therapist = office(tara)
    first = _open(therapist, noor, email=shared.email)
    asked = _press(therapist, noor, "invite", first)
    for _ in range(5):
        count(mail_subjects(shared.email))
    late = _press(therapist, noor, "invite", {**_fields(asked), "relationship": "parent"})
    assert late.status_code == 422
    assert "shared@client.example has a log-in already" in late.content.decode()
    again = _fields(late)
    assert (again["relationship"], again["confirmed"]) == ("parent", shared.email)
    assert MailLink.objects.count() == 0


def test_an_address_corrected_into_none_takes_the_question_away_and_chooses_nothing(
    office: Door, tara: StaffMember, noor: Client, casey_account: Account
) -> None:
    therapist = office(tara)
    asked = _press(therapist, noor, "save", _open(therapist, noor, email=casey_account.email))
    wrong = _press(therapist, noor, "save", {**_fields(asked), "email": "casey"})
    assert wrong.status_code == 422
    assert "has a log-in already" not in wrong.content.decode()
    again = _fields(wrong)
    assert "confirmed" not in again
    assert again["relationship"] == ""
