"""The pages that both doors share. Each audience's views wrap them and say who belongs there."""

import uuid
from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from roost.accounts import limits, links
from roost.accounts.doors import door_path, safe_next
from roost.accounts.enums import LinkPurpose
from roost.accounts.errors import ChangedMeanwhile, LinkDead, StarterExpired, WrongCredentials
from roost.accounts.forms import (
    AskForResetForm,
    ChangePasswordForm,
    ChoosePasswordForm,
    LinkForm,
    LogInForm,
)
from roost.accounts.models import Account, SignUp
from roost.accounts.services import (
    ask_for_reset,
    change_password,
    choose_first_password,
    keep_zone,
    must_choose_password,
    sign_out,
    start_sign_in,
    verify_log_in,
)
from roost.accounts.visits import end_visit, start_visit
from roost.core.pages import page
from roost.core.time import say_span

WordsOf = Callable[[Account], Iterable[str]]


def log_in_page(
    request: HttpRequest, *, home: str, belongs: Callable[[Account], bool]
) -> HttpResponse:
    """The log-in page of the request's door. `home` is the route that follows.

    A wrong e-mail or password learns nothing; a right one at the wrong door gets one sentence and
    a link to the right one.
    """
    if request.account is not None and not request.is_idle:  # type: ignore[attr-defined]
        return redirect(door_path(request, home))
    if request.method != "POST":
        form = LogInForm(initial={"next": request.GET.get("next", "")[:500]})
        return page(request, "accounts/log_in.html", {"form": form, "idle": "idle" in request.GET})
    form = LogInForm(request.POST)
    trouble, status = "", 422
    found: Account | SignUp | None = None
    if form.is_valid():
        try:
            found = verify_log_in(form.cleaned_data["email"], form.cleaned_data["password"])
        except WrongCredentials:
            trouble = "mismatch"
        except StarterExpired:
            trouble = "starter_expired"
        except limits.TooMany as limit:
            context = {"form": form, "trouble": "too_many", "wait": say_span(limit.wait)}
            return page(request, "accounts/log_in.html", context, status=429)
    if isinstance(found, SignUp) and request.door == "portal":  # type: ignore[attr-defined]
        start_visit(request, found)
        return redirect(door_path(request, "sign-up"))
    account = found if isinstance(found, Account) and belongs(found) else None
    if account is None:
        context = {"form": form, "trouble": "wrong_door" if found else trouble}
        return page(request, "accounts/log_in.html", context, status=status)
    start_sign_in(request, account)
    end_visit(request)
    _keep_zone(account, form.cleaned_data["zone"])
    if must_choose_password(account):
        return redirect(door_path(request, "choose-password"))
    return redirect(safe_next(request, form.cleaned_data["next"]) or door_path(request, home))


def _keep_zone(account: Account, name: str) -> None:
    """The browser's zone is kept at the first log-in."""
    if name and not account.zone_name:
        keep_zone(account, name)


def log_out(request: HttpRequest) -> HttpResponse:
    """End this browser's sign-in at this door, and no other; at the portal a sign-up's too."""
    end_visit(request)
    if request.account is not None:  # type: ignore[attr-defined]
        sign_out(request, request.account)  # type: ignore[attr-defined]
    return redirect(f"{door_path(request, 'log-in')}?out=1")


def forgot_password_page(
    request: HttpRequest, *, belongs: Callable[[Account], bool]
) -> HttpResponse:
    """Ask for a link; the answer is the same for every address. The link leads to this door if the
    account belongs there, else to the other."""
    here: str = request.door  # type: ignore[attr-defined]
    elsewhere = "portal" if here == "office" else "office"
    form = AskForResetForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            ask_for_reset(
                form.cleaned_data["email"],
                door_of=lambda account: here if belongs(account) else elsewhere,
            )
        except limits.TooMany as limit:
            context = {"form": form, "wait": say_span(limit.wait)}
            return page(request, "accounts/forgot_password.html", context, status=429)
        context = {"asked": form.cleaned_data["email"]}
        return page(request, "accounts/forgot_password_asked.html", context)
    return page(request, "accounts/forgot_password.html", {"form": form})


def link_page(
    request: HttpRequest, link_uuid: uuid.UUID, token: str, *, home: str, words_of: WordsOf
) -> HttpResponse:
    """Choose a password through a mailed link. GET and HEAD change nothing (scanners follow links);
    the first POST marks the link as used, the one that succeeds consumes it."""
    found = links.find_link(link_uuid, token, request.door)  # type: ignore[attr-defined]
    try:
        link = links.look_at(found)
    except LinkDead as dead:
        return _dead_link(request, found, dead)
    form = LinkForm(link.account, words_of(link.account), request.POST or None)
    if request.method == "POST":
        links.note_used(link)
        if form.is_valid():
            try:
                account = links.finish(link, form.cleaned_data["new_password"])
            except LinkDead as dead:
                return _dead_link(request, found, dead)
            start_sign_in(request, account)
            _keep_zone(account, form.cleaned_data["zone"])
            messages.success(request, "Your password is set. From now on you log in with it.")
            return redirect(door_path(request, home))
    first = link.purpose != LinkPurpose.RESET
    return page(request, "accounts/link.html", {"form": form, "first": first})


def _dead_link(request: HttpRequest, link: links.MailLink | None, dead: LinkDead) -> HttpResponse:
    context = {"link": link, "renewable": dead.renewable, "replaced": dead.replaced}
    return page(request, "accounts/dead_link.html", context, status=410)


def renew_link_page(request: HttpRequest, link_uuid: uuid.UUID, token: str) -> HttpResponse:
    """Mail a new link in place of an expired one: to the same address only, on a button."""
    found = links.find_link(link_uuid, token, request.door)  # type: ignore[attr-defined]
    try:
        links.look_at(found)
    except LinkDead as dead:
        if not dead.renewable or found is None:
            return _dead_link(request, found, dead)
    assert found is not None
    try:
        links.renew(found)
    except limits.TooMany as limit:
        context = {"link": found, "renewable": True, "wait": say_span(limit.wait)}
        return page(request, "accounts/dead_link.html", context, status=429)
    is_short = found.purpose == LinkPurpose.RESET
    works_for = "one hour" if is_short else say_span(links.LIFETIME[LinkPurpose(found.purpose)])
    return page(request, "accounts/link_renewed.html", {"works_for": works_for})


def choose_password_page(request: HttpRequest, *, home: str, words_of: WordsOf) -> HttpResponse:
    """The one page that a starter password opens."""
    account: Account = request.account  # type: ignore[attr-defined]
    if not must_choose_password(account):
        return redirect(door_path(request, home))
    form = ChoosePasswordForm(account, words_of(account), request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            choose_first_password(request, account, form.cleaned_data["new_password"])
        except ChangedMeanwhile:
            return _too_late(request)
        messages.success(request, "Your password is set. From now on you log in with it.")
        return redirect(door_path(request, home))
    return page(request, "accounts/choose_password.html", {"form": form})


def _too_late(request: HttpRequest) -> HttpResponse:
    """Somebody else was quicker with a password, and that has ended this sign-in."""
    request.session.flush()
    return redirect(door_path(request, "log-in"))


def change_password_page(
    request: HttpRequest,
    template: str,
    *,
    back: str,
    words_of: WordsOf,
    more: Callable[[], dict[str, Any]] = dict,
) -> HttpResponse:
    """Change one's own password. Wrong guesses at the current one count as log-ins do. `more` is
    what else the page shows."""
    account: Account = request.account  # type: ignore[attr-defined]
    form = ChangePasswordForm(account, words_of(account), request.POST or None)
    if request.method == "POST":
        subjects = limits.log_in_subjects(account.email)
        try:
            limits.count(subjects)
        except limits.TooMany as limit:
            context = {"form": form, "wait": say_span(limit.wait), **more()}
            return page(request, template, context, status=429)
        if form.is_valid():
            limits.forgive(subjects)
            try:
                change_password(request, account, form.cleaned_data["new_password"])
            except ChangedMeanwhile:
                return _too_late(request)
            messages.success(request, "Your password is changed. Other browsers were signed out.")
            return redirect(door_path(request, back))
        if "current_password" not in form.errors:
            limits.forgive(subjects)
    return page(request, template, {"form": form, **more()})
