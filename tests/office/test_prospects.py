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
from roost.clients.confirmation import confirmation_code
from roost.clients.enums import ProspectState
from roost.clients.models import Client, PortalAccess, Prospect, ProspectWord
from roost.clients.prospect_queries import search_prospects
from roost.core.time import now
from roost.outbox.models import OutgoingMessage
from roost.practices.models import Practice
from roost.staff.models import StaffMember
from tests.support.cast import link_stamp
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
    prospects.verify(prospect=known, seen=known.email, by=olivia, reason="Met at the desk")
    text = text_of(office(olivia).go("prospects"))
    for words in (
        "Una Okoro goes by Uno una@prospect.example 416 555 0199 14 May 1990 Today,",
        "Has a log-in already", "E-mail failed", "Verified by staff", "E-mail not verified",
        "5 prospects", "Only Owners and Admins see this tab.",
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
    assert "Sign-up is off. Turn it on" in text_of(visitor.go("prospects"))
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
    prospects.associate(prospect=una, seen=una.email, client=noor, relationship="self", by=adam)
    visitor = office(olivia)
    words = "Adam linked this prospect with Noor Haddad less than a minute ago."
    ids = [str(una.uuid), str(pat.uuid)]
    answer = visitor.send("dismiss-prospects", {"prospect": ids})
    assert answer.status_code == 409
    assert words in text_of(answer)
    assert visitor.path("client", client=noor.uuid) in answer.content.decode()
    assert state_of(pat) == "waiting"
    for do in ("resend", "restore"):
        AuditEvent.objects.all()._raw_delete("default")
        answer = visitor.send("prospects", {"do": do, "prospect": str(una.uuid)})
        assert (answer.status_code, words in text_of(answer)) == (409, True)
        assert AuditEvent.objects.get(action="client.viewed").client_uuid == noor.uuid
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


def test_list_and_search_go_through_their_indexes(maple: Practice, olivia: StaffMember) -> None:
    _many(2000)
    on_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if not on_sqlite:
            # A table of this size is read as a whole for less; what is asked is whether it could be
            # otherwise.
            cursor.execute("SET LOCAL enable_seqscan = off")
    plan = search_prospects(olivia, "")[:50].explain()
    words = search_prospects(olivia, "achebe19")[:50].explain()
    if on_sqlite:
        assert "USING INDEX prospect_list (practice_id=? AND state=?)" in plan
        assert "SCAN clients_prospect" not in plan
        assert "INDEX prospect_words (practice_id=? AND word>? AND word<?)" in words
        assert "SCAN" not in words.replace("SCAN LIST SUBQUERY", "")
    else:
        assert "prospect_list" in plan
        assert re.search(r"prospect_words.*?Index Cond: .*?word\)?::text ~>=~", words, re.S), words


def test_the_list_says_how_many_files_are_like_each_prospect(
    office: Door, olivia: StaffMember, casey: Client, casey_account: Account
) -> None:
    asks("c@prospect.example", first_name="Casey", last_name="Nguyen")
    asks()
    asks("casey@client.example", first_name="Casey", last_name="Nguyen")
    visitor = office(olivia)
    text = text_of(visitor.go("prospects"))
    assert text.count("1 likely for Casey Nguyen") == 1
    assert text.count("None alike") == 1


# Create Client

PERSON = {
    "first_name": "Una", "last_name": "Okoro", "email": "una@prospect.example",
    "seen": "una@prospect.example",
}  # fmt: skip


def form_key_of(answer: Any) -> str:
    found = re.search(r'name="form_key" value="([^"]+)"', answer.content.decode())
    assert found is not None
    return found[1]


def test_create_client_opens_add_client_filled_in(office: Door, olivia: StaffMember) -> None:
    prospect = asks(phone="+14165550199", date_of_birth=date(1990, 5, 14), preferred_name="Uno")
    page = office(olivia).go("create-from-prospect", prospect=prospect.uuid).content.decode()
    for name, value in (
        ("first_name", "Una"), ("last_name", "Okoro"), ("preferred_name", "Uno"),
        ("email", "una@prospect.example"), ("phone", "416 555 0199"),
        ("date_of_birth", "1990-05-14"),
    ):  # fmt: skip
        assert re.search(rf'name="{name}" value="{value}"', page), name
    assert "<h1>Add Client</h1>" in page
    assert "once the e-mail is verified" in page


def test_double_click_back_and_resubmit_make_one_client(office: Door, olivia: StaffMember) -> None:
    prospect = asks()
    account = proven(prospect)
    visitor = office(olivia)
    key = form_key_of(visitor.go("create-from-prospect", prospect=prospect.uuid))
    before = Client.objects.count()
    where = set()
    for _ in range(3):
        answer = visitor.send(
            "create-from-prospect", {**PERSON, "form_key": key}, prospect=prospect.uuid
        )
        assert answer.status_code == 302
        where.add(answer["Location"])
    client = Client.objects.get(last_name="Okoro")
    assert where == {visitor.path("client", client=client.uuid)}
    assert Client.objects.count() == before + 1
    access = PortalAccess.objects.get(account=account)
    assert (access.client, access.relationship) == (client, "self")
    back = visitor.go("create-from-prospect", prospect=prospect.uuid)
    assert back.status_code == 409
    assert "You linked this prospect with Una Okoro" in text_of(back)


def test_a_form_sent_once_more_offers_no_way_back_from_a_later_link(
    office: Door, olivia: StaffMember, noor: Client
) -> None:
    prospect = asks()
    proven(prospect)
    visitor = office(olivia)
    key = form_key_of(visitor.go("create-from-prospect", prospect=prospect.uuid))

    def save() -> Any:
        sent = {**PERSON, "form_key": key}
        answer = visitor.send("create-from-prospect", sent, prospect=prospect.uuid)
        return visitor.get(answer["Location"])

    undo = visitor.path("undo-link", prospect=prospect.uuid)
    assert undo in save().content.decode()
    visitor.send("undo-link", {"link": link_stamp(prospect)}, prospect=prospect.uuid)
    prospect.refresh_from_db()
    prospects.associate(
        prospect=prospect, seen=prospect.email, client=noor, relationship="self", by=olivia
    )
    again = save()
    assert "Una Okoro was added, from the sign-up; that link is no more." in text_of(again)
    assert undo not in again.content.decode()


def test_the_second_admin_is_told_who_made_the_client(
    office: Door, olivia: StaffMember, adam: StaffMember
) -> None:
    prospect = asks()
    forms = [(v, form_key_of(v.go("create-from-prospect", prospect=prospect.uuid)))
             for v in (office(adam), office(olivia))]  # fmt: skip
    answers = [
        v.send("create-from-prospect", {**PERSON, "form_key": key}, prospect=prospect.uuid)
        for v, key in forms
    ]
    assert [answer.status_code for answer in answers] == [302, 409]
    words = "Adam linked this prospect with Una Okoro less than a minute ago."
    assert words in text_of(answers[1])
    client = Client.objects.get(last_name="Okoro")
    assert forms[1][0].path("client", client=client.uuid) in answers[1].content.decode()


def test_create_client_warns_of_a_record_and_offers_to_associate(
    office: Door, olivia: StaffMember, casey: Client
) -> None:
    prospect = asks("c@prospect.example", first_name="Casey", last_name="Nguyen")
    visitor = office(olivia)
    sent = {
        "first_name": "Casey", "last_name": "Nguyen", "form_key": str(uuid.uuid4()),
        "seen": "c@prospect.example",
    }  # fmt: skip
    before = Client.objects.count()
    answer = visitor.send("create-from-prospect", sent, prospect=prospect.uuid)
    assert answer.status_code == 409
    where = f"{visitor.path('associate', prospect=prospect.uuid)}?client={casey.uuid}"
    assert where in answer.content.decode()
    assert Client.objects.count() == before
    sure = {**sent, "confirmed": "yes"}
    answer = visitor.send("create-from-prospect", sure, prospect=prospect.uuid)
    assert answer.status_code == 302
    assert Client.objects.count() == before + 1


def test_a_form_with_mistakes_keeps_what_was_typed_and_the_prospect_waits(
    office: Door, olivia: StaffMember
) -> None:
    prospect = asks()
    sent = {**PERSON, "email": "no address", "form_key": str(uuid.uuid4())}
    answer = office(olivia).send("create-from-prospect", sent, prospect=prospect.uuid)
    assert answer.status_code == 422
    assert 'value="no address"' in answer.content.decode()
    assert state_of(prospect) == "waiting"


# Associate


def _associates(visitor: Visitor, prospect: Prospect, client: Any, **more: str) -> Any:
    sent = {
        "client": str(getattr(client, "uuid", client)), "relationship": "self",
        "seen": prospect.email, **more,
    }  # fmt: skip
    return visitor.send("associate", sent, prospect=prospect.uuid)


def test_likely_matches_are_ranked_with_their_reasons(
    office: Door, olivia: StaffMember, casey: Client, noor: Client
) -> None:
    prospect = asks(
        "n@prospect.example", first_name="Casey", last_name="Nguyen",
        date_of_birth=date(1994, 3, 9),
    )  # fmt: skip
    similar = Client.objects.create(first_name="Cassey", last_name="Nguyen")
    visitor = office(olivia)
    answer = visitor.go("associate", prospect=prospect.uuid)
    page = answer.content.decode()
    assert re.findall(r'<b class="any">([^<]+)</b>', page) == ["Casey Nguyen", "Cassey Nguyen"]
    assert "same date of birth same name" in text_of(answer)
    assert "similar name" in text_of(answer)
    event = AuditEvent.objects.filter(action="prospects.listed").latest("pk")
    assert event.details["clients"] == [str(casey.uuid), str(similar.uuid)]
    assert event.details["prospects"] == [str(prospect.uuid)]
    found = visitor.go("associate", {"q": "noor"}, prospect=prospect.uuid).content.decode()
    assert re.findall(r'<b class="any">([^<]+)</b>', found) == ["Noor Haddad"]
    part = visitor.get(
        visitor.path("associate", prospect=prospect.uuid), {"q": "416 000"}, HTTP_HX_REQUEST="true"
    )
    assert "Nobody matches that" in part.content.decode()
    assert "<html" not in part.content.decode()


def test_prospect_and_client_stand_side_by_side_with_what_differs_marked(
    office: Door, olivia: StaffMember, casey: Client
) -> None:
    prospect = asks("casey.nguyen@client.example", first_name="Casey", last_name="Nguyen")
    visitor = office(olivia)
    answer = visitor.go("associate", {"client": str(casey.uuid)}, prospect=prospect.uuid)
    page, text = answer.content.decode(), text_of(answer)
    assert "<mark>.nguyen</mark>" in page
    for words in (
        "Name Casey Nguyen Casey Nguyen Same", "Differs", "Only on one side",
        "Another account has it",
        "casey@client.example, self", "Payer Receipts and balance only",
        "Partner Only sessions that both of them attend",
        "The addresses differ. The file keeps casey@client.example for mail; the account logs in "
        "with casey.nguyen@client.example.",
    ):  # fmt: skip
        assert words in text, words
    event = AuditEvent.objects.filter(action="client.viewed").latest("pk")
    assert (event.client_uuid, event.details) == (casey.uuid, {"part": "associate"})


def test_associating_opens_the_record_and_undo_closes_it_at_once(
    office: Door, olivia: StaffMember, noor: Client
) -> None:
    prospect = asks("noor@client.example", first_name="Noor", last_name="Haddad")
    account = proven(prospect)
    visitor = office(olivia)
    answer = _associates(visitor, prospect, noor)
    assert answer.status_code == 302
    assert answer["Location"] == visitor.path("client", client=noor.uuid)
    assert PortalAccess.objects.get(account=account, ended_at=None).client == noor
    page = visitor.get(answer["Location"]).content.decode()
    assert "Noor Haddad is associated with Noor Haddad’s record, as self." in page
    assert f'action="{visitor.path("undo-link", prospect=prospect.uuid)}"' in page
    assert f'name="link" value="{link_stamp(prospect)}"' in page
    answer = visitor.send("undo-link", {"link": link_stamp(prospect)}, prospect=prospect.uuid)
    assert answer.status_code == 302
    assert not PortalAccess.objects.filter(account=account, ended_at=None).exists()
    assert state_of(prospect) == "waiting"
    again = visitor.send("undo-link", {"link": link_stamp(prospect)}, prospect=prospect.uuid)
    assert again.status_code == 409
    assert actions("prospect.linked", "access.given", "prospect.undone", "access.taken") == [
        "prospect.linked", "access.given", "prospect.undone", "access.taken",
    ]  # fmt: skip


def test_undo_tells_the_rooms_in_its_own_transaction(
    office: Door, olivia: StaffMember, noor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    prospect = asks("noor@client.example", first_name="Noor", last_name="Haddad")
    proven(prospect)
    visitor = office(olivia)
    _associates(visitor, prospect, noor)
    told = []
    monkeypatch.setattr(
        "roost.office.views.linking.recheck_rooms_of",
        lambda client: told.append((client, connection.in_atomic_block)),
    )
    visitor.send("undo-link", {"link": link_stamp(prospect)}, prospect=prospect.uuid)
    assert told == [(noor, True)]


def test_an_old_page_undoes_no_newer_link(
    office: Door, olivia: StaffMember, noor: Client, casey: Client
) -> None:
    prospect = asks()
    link = {"prospect": prospect, "seen": prospect.email, "by": olivia}
    prospects.associate(client=noor, relationship="self", **link)
    old = link_stamp(prospect)
    prospects.undo_link(prospect=prospect, stamp=old, by=olivia)
    prospects.associate(client=noor, relationship="payer", **link)
    answer = office(olivia).send("undo-link", {"link": old}, prospect=prospect.uuid)
    assert answer.status_code == 409
    assert state_of(prospect) == "linked"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"first_name": "Casey", "last_name": "Nguyen"}, "Nothing but the name agrees."),
        ({}, "Nothing that Una Okoro typed agrees with this file."),
        (
            {"first_name": "Casey", "last_name": "Nguyen", "phone": "+14165550199",
             "date_of_birth": date(1980, 1, 1)},
            "The dates of birth are not the same.",
        ),
    ],
)  # fmt: skip
def test_in_doubt_a_second_question_comes_first(
    office: Door, olivia: StaffMember, casey: Client, noor: Client,
    facts: dict[str, Any], words: str,
) -> None:  # fmt: skip
    casey.phone = "+14165550199"
    casey.save()
    prospect = asks(**facts)
    visitor = office(olivia)
    answer = _associates(visitor, prospect, casey)
    assert answer.status_code == 409
    assert words in text_of(answer)
    assert "Casey’s sessions and receipts are shown to a stranger." in text_of(answer)
    assert state_of(prospect) == "waiting"
    assert re.search(r'value="self"[^>]* checked', answer.content.decode())
    # A yes that was meant for another file is none.
    assert _associates(visitor, prospect, casey, sure=str(noor.uuid)).status_code == 409
    assert _associates(visitor, prospect, casey, sure="yes").status_code == 409
    assert _associates(visitor, prospect, casey, sure=str(casey.uuid)).status_code == 302
    assert state_of(prospect) == "linked"


def test_an_address_that_nobody_has_proven_agrees_with_nothing(
    office: Door, olivia: StaffMember, noor: Client
) -> None:
    prospect = asks("noor@client.example", first_name="Noor", last_name="Haddad")
    visitor = office(olivia)
    answer = _associates(visitor, prospect, noor)
    assert answer.status_code == 409
    assert "nobody has proven that the mailbox is theirs" in text_of(answer)
    proven(prospect)
    assert _associates(visitor, prospect, noor).status_code == 302


def test_what_cannot_be_associated_is_refused_in_words(
    office: Door, olivia: StaffMember, noor: Client, casey: Client, other: Any
) -> None:
    prospect = asks()
    noor.archived_at = now()
    noor.save()
    visitor = office(olivia)
    for client, status, words in (
        (noor, 422, "Nobody is let into an archived record."),
        (other.casey, 404, ""),
        (uuid.uuid4(), 404, ""),
        ("garbage", 422, "Choose a file first"),
        ("", 422, "Choose a file first"),
    ):
        answer = _associates(visitor, prospect, client, sure=str(noor.uuid))
        assert (answer.status_code, words in text_of(answer)) == (status, True)
    sent = {"client": str(casey.uuid), "relationship": "emperor", "sure": str(casey.uuid)}
    answer = visitor.send("associate", sent, prospect=prospect.uuid)
    assert answer.status_code == 422
    answer = visitor.send("associate", {"client": str(casey.uuid)}, prospect=prospect.uuid)
    assert "Say what this person is to the client." in text_of(answer)
    archived = visitor.go("associate", {"client": str(noor.uuid)}, prospect=prospect.uuid)
    assert archived.status_code == 422
    assert state_of(prospect) == "waiting"
    assert actions("prospect.linked", "access.given") == []


def test_a_sign_up_on_a_known_address_can_only_be_dismissed(
    office: Door, olivia: StaffMember, casey: Client, casey_account: Account
) -> None:
    prospect = asks("casey@client.example")
    visitor = office(olivia)
    for route in ("associate", "create-from-prospect", "verify-prospect"):
        for answer in (
            visitor.go(route, prospect=prospect.uuid),
            visitor.send(
                route,
                {**PERSON, "form_key": str(uuid.uuid4()), "client": str(casey.uuid),
                 "relationship": "self", "sure": str(casey.uuid), "reason": "Known to us"},
                prospect=prospect.uuid,
            ),
        ):  # fmt: skip
            assert answer.status_code == 409
            assert "casey@client.example has a log-in already" in text_of(answer)
            dismissing = visitor.path("dismiss-prospects")
            assert f"{dismissing}?prospect={prospect.uuid}" in answer.content.decode()
    assert state_of(prospect) == "waiting"
    visitor.send("dismiss-prospects", {"prospect": str(prospect.uuid)})
    assert state_of(prospect) == "dismissed"


# Verify


def test_staff_verify_by_the_code_that_is_read_out(office: Door, olivia: StaffMember) -> None:
    prospect = asks()
    visitor = office(olivia)
    page = visitor.go("verify-prospect", prospect=prospect.uuid)
    assert "The code proves who is at the screen, not whose mailbox it is." in text_of(page)
    answer = visitor.send(
        "verify-prospect", {"code": "AAAAAA", "seen": prospect.email}, prospect=prospect.uuid
    )
    assert answer.status_code == 422
    assert "That is not the code on their Account page." in text_of(answer)
    nothing = visitor.send("verify-prospect", prospect=prospect.uuid)
    assert nothing.status_code == 422
    for field in ("code", "reason"):
        assert f'<a href="#id_{field}">' in nothing.content.decode()
        assert f'id="id_{field}_error"' in nothing.content.decode()
    code = confirmation_code(prospect, now(), olivia.practice.zone)
    answer = visitor.send(
        "verify-prospect", {"code": code, "seen": prospect.email}, prospect=prospect.uuid
    )
    assert answer["Location"] == visitor.path("prospects")
    text = text_of(visitor.go("prospects"))
    assert "Una Okoro is verified. A notice goes to una@prospect.example." in text
    assert "Verified by staff" in text
    again = visitor.send(
        "verify-prospect", {"code": code, "seen": prospect.email}, prospect=prospect.uuid
    )
    assert again.status_code == 409
    assert "Una Okoro is verified already." in text_of(again)
    assert "Already verified" not in text_of(again)
    assert actions("prospect.verified", "sign_up.verified") == ["prospect.verified"]


def test_whoever_used_their_own_link_is_not_a_quicker_colleague(
    office: Door, olivia: StaffMember
) -> None:
    prospect = asks()
    proven(prospect)
    answer = office(olivia).go("verify-prospect", prospect=prospect.uuid)
    assert answer.status_code == 409
    assert "Already verified" in text_of(answer)
    assert "Una Okoro is verified already." in text_of(answer)
    assert "Somebody was quicker" not in text_of(answer)


def test_a_linked_sign_up_is_verified_from_the_record_and_then_opens_it(
    office: Door, olivia: StaffMember, tara: StaffMember, noor: Client
) -> None:
    prospect = asks()
    prospects.associate(
        prospect=prospect, seen=prospect.email, client=noor, relationship="parent", by=olivia
    )
    visitor = office(olivia)
    page = visitor.go("client", client=noor.uuid).content.decode()
    assert "E-mail not verified" in page
    assert "No portal access yet" not in page
    assert f"{visitor.path('verify-prospect', prospect=prospect.uuid)}?from=client" in page
    assert visitor.path("resend-verification", prospect=prospect.uuid) in page
    assert visitor.path("undo-link", prospect=prospect.uuid) in page
    theirs = office(tara).go("client", client=noor.uuid).content.decode()
    assert "E-mail not verified" in theirs
    assert "/prospects/" not in theirs
    sent = visitor.post(
        f"{visitor.path('resend-verification', prospect=prospect.uuid)}?from=client"
    )
    assert sent["Location"] == visitor.path("client", client=noor.uuid)
    where = f"{visitor.path('verify-prospect', prospect=prospect.uuid)}?from=client"
    answer = visitor.post(
        where, {"reason": "Brought <b>Noor</b> to the desk", "seen": prospect.email}
    )
    assert answer["Location"] == visitor.path("client", client=noor.uuid)
    text = visitor.get(answer["Location"]).content.decode()
    assert "By Olivia Osei" in text
    assert "Brought &lt;b&gt;Noor&lt;/b&gt; to the desk" in text
    assert PortalAccess.objects.get(client=noor).relationship == "parent"


# All Clients, and a client's record


def test_all_clients_shows_who_is_linked_and_not_verified(
    office: Door, olivia: StaffMember, tara: StaffMember, noor: Client
) -> None:
    prospect = asks()
    prospects.associate(
        prospect=prospect, seen=prospect.email, client=noor, relationship="self", by=olivia
    )
    visitor = office(olivia)
    link = f"{visitor.path('verify-prospect', prospect=prospect.uuid)}?from=clients"
    page = visitor.go("clients").content.decode()
    assert page.count("E-mail not verified") == 1
    assert link in page
    theirs = office(tara).go("clients").content.decode()
    assert theirs.count("E-mail not verified") == 1
    assert "/prospects/" not in theirs
    proven(prospect)
    assert "E-mail not verified" not in visitor.go("clients").content.decode()


def test_a_record_says_who_waits_with_its_e_mail(
    office: Door, olivia: StaffMember, tara: StaffMember, noor: Client
) -> None:
    prospect = asks("noor@client.example")
    visitor = office(olivia)
    page = visitor.go("client", client=noor.uuid)
    assert "Una Okoro is waiting under Prospects with this e-mail; nobody has proven" in text_of(
        page
    )
    where = f"{visitor.path('associate', prospect=prospect.uuid)}?client={noor.uuid}"
    assert where in page.content.decode()
    event = AuditEvent.objects.get(action="prospects.listed")
    assert event.details["prospects"] == [str(prospect.uuid)]
    assert "Una" not in office(tara).go("client", client=noor.uuid).content.decode()


# My Account


def test_owners_and_admins_choose_whether_they_are_mailed(
    office: Door, adam: StaffMember, tara: StaffMember
) -> None:
    visitor = office(adam)
    page = visitor.go("account").content.decode()
    assert re.search(r'name="wants" value="yes" checked', page)
    visitor.send("prospect-mail")
    adam.refresh_from_db()
    assert adam.wants_prospect_mail is False
    assert not re.search(
        r'name="wants" value="yes" checked', visitor.go("account").content.decode()
    )
    proven(asks())
    assert not OutgoingMessage.objects.filter(to="adam@maple.example").exists()
    visitor.send("prospect-mail", {"wants": "yes"})
    visitor.send("prospect-mail", {"wants": "yes"})
    events = AuditEvent.objects.filter(action="staff.changed", actor=adam.account)
    assert [event.details for event in events] == [{"fields": ["wants_prospect_mail"]}] * 2
    assert "E-mail me when" not in office(tara).go("account").content.decode()


def test_names_with_markup_are_printed_escaped_wherever_a_prospect_is_named(
    office: Door, olivia: StaffMember, noor: Client
) -> None:
    name = "<b>U</b>\"'{{ 7*7 }}"
    prospect = asks("noor@client.example", first_name=name, preferred_name="<i>x</i>")
    visitor, ids = office(olivia), {"prospect": prospect.uuid}
    pages = [visitor.go("prospects"), visitor.go("verify-prospect", **ids)]
    pages += [visitor.go("associate", {"client": str(noor.uuid)}, **ids)]
    pages += [visitor.go("associate", **ids), visitor.go("create-from-prospect", **ids)]
    pages += [visitor.go("dismiss-prospects", {"prospect": str(prospect.uuid)})]
    pages += [visitor.go("client", client=noor.uuid)]
    visitor.send("dismiss-prospects", {"prospect": str(prospect.uuid)})
    pages += [visitor.go("prospects"), visitor.go("associate", **ids)]
    for page in pages:
        text = page.content.decode()
        assert "&lt;b&gt;U" in text or page.status_code == 409
        assert "<b>U" not in text
        assert "<i>x" not in text
