"""Signed-in devices: each door lists the account's browsers, ends one, or all the others."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from roost.accounts.models import Account, SignIn, SignUp, SignUpVisit
from roost.audit.models import AuditEvent
from roost.clients.models import Client
from roost.core.time import now
from roost.practices.models import Practice
from roost.staff.models import StaffMember
from tests.support.cast import PASSWORD, Cast, give
from tests.support.doors import Visitor, visit_cookie

Door = Callable[..., Visitor]
WINDOWS = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1) AppleWebKit/605 Version/18.1 Safari/604.1"


def sign_in_of(visitor: Visitor) -> SignIn:
    """The row of this visitor's browser."""
    from roost.accounts.sessions import hashed

    name = f"roost-{visitor.door}-{visitor.practice.slug}"
    return SignIn.objects.get(session_key=hashed(visitor.cookies[name].value))


def words_of(answer: Any) -> list[str]:
    """Each device as its line says it, tags and spaces taken out."""
    part = answer.content.decode().partition('id="devices"')[2].partition("</ul>")[0]
    lines = [re.sub(r"<[^>]+>|&nbsp;", " ", each) for each in part.split("<li>")[1:]]
    return [" ".join(line.split()) for line in lines]


@pytest.fixture
def phone(portal: Door, casey_account: Account) -> Visitor:
    """Casey's phone, signed in through the log-in page an hour ago."""
    visitor = portal()
    visitor.defaults["HTTP_USER_AGENT"] = IPHONE
    typed = {"email": casey_account.email, "password": PASSWORD}
    assert visitor.send("log-in", typed).status_code == 302
    hour_ago = now() - timedelta(hours=1)
    SignIn.objects.filter(pk=sign_in_of(visitor).pk).update(
        used_at=now() - timedelta(minutes=20), started_at=hour_ago
    )
    return visitor


def test_security_says_each_browser_since_when_and_when_it_was_last_used(
    portal: Door, casey_account: Account, phone: Visitor
) -> None:
    desk = portal(casey_account)
    SignIn.objects.filter(pk=sign_in_of(desk).pk).update(user_agent=WINDOWS)
    this, other = words_of(desk.go("security"))
    assert this.startswith("Chrome on Windows This device Since today, ")
    assert "in use now" in this
    assert "Sign out" not in this
    from roost.core.time import say_hour

    row = sign_in_of(phone)
    zone = desk.practice.zone
    assert other.startswith(
        f"Safari on an iPhone Since today, {say_hour(row.started_at, zone)} · "
        f"last used today, {say_hour(row.used_at, zone)}"
    )
    assert "Sign out" in other


def test_last_used_moves_with_every_page_and_never_with_a_look_at_the_list(
    portal: Door, casey_account: Account, phone: Visitor
) -> None:
    before = sign_in_of(phone).used_at
    portal(casey_account).go("security")
    assert sign_in_of(phone).used_at == before
    phone.go("account")
    assert now() - sign_in_of(phone).used_at < timedelta(seconds=30)


def test_a_browser_that_was_left_alone_has_to_log_in_again(
    portal: Door, casey_account: Account, phone: Visitor
) -> None:
    visitor = portal(casey_account)
    assert "has to log in again" not in words_of(visitor.go("security"))[1]
    SignIn.objects.filter(pk=sign_in_of(phone).pk).update(used_at=now() - timedelta(minutes=61))
    assert "has to log in again" in words_of(visitor.go("security"))[1]


def test_a_sign_in_that_is_over_is_listed_no_more(
    portal: Door, casey_account: Account, phone: Visitor
) -> None:
    visitor = portal(casey_account)
    assert len(words_of(visitor.go("security"))) == 2
    SignIn.objects.filter(pk=sign_in_of(phone).pk).update(expire_date=now())
    assert len(words_of(visitor.go("security"))) == 1


def test_ending_this_browser_ends_its_sign_up_too(
    portal: Door, cast: Cast, maple: Practice
) -> None:
    """As Log out does: else whoever has the browser next goes on from the sign-up."""
    visitor = portal(cast.casey_account)
    sign_up = SignUp.objects.create(email="una@x.example", password="x", nonce="n")
    name, key = visit_cookie(sign_up)
    visitor.cookies[name] = key
    row = sign_in_of(visitor)
    assert visitor.send("end-device", sign_in=row.uuid).status_code == 302
    visitor.cookies[name] = key
    assert visitor.go("sign-up")["Location"].startswith("/portal/maple/log-in/")
    assert not SignUpVisit.objects.exists()
    assert not SignIn.objects.filter(pk=row.pk).exists()


def test_one_device_is_ended_and_no_other(
    portal: Door, casey_account: Account, phone: Visitor
) -> None:
    desk, tablet = portal(casey_account), portal(casey_account)
    ended = sign_in_of(phone)
    answer = desk.send("end-device", sign_in=ended.uuid)
    assert answer["Location"] == desk.path("security")
    assert "Safari on an iPhone is signed out." in desk.go("security").content.decode()
    assert phone.go("account").status_code == 302
    assert tablet.go("account").status_code == 200
    event = AuditEvent.objects.get(action="sign_in.ended")
    assert (event.actor, event.subject_uuid) == (casey_account, ended.uuid)
    assert event.details == {"at_door": "portal"}
    # Its key stands nowhere in the log.
    assert ended.pk not in str(event.__dict__)
    assert desk.send("end-device", sign_in=ended.uuid).status_code == 404


def test_ending_this_very_device_is_logging_out(portal: Door, casey_account: Account) -> None:
    desk, other = portal(casey_account), portal(casey_account)
    answer = desk.send("end-device", sign_in=sign_in_of(desk).uuid)
    assert answer["Location"] == desk.path("log-in") + "?out=1"
    assert desk.go("account").status_code == 302
    assert other.go("account").status_code == 200
    assert not AuditEvent.objects.filter(action="sign_in.ended").exists()
    assert AuditEvent.objects.filter(action="account.signed_out").exists()


def test_signing_out_everywhere_keeps_this_browser_and_nothing_else(
    portal: Door, office: Door, tara: StaffMember, casey: Client, phone: Visitor
) -> None:
    give(tara.account, casey)
    here = portal(tara.account)
    away = [portal(tara.account), office(tara)]
    answer = here.send("sign-out-everywhere")
    assert answer["Location"] == here.path("security")
    page = here.go("security").content.decode()
    assert "You are signed out everywhere else." in page
    assert len(words_of(here.go("security"))) == 1
    assert [each.go("account").status_code for each in away] == [302, 302]
    # Somebody else's browsers are none of it.
    assert phone.go("account").status_code == 200
    event = AuditEvent.objects.get(action="sign_ins.ended")
    assert (event.actor, event.details) == (tara.account, {"count": 2})
    here.send("sign-out-everywhere")
    assert "You were signed in nowhere else." in here.go("security").content.decode()


def test_each_door_names_the_other_and_ends_what_is_signed_in_there(
    portal: Door, office: Door, tara: StaffMember, casey: Client
) -> None:
    give(tara.account, casey)
    desk, home = office(tara), portal(tara.account)
    assert "at the Client Portal" in words_of(desk.go("account"))[1]
    assert "at the practice’s office" in words_of(home.go("security"))[1]
    assert "at the" not in words_of(desk.go("account"))[0]
    answer = desk.send("end-device", sign_in=sign_in_of(home).uuid)
    assert answer["Location"] == desk.path("account")
    assert home.go("account").status_code == 302


def test_a_colleagues_sign_in_is_nobody_elses_to_end(
    office: Door, tara: StaffMember, olivia: StaffMember
) -> None:
    visitor, theirs = office(olivia), sign_in_of(office(tara))
    assert visitor.send("end-device", sign_in=theirs.uuid).status_code == 404
    assert SignIn.objects.filter(pk=theirs.pk).exists()


@pytest.mark.parametrize("door", ["portal", "office"])
def test_the_list_of_three_asks_as_much_as_that_of_one(cast: Cast, maple: Any, door: str) -> None:
    route = "security" if door == "portal" else "account"
    asked = []
    for _ in range(3):
        visitor = Visitor(maple, door, cast.tara.account)
        visitor.go(route)
        with CaptureQueriesContext(connection) as seen:
            page = visitor.go(route)
        asked.append(len(seen))
    assert len(words_of(page)) == 3
    assert asked == asked[:1] * 3


def test_of_very_many_the_newest_are_shown_and_all_are_ended(
    portal: Door, casey_account: Account
) -> None:
    visitor = portal(casey_account)
    for _ in range(31):
        portal(casey_account)
    page = visitor.go("security")
    assert len(words_of(page)) == 30
    assert "There are more than these." in page.content.decode()
    assert "This device" in words_of(visitor.go("security"))[0]
    visitor.send("sign-out-everywhere")
    assert SignIn.objects.filter(account=casey_account).count() == 1
