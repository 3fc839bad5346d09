"""Logging in and out at both doors."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from roost.accounts.models import Account, SignIn
from roost.accounts.services import set_starter_password
from roost.audit.models import AuditEvent
from roost.clients.models import Client
from roost.core.time import now
from roost.practices.models import Practice
from roost.staff.models import StaffMember
from tests.support.cast import PASSWORD, Cast, give, make_account
from tests.support.doors import Visitor

Door = Callable[..., Visitor]


def test_log_in_leads_to_my_account(portal: Door, casey_account: Account) -> None:
    visitor = portal()
    answer = visitor.send("log-in", {"email": "Casey@Client.example ", "password": PASSWORD})
    assert answer.status_code == 302
    assert answer["Location"] == "/portal/maple/my-account/"
    assert sorted(answer.cookies) == ["roost-portal-maple", "roost-portal-maple_csrf"]
    assert visitor.go("account").status_code == 200
    assert AuditEvent.objects.filter(action="account.signed_in", actor=casey_account).count() == 1


def test_log_in_says_one_thing_for_a_wrong_password_and_an_unknown_address(
    portal: Door, casey_account: Account
) -> None:
    wrong = portal().send("log-in", {"email": "casey@client.example", "password": "not this one"})
    unknown = portal().send(
        "log-in", {"email": "nobody@client.example", "password": "not this one"}
    )
    assert wrong.status_code == unknown.status_code == 422
    assert "That didn’t match" in wrong.content.decode()

    def strip(answer) -> str:  # type: ignore[no-untyped-def]
        text = answer.content.decode()
        token = answer.context["csrf_token"]
        return text.replace("casey@", "X@").replace("nobody@", "X@").replace(str(token), "T")

    assert strip(wrong) == strip(unknown)


def test_a_right_password_at_the_wrong_door_gets_a_link_to_the_right_one(
    portal: Door, office: Door, tara: StaffMember, casey: Client
) -> None:
    at_portal = portal().send("log-in", {"email": "tara@maple.example", "password": PASSWORD})
    assert at_portal.status_code == 422
    assert "/office/maple/log-in/" in at_portal.content.decode()
    at_office = office().send("log-in", {"email": "casey@client.example", "password": PASSWORD})
    assert at_office.status_code == 422
    assert "/portal/maple/log-in/" in at_office.content.decode()
    guess = portal().send(
        "log-in", {"email": "tara@maple.example", "password": "a wrong guess here"}
    )
    assert "/office/maple/log-in/" not in guess.content.decode()
    assert SignIn.objects.count() == 0


def test_signed_in_at_one_practice_is_anonymous_at_another(
    cast: Cast, other: Cast, portal: Door, casey_account: Account
) -> None:
    visitor = portal(casey_account)
    assert visitor.go("account").status_code == 200
    there = visitor.get("/portal/cedar/my-account/")
    assert there.status_code == 302
    assert there["Location"].startswith("/portal/cedar/log-in/")


def test_a_session_key_of_one_door_opens_no_other(
    portal: Door, office: Door, tara: StaffMember
) -> None:
    visitor = office(tara)
    assert visitor.go("account").status_code == 200
    key = visitor.cookies["roost-office-maple"].value
    thief = portal()
    thief.cookies["roost-portal-maple"] = key
    assert thief.go("account").status_code == 302


def test_ten_wrong_guesses_from_one_source_stop_that_source_and_not_the_owner(
    portal: Door, casey_account: Account
) -> None:
    stranger = portal()
    for _ in range(10):
        answer = stranger.send(
            "log-in", {"email": "casey@client.example", "password": "guess guess"}
        )
        assert answer.status_code == 422
    stopped = stranger.send("log-in", {"email": "casey@client.example", "password": PASSWORD})
    assert stopped.status_code == 429
    assert "casey@client.example" in stopped.content.decode()
    owner = portal()
    owner.defaults["REMOTE_ADDR"] = "192.0.2.7"
    assert (
        owner.send("log-in", {"email": "casey@client.example", "password": PASSWORD}).status_code
        == 302
    )


def test_unknown_addresses_are_counted_alike(portal: Door) -> None:
    stranger = portal()
    for _ in range(10):
        stranger.send("log-in", {"email": "nobody@client.example", "password": "guess guess"})
    assert (
        stranger.send("log-in", {"email": "nobody@client.example", "password": "x"}).status_code
        == 429
    )


def test_one_source_cannot_try_many_addresses(portal: Door) -> None:
    stranger = portal()
    answers = [
        stranger.send("log-in", {"email": f"p{n}@client.example", "password": "guess"}).status_code
        for n in range(62)
    ]
    assert answers[:60] == [422] * 60
    assert answers[60:] == [429, 429]


@pytest.fixture
def noor_account(maple: Practice, noor: Client) -> Account:
    account = make_account("noor@client.example")
    account.set_unusable_password()
    account.save()
    give(account, noor)
    set_starter_password(account, "kettle-orbit-walnut-47", days=7)
    return account


def test_a_starter_password_opens_one_page_only(portal: Door, noor_account: Account) -> None:
    visitor = portal()
    answer = visitor.send(
        "log-in", {"email": "noor@client.example", "password": "kettle-orbit-walnut-47"}
    )
    assert answer["Location"] == "/portal/maple/choose-password/"
    for route in ("account", "change-password", "time-zone"):
        assert visitor.go(route)["Location"] == "/portal/maple/choose-password/"
    chosen = visitor.send("choose-password", {"new_password": "my own quiet sentence"})
    assert chosen["Location"] == "/portal/maple/my-account/"
    assert visitor.go("account").status_code == 200
    again = portal().send(
        "log-in", {"email": "noor@client.example", "password": "kettle-orbit-walnut-47"}
    )
    assert again.status_code == 422


def test_a_starter_password_may_not_be_kept(portal: Door, noor_account: Account) -> None:
    visitor = portal(noor_account)
    answer = visitor.send("choose-password", {"new_password": "kettle-orbit-walnut-47"})
    assert answer.status_code == 422
    assert "starter password" in answer.content.decode()


def test_an_expired_starter_password_says_so_only_when_it_is_right(
    portal: Door, noor_account: Account
) -> None:
    noor_account.starter_expires_at = now() - timedelta(seconds=1)
    noor_account.save()
    right = portal().send(
        "log-in", {"email": "noor@client.example", "password": "kettle-orbit-walnut-47"}
    )
    assert "has expired" in right.content.decode()
    assert "Forgot Your Password?" in right.content.decode()
    wrong = portal().send(
        "log-in", {"email": "noor@client.example", "password": "kettle-orbit-walnut-48"}
    )
    assert "has expired" not in wrong.content.decode()
    assert SignIn.objects.count() == 0


def test_log_out_ends_this_door_and_no_other(
    portal: Door, office: Door, tara: StaffMember, casey_account: Account
) -> None:
    one, two = portal(casey_account), portal(casey_account)
    assert one.send("log-out").status_code == 302
    assert one.go("account").status_code == 302
    assert two.go("account").status_code == 200


def test_a_browser_left_alone_is_asked_to_log_in_again(
    portal: Door, casey_account: Account
) -> None:
    visitor = portal(casey_account)
    SignIn.objects.update(used_at=now() - timedelta(minutes=59))
    assert visitor.go("account").status_code == 200
    SignIn.objects.update(used_at=now() - timedelta(minutes=61))
    answer = visitor.go("account")
    assert (
        answer["Location"] == "/portal/maple/log-in/?next=%2Fportal%2Fmaple%2Fmy-account%2F&idle=1"
    )
    assert SignIn.objects.count() == 0


def test_a_sign_in_ends_after_twelve_hours_however_busy(
    portal: Door, casey_account: Account
) -> None:
    visitor = portal(casey_account)
    row = SignIn.objects.get()
    assert timedelta(hours=11, minutes=59) < row.expire_date - now() <= timedelta(hours=12)
    SignIn.objects.update(expire_date=now() - timedelta(seconds=1), used_at=now())
    assert visitor.go("account").status_code == 302


def test_a_new_log_in_gets_a_new_session_id(portal: Door, casey_account: Account) -> None:
    visitor = portal()
    visitor.cookies["roost-portal-maple"] = "planted" * 5
    visitor.send("log-in", {"email": "casey@client.example", "password": PASSWORD})
    assert visitor.cookies["roost-portal-maple"].value != "planted" * 5
    assert visitor.go("account").status_code == 200


@pytest.mark.parametrize(
    "evil",
    [
        "https://evil.example/",
        "//evil.example/",
        "/portal/cedar/my-account/",
        "/office/maple/clients/",
        "/portal/maple/..//evil.example",
        "/portal/maple/\\evil.example",
        "javascript:alert(1)",
        "/portal/maple/my-account/\r\nX: y",
        "/portal/maple/log-in/",
    ],
)
def test_next_leads_nowhere_else(portal: Door, casey_account: Account, evil: str) -> None:
    answer = portal().send(
        "log-in", {"email": "casey@client.example", "password": PASSWORD, "next": evil}
    )
    assert answer["Location"] == "/portal/maple/my-account/"


def test_next_leads_back_to_where_one_was(portal: Door, casey_account: Account) -> None:
    back = "/portal/maple/my-account/time-zone/?a=1"
    answer = portal().send(
        "log-in", {"email": "casey@client.example", "password": PASSWORD, "next": back}
    )
    assert answer["Location"] == back


def test_the_readers_zone_is_kept_at_the_first_log_in_only(
    portal: Door, casey_account: Account
) -> None:
    for zone in ("Not/AZone", "Europe/Berlin", "Asia/Tokyo"):
        portal().send(
            "log-in", {"email": "casey@client.example", "password": PASSWORD, "zone": zone}
        )
    casey_account.refresh_from_db()
    assert casey_account.zone_name == "Europe/Berlin"
