"""Create Account, and the Account page of somebody whose sign-up is not verified yet.

SECURITY.md rule 3: nothing here says, or takes longer to say, whether an address is known.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_post_parameters

from roost.accounts import limits, sign_ups
from roost.accounts.doors import door_path
from roost.accounts.errors import AddressTaken, ChangedMeanwhile, LinkDead, WrongCode
from roost.accounts.forms import PasswordOfForm
from roost.accounts.models import Account, SignUp
from roost.accounts.services import start_sign_in
from roost.accounts.visits import end_visit, start_visit
from roost.audit.services import record_refusal
from roost.clients import prospects
from roost.clients.confirmation import confirmation_code, good_until
from roost.clients.models import Prospect
from roost.clients.prospect_forms import (
    CorrectAddressForm,
    CreateAccountForm,
    MailedCodeForm,
)
from roost.clients.prospect_queries import prospect_of_sign_up
from roost.core.pages import page
from roost.core.time import now, say_span
from roost.portal.views.accounts import belongs
from roost.practices.models import Practice
from roost.staff.http import SignUpRequest
from roost.staff.permissions import Who, open_to

WHICH_ONE = "The password you chose when you signed up"


@sensitive_post_parameters("password")
@open_to(Who.ANYONE, methods=("GET", "POST"))
def create_account(request: SignUpRequest) -> HttpResponse:
    """Create Account. The answer is the same for every address, known or not."""
    if request.account is not None and not request.is_idle:  # type: ignore[attr-defined]
        return redirect(door_path(request, "account"))
    if request.sign_up is not None:
        return redirect(door_path(request, "sign-up"))
    if not request.practice.allow_sign_up:
        return page(request, "portal/no_sign_up.html", status=403)
    form = CreateAccountForm(request.practice.name, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            limits.count(limits.ask_for_mail_subjects())
        except limits.TooMany as limit:
            context = {"form": form, "wait": say_span(limit.wait)}
            return page(request, "portal/create_account.html", context, status=429)
        values = form.cleaned_data
        password = values.pop("password")
        prospect, is_new = prospects.sign_up(
            key=values.pop("form_key"), password=password, zone_name=values.pop("zone"), **values
        )
        sign_up = prospect.sign_up
        # The form was sent before: whoever has its key must log in.
        if sign_up is None or not (is_new or _knows(sign_up, password)):
            return redirect(door_path(request, "log-in"))
        start_visit(request, sign_up)
        return redirect(door_path(request, "sign-up"))
    return page(request, "portal/create_account.html", {"form": form})


def _knows(sign_up: SignUp, password: str) -> bool:
    """Whether somebody has the password of a sign-up; a try counts as one to log in."""
    subjects = limits.log_in_subjects(sign_up.email)
    try:
        limits.count(subjects)
    except limits.TooMany:
        return False
    if not sign_ups.check_its_password(sign_up, password):
        return False
    limits.forgive(subjects)
    return True


@open_to(Who.SIGN_UP, methods=("GET", "POST"))
def sign_up(request: SignUpRequest) -> HttpResponse:
    """The Account page of a sign-up: what has happened, what comes next, and the ways there: the
    mailed code, another e-mail, and the confirmation code to read out."""
    if request.sign_up.account is not None:
        return _verified_meanwhile(request, request.sign_up.account)
    form, trouble = MailedCodeForm(), ""
    if request.method == "POST" and request.POST.get("do") == "resend":
        try:
            sign_ups.resend(request.sign_up)
        except limits.TooMany as limit:
            return _account_page(request, form, wait=limit.wait)
        return redirect(f"{door_path(request, 'sign-up')}?sent=1")
    if request.method == "POST":
        form = MailedCodeForm(request.POST)
        if form.is_valid():
            try:
                sign_ups.check_code(request.sign_up, form.cleaned_data["code"])
                account = prospects.prove_mailbox(request.sign_up, through="code")
            except (WrongCode, AddressTaken, ChangedMeanwhile):
                form.add_error("code", "That is not the code. Look in the newest e-mail from us.")
            except limits.TooMany as limit:
                trouble = say_span(limit.wait)
                return _account_page(request, form, too_many=trouble)
            else:
                return _go_in(request, account)
    return _account_page(request, form)


def _account_page(
    request: SignUpRequest,
    form: MailedCodeForm,
    *,
    wait: timedelta | None = None,
    too_many: str = "",
) -> HttpResponse:
    found = request.sign_up
    prospect = prospect_of_sign_up(found)
    moment = now()
    used = limits.used(limits.resend_subjects(str(found.uuid)))
    pause = (found.mailed_at or moment) + sign_ups.COOL_DOWN - moment
    context: dict[str, Any] = {
        "form": form,
        "prospect": prospect,
        "sign_up": found,
        # The first was sent by itself.
        "was_resent": used > 1,
        "left": max(0, limits.RESEND_PER_SIGN_UP.most - used),
        "pause": max(0, int(pause.total_seconds()) + 1) if pause > timedelta() else 0,
        "wait": say_span(wait) if wait else "",
        "too_many": too_many,
        "sent": "sent" in request.GET,
        "corrected": "corrected" in request.GET,
        **confirmation(prospect, request.practice, moment),
    }
    status = 429 if wait or too_many else 200
    return page(request, "portal/sign_up.html", context, status=status)


def confirmation(prospect: Prospect, practice: Practice, moment: datetime) -> dict[str, Any]:
    """The confirmation code that a prospect's page shows, and until when it works."""
    code = confirmation_code(prospect, moment, practice.zone)
    groups = ", ".join(" ".join(group) for group in code.split("-"))
    return {
        "confirmation": code,
        "confirmation_spoken": groups,
        "confirmation_until": good_until(moment, practice.zone),
    }


def _verified_meanwhile(request: SignUpRequest, account: Account) -> HttpResponse:
    """The sign-up has become an account, in another browser or by staff: one press goes on."""
    if request.method == "POST":
        return _go_in(request, account)
    context = {"prospect": prospect_of_sign_up(request.sign_up), "sign_up": request.sign_up}
    return page(request, "portal/sign_up_verified.html", context)


def _go_in(request: HttpRequest, account: Account) -> HttpResponse:
    """From the sign-up to the account it became, under a new session id. One that does not belong
    at this door, or no longer works, goes to the log-in page like any other."""
    end_visit(request)
    if not account.is_active or not belongs(account):
        return redirect(door_path(request, "log-in"))
    start_sign_in(request, account)
    messages.success(request, "Your account is verified.")
    return redirect(door_path(request, "account"))


@open_to(Who.SIGN_UP, methods=("GET", "POST"))
def correct_address(request: SignUpRequest) -> HttpResponse:
    """Send the proof to another address. Links and codes to the old one die."""
    form = CorrectAddressForm(request.POST or None, initial={"email": request.sign_up.email})
    if request.method == "POST" and form.is_valid():
        try:
            limits.count(limits.ask_for_mail_subjects())
            prospect = prospect_of_sign_up(request.sign_up)
            prospects.correct_address(prospect, form.cleaned_data["email"])
        except AddressTaken:
            return redirect(door_path(request, "sign-up"))
        except limits.TooMany as limit:
            context = {"form": form, "wait": say_span(limit.wait), "sign_up": request.sign_up}
            return page(request, "portal/correct_address.html", context, status=429)
        return redirect(f"{door_path(request, 'sign-up')}?corrected=1")
    return page(request, "portal/correct_address.html", {"form": form, "sign_up": request.sign_up})


@sensitive_post_parameters("password")
@open_to(Who.ANYONE, methods=("GET", "POST"))
def verify(request: SignUpRequest, sign_up: uuid.UUID, token: str) -> HttpResponse:
    """The page of the mailed link. Only its button verifies; in a browser that does not know the
    sign-up it asks for the sign-up's password, so that nobody activates a stranger's."""
    found = sign_ups.find_by_link(sign_up, token)
    try:
        asked = sign_ups.look_at(found)
    except LinkDead as dead:
        return _dead(request, found, token, dead)
    is_here = request.sign_up is not None and request.sign_up.pk == asked.pk
    typed = request.POST if request.method == "POST" else None
    form = None if is_here else PasswordOfForm(asked.email, WHICH_ONE, typed)
    context: dict[str, Any] = {"form": form, "sign_up": asked}
    if request.method != "POST" or (form is not None and not form.is_valid()):
        return page(request, "portal/verify.html", context)
    if form is not None:
        subjects = limits.log_in_subjects(asked.email)
        try:
            limits.count(subjects)
        except limits.TooMany as limit:
            context["wait"] = say_span(limit.wait)
            return page(request, "portal/verify.html", context, status=429)
        if not sign_ups.check_its_password(asked, form.cleaned_data["password"]):
            record_refusal(by=None, status=401, route="verify")
            form.add_error("password", "That isn’t the password you signed up with.")
            return page(request, "portal/verify.html", context)
        limits.forgive(subjects)
    try:
        account = prospects.prove_mailbox(asked, through="link")
    except (AddressTaken, ChangedMeanwhile):
        return _dead(request, None, token, LinkDead(renewable=False))
    return _go_in(request, account)


def _dead(
    request: HttpRequest, found: SignUp | None, token: str, dead: LinkDead, wait: str = ""
) -> HttpResponse:
    context = {
        "sign_up": found,
        "token": token,
        "renewable": dead.renewable,
        "verified": found is not None and found.account_id is not None,
        "wait": wait,
    }
    return page(request, "portal/verify_dead.html", context, status=429 if wait else 410)


@open_to(Who.ANYONE, methods=("POST",))
def renew_verification(request: HttpRequest, sign_up: uuid.UUID, token: str) -> HttpResponse:
    """Mail a new link in place of an expired one, to the same address only, on a button."""
    found = sign_ups.find_by_link(sign_up, token)
    try:
        sign_ups.look_at(found)
    except LinkDead as dead:
        if not dead.renewable or found is None:
            return _dead(request, found, token, dead)
        try:
            sign_ups.resend(found)
        except limits.TooMany as limit:
            return _dead(request, found, token, dead, wait=say_span(limit.wait))
    else:
        return redirect(door_path(request, "verify", sign_up=sign_up, token=token))
    context = {"works_for": say_span(sign_ups.LINK_LIVES)}
    return page(request, "portal/verify_renewed.html", context)
