"""Mailed links: reset and invitation, used once, at one door, by whoever holds the mailbox."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine

from roost.accounts.enums import LinkPurpose
from roost.accounts.errors import LinkDead
from roost.accounts.links import fill_in, finish, look_at, mail_link
from roost.accounts.models import Account, AttemptCount, MailLink, SignIn
from roost.accounts.services import account_at
from roost.audit.models import AnonymousRefusals, AuditEvent
from roost.clients.models import Client
from roost.core.tenancy import scope
from roost.core.time import now
from roost.outbox.kinds import Outdated
from roost.outbox.models import OutgoingMessage
from roost.outbox.services import deliver_due
from roost.practices.models import Practice
from roost.staff.models import StaffMember
from tests.support.cast import PASSWORD, Cast, give
from tests.support.doors import Visitor
from tests.support.post import Post
from tests.support.server import free_port

Door = Callable[..., Visitor]
NEW = "my own quiet sentence"
CASEY = "casey@client.example"


def _ask(visitor: Visitor, email: str = CASEY) -> Any:
    return visitor.send("forgot-password", {"email": email})


def _mailed(post: Post) -> str:
    """The path of the newest link that has come."""
    before = len(post.received)
    deliver_due()
    assert len(post.received) == before + 1
    return urlsplit(post.received[-1].link).path


def _reset(portal: Door, post: Post) -> str:
    assert _ask(portal()).status_code == 200
    return _mailed(post)


def _heading(answer: Any) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", answer.content.decode())
    assert found
    return found[1]


def _is_dead(answer: Any, heading: str = "This link can’t be used any more") -> bool:
    return bool(answer.status_code == 410 and _heading(answer) == heading)


def _can_log_in(portal: Door, password: str) -> bool:
    answer = portal().send("log-in", {"email": CASEY, "password": password})
    return bool(answer.status_code == 302)


# The way it goes


def test_a_reset_link_lets_its_holder_choose_a_password_and_come_in(
    portal: Door, casey_account: Account, post: Post
) -> None:
    elsewhere = portal(casey_account)
    path = _reset(portal, post)
    visitor = portal()
    page = visitor.get(path)
    assert (page.status_code, _heading(page)) == (200, "Choose your password")
    assert CASEY in page.content.decode()
    assert page["Referrer-Policy"] == "strict-origin"
    assert page["Cache-Control"] == "no-store"
    answer = visitor.post(path, {"new_password": NEW})
    assert answer["Location"] == "/portal/maple/my-account/"
    assert visitor.go("account").status_code == 200
    assert elsewhere.go("account").status_code == 302
    assert (_can_log_in(portal, PASSWORD), _can_log_in(portal, NEW)) == (False, True)
    casey_account.refresh_from_db()
    assert casey_account.mailbox_proven_at is not None
    [event] = AuditEvent.objects.filter(action="password.chosen")
    assert (event.actor, event.details) == (casey_account, {"through": "reset"})


def test_an_invitation_lets_its_holder_in_without_any_password_changing_hands(
    portal: Door, noor: Client, post: Post
) -> None:
    account = Account(email="noor@client.example")
    account.set_unusable_password()
    account.save()
    give(account, noor)
    mail_link(account, LinkPurpose.INVITATION, door="portal", client_uuid=noor.uuid)
    path = _mailed(post)
    visitor = portal()
    assert "Welcome." in visitor.get(path).content.decode()
    assert visitor.post(path, {"new_password": NEW})["Location"] == "/portal/maple/my-account/"
    assert "Noor Haddad" in visitor.go("account").content.decode()
    account.refresh_from_db()
    assert account.has_own_password
    [event] = AuditEvent.objects.filter(action="link.used")
    assert event.client_uuid == noor.uuid


def test_a_password_that_is_refused_leaves_the_link_alive(
    portal: Door, casey_account: Account, post: Post
) -> None:
    path = _reset(portal, post)
    for bad in ("shrt-one", "", "maple counselling", "casey client example"):
        answer = portal().post(path, {"new_password": bad})
        assert answer.status_code == 422
        assert bad == "" or bad not in answer.content.decode()
    assert AuditEvent.objects.filter(action="link.used").count() == 1
    assert SignIn.objects.count() == 0
    assert portal().post(path, {"new_password": NEW}).status_code == 302


def test_who_comes_in_by_an_invitation_has_the_zone_of_their_browser(
    portal: Door, maple: Practice, noor: Client, post: Post
) -> None:
    """It is their first log-in, and they have not seen the log-in page."""
    account = account_at("noor@client.example")
    give(account, noor)
    mail_link(account, LinkPurpose.INVITATION, door="portal", client_uuid=noor.uuid)
    path = _mailed(post)
    page = portal().get(path).content.decode()
    assert re.search(r'<input type="hidden" name="zone" data-zone=""', page)
    assert "accounts/zone.js" in page
    portal().post(path, {"new_password": "short", "zone": "Europe/Berlin"})
    account.refresh_from_db()
    assert account.zone_name == ""
    portal().post(path, {"new_password": NEW, "zone": "Europe/Berlin"})
    account.refresh_from_db()
    assert account.zone_name == "Europe/Berlin"


@pytest.mark.parametrize("zone", ["Not/AZone", "", "Asia/Tokyo"])
def test_a_link_changes_no_zone_that_is_kept_and_keeps_none_that_is_none(
    portal: Door, casey_account: Account, post: Post, zone: str
) -> None:
    Account.objects.filter(pk=casey_account.pk).update(zone_name="Europe/Berlin")
    path = _reset(portal, post)
    assert portal().post(path, {"new_password": NEW, "zone": zone}).status_code == 302
    casey_account.refresh_from_db()
    assert casey_account.zone_name == "Europe/Berlin"


# Dead links


def test_a_link_works_once(portal: Door, casey_account: Account, post: Post) -> None:
    path = _reset(portal, post)
    assert portal().post(path, {"new_password": NEW}).status_code == 302
    for ask in (
        lambda: portal().get(path),
        lambda: portal().post(path, {"new_password": "another quiet sentence"}),
    ):
        assert _is_dead(ask())
    assert _can_log_in(portal, NEW)


def test_the_older_of_two_links_is_dead_and_says_why(
    portal: Door, casey_account: Account, post: Post
) -> None:
    older, newer = _reset(portal, post), _reset(portal, post)
    assert _is_dead(portal().get(older), "There is a newer link")
    assert _is_dead(portal().post(older, {"new_password": NEW}), "There is a newer link")
    assert not _can_log_in(portal, NEW)
    assert portal().post(newer, {"new_password": NEW}).status_code == 302


@pytest.mark.parametrize("change", ["password", "email"])
def test_a_link_dies_with_a_change_of_password_or_address(
    portal: Door, casey_account: Account, post: Post, change: str
) -> None:
    path = _reset(portal, post)
    assert portal().get(path).status_code == 200
    if change == "password":
        casey_account.set_password("chosen in the meantime")
    else:
        casey_account.email = "casey@new.example"
    casey_account.save()
    assert _is_dead(portal().get(path))
    assert _is_dead(portal().post(path, {"new_password": NEW}))
    assert not _can_log_in(portal, NEW)


def test_a_link_of_a_disabled_account_is_dead(
    portal: Door, casey_account: Account, post: Post
) -> None:
    path = _reset(portal, post)
    casey_account.is_active = False
    casey_account.save()
    assert _is_dead(portal().get(path))
    assert _is_dead(portal().post(path, {"new_password": NEW}))


@pytest.mark.parametrize(("door", "practice"), [("office", "maple"), ("portal", "cedar")])
def test_a_link_opens_nothing_at_another_door_or_practice(
    portal: Door, casey_account: Account, other: Cast, post: Post, door: str, practice: str
) -> None:
    path = _reset(portal, post)
    moved = path.replace("/portal/maple/", f"/{door}/{practice}/")
    assert portal().get(path).status_code == 200
    assert _is_dead(portal().get(moved))
    assert _is_dead(portal().post(moved, {"new_password": NEW}))


def test_a_link_with_anything_changed_is_dead(
    portal: Door, casey_account: Account, parker_account: Account, post: Post
) -> None:
    path = _reset(portal, post)
    assert portal().get(path).status_code == 200
    _ask(portal(), "parker@client.example")
    others = _mailed(post)
    link, token = path.split("/")[4:6]
    flipped = ("A" if token[0] != "A" else "B") + token[1:]
    for bad in (
        path.replace(token, flipped),
        path.replace(token, token[:-1]),
        path.replace(token, token + "A"),
        path.replace(token, token.upper()),
        path.replace(token, "é"),
        path.replace(token, "%00"),
        path.replace(link, others.split("/")[4]),
        path.replace("/reset/", "/new-link/").replace(token, flipped),
    ):
        answer = portal().post(bad, {"new_password": NEW})
        assert _is_dead(answer), bad
        assert CASEY not in answer.content.decode()
    # What the page is called changes nothing: the purpose is in the token.
    assert portal().get(path.replace("/reset/", "/invitation/")).status_code == 200


# Scanners


def test_a_scanner_that_looks_changes_nothing(
    portal: Door, casey_account: Account, post: Post
) -> None:
    path = _reset(portal, post)

    def facts() -> list[Any]:
        return [list(m.objects.values_list()) for m in (MailLink, Account, SignIn, AuditEvent)]

    before = facts()
    for _ in range(3):
        assert portal().get(path).status_code == 200
        assert portal().head(path).status_code == 200
        assert portal().options(path).status_code == 405
    assert facts() == before
    assert portal().post(path, {"new_password": NEW}).status_code == 302


# Expired


@pytest.mark.parametrize(
    ("purpose", "lifetime"),
    [(LinkPurpose.RESET, timedelta(hours=1)), (LinkPurpose.INVITATION, timedelta(days=7))],
)
def test_an_expired_link_offers_a_new_one_to_the_same_address_only(
    portal: Door, casey_account: Account, post: Post, purpose: LinkPurpose, lifetime: timedelta
) -> None:
    mail_link(casey_account, purpose, door="portal")
    path = _mailed(post)
    moment = now()
    with time_machine.travel(moment + lifetime - timedelta(minutes=1), tick=False):
        assert portal().get(path).status_code == 200
    with time_machine.travel(moment + lifetime + timedelta(minutes=1), tick=False):
        page = portal().get(path)
        assert _is_dead(page, "This link has expired")
        assert portal().post(path, {"new_password": NEW}).status_code == 410
        assert not _can_log_in(portal, NEW)
        [renew] = re.findall(r'action="([^"]*/new-link/[^"]*)"', page.content.decode())
        assert portal().get(renew).status_code == 405
        answer = portal().post(renew, {"email": "thief@evil.example", "address": "t@evil.example"})
        assert (answer.status_code, _heading(answer)) == (200, "A new link is on its way")
        assert CASEY not in answer.content.decode()
        new = _mailed(post)
        assert post.received[-1].to == [CASEY]
        assert _is_dead(portal().get(path), "There is a newer link")
        assert _is_dead(portal().post(renew), "There is a newer link")
        assert portal().post(new, {"new_password": NEW}).status_code == 302
    [event] = AuditEvent.objects.filter(action="link.renewed")
    assert event.actor is None


# How many


def test_five_mails_an_hour_go_to_one_address_however_they_are_asked_for(
    portal: Door, casey_account: Account, post: Post
) -> None:
    for _ in range(3):
        _ask(portal())
    mail_link(casey_account, LinkPurpose.INVITATION, door="portal")
    mail_link(casey_account, LinkPurpose.INVITATION, door="portal")
    assert OutgoingMessage.objects.count() == 5
    asked = _ask(portal())
    assert asked.status_code == 200
    assert _heading(asked) == 'Look at your <span class="nowrap">e-mail</span>'
    assert OutgoingMessage.objects.count() == 5
    with time_machine.travel(now() + timedelta(minutes=61)):
        _ask(portal())
        assert OutgoingMessage.objects.count() == 6


def test_the_page_of_an_expired_link_keeps_to_the_same_limit(
    portal: Door, casey_account: Account, post: Post
) -> None:
    path = _reset(portal, post)
    with time_machine.travel(now() + timedelta(hours=2), tick=False):
        for _ in range(5):
            _ask(portal())
        MailLink.objects.filter(uuid=path.split("/")[4]).update(replaced_at=None)
        answer = portal().post(path.replace("/reset/", "/new-link/"))
        assert answer.status_code == 429
        assert "That’s enough for this hour" in answer.content.decode()
    assert OutgoingMessage.objects.count() == 6


def test_one_source_asks_twenty_times_an_hour_whatever_it_asks_for(portal: Door) -> None:
    visitor = portal()
    answers = [_ask(visitor, f"p{n}@client.example").status_code for n in range(22)]
    assert answers == [200] * 20 + [429] * 2
    other = portal()
    other.defaults["REMOTE_ADDR"] = "192.0.2.7"
    assert _ask(other).status_code == 200


# Nobody can ask whether an address is known


def _same(answer: Any, email: str) -> tuple[int, list[tuple[str, str]], str]:
    headers = dict(answer.items())
    # The page says which address was asked for, and is so much longer.
    headers["Content-Length"] = str(int(headers["Content-Length"]) - len(email))
    text = answer.content.decode().replace(email, "X@")
    text = text.replace(str(answer.context["csrf_token"]), "T")
    return answer.status_code, sorted(headers.items()), text


@pytest.mark.parametrize("mail", ["alive", "away", "none"])
@pytest.mark.parametrize("door", ["portal", "office"])
def test_forgot_password_answers_the_same_for_known_and_unknown(
    request: pytest.FixtureRequest,
    casey_account: Account,
    tara: StaffMember,
    settings: Any,
    door: str,
    mail: str,
) -> None:
    if mail == "alive":
        request.getfixturevalue("post")
    else:
        settings.ROOST_SMTP = Post(free_port()).settings if mail == "away" else None
    visit: Door = request.getfixturevalue(door)
    known = CASEY if door == "portal" else tara.account.email
    disabled = Account(email="left@client.example", is_active=False)
    disabled.set_password(PASSWORD)
    disabled.save()
    answers = [
        _same(_ask(visit(), email), email)
        for email in (known, "nobody@client.example", disabled.email)
    ]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == 200
    [message] = OutgoingMessage.objects.all()
    assert message.to == known
    assert AnonymousRefusals.objects.get().count == 2
    assert sorted(AttemptCount.objects.values_list("count", flat=True)) == [1, 3]


def test_the_sixth_mail_is_kept_back_in_silence(portal: Door, casey_account: Account) -> None:
    answers = [_same(_ask(portal()), CASEY) for _ in range(6)]
    assert answers[5] == answers[0]
    assert OutgoingMessage.objects.count() == 5


def test_an_address_is_found_however_it_is_typed(portal: Door, casey_account: Account) -> None:
    _ask(portal(), " CASEY@Client.Example\u200b ")
    assert OutgoingMessage.objects.get().to == CASEY


# Where a link leads


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_HOST": "evil.example"},
        {"HTTP_HOST": "127.0.0.1.evil.example"},
        {"HTTP_HOST": "127.0.0.1:8000@evil.example"},
        {"HTTP_X_FORWARDED_HOST": "evil.example"},
        {"HTTP_FORWARDED": "host=evil.example;proto=https"},
        {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_FOR": "198.51.100.9"},
        {"HTTP_X_ORIGINAL_URL": "//evil.example/", "HTTP_ORIGIN": "https://evil.example"},
    ],
)
def test_no_header_of_a_request_reaches_a_mail(
    maple: Practice, casey_account: Account, post: Post, headers: dict[str, str]
) -> None:
    visitor = Visitor(maple, "portal", **headers)
    answer = _ask(visitor)
    if "HTTP_HOST" in headers:
        assert answer.status_code == 400
        assert OutgoingMessage.objects.count() == 0
        return
    deliver_due()
    [received] = post.received
    assert received.link.startswith("http://127.0.0.1:8000/portal/maple/reset/")
    assert b"evil" not in received.raw
    assert AttemptCount.objects.filter(count=1).count() == 2
    visitor.defaults.pop("HTTP_X_FORWARDED_FOR", None)
    _ask(visitor)
    assert sorted(AttemptCount.objects.values_list("count", flat=True)) == [2, 2]


def test_a_link_of_one_practice_is_made_with_that_practices_address(
    portal: Door, other: Cast, post: Post, casey_account: Account
) -> None:
    with scope(other.practice.pk):
        _ask(Visitor(other.practice, "portal"))
        deliver_due()
    [received] = post.received
    assert received.link.startswith("http://127.0.0.1:8000/portal/cedar/reset/")
    path = urlsplit(received.link).path
    assert Visitor(other.practice, "portal").post(path, {"new_password": NEW}).status_code == 302
    assert _can_log_in(portal, PASSWORD)
    assert not _can_log_in(portal, NEW)


def test_a_reset_leads_to_the_door_where_the_account_belongs(
    cast: Cast, maple: Practice, office: Door, portal: Door
) -> None:
    office().send("forgot-password", {"email": cast.casey_account.email})
    portal().send("forgot-password", {"email": cast.tara.account.email})
    doors = {link.account: link.door for link in MailLink.objects.select_related("account")}
    assert doors == {cast.casey_account: "portal", cast.tara.account: "office"}


@pytest.mark.parametrize("purpose", [LinkPurpose.INVITATION, LinkPurpose.RESET])
def test_a_link_whose_mail_has_not_left_dies_with_a_new_password_too(
    maple: Practice, purpose: LinkPurpose
) -> None:
    """Its token is made at delivery, of the password that is there then (SECURITY.md rule 7)."""
    account = account_at("noor@client.example")
    waiting = mail_link(account, purpose, door="portal")
    other = mail_link(account, LinkPurpose.STAFF_INVITATION, door="office")
    finish(other, "my own quiet sentence")
    waiting.refresh_from_db()
    assert waiting.replaced_at is not None
    with pytest.raises(LinkDead) as dead:
        look_at(waiting)
    assert not dead.value.replaced
    with pytest.raises(Outdated):
        fill_in(waiting.message)
