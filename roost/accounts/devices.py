"""Where somebody is signed in, and the buttons that end it: shared by the pages of both doors."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from roost.accounts.browsers import say_browser
from roost.accounts.doors import door_path
from roost.accounts.models import SignIn
from roost.accounts.pages import log_out
from roost.accounts.queries import get_sign_in_for, sign_ins_of
from roost.accounts.services import end_other_sign_ins, end_sign_in
from roost.core.time import now

# Nobody looks through more; "Sign out everywhere else" ends the others too.
MOST_SHOWN = 30
DOORS = {"office": "the practice’s office", "portal": "the Client Portal"}


@dataclass(frozen=True)
class Device:
    """A browser as its list says it. `elsewhere` names the door where it is not the reader's;
    `is_idle`: it has to give the password again before it sees a page."""

    uuid: uuid.UUID
    browser: str
    since: datetime
    used: datetime
    is_this: bool
    elsewhere: str
    is_idle: bool


def devices_context(request: HttpRequest) -> dict[str, Any]:
    """What `accounts/devices.html` shows, this browser first: one query however many there are."""
    own: SignIn = request.session.row  # type: ignore[attr-defined]
    others = list(sign_ins_of(own.account).exclude(pk=own.pk)[:MOST_SHOWN])
    return {
        "devices": [_describe(request, row) for row in [own, *others][:MOST_SHOWN]],
        "more_devices": len(others) == MOST_SHOWN,
    }


def _describe(request: HttpRequest, row: SignIn) -> Device:
    practice = request.practice  # type: ignore[attr-defined]
    is_staff = row.door == "office"
    idle = practice.staff_idle_minutes if is_staff else practice.client_idle_minutes
    is_this = _is_this(request, row)
    return Device(
        uuid=row.uuid,
        browser=say_browser(row.user_agent),
        since=row.started_at,
        used=row.used_at,
        is_this=is_this,
        elsewhere="" if row.door == request.door else DOORS[row.door],  # type: ignore[attr-defined]
        is_idle=not is_this and now() - row.used_at > timedelta(minutes=idle),
    )


def _is_this(request: HttpRequest, row: SignIn) -> bool:
    own: SignIn = request.session.row  # type: ignore[attr-defined]
    return own.pk == row.pk


def end_device(request: HttpRequest, sign_in_uuid: uuid.UUID, *, back: str) -> HttpResponse:
    """End one sign-in of the reader's; their own is ended as Log out does. Raises Http404."""
    account = request.account  # type: ignore[attr-defined]
    row = get_sign_in_for(account, sign_in_uuid)
    if _is_this(request, row):
        return log_out(request)
    end_sign_in(row, by=account)
    messages.success(request, f"{say_browser(row.user_agent)} is signed out.")
    return redirect(door_path(request, back))


def sign_out_everywhere(request: HttpRequest, *, back: str) -> HttpResponse:
    """End every sign-in of the reader's but this one, at both doors."""
    account, key = request.account, request.session.session_key  # type: ignore[attr-defined]
    assert key is not None
    others = end_other_sign_ins(account, but=key)
    words = (
        "You were signed in nowhere else."
        if not others
        else "You are signed out everywhere else. Only this browser is still signed in."
    )
    messages.success(request, words)
    return redirect(door_path(request, back))
