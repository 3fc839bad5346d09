"""Sign-ins: a new id at each log-in, cookies that browsers take, passwords nobody overruns."""

from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.conf import settings as configuration
from django.test import Client as Browser

from roost.accounts.doors import safe_next
from roost.accounts.errors import ChangedMeanwhile
from roost.accounts.models import Account, SignIn
from roost.accounts.services import change_password, choose_first_password, set_starter_password
from roost.core.time import now
from roost.practices.middleware import cookie_name
from tests.support.cast import PASSWORD, Cast

COOKIE = "roost-portal-maple"


def log_in(visitor: Browser, path: str, email: str) -> Any:
    return visitor.post(path, {"email": email, "password": PASSWORD})


def test_logging_in_again_after_the_idle_limit_begins_anew(cast: Cast, portal: Any) -> None:
    visitor = portal(cast.casey_account)
    before = visitor.cookies[COOKIE].value
    SignIn.objects.update(used_at=now() - timedelta(hours=2))
    answer = log_in(visitor, visitor.path("log-in"), "casey@client.example")
    assert answer.headers["Location"] == visitor.path("account")
    assert visitor.cookies[COOKIE].value != before
    assert visitor.go("account").status_code == 200
    assert SignIn.objects.count() == 1


@pytest.fixture
def over_tls(settings: Any) -> None:
    settings.ORIGIN_IS_SECURE = True
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True


@pytest.mark.usefixtures("over_tls")
def test_logging_out_takes_the_cookie_back_in_a_way_browsers_obey(cast: Cast, portal: Any) -> None:
    visitor = portal(cast.casey_account)
    answer = visitor.post(visitor.path("log-out"))
    gone = answer.cookies["__Host-roost-portal-maple"]
    # A browser ignores every Set-Cookie for a __Host- name that is not Secure with Path=/.
    assert (gone["max-age"], gone["secure"], gone["path"], gone["domain"]) == (0, True, "/", "")


@pytest.mark.usefixtures("over_tls")
def test_every_cookie_of_a_door_has_all_its_attributes(cast: Cast, portal: Any) -> None:
    visitor = portal()
    page = visitor.go("log-in")
    answer = log_in(visitor, visitor.path("log-in"), "casey@client.example")
    jar: SimpleCookie = SimpleCookie()
    jar.update(page.cookies)
    jar.update(answer.cookies)
    assert len(jar) == 2
    for name, morsel in jar.items():
        assert name.startswith("__Host-roost-portal-maple")
        assert (morsel["secure"], morsel["httponly"], morsel["path"]) == (True, True, "/")
        assert (morsel["samesite"], morsel["domain"]) == ("Lax", "")


def test_no_two_doors_share_a_cookies_name() -> None:
    names = [
        cookie_name(kind, door, slug)
        for kind in (configuration.SESSION_COOKIE_NAME, configuration.CSRF_COOKIE_NAME)
        for door in ("portal", "office")
        for slug in ("maple", "maple-csrf", "csrf", "csrf-maple", "portal-maple")
    ]
    assert len(set(names)) == len(names)


def test_the_first_password_chosen_stays(cast: Cast, maple: Any, rf: Any) -> None:
    """Two browsers are in by one starter password; the one that comes second is too late."""
    noor = Account(email="noor@client.example")
    noor.set_unusable_password()
    noor.save()
    set_starter_password(noor, "kettle-orbit-walnut-47", days=7)
    first, second = Account.objects.get(pk=noor.pk), Account.objects.get(pk=noor.pk)
    choose_first_password(_request(rf, cast), first, "the holder’s own sentence")
    with pytest.raises(ChangedMeanwhile):
        choose_first_password(_request(rf, cast), second, "a stranger’s own sentence")
    assert Account.objects.get(pk=noor.pk).check_password("the holder’s own sentence")


def test_a_change_that_began_before_another_one_is_too_late(
    cast: Cast, maple: Any, rf: Any
) -> None:
    stale = Account.objects.get(pk=cast.casey_account.pk)
    change_password(_request(rf, cast), cast.casey_account, "the owner’s new sentence")
    with pytest.raises(ChangedMeanwhile):
        change_password(_request(rf, cast), stale, "whoever knew the old one")
    assert Account.objects.get(pk=stale.pk).check_password("the owner’s new sentence")


def test_the_page_of_a_choice_that_came_too_late_asks_for_log_in(
    cast: Cast, portal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from roost.accounts import pages

    def too_late(*args: Any) -> None:
        raise ChangedMeanwhile

    visitor = portal(cast.casey_account)
    monkeypatch.setattr(pages, "change_password", too_late)
    answer = visitor.send(
        "change-password",
        {"current_password": PASSWORD, "new_password": "walnut orbit kettle acorn"},
    )
    assert answer.headers["Location"] == visitor.path("log-in")
    assert visitor.go("account").status_code == 302


def _request(rf: Any, cast: Cast) -> Any:
    from roost.accounts.sessions import SessionStore

    request = rf.post("/")
    request.session = SessionStore()
    request.practice, request.door = cast.practice, "portal"
    return request


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)",
        "/portal/cedar/my-account/", "/office/maple/today/", "/portal/maple/../cedar/",
        "/portal/maple/..", "/portal/maple/%2e%2e/cedar/", "/portal/maple/.%2E/cedar/",
        "/portal/maple/./../cedar/", "/portal/maple//evil.example", "/portal/maple/\tx",
        "/portal/maple/log-in/", "/portal/maple/log-in/?next=/", "", "/portal/maplex/",
    ],
)  # fmt: skip
def test_next_leads_nowhere_else(path: str, cast: Cast, rf: Any) -> None:
    request = rf.get("/")
    request.practice, request.door = cast.practice, "portal"
    assert safe_next(request, path) is None


def test_next_leads_back_to_where_one_was_going(cast: Cast, rf: Any) -> None:
    request = rf.get("/")
    request.practice, request.door = cast.practice, "portal"
    wanted = "/portal/maple/my-account/?person=1&back=../.."
    assert safe_next(request, wanted) == wanted
