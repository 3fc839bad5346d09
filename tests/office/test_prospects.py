"""Prospects in the office: the list, the edit bar, and every way from a sign-up to a file."""

import re
import uuid
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from roost.accounts.models import Account
from roost.audit.models import AuditEvent
from roost.clients import prospects
from roost.clients.enums import ProspectState
from roost.clients.models import Client, Prospect, ProspectWord
from roost.clients.prospect_queries import search_prospects
from roost.outbox.models import OutgoingMessage
from roost.practices.models import Practice
from roost.staff.models import StaffMember
from tests.support.doors import Visitor

Door = Callable[..., Visitor]


def asks(email: str = "una@prospect.example", **facts: Any) -> Prospect:
    """Somebody signs up. Needs a scope."""
    first = {"first_name": "Una", "last_name": "Okoro", "zone_name": "America/Halifax"}
    prospect, _ = prospects.sign_up(
        key=uuid.uuid4(), email=email, password="violet umbrella by the door", **{**first, **facts}
    )
    return prospect


def proven(prospect: Prospect) -> Account:
    assert prospect.sign_up is not None
    return prospects.prove_mailbox(prospect.sign_up, through="link")


def state_of(prospect: Prospect) -> str:
    return Prospect.objects.values_list("state", flat=True).get(pk=prospect.pk)


def text_of(answer: Any) -> str:
    """A page's words, without its markup."""
    body = re.sub(r"<[^>]+>", " ", answer.content.decode().split("<main", 1)[-1])
    return re.sub(r"\s+", " ", body)


def actions(*wanted: str) -> list[str]:
    return list(
        AuditEvent.objects.filter(action__in=wanted).order_by("pk").values_list("action", flat=True)
    )


# Who sees them


def test_owners_and_admins_see_the_tab_and_a_therapist_sees_none(
    office: Door, olivia: StaffMember, adam: StaffMember, tara: StaffMember
) -> None:
    asks()
    for member in (olivia, adam):
        page = office(member).go("clients").content.decode()
        assert 'aria-label="1 prospect"' in page
        assert "All Clients" in page
        assert page.count("/clients/prospects/") == 1
    page = office(tara).go("clients").content.decode()
    assert "rospect" not in page
    assert "All Clients" not in page


def test_for_a_therapist_no_prospect_page_exists_and_the_refusal_is_logged(
    office: Door, tara: StaffMember
) -> None:
    prospect = asks()
    visitor = office(tara)
    routes = ["verify-prospect", "create-from-prospect", "associate"]
    for route in routes:
        assert visitor.go(route, prospect=prospect.uuid).status_code == 404
        assert visitor.send(route, prospect=prospect.uuid).status_code == 404
    for route in ("prospects", "dismiss-prospects"):
        assert visitor.go(route).status_code == 404
        assert visitor.send(route, {"prospect": str(prospect.uuid)}).status_code == 404
    for route in ("undo-link", "resend-verification"):
        assert visitor.send(route, prospect=prospect.uuid).status_code == 404
    assert visitor.send("restore-prospects").status_code == 404
    refused = AuditEvent.objects.filter(action="access.refused", actor=tara.account)
    assert refused.count() == 13
    assert set(refused.values_list("details__status", flat=True)) == {404}


def test_a_badge_is_on_every_office_page_and_writes_no_log(
    office: Door, olivia: StaffMember
) -> None:
    asks()
    asks("pat@prospect.example")
    before = AuditEvent.objects.count()
    assert 'aria-label="2 prospects"' in office(olivia).go("account").content.decode()
    assert AuditEvent.objects.count() == before


# The list


def test_the_list_shows_what_each_prospect_typed_and_how_far_they_are(
    office: Door, olivia: StaffMember, casey_account: Account
) -> None:
    una = asks(phone="+14165550199", date_of_birth=date(1990, 5, 14), preferred_name="Uno")
    asks("casey@client.example", first_name="Somebody")
    failed = asks("wei@prospect.example", first_name="Wei")
    OutgoingMessage.objects.filter(to=failed.email).update(state="failed")
    proven(asks("pat@prospect.example", first_name="Pat"))
    known = asks("tom@prospect.example", first_name="Tom")
    prospects.verify(prospect=known, by=olivia, reason="Met at the desk")
    text = text_of(office(olivia).go("prospects"))
    for words in (
        "Una Okoro goes by Uno una@prospect.example 416 555 0199 14 May 1990 Today,",
        "Has a log-in already", "E-mail failed", "Verified by staff", "E-mail not verified",
        "1–5 of 5 prospects", "Only Owners and Admins see this tab.",
    ):  # fmt: skip
        assert words in text, words
    assert una.uuid is not None
    event = AuditEvent.objects.get(action="prospects.listed")
    shown = [str(u) for u in Prospect.objects.order_by("-pk").values_list("uuid", flat=True)]
    assert event.details == {"clients": [], "prospects": shown}


def test_the_list_is_searched_by_prefix_and_filtered_by_state(
    office: Door, olivia: StaffMember
) -> None:
    asks(phone="+14165550199")
    proven(asks("pat@prospect.example", first_name="Pat", last_name="Lindqvist"))
    gone = asks("dora@prospect.example", first_name="Dora")
    prospects.dismiss(prospect=gone, by=olivia)
    visitor = office(olivia)
    for query, names in (
        ({}, {"Pat Lindqvist", "Una Okoro"}),
        ({"q": "oko"}, {"Una Okoro"}),
        ({"q": "(416) 555"}, {"Una Okoro"}),
        ({"q": "koro"}, set()),
        ({"state": "verified"}, {"Pat Lindqvist"}),
        ({"state": "unverified"}, {"Una Okoro"}),
        ({"state": "dismissed"}, {"Dora Okoro"}),
        ({"state": "nonsense"}, {"Pat Lindqvist", "Una Okoro"}),
    ):
        page = visitor.go("prospects", query).content.decode()
        found = set(re.findall(r'aria-label="Choose ([^"]+)"', page))
        assert found == names, query
    part = visitor.get(visitor.path("prospects"), {"q": "oko"}, HTTP_HX_REQUEST="true")
    assert part.content.decode().count("<html") == 0
    assert "Una Okoro" in part.content.decode()


def test_an_empty_list_says_what_to_do(office: Door, olivia: StaffMember, maple: Practice) -> None:
    visitor = office(olivia)
    assert "Settings → Client Portal says No" in text_of(visitor.go("prospects"))
    maple.allow_sign_up = True
    maple.save()
    assert "Whoever creates an account" in text_of(visitor.go("prospects"))
    assert "Nobody matches that" in text_of(visitor.go("prospects", {"q": "zz"}))
    assert "Nobody is dismissed" in text_of(visitor.go("prospects", {"state": "dismissed"}))


# The edit bar


@pytest.mark.parametrize(
    ("do", "route"),
    [("create", "create-from-prospect"), ("associate", "associate"), ("verify", "verify-prospect")],
)
def test_the_bar_leads_to_the_page_for_one_prospect(
    office: Door, olivia: StaffMember, do: str, route: str
) -> None:
    prospect, other = asks(), asks("pat@prospect.example")
    visitor = office(olivia)
    answer = visitor.send("prospects", {"do": do, "prospect": str(prospect.uuid)})
    assert answer.status_code == 302
    assert answer["Location"] == visitor.path(route, prospect=prospect.uuid)
    both = [str(prospect.uuid), str(other.uuid)]
    answer = visitor.send("prospects", {"do": do, "prospect": both})
    assert answer.status_code == 422
    assert "is for one prospect at a time" in text_of(answer)
    assert answer.content.decode().count(" checked>") == 2


def test_the_bar_answers_in_words_what_it_cannot_do(
    office: Door, olivia: StaffMember, other: Any
) -> None:
    prospect = asks()
    visitor, mine = office(olivia), str(prospect.uuid)
    for ids, do, status, words in (
        ([], "create", 422, "Nobody is ticked"),
        ([], "dismiss", 422, "Nobody is ticked"),
        ([mine], "", 422, "Choose what to do"),
        ([mine], "delete", 422, "Choose what to do"),
        (["garbage"], "dismiss", 409, "isn’t on the list any more"),
        ([mine, str(uuid.uuid4())], "dismiss", 409, "isn’t on the list any more"),
        ([str(other.casey.uuid)], "associate", 409, "isn’t on the list any more"),
        ([str(uuid.uuid4()) for _ in range(80)], "resend", 409, "isn’t on the list any more"),
    ):
        answer = visitor.send("prospects", {"do": do, "prospect": ids})
        assert answer.status_code == status, (do, ids)
        assert words in text_of(answer)
        assert state_of(prospect) == ProspectState.WAITING


def test_several_are_sent_the_mail_once_more(office: Door, olivia: StaffMember) -> None:
    chosen = [asks(), asks("pat@prospect.example")]
    visitor = office(olivia)
    ids = [str(prospect.uuid) for prospect in chosen]
    answer = visitor.send("prospects", {"do": "resend", "prospect": ids})
    assert answer.status_code == 302
    assert "to 2 people is in the outbox" in text_of(visitor.go("prospects"))
    assert OutgoingMessage.objects.filter(kind="verify_email").count() == 4


def test_nothing_is_sent_where_one_of_them_has_nothing_to_verify(
    office: Door, olivia: StaffMember, casey_account: Account
) -> None:
    una, pat = asks(), asks("pat@prospect.example", first_name="Pat")
    proven(pat)
    known = asks("casey@client.example")
    before = OutgoingMessage.objects.count()
    visitor = office(olivia)
    for other, words in (
        (pat, "Pat Okoro is verified already"),
        (known, "casey@client.example has a log-in already"),
    ):
        ids = [str(una.uuid), str(other.uuid)]
        answer = visitor.send("prospects", {"do": "resend", "prospect": ids})
        assert answer.status_code == 409
        assert words in text_of(answer)
    assert OutgoingMessage.objects.count() == before


def test_a_sixth_mail_within_the_hour_is_refused_in_words(
    office: Door, olivia: StaffMember
) -> None:
    prospect = asks()
    visitor = office(olivia)
    for _ in range(5):
        visitor.send("prospects", {"do": "resend", "prospect": str(prospect.uuid)})
    assert OutgoingMessage.objects.filter(kind="verify_email").count() == 5
    assert "Five e-mails went to una@prospect.example within the hour" in text_of(
        visitor.go("prospects")
    )


def test_dismissing_asks_first_and_can_be_undone_twice_over(
    office: Door, olivia: StaffMember
) -> None:
    una, pat = asks(), asks("pat@prospect.example", first_name="Pat")
    ids = [str(una.uuid), str(pat.uuid)]
    visitor = office(olivia)
    answer = visitor.send("prospects", {"do": "dismiss", "prospect": ids})
    assert answer.status_code == 302
    assert state_of(una) == ProspectState.WAITING
    page = visitor.get(answer["Location"])
    assert "Dismiss 2 prospects?" in text_of(page)
    assert state_of(una) == ProspectState.WAITING
    assert visitor.send("dismiss-prospects", {"prospect": ids}).status_code == 302
    assert (state_of(una), state_of(pat)) == ("dismissed", "dismissed")
    page = visitor.go("prospects").content.decode()
    assert "2 prospects are dismissed." in page
    form = re.search(r'<form method="post" action="([^"]+)">(.*?)</form>', page.split("flashes")[1])
    assert form is not None
    assert form[1] == visitor.path("restore-prospects")
    assert re.findall(r'name="prospect" value="([^"]+)"', form[2]) == ids[::-1]
    visitor.send("restore-prospects", {"prospect": ids})
    assert (state_of(una), state_of(pat)) == ("waiting", "waiting")
    visitor.send("dismiss-prospects", {"prospect": ids[0]})
    answer = visitor.send("prospects", {"do": "restore", "prospect": ids[0]})
    assert answer.status_code == 302
    assert state_of(una) == "waiting"
    assert actions("prospect.dismissed", "prospect.restored") == [
        "prospect.dismissed", "prospect.dismissed", "prospect.restored", "prospect.restored",
        "prospect.dismissed", "prospect.restored",
    ]  # fmt: skip


def test_who_comes_second_is_told_what_happened_and_does_nothing(
    office: Door, olivia: StaffMember, adam: StaffMember, noor: Client
) -> None:
    una, pat = asks(), asks("pat@prospect.example")
    prospects.associate(prospect=una, client=noor, relationship="self", by=adam)
    visitor = office(olivia)
    words = "Adam linked this prospect with Noor Haddad less than a minute ago."
    ids = [str(una.uuid), str(pat.uuid)]
    answer = visitor.send("dismiss-prospects", {"prospect": ids})
    assert answer.status_code == 409
    assert words in text_of(answer)
    assert visitor.path("client", client=noor.uuid) in answer.content.decode()
    assert state_of(pat) == "waiting"
    for do in ("resend", "restore"):
        answer = visitor.send("prospects", {"do": do, "prospect": str(una.uuid)})
        assert (answer.status_code, words in text_of(answer)) == (409, True)
    for route in ("create-from-prospect", "associate"):
        answer = visitor.go(route, prospect=una.uuid)
        assert (answer.status_code, words in text_of(answer)) == (409, True)


# Long lists


def _many(number: int) -> None:
    """So many verified and unverified prospects at once, past the form."""
    rows = Prospect.objects.bulk_create(
        Prospect(email=f"p{n}@many.example", first_name="Jordan", last_name=f"Achebe{n}")
        for n in range(number)
    )
    ProspectWord.objects.bulk_create(
        ProspectWord(prospect=row, word=word)
        for row in rows
        for word in ("jordan", row.last_name.lower(), row.email)
    )


def _queries(visitor: Visitor, **query: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert visitor.go("prospects", query).status_code == 200
    return len(seen)


def test_a_list_of_three_and_of_ten_thousand_asks_as_much_as_a_list_of_one(
    office: Door, olivia: StaffMember
) -> None:
    visitor = office(olivia)
    asks()
    _queries(visitor)
    plain, searched = [], []
    for more in (0, 2, 97, 9900):
        _many(more)
        plain.append(_queries(visitor))
        searched.append(_queries(visitor, q="jord", state="unverified"))
    assert Prospect.objects.count() == 10_000
    assert plain == plain[:1] * 4
    assert len(set(searched[1:])) == 1
    assert plain[0] < 25
    assert "of 10000 prospects" in text_of(visitor.go("prospects"))
    assert len(re.findall('class="tick"', visitor.go("prospects").content.decode())) == 50


@pytest.mark.skipif("connection.vendor != 'sqlite'")
def test_list_and_search_go_through_their_indexes(maple: Practice, olivia: StaffMember) -> None:
    _many(2000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    plan = search_prospects(olivia, "")[:50].explain()
    assert "USING INDEX prospect_list (practice_id=? AND state=?)" in plan
    assert "SCAN clients_prospect" not in plan
    plan = search_prospects(olivia, "achebe19")[:50].explain()
    assert "INDEX prospect_words (practice_id=? AND word>? AND word<?)" in plan
    assert "SCAN" not in plan.replace("SCAN LIST SUBQUERY", "")
