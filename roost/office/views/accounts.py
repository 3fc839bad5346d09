"""Log in and out of the office, and one's own account there."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from roost.accounts import devices, pages
from roost.accounts.doors import door_path
from roost.accounts.models import Account
from roost.staff.http import OfficeRequest
from roost.staff.permissions import Who, open_to
from roost.staff.queries import staff_of
from roost.staff.services import choose_prospect_mail, own_words_of

HOME = "today"


def _belongs(account: Account) -> bool:
    return staff_of(account) is not None


def _words(account: Account) -> list[str]:
    staff = staff_of(account)
    return own_words_of(account, staff.display_name if staff else "")


@open_to(Who.ANYONE, methods=("GET", "POST"))
def log_in(request: HttpRequest) -> HttpResponse:
    return pages.log_in_page(request, home=HOME, belongs=_belongs)


@open_to(Who.ACCOUNT, methods=("POST",), while_choosing=True, survives_idle=True)
def log_out(request: HttpRequest) -> HttpResponse:
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


@open_to(Who.STAFF, methods=("GET", "POST"))
def account(request: HttpRequest) -> HttpResponse:
    """My Account: who one is here, one's password, and where one is signed in."""
    return pages.change_password_page(
        request,
        "office/account.html",
        back="account",
        words_of=_words,
        more=lambda: devices.devices_context(request),
    )


@open_to(Who.STAFF, methods=("POST",))
def end_device(request: OfficeRequest, sign_in: uuid.UUID) -> HttpResponse:
    return devices.end_device(request, sign_in, back="account")


@open_to(Who.STAFF, methods=("POST",))
def sign_out_everywhere(request: OfficeRequest) -> HttpResponse:
    return devices.sign_out_everywhere(request, back="account")


@open_to(Who.OWNER_OR_ADMIN, methods=("POST",), hidden=True)
def prospect_mail(request: OfficeRequest) -> HttpResponse:
    """My Account: whether one is mailed when somebody waits under Prospects."""
    wants = request.POST.get("wants") == "yes"
    choose_prospect_mail(member=request.staff, wants=wants)
    words = "You get an e-mail" if wants else "You get no e-mail"
    messages.success(request, f"{words} when somebody waits under Prospects.")
    return redirect(door_path(request, "account"))
