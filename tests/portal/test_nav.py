"""My Account is one press away on every page of the portal, and the way round them works."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from roost.accounts.models import Account
from roost.clients.enums import Relationship
from roost.clients.models import Client
from roost.core.time import now
from tests.support.cast import Cast, give, make_account, make_appointment
from tests.support.doors import Visitor

Door = Callable[..., Visitor]


def links(answer: Any, start: str, end: str = "</nav>") -> list[tuple[str, str]]:
    """The links of one part of a page: their words, the short one first, and where they lead."""
    part = answer.content.decode().partition(start)[2].partition(end)[0]
    found = re.findall(r'<a href="([^"]+)"[^>]*>(.*?)</a>', part, re.S)
    return [(" ".join(re.sub(r"<[^>]+>", " ", words).split()), href) for href, words in found]


def test_every_page_has_a_link_named_my_account(
    portal: Door, cast: Cast, casey: Client, casey_account: Account
) -> None:
    visitor = portal(casey_account)
    later = make_appointment(
        cast.tara, casey, service=cast.individual, starts_at=now() + timedelta(days=3)
    )
    own = {"client": casey.uuid}
    room = {"appointment": later.uuid, "attendee": later.attendees.get().uuid}
    pages = [
        visitor.go(route, **ids)
        for route, ids in (
            ("account", {}), ("sessions", own), ("receipts", own), ("details", own),
            ("ask-correction", own), ("security", {}), ("change-password", {}),
            ("change-address", {}), ("time-zone", {}), ("room-person", room),
        )
    ]  # fmt: skip
    assert [page.status_code for page in pages] == [200] * len(pages)
    gone = visitor.get(visitor.path("account") + "nothing/")
    assert gone.status_code == 404
    nothing_open = portal(make_account("nobody@client.example")).go("account")
    for page in (*pages, nothing_open, gone):
        named = dict(links(page, "<header", "</header>"))
        assert named["My Account"] == visitor.path("account"), page.request["PATH_INFO"]
    assert f'href="{visitor.path("account")}">Go to My Account</a>' in gone.content.decode()
    assert ("Sessions", f"{visitor.path('account')}#sessions") in links(gone, 'class="portal-nav"')
    strangers = portal().get(visitor.path("account") + "nothing/").content.decode()
    assert "There’s nothing at this address" in strangers and "portal-nav" not in strangers


def test_the_way_round_leads_to_each_part_and_says_where_one_is(
    portal: Door, casey: Client, casey_account: Account
) -> None:
    visitor, own = portal(casey_account), {"client": casey.uuid}
    home = visitor.path("account")
    for route, ids, here in (
        ("account", {}, "Next session"), ("sessions", own, "Sessions"),
        ("receipts", own, "Receipts"), ("details", own, "My details"),
        ("ask-correction", own, "My details"), ("security", {}, "Security"),
        ("change-password", {}, "Security"), ("change-address", {}, "Security"),
    ):  # fmt: skip
        page = visitor.go(route, **ids)
        assert links(page, 'class="portal-nav"') == [
            ("Home Next session", home),
            ("Sessions", f"{home}#sessions"),
            ("Receipts", f"{home}#receipts"),
            ("Details My details", f"{home}#details"),
            ("Security", visitor.path("security")),
        ]
        nav = page.content.decode().partition('class="portal-nav"')[2].partition("</nav>")[0]
        marked = re.findall(r"<a [^>]*aria-current[^>]*>(.*?)</a>", nav, re.S)
        assert len(marked) == 1, route
        assert here in marked[0]


def test_what_an_access_does_not_open_is_not_on_the_way_round(portal: Door, casey: Client) -> None:
    account = make_account("payer@client.example")
    give(account, casey, Relationship.PAYER)
    found = links(portal(account).go("account"), 'class="portal-nav"')
    assert [words for words, _ in found] == ["Home", "Receipts", "Security"]


def test_the_way_round_stays_with_the_person_whose_page_it_is(
    portal: Door, parker_account: Account, robin: Client, remy: Client
) -> None:
    visitor = portal(parker_account)
    home = visitor.path("account")
    for route in ("sessions", "receipts", "details", "ask-correction"):
        for client, person in ((robin, ""), (remy, f"?person={remy.uuid}")):
            page = visitor.go(route, client=client.uuid)
            found = dict(links(page, 'class="portal-nav"'))
            assert found["Home Next session"] == home + person
            assert found["Receipts"] == f"{home}{person}#receipts"
    page = visitor.get(f"{home}?person={remy.uuid}")
    assert dict(links(page, 'class="portal-nav"'))["Sessions"] == (
        f"{home}?person={remy.uuid}#sessions"
    )
