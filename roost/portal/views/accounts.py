"""Log in and out of the portal, and one's own password."""

import uuid

from django.http import HttpRequest, HttpResponse

from roost.accounts import pages
from roost.accounts.models import Account
from roost.accounts.visits import end_visit
from roost.clients.queries import access_held_by, has_portal_access
from roost.staff.permissions import Who, open_to
from roost.staff.queries import staff_of
from roost.staff.services import own_words_of

HOME = "account"


def _belongs(account: Account) -> bool:
    return has_portal_access(account) or staff_of(account) is None


def _words(account: Account) -> list[str]:
    names = [
        f"{access.client.name} {access.client.preferred_name}" for access in access_held_by(account)
    ]
    return own_words_of(account, *names)


@open_to(Who.ANYONE, methods=("GET", "POST"))
def log_in(request: HttpRequest) -> HttpResponse:
    return pages.log_in_page(request, home=HOME, belongs=_belongs)


@open_to(Who.ANYONE, methods=("POST",))
def log_out(request: HttpRequest) -> HttpResponse:
    end_visit(request)
    return pages.log_out(request)


@open_to(Who.ANYONE, methods=("GET", "POST"))
def forgot_password(request: HttpRequest) -> HttpResponse:
    return pages.forgot_password_page(request, belongs=_belongs)


@open_to(Who.ANYONE, methods=("GET", "POST"))
def link(request: HttpRequest, link: uuid.UUID, token: str) -> HttpResponse:
    return pages.link_page(request, link, token, home=HOME, words_of=_words)


@open_to(Who.ANYONE, methods=("POST",))
def renew_link(request: HttpRequest, link: uuid.UUID, token: str) -> HttpResponse:
    return pages.renew_link_page(request, link, token)


@open_to(Who.ACCOUNT, methods=("GET", "POST"), while_choosing=True)
def choose_password(request: HttpRequest) -> HttpResponse:
    return pages.choose_password_page(request, home=HOME, words_of=_words)


@open_to(Who.ACCOUNT, methods=("GET", "POST"))
def change_password(request: HttpRequest) -> HttpResponse:
    return pages.change_password_page(
        request, "portal/change_password.html", back="account", words_of=_words
    )
