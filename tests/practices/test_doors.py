"""Two practices and two doors side by side in one browser, and what every page carries."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from roost.accounts.models import Account
from roost.practices.models import Practice
from roost.practices.services import change_settings
from roost.staff.models import StaffMember
from tests.support.cast import PASSWORD, Cast
from tests.support.doors import Visitor

Door = Callable[..., Visitor]


def _log_in(browser: Browser, door: str, slug: str, email: str) -> None:
    answer = browser.post(f"/{door}/{slug}/log-in/", {"email": email, "password": PASSWORD})
    assert answer.status_code == 302


def test_one_browser_holds_both_doors_of_two_practices_at_once(
    cast: Cast, other: Cast, maple: Practice
) -> None:
    browser = Browser(HTTP_HOST="127.0.0.1")
    places = [(door, slug) for door in ("portal", "office") for slug in ("maple", "cedar")]
    for door, slug in places:
        email = "casey@client.example" if door == "portal" else f"tara@{slug}.example"
        _log_in(browser, door, slug, email)
    names = {name for name in browser.cookies if "csrf" not in name}
    assert names == {f"roost-{door}-{slug}" for door, slug in places}
    assert len({browser.cookies[name].value for name in names}) == 4
    for door, slug in places:
        page = browser.get(f"/{door}/{slug}/my-account/")
        assert page.status_code == 200
        assert page.context["practice"].slug == slug
    browser.post("/portal/maple/log-out/")
    codes = [browser.get(f"/{door}/{slug}/my-account/").status_code for door, slug in places]
    assert codes == [302, 200, 200, 200]


def test_a_cookie_says_no_more_than_it_must(cast: Cast, portal: Door) -> None:
    visitor = portal()
    _log_in(visitor, "portal", "maple", "casey@client.example")
    cookie = visitor.cookies["roost-portal-maple"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert cookie["domain"] == ""


@pytest.mark.parametrize("route", ["log-in", "account", "details"])
def test_every_page_carries_its_headers(
    portal: Door, cast: Cast, casey_account: Account, route: str
) -> None:
    visitor = portal() if route == "log-in" else portal(casey_account)
    ids: dict[str, Any] = {"client": cast.casey.uuid} if route == "details" else {}
    page = visitor.go(route, **ids)
    assert page.status_code == 200
    policy = page["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "http://" not in policy.replace("ws://", "")
    assert page["X-Content-Type-Options"] == "nosniff"
    assert page["Referrer-Policy"] == "strict-origin"
    assert page["Cache-Control"] == "no-store"
    assert page["Permissions-Policy"].startswith("camera=(), microphone=()")


def test_a_form_from_a_foreign_page_changes_nothing(maple: Practice, tara: StaffMember) -> None:
    before = tara.account.password
    visitor = Visitor(maple, "office", tara.account, enforce_csrf_checks=True)
    new = {"current_password": PASSWORD, "new_password": "my own quiet sentence"}
    for headers in ({}, {"HTTP_ORIGIN": "https://evil.example"}, {"HTTP_ORIGIN": "null"}):
        assert visitor.post(visitor.path("account"), new, **headers).status_code == 403
    tara.account.refresh_from_db()
    assert tara.account.password == before


def test_settings_are_changed_once_and_only_where_they_differ(
    maple: Practice, olivia: StaffMember
) -> None:
    from roost.audit.models import AuditEvent

    change: dict[str, Any] = {"starter_password_days": 14, "join_minutes_before": 30}
    for expected in (["starter_password_days"], []):
        changed = change_settings(
            maple, action="portal_settings.changed", by=olivia.account, by_name="Olivia", **change
        )
        assert changed == expected
    maple.refresh_from_db()
    assert (maple.starter_password_days, maple.portal_settings_changed_by) == (14, "Olivia")
    [event] = AuditEvent.objects.filter(action="portal_settings.changed")
    assert event.details == {"fields": ["starter_password_days"]}
