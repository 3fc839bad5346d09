"""Log in and out of the portal, and one's own password."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_post_parameters

from roost.accounts import devices, limits, links, moving, pages
from roost.accounts.doors import door_path
from roost.accounts.errors import AddressTaken, LinkDead
from roost.accounts.forms import NewAddressForm, PasswordOfForm
from roost.accounts.models import Account
from roost.accounts.services import check_own_password, start_sign_in
from roost.audit.services import record_refusal
from roost.clients.enums import Relationship
from roost.clients.queries import access_held_by, has_portal_access
from roost.clients.services import finish_client_move
from roost.core.pages import page
from roost.core.time import say_span
from roost.portal.context import held_by
from roost.staff.http import DoorRequest
from roost.staff.permissions import Who, open_to
from roost.staff.queries import is_or_was_staff, staff_of
from roost.staff.services import own_words_of

HOME = "account"


def belongs(account: Account) -> bool:
    return has_portal_access(account) or staff_of(account) is None


def _words(account: Account) -> list[str]:
    names = [
        f"{access.client.name} {access.client.preferred_name}" for access in access_held_by(account)
    ]
    return own_words_of(account, *names)


@open_to(Who.ANYONE, methods=("GET", "POST"))
def log_in(request: HttpRequest) -> HttpResponse:
    return pages.log_in_page(request, home=HOME, belongs=belongs)


@open_to(Who.ANYONE, methods=("POST",))
def log_out(request: HttpRequest) -> HttpResponse:
    return pages.log_out(request)


@open_to(Who.ANYONE, methods=("GET", "POST"))
def forgot_password(request: HttpRequest) -> HttpResponse:
    return pages.forgot_password_page(request, belongs=belongs)


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
        request, "portal/change_password.html", back="security", words_of=_words
    )


@open_to(Who.ACCOUNT)
def security(request: DoorRequest) -> HttpResponse:
    """Security: how one logs in, and where one is signed in."""
    context = devices.devices_context(request)
    context["moving"] = moving.waiting_move(request.account)
    context["may_move"] = not is_or_was_staff(request.account)
    return page(request, "portal/security.html", context)


@open_to(Who.ACCOUNT, methods=("GET", "POST"))
def change_address(request: DoorRequest) -> HttpResponse:
    """Ask that the log-in move to another e-mail; it does once that mailbox is proven. A
    colleague's log-in is moved by nobody here."""
    if is_or_was_staff(request.account):
        raise Http404("The log-in of somebody who works here is not moved from the portal.")
    if request.POST.get("do") == "keep":
        if moving.take_back_move(request.account):
            messages.success(request, f"You go on logging in with {request.account.email}.")
        return redirect(door_path(request, "security"))
    form = NewAddressForm(request.account, request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"form": form}
    if not form.is_valid():
        return page(request, "portal/change_address.html", context)
    own = [a for a in held_by(request) if a.relationship == Relationship.SELF]
    try:
        moving.ask_to_move(
            request.account,
            form.cleaned_data["email"],
            client_uuid=own[0].client.uuid if own else None,
        )
    except limits.TooMany as limit:
        context["wait"] = say_span(limit.wait)
        return page(request, "portal/change_address.html", context, status=429)
    messages.success(request, f"An e-mail is on its way to {form.cleaned_data['email']}.")
    return redirect(door_path(request, "security"))


@open_to(Who.ACCOUNT, methods=("POST",))
def end_device(request: DoorRequest, sign_in: uuid.UUID) -> HttpResponse:
    return devices.end_device(request, sign_in, back="security")


@open_to(Who.ACCOUNT, methods=("POST",))
def sign_out_everywhere(request: DoorRequest) -> HttpResponse:
    return devices.sign_out_everywhere(request, back="security")


@sensitive_post_parameters("password")
@open_to(Who.ANYONE, methods=("GET", "POST"))
def new_address(request: HttpRequest, link: uuid.UUID, token: str) -> HttpResponse:
    """The page of a link to a new log-in address: with the password, its button moves the
    log-in."""
    found = links.find_link(link, token, "portal", moving.PURPOSE)
    try:
        asked = links.look_at(found)
        if is_or_was_staff(asked.account):
            # They began to work here after they had asked.
            raise LinkDead(renewable=False)
    except LinkDead:
        return page(request, "portal/new_address_dead.html", status=410)
    typed = request.POST if request.method == "POST" else None
    # Whoever reads this mailbox may be a stranger: nothing says who has a log-in here.
    form = PasswordOfForm(asked.address, "The password you log in with", typed)
    context = {"form": form, "link": asked}
    if not form.is_valid():
        return page(request, "portal/new_address.html", context)
    subjects = limits.log_in_subjects(asked.account.email)
    try:
        limits.count(subjects)
    except limits.TooMany as limit:
        context["wait"] = say_span(limit.wait)
        return page(request, "portal/new_address.html", context, status=429)
    if not check_own_password(asked.account, form.cleaned_data["password"]):
        record_refusal(by=None, status=401, route="new-address")
        form.add_error("password", "That isn’t the password you log in with.")
        return page(request, "portal/new_address.html", context)
    limits.forgive(subjects)
    try:
        account = finish_client_move(asked)
    except (LinkDead, AddressTaken):
        return page(request, "portal/new_address_dead.html", status=410)
    start_sign_in(request, account)
    messages.success(request, f"From now on you log in with {account.email}.")
    return redirect(door_path(request, HOME))
