"""Add Client warns before it makes a second record of one person."""

import re
import threading
import uuid
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from roost.audit.models import AuditEvent
from roost.clients.models import Client
from roost.core.time import now
from roost.practices.models import Practice
from roost.staff.models import StaffMember
from tests.support.cast import Cast, make_client
from tests.support.doors import Visitor

Door = Callable[..., Visitor]
BORN = date(1994, 3, 9)
CASEY = {"first_name": "casey", "last_name": "NGUYEN", "date_of_birth": "1994-03-09"}


def typed(**values: str) -> dict[str, str]:
    return {**CASEY, "form_key": str(uuid.uuid4()), **values}


def named(answer: Any) -> list[tuple[str, str]]:
    """Whom the warning names, and why."""
    text = answer.content.decode()
    found = re.findall(
        r'<li><a class="any"[^>]*>([^<]+)<.*?<p class="small">([^<]+)</p></li>', text
    )
    return [(name, why[0].lower() + why[1:]) for name, why in found]


def count() -> int:
    return Client.objects.count()


def test_a_likely_record_is_named_and_nothing_is_made(
    office: Door, tara: StaffMember, casey: Client
) -> None:
    before, visitor = count(), office(tara)
    answer = visitor.send("add-client", typed(address="1 Quiet Road", pronouns="they/them"))
    text = answer.content.decode()
    assert answer.status_code == 409
    assert named(answer) == [("Casey Nguyen", "same date of birth, same name")]
    assert visitor.path("client", client=casey.uuid) in text
    assert "Add anyway" in text
    for kept in ('value="casey"', 'value="NGUYEN"', 'value="1994-03-09"', "1 Quiet Road",
                 'value="they/them"'):  # fmt: skip
        assert kept in text
    assert count() == before
    assert not AuditEvent.objects.filter(action="client.added").exists()


def test_add_anyway_makes_the_second_record(office: Door, tara: StaffMember) -> None:
    before, sent = count(), typed()
    answer = office(tara).send("add-client", sent)
    [button] = re.findall(
        r"<button[^>]*>[^<]*(?:<[^/].*?>)*[^<]*Add anyway", answer.content.decode()
    )
    assert 'name="confirmed" value="yes"' in button
    # The loud button is the one that answers the question; Enter only asks again.
    assert "button-act" in button
    assert answer.content.count(b"button-act") == 1
    assert re.findall(r"<button[^>]*>(?:<svg.*?</svg>)? ?Save", answer.content.decode()) == [
        '<button type="submit" hidden>Save'
    ]
    for _ in range(2):
        sure = {**sent, "confirmed": "yes"}
        assert office(tara).send("add-client", sure).status_code == 302
    assert count() == before + 1
    # Whatever else stands there is no yes.
    assert office(tara).send("add-client", typed(confirmed="")).status_code == 409


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"date_of_birth": ""}, "same name"),
        ({"first_name": "Nguyen", "last_name": "Casey"}, "same date of birth, same name"),
        ({"first_name": "Cassey"}, "same date of birth, similar name"),
        ({"first_name": "Casey", "last_name": "Byrne"}, "same date of birth, same first name"),
        (
            {"first_name": "Cassey", "date_of_birth": "", "email": "CASEY@client.example"},
            "same e-mail, similar name",
        ),
        (
            {"date_of_birth": "1994-09-03"},
            "same name, date of birth with day and month swapped",
        ),
    ],
)
def test_what_makes_it_warn(
    office: Door, tara: StaffMember, values: dict[str, str], why: str
) -> None:
    answer = office(tara).send("add-client", typed(**values))
    assert answer.status_code == 409
    assert named(answer) == [("Casey Nguyen", why)]


@pytest.mark.parametrize(
    "values",
    [
        {"date_of_birth": "1960-01-01"},
        {"first_name": "Robin"},
        {"first_name": "Robin", "last_name": "Byrne", "email": "casey@client.example"},
        {"first_name": "Robin", "last_name": "Byrne"},
        {"first_name": "Cassey", "date_of_birth": ""},
    ],
)
def test_what_does_not(office: Door, tara: StaffMember, values: dict[str, str]) -> None:
    assert office(tara).send("add-client", typed(**values)).status_code == 302


def test_a_therapist_learns_nothing_of_records_that_are_not_theirs(
    office: Door, theo: StaffMember, olivia: StaffMember, casey: Client
) -> None:
    # It would be said to somebody who may see the record.
    assert named(office(olivia).send("add-client", typed()))
    answer = office(theo).send("add-client", typed())
    assert answer.status_code == 302
    new = Client.objects.get(first_name="casey")
    assert list(new.therapists.all()) == [theo]
    # Beside one of their own, the other's is not named.
    answer = office(theo).send("add-client", typed())
    assert len(named(answer)) == 1
    assert str(casey.uuid) not in answer.content.decode()


def test_another_practices_record_is_nobodys_business(
    office: Door, olivia: StaffMember, other: Cast, casey: Client
) -> None:
    Client.objects.filter(pk=casey.pk).update(first_name="Somebody", last_name="Else")
    assert office(olivia).send("add-client", typed()).status_code == 302


def test_an_archived_record_is_not_named(office: Door, tara: StaffMember, casey: Client) -> None:
    Client.objects.filter(pk=casey.pk).update(archived_at=now())
    assert office(tara).send("add-client", typed()).status_code == 302


def test_a_form_with_mistakes_says_those_first(office: Door, tara: StaffMember) -> None:
    answer = office(tara).send("add-client", typed(email="no address"))
    assert answer.status_code == 422
    assert named(answer) == []


def test_what_the_warning_shows_is_a_read(
    office: Door, olivia: StaffMember, tara: StaffMember, casey: Client
) -> None:
    office(tara).send("add-client", typed())
    [event] = AuditEvent.objects.filter(action="clients.listed")
    assert (event.actor, event.client_uuid) == (tara.account, casey.uuid)
    assert event.details == {"part": "add"}
    second = make_client("Casey Nguyen", tara)
    office(olivia).send("add-client", typed())
    event = AuditEvent.objects.filter(action="clients.listed").latest("pk")
    assert event.details == {"part": "add", "clients": [str(casey.uuid), str(second.uuid)]}
    office(olivia).send("add-client", typed(date_of_birth="1960-01-01", last_name="Byrne"))
    assert AuditEvent.objects.filter(action="clients.listed").count() == 2


def test_it_asks_as_much_of_three_records_as_of_one(
    office: Door, olivia: StaffMember, tara: StaffMember, theo: StaffMember
) -> None:
    counts = []
    for _ in range(2):
        visitor = office(olivia)
        with CaptureQueriesContext(connection) as seen:
            assert visitor.send("add-client", typed()).status_code == 409
        counts.append(len(seen))
        for name in ("Casey Nguyen", "Cassey Nguyen"):
            make_client(name, tara, theo, date_of_birth=BORN)
    assert counts[0] == counts[1]


def test_more_than_five_are_not_named(office: Door, tara: StaffMember) -> None:
    for _ in range(7):
        make_client("Casey Nguyen", tara)
    answer = office(tara).send("add-client", typed())
    assert len(named(answer)) == 5


def test_markup_in_a_name_stays_text(office: Door, tara: StaffMember) -> None:
    evil = "<b>Casey</b>"
    make_client(f"{evil} Quill", tara)
    answer = office(tara).send(
        "add-client", typed(first_name=evil, last_name="Quill", date_of_birth="")
    )
    assert answer.status_code == 409
    assert evil not in answer.content.decode()
    assert "&lt;b&gt;Casey&lt;/b&gt; Quill" in answer.content.decode()


def test_a_form_sent_again_is_not_warned_of_its_own_client(office: Door, tara: StaffMember) -> None:
    sent, before = typed(first_name="Zoe", last_name="Quill"), count()
    first = office(tara).send("add-client", sent)
    again = office(tara).send("add-client", sent)
    assert (first.status_code, again.status_code) == (302, 302)
    assert first["Location"] == again["Location"]
    assert count() == before + 1
    # A new form of the same person is.
    assert (
        office(tara).send("add-client", {**sent, "form_key": str(uuid.uuid4())}).status_code == 409
    )


@pytest.mark.django_db(transaction=True)
def test_two_sends_at_the_same_moment_make_one_client_and_no_warning(
    maple: Practice, cast: Cast
) -> None:
    sent = typed(first_name="Zoe", last_name="Quill")
    visitors = [Visitor(maple, "office", cast.tara.account) for _ in range(4)]
    start, said = threading.Barrier(len(visitors)), []

    def send(visitor: Visitor) -> None:
        try:
            start.wait()
            said.append(visitor.send("add-client", sent).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(visitor,)) for visitor in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == [302] * len(visitors)
    assert Client.objects.filter(last_name="Quill").count() == 1


def test_a_form_that_has_added_somebody_adds_nobody_else_and_says_so(
    office: Door, tara: StaffMember
) -> None:
    """Back, another name typed over the first, Save: nobody may think that both are there."""
    visitor, key = office(tara), str(uuid.uuid4())
    for first_name, says in (
        ("Zoe", "Zoe Quill is added."),
        ("Zoe", "Zoe Quill is added."),
        (
            "Zed",
            "This form has added Zoe Quill, and adds nobody else. To add Zed Quill, begin anew.",
        ),
    ):
        sent = {"first_name": first_name, "last_name": "Quill", "form_key": key}
        answer = visitor.send("add-client", sent)
        zoe = Client.objects.get(last_name="Quill")
        assert answer["Location"] == visitor.path("client", client=zoe.uuid)
        page = visitor.get(answer["Location"]).content.decode()
        flashes = [each for each in re.findall(r"<p>([^<]+)</p>", page) if "Zoe Quill" in each]
        assert flashes == [says]
    # The same person with something else about them is saved no more than another one.
    sent = {"first_name": "Zoe", "last_name": "Quill", "pronouns": "she/her", "form_key": key}
    page = visitor.get(visitor.send("add-client", sent)["Location"]).content.decode()
    assert "What you have changed in it since is not saved" in page
    assert Client.objects.get(last_name="Quill").pronouns == ""
