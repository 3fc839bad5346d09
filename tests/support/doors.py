"""Django's test client, signed in at a door."""

import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.test import Client as Browser
from django.urls import reverse

from roost.accounts.models import Account, SignUp, SignUpVisit
from roost.accounts.sessions import SessionStore, hashed
from roost.core.context import RequestFacts, request_facts
from roost.core.tenancy import scope
from roost.core.time import now
from roost.practices.middleware import SIGN_UP_COOKIE, cookie_name
from roost.practices.models import Practice


def session_cookie(account: Account, door: str) -> tuple[str, str]:
    """Sign an account in at a door, past the log-in page. Returns the cookie's name and value."""
    practice = account.practice
    token = request_facts.set(RequestFacts(source="127.0.0.1", user_agent="test", door=door))
    try:
        with scope(practice.pk):
            store = SessionStore()
            store[SESSION_KEY] = str(account.pk)
            store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
            store[HASH_SESSION_KEY] = account.get_session_auth_hash()
            store.create()
            return cookie_name(settings.SESSION_COOKIE_NAME, door, practice.slug), store.session_key
    finally:
        request_facts.reset(token)


def visit_cookie(sign_up: SignUp) -> tuple[str, str]:
    """Let a browser in as a sign-up, past the log-in page. Returns the cookie's name and value.
    Needs the practice's scope."""
    key = secrets.token_urlsafe(32)
    expires_at = now() + timedelta(hours=12)
    SignUpVisit.objects.create(key=hashed(key), sign_up=sign_up, expires_at=expires_at)
    return cookie_name(SIGN_UP_COOKIE, "portal", sign_up.practice.slug), key


class Visitor(Browser):
    """A browser at one door of one practice. Paths are named by route: `go("client", client=…)`."""

    def __init__(self, practice: Practice, door: str, account: Account | None = None, **kw: Any):
        kw.setdefault("HTTP_HOST", "127.0.0.1")
        super().__init__(**kw)
        self.practice, self.door, self.account = practice, door, account
        if account is not None:
            name, value = session_cookie(account, door)
            self.cookies[name] = value

    def path(self, route: str, **kwargs: Any) -> str:
        return reverse(f"{self.door}:{route}", kwargs={"practice": self.practice.slug, **kwargs})

    def go(self, route: str, query: dict[str, Any] | None = None, **kwargs: Any) -> Any:
        """GET a page by its route's name."""
        return self.get(self.path(route, **kwargs), query or {})

    def send(self, route: str, data: dict[str, Any] | None = None, **kwargs: Any) -> Any:
        """POST to a route by its name."""
        return self.post(self.path(route, **kwargs), data or {})
