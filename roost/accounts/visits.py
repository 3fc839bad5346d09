"""The sign-in state of a sign-up: a cookie and a row of its own, never those of an account.

It exists at the portal only and opens the Account page. Idle and absolute limits are those of
clients.
"""

import secrets
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token

from roost.accounts.models import SignUp, SignUpVisit
from roost.accounts.queries import SIGN_UP_LIVES
from roost.accounts.sessions import hashed
from roost.core.time import now
from roost.practices.middleware import SIGN_UP_COOKIE

LONGEST = timedelta(hours=12)
STEP = timedelta(minutes=1)


def start_visit(request: HttpRequest, sign_up: SignUp) -> None:
    """Let this browser see the sign-up's Account page, under a new key. Its password has just been
    given."""
    end_visit(request)
    key = secrets.token_urlsafe(32)
    SignUpVisit.objects.create(key=hashed(key), sign_up=sign_up, expires_at=now() + LONGEST)
    rotate_token(request)
    request.sign_up, request.visit_key = sign_up, key  # type: ignore[attr-defined]


def end_visit(request: HttpRequest) -> None:
    """End this browser's visit, if it has one."""
    key = request.COOKIES.get(SIGN_UP_COOKIE)
    if key:
        SignUpVisit.objects.filter(key=hashed(key)).delete()
        request.visit_key = ""  # type: ignore[attr-defined]
    request.sign_up = None  # type: ignore[attr-defined]


class SignUpMiddleware:
    """Sets `request.sign_up` (None for everybody else); keeps and takes back its cookie."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.sign_up, request.visit_key = None, None  # type: ignore[attr-defined]
        key = request.COOKIES.get(SIGN_UP_COOKIE)
        at_portal = request.practice is not None and request.door == "portal"  # type: ignore[attr-defined]
        if key and at_portal and request.account is None:  # type: ignore[attr-defined]
            request.sign_up = _sign_up_of(request, key)  # type: ignore[attr-defined]
        response = self.get_response(request)
        new: str | None = request.visit_key  # type: ignore[attr-defined]
        if new:
            response.set_cookie(
                SIGN_UP_COOKIE, new,
                secure=settings.ORIGIN_IS_SECURE, httponly=True, samesite="Lax",
            )  # fmt: skip
        elif new is not None:
            response.delete_cookie(SIGN_UP_COOKIE, samesite="Lax")
        return response


def _sign_up_of(request: HttpRequest, key: str) -> SignUp | None:
    moment = now()
    visit = (
        SignUpVisit.objects.select_related("sign_up__account")
        .filter(key=hashed(key), expires_at__gt=moment)
        .first()
    )
    if visit is None or visit.sign_up.created_at <= moment - SIGN_UP_LIVES:
        return None
    idle = timedelta(minutes=request.practice.client_idle_minutes)  # type: ignore[attr-defined]
    if moment - visit.used_at > idle:
        return None
    if moment - visit.used_at > STEP:
        SignUpVisit.objects.filter(pk=visit.pk).update(used_at=moment)
    return visit.sign_up
