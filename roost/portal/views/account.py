"""My Account: the client's home."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from roost.accounts.doors import door_path
from roost.accounts.forms import ZoneForm
from roost.accounts.services import keep_zone
from roost.audit.services import record_read
from roost.billing.queries import newest_receipts
from roost.clients.enums import ProspectState, Relationship
from roost.clients.errors import EditedMeanwhile
from roost.clients.forms import OwnDetailsForm
from roost.clients.models import PortalAccess
from roost.clients.prospect_queries import has_lost_access, prospect_of_account
from roost.clients.queries import get_access_for, last_request_of, opens
from roost.clients.services import edit_own_details
from roost.core.pages import page
from roost.core.time import now
from roost.portal.context import held_by, whose
from roost.portal.next_session import NextSession, describe_next
from roost.portal.session_rows import describe_sessions
from roost.portal.views.sign_up import confirmation
from roost.scheduling.history import History, years_of
from roost.scheduling.models import Attendee
from roost.scheduling.queries import coming_along, my_account_sessions
from roost.staff.http import DoorRequest
from roost.staff.permissions import Who, open_to
from roost.video.queries import has_stepped_out

PER_PAGE = 50


@open_to(Who.ANYONE)
def home(request: DoorRequest) -> HttpResponse:
    """The Client Portal URL: on to My Account, or to log in first."""
    if request.sign_up is not None:  # type: ignore[attr-defined]
        return redirect(door_path(request, "sign-up"))
    signed_in = request.account is not None and not request.is_idle
    return redirect(door_path(request, "account" if signed_in else "log-in"))


def _chosen(request: DoorRequest, held: list[PortalAccess]) -> PortalAccess | None:
    """Whose page this is: the person asked for, else the reader, else the first. Raises Http404
    for a person who is not the reader's to see."""
    asked = request.GET.get("person", "")
    if asked:
        for access in held:
            if str(access.client.uuid) == asked:
                return access
        raise Http404("There is no such client.")
    return next((a for a in held if a.relationship == Relationship.SELF), held[0] if held else None)


@open_to(Who.ACCOUNT)
def account(request: DoorRequest) -> HttpResponse:
    """My Account of one person: the next session first, then details and sessions."""
    held = held_by(request)
    access = _chosen(request, held)
    if access is None:
        return _nothing_open(request)
    opened = opens(access)
    moment = now()
    context: dict[str, Any] = {
        "access": access,
        "client": access.client,
        "is_self": access.relationship == Relationship.SELF,
        "persons": whose(held),
        "opens": opened,
        "zone_words": request.zone.key.rsplit("/", 1)[-1].replace("_", " "),
        "moment": moment,
    }
    if opened.sessions != "none":
        grace = timedelta(minutes=request.practice.join_minutes_after)
        first, rows, more = my_account_sessions(access, moment=moment, grace=grace)
        context |= {
            "next": _next(request, first, held, moment),
            "sessions": describe_sessions(rows, reader=request.zone, moment=moment),
            "more": more,
        }
    if opened.receipts:
        context["receipts"], context["more_receipts"] = newest_receipts(access)
    # The switcher shows the names of the others.
    others = [str(a.client.uuid) for a in held if a.client_id != access.client_id]
    record_read(
        "account.viewed",
        by=request.account,
        client_uuids=[access.client.uuid],
        relationship=access.relationship,
        **({"others": others} if others else {}),
    )
    return page(request, "portal/account.html", context)


def _next(
    request: DoorRequest, mine: Attendee | None, held: list[PortalAccess], moment: datetime
) -> NextSession | None:
    if mine is None:
        return None
    before = timedelta(minutes=request.practice.join_minutes_before)
    may_be_open = mine.appointment.is_video and mine.appointment.starts_at - before <= moment
    return describe_next(
        mine.appointment,
        request.practice,
        reader=request.zone,
        moment=moment,
        stepped_out=may_be_open and has_stepped_out(mine, request.account),
        along=[client.name for client in coming_along(mine, held)],
    )


def _nothing_open(request: DoorRequest) -> HttpResponse:
    """The Account page of somebody verified whom nothing is linked with: what comes next, unless
    the practice has dealt with it, or has taken access away."""
    prospect = prospect_of_account(request.account)
    if prospect is None or prospect.state != ProspectState.WAITING or not prospect.first_name:
        return page(request, "portal/no_access.html")
    if has_lost_access(prospect):
        return page(request, "portal/no_access.html")
    context = {"prospect": prospect, **confirmation(prospect, request.practice, now())}
    return page(request, "portal/waiting.html", context)


def _read_year(text: str) -> int | None:
    """The calendar year that a link names, or None for all of them."""
    year = int(text) if len(text) == 4 and text.isascii() and text.isdigit() else 0
    return year if 1900 <= year <= 2200 else None


@open_to(Who.ACCOUNT)
def sessions(request: DoorRequest, client: uuid.UUID) -> HttpResponse:
    """All sessions of one person: those to come, and those that were, by year."""
    access = get_access_for(request.account, client)
    if opens(access).sessions == "none":
        raise Http404("These sessions are not yours to see.")
    moment, year = now(), _read_year(request.GET.get("year", ""))
    history = History(access, moment=moment, year=year)
    found = Paginator(history, PER_PAGE).get_page(request.GET.get("page"))
    rows = describe_sessions(found.object_list, reader=request.zone, moment=moment)
    persons = [a for a in held_by(request) if opens(a).sessions != "none"]
    others = [str(a.client.uuid) for a in persons if a.client_id != access.client_id]
    record_read(
        "client.viewed",
        by=request.account,
        client_uuids=[client],
        part="sessions",
        **({"others": others} if others else {}),
    )
    years = years_of(access)
    context = {
        "client": access.client,
        "is_self": access.relationship == Relationship.SELF,
        "persons": whose(persons),
        "found": found,
        "sessions": rows,
        "coming": [row for row in rows if not row.is_over],
        "was": [row for row in rows if row.is_over],
        "year": year,
        "years": years,
        "all_years": sum(each.sessions for each in years),
        "zone_words": request.zone.key.rsplit("/", 1)[-1].replace("_", " "),
    }
    return page(request, "portal/sessions.html", context)


@open_to(Who.ACCOUNT, methods=("GET", "POST"))
def details(request: DoorRequest, client: uuid.UUID) -> HttpResponse:
    """Change one's own phone, address and preferred name; staff see it on the record. For the legal
    name and the date of birth one asks."""
    access = get_access_for(request.account, client)
    if not opens(access).details:
        raise Http404("These details are not yours to change.")
    record = access.client
    is_self = access.relationship == Relationship.SELF
    called = "you" if is_self else record.calling_name
    form = OwnDetailsForm(record, request.POST or None, called=called)
    status = 200
    if request.method == "POST" and form.is_valid():
        seen, typed = form.cleaned_data["shown"], form.typed
        try:
            edit_own_details(client=record, by=request.account, seen=seen, **typed)
        except EditedMeanwhile as edited:
            form.refuse(edited.newer)
            status = 409
        else:
            messages.success(request, "Saved. The practice sees it too.")
            return redirect(f"{door_path(request, 'account')}?person={record.uuid}")
    persons = [a for a in held_by(request) if opens(a).details]
    others = [str(a.client.uuid) for a in persons if a.client_id != access.client_id]
    record_read(
        "client.viewed",
        by=request.account,
        client_uuids=[record.uuid],
        part="details",
        **({"others": others} if others else {}),
    )
    context = {
        "form": form,
        "client": record,
        "is_self": is_self,
        "persons": whose(persons),
        "asked": last_request_of(record),
    }
    return page(request, "portal/details.html", context, status=status)


@open_to(Who.ACCOUNT, methods=("GET", "POST"))
def time_zone(request: DoorRequest) -> HttpResponse:
    """Choose the zone in which times are said."""
    likely = [request.account.zone_name, request.practice.zone_name]
    first = request.account.zone_name or request.practice.zone_name
    form = ZoneForm(likely, request.POST or None, initial={"zone": first})
    if request.method == "POST" and form.is_valid():
        keep_zone(request.account, form.cleaned_data["zone"])
        messages.success(request, "Saved. Times are in that zone from now on.")
        return redirect(door_path(request, "account"))
    return page(request, "portal/time_zone.html", {"form": form})
