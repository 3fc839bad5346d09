"""My details: what changes at once, what is asked for, and what staff see of both."""

import html
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from roost.accounts.models import Account
from roost.audit.models import AuditEvent
from roost.clients.corrections import ask_for_correction
from roost.clients.enums import Relationship
from roost.clients.models import Client, DetailsRequest, PortalAccess
from roost.core.time import now
from roost.staff.models import StaffMember
from tests.support.cast import Cast, give, make_account, make_client, shown
from tests.support.doors import Visitor

Door = Callable[..., Visitor]


def text_of(answer: Any) -> str:
    """What a page says, its tags and spaces taken out."""
    return " ".join(re.sub(r"<[^>]+>|&nbsp;", " ", answer.content.decode()).split())


def asks(visitor: Visitor, client: Client, **changes: Any) -> Any:
    """Send the form for a correction, filled in as it stands but for the changes."""
    born = client.date_of_birth.isoformat() if client.date_of_birth else ""
    typed = {"first_name": client.first_name, "last_name": client.last_name, "date_of_birth": born}
    typed |= {"form_key": str(uuid.uuid4()), **(changes or {"last_name": "Tran"})}
    return visitor.send("ask-correction", typed, client=client.uuid)


def test_staff_see_on_the_record_what_a_client_has_changed_and_when(
    portal: Door, office: Door, tara: StaffMember, casey: Client, casey_account: Account
) -> None:
    desk = office(tara)
    assert "Changed in the Client Portal" not in text_of(desk.go("client", client=casey.uuid))
    typed = {"preferred_name": "Cas", "phone": "416 555 0111", "address": "1 Quiet Road"}
    typed["shown"] = shown(casey)
    portal(casey_account).send("details", typed, client=casey.uuid)
    page = text_of(desk.go("client", client=casey.uuid))
    assert "Changed in the Client Portal Preferred name, phone, address: today, " in page
    # The address may be broken between its parts.
    assert "by casey@ client. example" in page
    assert "416-555-0111" in page or "416 555 0111" in page or "(416) 555-0111" in page


def test_what_the_practice_changed_meanwhile_stays_when_another_field_is_saved(
    portal: Door, casey: Client, casey_account: Account
) -> None:
    """Two parents may have one page open, too."""
    visitor = portal(casey_account)
    opened = {"shown": shown(casey), "preferred_name": "", "phone": "", "address": ""}
    Client.objects.filter(pk=casey.pk).update(phone="+14165550199")
    typed = {**opened, "address": "1 Quiet Road"}
    assert visitor.send("details", typed, client=casey.uuid).status_code == 302
    casey.refresh_from_db()
    assert (casey.phone, casey.address) == ("+14165550199", "1 Quiet Road")
    changed = AuditEvent.objects.filter(action="client.changed")
    assert [event.details["fields"] for event in changed] == [["address"]]

    typed |= {"phone": "416 555 0111"}
    asked = visitor.send("details", typed, client=casey.uuid)
    assert asked.status_code == 409
    assert "Changed meanwhile to “416 555 0199”. Save again, and it says what" in text_of(asked)
    found = re.search(r'name="shown" value="([^"]+)"', asked.content.decode())
    assert found
    again = {**typed, "shown": html.unescape(found[1])}
    assert visitor.send("details", again, client=casey.uuid).status_code == 302
    casey.refresh_from_db()
    assert casey.phone == "+14165550111"


def test_the_words_are_about_whose_details_they_are(
    portal: Door, parker_account: Account, robin: Client, remy: Client
) -> None:
    visitor = portal(parker_account)
    own = text_of(visitor.go("details", client=robin.uuid))
    assert "Correct something The practice sees it on your record" in own
    assert "What we call you on screen and in e-mails." in own
    childs = text_of(visitor.go("details", client=remy.uuid))
    assert "Correct something for Remy The practice sees it on Remy’s record" in childs
    assert "What we call Remy on screen and in e-mails." in childs
    assert "Write Remy’s legal name" in text_of(visitor.go("ask-correction", client=remy.uuid))


def test_a_client_asks_sees_that_it_waits_and_withdraws(
    portal: Door, office: Door, casey: Client, casey_account: Account, tara: StaffMember
) -> None:
    visitor = portal(casey_account)
    assert "Ask for a correction" in text_of(visitor.go("details", client=casey.uuid))
    answer = asks(visitor, casey, last_name="Tran", date_of_birth="1995-04-10")
    assert answer["Location"] == visitor.path("details", client=casey.uuid)
    page = text_of(visitor.go("details", client=casey.uuid))
    assert "Asked today, " in page
    assert "waiting for the practice. Last name: Tran Date of birth: 10 April 1995" in page
    assert "Ask for a correction" not in page
    casey.refresh_from_db()
    assert casey.last_name == "Nguyen"
    asked = DetailsRequest.objects.get()
    desk = office(tara)
    assert "A correction was asked for" in text_of(desk.go("client", client=casey.uuid))

    visitor.send("withdraw-correction", client=casey.uuid, asked=asked.uuid)
    page = text_of(visitor.go("details", client=casey.uuid))
    assert "Withdrawn. The record stays as it is." in page
    assert "waiting for the practice" not in page
    assert "A correction was asked for" not in text_of(desk.go("client", client=casey.uuid))
    visitor.send("withdraw-correction", client=casey.uuid, asked=asked.uuid)
    assert "answered or withdrawn meanwhile" in text_of(visitor.go("details", client=casey.uuid))


def test_staff_accept_and_the_client_reads_it(
    portal: Door, office: Door, casey: Client, casey_account: Account, tara: StaffMember
) -> None:
    visitor, desk = portal(casey_account), office(tara)
    assert "a correction was asked for" not in text_of(desk.go("today"))
    asks(visitor, casey)
    asked = DetailsRequest.objects.get()
    assert "Casey Nguyen : a correction was asked for, today" in text_of(desk.go("today"))
    page = text_of(desk.go("correction", client=casey.uuid, asked=asked.uuid))
    assert "Last name Nguyen Tran" in page
    answer = desk.send("correction", {"do": "accept"}, client=casey.uuid, asked=asked.uuid)
    assert answer["Location"] == desk.path("client", client=casey.uuid)
    assert "Casey Tran" in text_of(desk.go("client", client=casey.uuid))
    assert "a correction was asked for" not in text_of(desk.go("today"))
    page = text_of(visitor.go("details", client=casey.uuid))
    assert "The practice corrected this" in page
    assert "Casey Tran" in page


def test_staff_read_who_asks_and_whether_they_still_have_access(
    portal: Door, office: Door, cast: Cast, remy: Client, parker_account: Account
) -> None:
    asks(portal(parker_account), remy)
    ids = {"client": remy.uuid, "asked": DetailsRequest.objects.get().uuid}
    desk = office(cast.theo)
    assert "By parker@client.example (parent) in" in text_of(desk.go("correction", **ids))
    PortalAccess.objects.filter(client=remy).update(ended_at=now())
    assert "(no longer has access)" in text_of(desk.go("correction", **ids))


def test_my_account_says_that_the_e_mail_is_verified_and_where_it_is_changed(
    portal: Door, casey_account: Account
) -> None:
    visitor = portal(casey_account)
    assert "casey@client.example Change the e-mail" in text_of(visitor.go("account"))
    Account.objects.filter(pk=casey_account.pk).update(mailbox_proven_at=now())
    page = visitor.go("account")
    assert "casey@client.example Verified Change the e-mail" in text_of(page)
    assert f'<a href="{visitor.path("security")}">Change' in page.content.decode()


def test_staff_decline_in_words_that_the_client_reads(
    portal: Door, office: Door, casey: Client, casey_account: Account, tara: StaffMember
) -> None:
    visitor, desk = portal(casey_account), office(tara)
    asks(visitor, casey)
    asked = DetailsRequest.objects.get()
    ids = {"client": casey.uuid, "asked": asked.uuid}
    for typed in ({}, {"do": "decline"}, {"do": "decline", "reason": "  "}):
        assert desk.send("correction", typed, **ids).status_code == 422
    desk.send("correction", {"do": "decline", "reason": "Bring <b>your</b> card."}, **ids)
    page = visitor.go("details", client=casey.uuid)
    assert "The practice did not change this" in text_of(page)
    assert "Bring &lt;b&gt;your&lt;/b&gt; card." in page.content.decode()
    # What was declined may be asked for anew.
    assert asks(visitor, casey)["Location"] == visitor.path("details", client=casey.uuid)
    assert DetailsRequest.objects.filter(state="waiting").count() == 1


def test_the_colleague_who_comes_second_is_told_who_was_quicker(
    portal: Door, office: Door, casey: Client, casey_account: Account, tara: StaffMember,
    olivia: StaffMember,
) -> None:  # fmt: skip
    asks(portal(casey_account), casey)
    asked = DetailsRequest.objects.get()
    ids = {"client": casey.uuid, "asked": asked.uuid}
    office(tara).send("correction", {"do": "accept"}, **ids)
    late = office(olivia)
    for typed in ({"do": "accept"}, {"do": "decline", "reason": "No"}):
        answer = late.send("correction", typed, **ids)
        assert answer.status_code == 409
        assert "Tara accepted this" in text_of(answer)
    assert "Tara accepted this" in text_of(late.go("correction", **ids))
    assert AuditEvent.objects.filter(action="correction.accepted").count() == 1


@pytest.mark.parametrize("relationship", list(Relationship))
def test_only_those_whose_access_opens_details_may_ask(
    portal: Door, cast: Cast, casey: Client, relationship: Relationship
) -> None:
    account = make_account("tied@client.example")
    give(account, casey, relationship)
    may = relationship in (Relationship.SELF, Relationship.PARENT, Relationship.GUARDIAN)
    visitor = portal(account)
    assert visitor.go("ask-correction", client=casey.uuid).status_code == (200 if may else 404)
    assert asks(visitor, casey).status_code == (302 if may else 404)
    assert DetailsRequest.objects.count() == int(may)


def test_a_request_of_one_record_is_not_there_on_another(
    portal: Door, office: Door, cast: Cast, robin: Client, remy: Client, parker_account: Account
) -> None:
    visitor = portal(parker_account)
    asks(visitor, robin)
    asked = DetailsRequest.objects.get()
    assert (
        office(cast.theo).go("correction", client=robin.uuid, asked=asked.uuid).status_code == 200
    )
    for ids in ({"client": remy.uuid, "asked": asked.uuid},):
        assert visitor.send("withdraw-correction", **ids).status_code == 404
        assert office(cast.theo).go("correction", **ids).status_code == 404
    assert "Remy Parker" in text_of(visitor.go("details", client=remy.uuid))
    assert "Tran" not in text_of(visitor.go("details", client=remy.uuid))
    assert DetailsRequest.objects.get().is_waiting


def test_a_form_with_nothing_new_is_told_so(
    portal: Door, casey: Client, casey_account: Account
) -> None:
    visitor = portal(casey_account)
    answer = asks(visitor, casey, last_name=" Nguyen ")
    assert answer.status_code == 422
    assert "All of this is on the record already." in text_of(answer)
    # An empty date of birth takes none away.
    assert asks(visitor, casey, date_of_birth="").status_code == 422
    assert asks(visitor, casey, date_of_birth="2999-01-01").status_code == 422
    assert not DetailsRequest.objects.exists()


def test_a_second_request_is_refused_in_words_while_one_waits(
    portal: Door, casey: Client, casey_account: Account
) -> None:
    visitor = portal(casey_account)
    asks(visitor, casey)
    asks(visitor, casey, last_name="Trần")
    page = text_of(visitor.go("details", client=casey.uuid))
    assert "Something is asked for already." in page
    assert DetailsRequest.objects.get().last_name == "Tran"


def test_a_form_that_was_sent_before_asks_for_nothing_else(
    portal: Door, casey: Client, casey_account: Account
) -> None:
    """Back in the browser, another name, and sent: the key is used, and nobody must believe that
    the second name has been asked for."""
    visitor, key = portal(casey_account), str(uuid.uuid4())
    asks(visitor, casey, last_name="Tran", form_key=key)
    assert "is asked. The answer shows here." in text_of(visitor.go("details", client=casey.uuid))
    asks(visitor, casey, last_name="Tran", form_key=key)
    assert "is asked. The answer shows here." in text_of(visitor.go("details", client=casey.uuid))
    asks(visitor, casey, last_name="Trần", form_key=key)
    page = text_of(visitor.go("details", client=casey.uuid))
    assert "is asked. The answer shows here." not in page
    assert "This form was sent before, with something else in it." in page
    assert DetailsRequest.objects.get().last_name == "Tran"


def test_today_shows_a_therapist_their_own_and_asks_the_database_once(
    office: Door, cast: Cast, tara: StaffMember, olivia: StaffMember
) -> None:
    clients = [cast.casey, *(make_client(f"Client {n}", tara) for n in range(4)), cast.robin]
    seen: dict[str, list[int]] = {"tara": [], "olivia": []}
    for client in clients:
        ask_for_correction(key=uuid.uuid4(), client=client, by=cast.casey_account, last_name="Tran")
        for name, member in (("tara", tara), ("olivia", olivia)):
            visitor = office(member)
            visitor.go("today")
            with CaptureQueriesContext(connection) as asked:
                page = text_of(visitor.go("today"))
            seen[name].append(len(asked))
    assert "Casey Nguyen : a correction" in page
    assert "Robin Parker" not in text_of(office(tara).go("today"))
    assert {name: len(set(counts)) for name, counts in seen.items()} == {"tara": 1, "olivia": 1}
    event = AuditEvent.objects.filter(action="corrections.listed").latest("pk")
    assert len(event.details["clients"]) == 5
