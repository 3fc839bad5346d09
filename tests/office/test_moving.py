"""A client's e-mail changes on the record: the portal log-in moves too, when it is asked to."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from roost.accounts.models import Account, MailLink
from roost.accounts.services import set_starter_password
from roost.clients.forms import ClientForm
from roost.clients.models import Client
from roost.core.time import now
from roost.outbox.kinds import compose
from roost.outbox.models import OutgoingMessage
from roost.staff.models import StaffMember
from tests.support.cast import PASSWORD, give, make_account, shown
from tests.support.doors import Visitor

Door = Callable[..., Visitor]
NEW = "casey.nguyen@new.example"


def form_of(client: Client, **changes: Any) -> dict[str, Any]:
    """The record's edit form as it stands, with changes typed over it."""
    values = {k: v for k, v in ClientForm.values_of(client).items() if v is not None}
    own = {"form_key": "11111111-1111-4111-8111-111111111111", "shown": shown(client)}
    return {**values, **own, **changes}


def mailed_link() -> str:
    _, text = compose(OutgoingMessage.objects.filter(kind="new_address").latest("pk"))
    found = re.search(r"https?://[^/\s]+(/portal/\S+)", text)
    assert found
    return found[1]


def asked(office: Door, olivia: StaffMember, casey: Client) -> str:
    """Olivia corrects Casey's e-mail and lets the log-in move too. Returns the mailed path."""
    visitor = office(olivia)
    saved = visitor.send("edit-client", form_of(casey, email=NEW), client=casey.uuid)
    assert saved["Location"] == visitor.path("move-log-in", client=casey.uuid)
    assert "Move the portal log-in too?" in visitor.get(saved["Location"]).content.decode()
    done = visitor.send("move-log-in", client=casey.uuid)
    assert done["Location"] == visitor.path("client", client=casey.uuid)
    return mailed_link()


def test_the_log_in_moves_once_the_new_mailbox_is_proven_with_the_password(
    office: Door, portal: Door, olivia: StaffMember, casey: Client, casey_account: Account
) -> None:
    signed_in, before = portal(casey_account), casey_account.password
    path = asked(office, olivia, casey)
    told = OutgoingMessage.objects.order_by("pk").values_list("kind", "to")
    assert list(told) == [("new_address", NEW), ("address_move_asked", "casey@client.example")]
    casey_account.refresh_from_db()
    assert casey_account.email == "casey@client.example"

    browser = portal()
    assert browser.get(path).status_code == 200
    assert browser.head(path).status_code == 200
    assert browser.post(path).status_code == 422
    assert browser.post(path, {"password": "a guess by a stranger"}).status_code == 422
    casey_account.refresh_from_db()
    assert casey_account.email == "casey@client.example"

    assert browser.post(path, {"password": PASSWORD})["Location"] == "/portal/maple/my-account/"
    casey_account.refresh_from_db()
    assert (casey_account.email, casey_account.password) == (NEW, before)
    moved = OutgoingMessage.objects.filter(kind="address_moved").order_by("pk")
    assert [m.to for m in moved] == ["casey@client.example", NEW]
    assert signed_in.go("account").status_code == 302
    assert browser.post(path, {"password": PASSWORD}).status_code == 410
    for email, status in ((NEW, 302), ("casey@client.example", 422)):
        sent = portal().send("log-in", {"email": email, "password": PASSWORD})
        assert sent.status_code == status


def test_the_link_chooses_no_password_and_dies_with_a_changed_one(
    office: Door, portal: Door, olivia: StaffMember, casey: Client, casey_account: Account
) -> None:
    path = asked(office, olivia, casey)
    for wrong in ("reset", "invitation"):
        elsewhere = path.replace("/new-address/", f"/{wrong}/")
        assert portal().get(elsewhere).status_code == 410
        typed = {"new_password": "violet umbrella by the door"}
        assert portal().post(elsewhere, typed).status_code == 410
    casey_account.set_password("chosen through a reset since")
    casey_account.save(update_fields=["password"])
    assert portal().get(path).status_code == 410


def test_an_expired_link_moves_nothing(
    office: Door, portal: Door, olivia: StaffMember, casey: Client, casey_account: Account
) -> None:
    path = asked(office, olivia, casey)
    MailLink.objects.update(expires_at=now() - timedelta(seconds=1))
    assert portal().post(path, {"password": PASSWORD}).status_code == 410
    casey_account.refresh_from_db()
    assert casey_account.email == "casey@client.example"


def test_an_address_with_a_log_in_of_its_own_is_refused_in_words(
    office: Door, portal: Door, olivia: StaffMember, casey: Client, casey_account: Account
) -> None:
    path = asked(office, olivia, casey)
    make_account(NEW)
    assert portal().post(path, {"password": PASSWORD}).status_code == 410
    again = office(olivia).send("move-log-in", client=casey.uuid)
    assert again.status_code == 409
    assert "has a log-in of its own already" in again.content.decode()
    casey_account.refresh_from_db()
    assert casey_account.email == "casey@client.example"
    # Refused, the link was not used up either.
    assert MailLink.objects.filter(done_at=None, purpose="new_address").exists()


def test_a_therapist_corrects_the_record_and_never_a_chosen_log_in(
    office: Door, tara: StaffMember, casey: Client, casey_account: Account
) -> None:
    visitor = office(tara)
    saved = visitor.send("edit-client", form_of(casey, email=NEW), client=casey.uuid)
    assert saved["Location"] == visitor.path("client", client=casey.uuid)
    assert "Move the portal log-in too" not in visitor.get(saved["Location"]).content.decode()
    for answer in (
        visitor.go("move-log-in", client=casey.uuid),
        visitor.send("move-log-in", client=casey.uuid),
    ):
        assert answer.status_code == 404
    casey_account.refresh_from_db()
    assert casey_account.email == "casey@client.example"


def test_a_log_in_nobody_has_chosen_a_password_for_moves_at_once(
    office: Door, portal: Door, tara: StaffMember, noor: Client
) -> None:
    account = make_account("noor@client.example")
    account.set_unusable_password()
    account.save()
    set_starter_password(account, "kettle-orbit-walnut-47", days=7)
    give(account, noor)
    visitor = office(tara)
    visitor.send("edit-client", form_of(noor, email=NEW), client=noor.uuid)
    visitor.send("move-log-in", client=noor.uuid)
    account.refresh_from_db()
    assert account.email == NEW
    sent = portal().send("log-in", {"email": NEW, "password": "kettle-orbit-walnut-47"})
    assert sent["Location"] == "/portal/maple/choose-password/"


@pytest.mark.parametrize("email", ["", "casey@client.example"])
def test_nothing_is_asked_where_there_is_nothing_to_move(
    office: Door, olivia: StaffMember, casey: Client, email: str
) -> None:
    visitor = office(olivia)
    saved = visitor.send("edit-client", form_of(casey, email=email), client=casey.uuid)
    assert saved["Location"] == visitor.path("client", client=casey.uuid)
    assert visitor.go("move-log-in", client=casey.uuid).status_code == 404
