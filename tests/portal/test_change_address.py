"""The holder of a log-in moves it to another e-mail: the new mailbox is proven first."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from roost.accounts.models import Account, AttemptCount, MailLink
from roost.audit.models import AuditEvent
from roost.clients.enums import Relationship
from roost.clients.models import Client
from roost.outbox.kinds import Outdated, compose
from roost.outbox.models import OutgoingMessage
from roost.staff.models import StaffMember
from tests.support.cast import PASSWORD, Cast, give, make_account
from tests.support.doors import Visitor

Door = Callable[..., Visitor]
OLD, NEW = "casey@client.example", "casey.nguyen@new.example"


def mails() -> list[tuple[str, str]]:
    return list(OutgoingMessage.objects.order_by("pk").values_list("kind", "to"))


def mailed_link() -> str:
    _, text = compose(OutgoingMessage.objects.filter(kind="new_address").latest("pk"))
    found = re.search(r"https?://[^/\s]+(/portal/\S+)", text)
    assert found
    return found[1]


def pending_of(visitor: Visitor) -> str:
    """What Security says of an address that is not proven yet."""
    text = visitor.go("security").content.decode()
    found = re.search(r"We sent an e-mail to <b>[^<]+</b>", text)
    return found[0] if found else ""


def test_the_log_in_and_the_record_move_once_the_new_mailbox_is_proven(
    portal: Door, casey: Client, casey_account: Account
) -> None:
    visitor = portal(casey_account)
    assert pending_of(visitor) == ""
    assert visitor.send("change-address", {"email": NEW})["Location"] == visitor.path("security")
    assert pending_of(visitor) == f"We sent an e-mail to <b>{NEW}</b>"
    assert mails() == [("new_address", NEW), ("address_move_asked", OLD)]
    for row in (casey, casey_account):
        row.refresh_from_db()
        assert row.email == OLD

    done = portal().post(mailed_link(), {"password": PASSWORD})
    assert done["Location"] == "/portal/maple/my-account/"
    for row in (casey, casey_account):
        row.refresh_from_db()
        assert row.email == NEW
    assert mails()[2:] == [("address_moved", OLD), ("address_moved", NEW)]
    assert visitor.go("account").status_code == 302
    actions = AuditEvent.objects.filter(client_uuid=casey.uuid).order_by("pk")
    assert [(e.action, e.actor, e.details) for e in actions] == [
        ("account.move_asked", casey_account, {}),
        ("account.moved", casey_account, {}),
        ("client.changed", casey_account, {"fields": ["email"]}),
    ]


def test_a_record_that_has_yet_another_address_keeps_it(
    portal: Door, cast: Cast, robin: Client, remy: Client, parker_account: Account
) -> None:
    remy.email = "remy@school.example"
    remy.save(update_fields=["email"])
    visitor = portal(parker_account)
    visitor.send("change-address", {"email": NEW})
    portal().post(mailed_link(), {"password": PASSWORD})
    for row, email in ((robin, NEW), (remy, "remy@school.example")):
        row.refresh_from_db()
        assert row.email == email


def test_the_records_of_somebody_else_do_not_follow_a_payer(
    portal: Door, casey: Client, maple: Any
) -> None:
    account = make_account("payer@client.example")
    give(account, casey, Relationship.PAYER)
    casey.email = account.email
    casey.save(update_fields=["email"])
    portal(account).send("change-address", {"email": NEW})
    portal().post(mailed_link(), {"password": PASSWORD})
    account.refresh_from_db()
    casey.refresh_from_db()
    assert (account.email, casey.email) == (NEW, "payer@client.example")


def test_an_address_that_has_a_log_in_looks_like_any_other(
    portal: Door, casey_account: Account, parker_account: Account
) -> None:
    """SECURITY.md rule 3: who asks learns nothing; whoever reads that mailbox is told."""
    told = {}
    for email in (NEW, parker_account.email):
        visitor = portal(casey_account)
        answer = visitor.send("change-address", {"email": email})
        page = visitor.go("security").content.decode()
        assert f"<b>{email}</b>" in page
        page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page.replace(email, "it"))
        page = re.sub(r"/[0-9a-f-]{36}/end/", "", page)
        found = page.partition('id="way-in"')[2].partition('id="devices"')[0]
        told[email] = (answer.status_code, answer["Location"], found)
    assert told[NEW] == told[parker_account.email]
    assert "We sent an e-mail to" in told[NEW][2]
    assert mails() == [
        ("new_address", NEW), ("address_move_asked", OLD),
        ("address_in_use", parker_account.email), ("address_move_asked", OLD),
    ]  # fmt: skip
    _, text = compose(OutgoingMessage.objects.get(kind="address_in_use"))
    assert "new-address" not in text
    assert OLD not in text


def test_the_old_address_is_kept_where_the_holder_thinks_again(
    portal: Door, casey_account: Account
) -> None:
    visitor = portal(casey_account)
    visitor.send("change-address", {"email": NEW})
    path = mailed_link()
    assert portal().get(path).status_code == 200
    visitor.send("change-address", {"do": "keep"})
    assert pending_of(visitor) == ""
    assert portal().post(path, {"password": PASSWORD}).status_code == 410
    with pytest.raises(Outdated):
        compose(OutgoingMessage.objects.get(kind="new_address"))
    assert AuditEvent.objects.filter(action="account.move_taken_back").count() == 1
    visitor.send("change-address", {"do": "keep"})
    assert AuditEvent.objects.filter(action="account.move_taken_back").count() == 1


def test_ones_own_address_is_no_change(portal: Door, casey_account: Account) -> None:
    answer = portal(casey_account).send("change-address", {"email": " CASEY@client.example "})
    assert answer.status_code == 422
    assert "That is the address you log in with already." in answer.content.decode()
    assert mails() == []


def test_too_many_mails_are_refused_in_words_and_leave_what_was_asked_last(
    portal: Door, casey_account: Account
) -> None:
    visitor = portal(casey_account)
    for _ in range(5):
        assert visitor.send("change-address", {"email": NEW}).status_code == 302
    answer = visitor.send("change-address", {"email": NEW})
    assert answer.status_code == 429
    assert "That’s enough for this hour" in answer.content.decode()
    assert MailLink.objects.filter(replaced_at=None).count() == 1


def test_resets_for_an_address_do_not_tell_here_whether_it_is_known(
    portal: Door, casey_account: Account
) -> None:
    """They count against an address that is known, and against no other (SECURITY.md rule 3)."""
    answers, known = [], make_account("known@client.example")
    for email in (known.email, "nobody@client.example"):
        AttemptCount.objects.all().delete()
        for _ in range(5):
            portal(None).send("forgot-password", {"email": email})
        visitor = portal(casey_account)
        asked = visitor.send("change-address", {"email": email})
        page = visitor.go("security").content.decode().replace(email, "ADDRESS")
        answers.append((asked.status_code, "on its way" in page, "ADDRESS" in page))
    assert answers[0] == answers[1]
    assert answers[0][0] == 302


def test_a_colleagues_log_in_is_not_moved_here(
    portal: Door, tara: StaffMember, casey: Client, casey_account: Account
) -> None:
    give(tara.account, casey, Relationship.PARTNER)
    for account, status, offered in ((casey_account, 200, True), (tara.account, 404, False)):
        visitor = portal(account)
        assert ("Change e-mail" in visitor.go("security").content.decode()) is offered
        assert visitor.go("change-address").status_code == status
    assert portal(tara.account).send("change-address", {"email": NEW}).status_code == 404
    assert mails() == []


def test_who_works_here_by_now_is_not_moved_by_a_link_of_before(
    portal: Door, cast: Cast, casey_account: Account
) -> None:
    portal(casey_account).send("change-address", {"email": NEW})
    StaffMember.objects.create(account=casey_account, role="admin", display_name="Casey Nguyen")
    answer = portal().post(mailed_link(), {"password": PASSWORD})
    assert answer.status_code == 410
    casey_account.refresh_from_db()
    assert casey_account.email == OLD
    assert portal().get(mailed_link()).status_code == 410


def test_the_old_address_gets_no_more_notes_an_hour_than_any_other_mail(
    portal: Door, casey_account: Account
) -> None:
    """SECURITY.md rule 5: at most five mails an hour to one address, however asked."""
    visitor = portal(casey_account)
    answers = [
        visitor.send("change-address", {"email": f"casey{number}@new.example"}).status_code
        for number in range(6)
    ]
    assert answers == [302] * 5 + [429]
    assert OutgoingMessage.objects.filter(to=OLD).count() == 5
    assert not OutgoingMessage.objects.filter(to="casey5@new.example").exists()
