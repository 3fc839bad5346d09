"""Who may use a page. One decorator on every view is both the rule and its documentation."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from roost.accounts.doors import door_path, to_log_in
from roost.accounts.services import must_choose_password
from roost.staff.enums import Role


class Who(Enum):
    """Whom a page is for. What within it somebody may see is decided by `get_<thing>_for`."""

    ANYONE = "anyone"
    ACCOUNT = "any account signed in at this door"
    SIGN_UP = "somebody whose sign-up is not verified yet"
    STAFF = "staff"
    OWNER_OR_ADMIN = "owners and admins"
    OWNER = "owners"


_ROLES = {
    Who.STAFF: {Role.OWNER, Role.ADMIN, Role.THERAPIST},
    Who.OWNER_OR_ADMIN: {Role.OWNER, Role.ADMIN},
    Who.OWNER: {Role.OWNER},
}


@dataclass(frozen=True)
class Access:
    """What a view declares about itself."""

    who: Who
    methods: tuple[str, ...]
    while_choosing: bool
    survives_idle: bool
    hidden: bool


View = Callable[..., HttpResponseBase]


def open_to(
    who: Who,
    *,
    methods: tuple[str, ...] = ("GET",),
    while_choosing: bool = False,
    survives_idle: bool = False,
    hidden: bool = False,
) -> Callable[[View], View]:
    """Let `who` use a view with `methods` (GET brings HEAD along).

    The anonymous are sent to the door's log-in page; staff without the role get 403, or 404 where
    the page is `hidden` from them. Somebody with a sign-up only is sent to its page. Somebody in by
    a starter password reaches only views that are open `while_choosing`. After the idle limit
    only views that survive it are reached; they decide by themselves.
    """
    allowed = (*methods, "HEAD") if "GET" in methods else methods
    access = Access(who, methods, while_choosing, survives_idle, hidden)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            is_allowed = request.method in allowed
            # A hidden page does not exist for others, whatever the method.
            if not is_allowed and not hidden:
                return HttpResponseNotAllowed(allowed)
            if who is not Who.ANYONE and (detour := _detour(request, access)) is not None:
                return detour
            if not is_allowed:
                return HttpResponseNotAllowed(allowed)
            return view(request, *args, **kwargs)

        guarded.access = access  # type: ignore[attr-defined]
        return guarded

    return decorate


def _detour(request: HttpRequest, access: Access) -> HttpResponse | None:
    """Where somebody goes instead, or None if they may pass. Raises PermissionDenied, Http404."""
    account = request.account  # type: ignore[attr-defined]
    if access.who is Who.SIGN_UP:
        return _detour_from_sign_up(request)
    if account is None:
        if request.sign_up is not None:  # type: ignore[attr-defined]
            return redirect(door_path(request, "sign-up"))
        return to_log_in(request)
    if request.is_idle and not access.survives_idle:  # type: ignore[attr-defined]
        request.session.flush()
        return to_log_in(request, idle=True)
    if must_choose_password(account) and not access.while_choosing:
        return redirect(door_path(request, "choose-password"))
    roles = _ROLES.get(access.who)
    if roles is not None:
        staff = request.staff  # type: ignore[attr-defined]
        if staff is None:
            raise Http404("Only staff have an office.")
        if staff.role not in roles:
            if access.hidden:
                raise Http404("There is no such page.")
            raise PermissionDenied("Your role does not include this.")
    return None


def _detour_from_sign_up(request: HttpRequest) -> HttpResponse | None:
    """Where somebody without a sign-up goes, or None for somebody who has one."""
    if request.sign_up is not None:  # type: ignore[attr-defined]
        return None
    if request.account is not None and not request.is_idle:  # type: ignore[attr-defined]
        return redirect(door_path(request, "account"))
    return to_log_in(request)
