"""A client has asked for a correction of the name or date of birth: accept it, or say why not."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Window
from django.http import HttpResponse
from django.shortcuts import redirect

from roost.accounts.doors import door_path
from roost.audit.services import record_read
from roost.clients.corrections import accept_correction, decline_correction
from roost.clients.enums import RequestState
from roost.clients.errors import AlreadyAnswered
from roost.clients.forms import DeclineForm
from roost.clients.models import DetailsRequest
from roost.clients.queries import (
    access_of,
    get_client_for,
    get_request_of,
    open_requests_visible_to,
)
from roost.core.pages import page
from roost.core.time import now, say_span
from roost.staff.http import OfficeRequest
from roost.staff.models import StaffMember
from roost.staff.permissions import Who, open_to

MOST_SHOWN = 5
PER_PAGE = 25


@open_to(Who.STAFF, methods=("GET", "POST"))
def correction(request: OfficeRequest, client: uuid.UUID, asked: uuid.UUID) -> HttpResponse:
    """What the record says beside what it should say, and the two answers. Of two colleagues who
    answer at once one wins, and the other is told."""
    record = get_client_for(request.staff, client)
    wish = get_request_of(record, asked)
    do = request.POST.get("do", "")
    form = DeclineForm(request.POST if request.method == "POST" and do != "accept" else None)
    status = 200
    try:
        if do == "accept":
            accept_correction(request=wish, by=request.staff)
            messages.success(request, f"The record of {record.calling_name} is corrected.")
            return redirect(door_path(request, "client", client=record.uuid))
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            decline_correction(request=wish, reason=reason, by=request.staff)
            messages.success(request, f"Declined. {record.calling_name} reads why.")
            return redirect(door_path(request, "client", client=record.uuid))
    except AlreadyAnswered as quicker:
        wish, status, form = quicker.request, 409, DeclineForm()
    record_read("client.viewed", by=request.account, client_uuids=[record.uuid], part="details")
    context = {
        "client": record,
        "asked": wish,
        "lines": lines_of(wish, record),
        "access": access_of(record).filter(account=wish.asked_by).first(),
        "handled": "" if wish.is_waiting else what_became_of(wish, request.staff),
        "form": form,
    }
    return page(request, "office/clients/correction.html", context, status=status)


@open_to(Who.STAFF)
def corrections(request: OfficeRequest) -> HttpResponse:
    """All that wait for an answer on records the reader may edit, the oldest first."""
    rows = Paginator(open_requests_visible_to(request.staff), PER_PAGE)
    found = rows.get_page(request.GET.get("page"))
    _read(request, list(found.object_list))
    return page(request, "office/clients/corrections.html", {"found": found})


def waiting_corrections(request: OfficeRequest) -> tuple[list[DetailsRequest], int]:
    """What waits for an answer on records the reader may edit: for the head of Today, which names
    at most MOST_SHOWN of them and says how many more there are."""
    # Counted in the same query: every look at Today asks it.
    rows = open_requests_visible_to(request.staff).annotate(in_all=Window(Count("pk")))
    waiting: list[Any] = list(rows[:MOST_SHOWN])
    _read(request, waiting)
    return waiting, waiting[0].in_all - len(waiting) if waiting else 0


def _read(request: OfficeRequest, shown: list[DetailsRequest]) -> None:
    if shown:
        uuids = [each.client.uuid for each in shown]
        record_read("corrections.listed", by=request.account, client_uuids=uuids)


LABELS = {
    "first_name": "First name",
    "last_name": "Last name",
    "date_of_birth": "Date of birth",
}


def lines_of(wish: DetailsRequest, record: object) -> list[tuple[str, object, object]]:
    """What a request is about: each field's label, what the record says, what is asked for."""
    return [(LABELS[name], getattr(record, name), wanted) for name, wanted in wish.wanted.items()]


def what_became_of(wish: DetailsRequest, reader: StaffMember) -> str:
    """Who answered a request, and how long ago: "Adam accepted this 2 minutes ago."."""
    ago = f"{say_span(now() - wish.answered_at)} ago" if wish.answered_at else "by now"
    if wish.state == RequestState.WITHDRAWN or wish.answered_by is None:
        return f"This was withdrawn in the Client Portal {ago}."
    who = "You" if wish.answered_by == reader else wish.answered_by.first_name
    return f"{who} {wish.get_state_display().lower()} this {ago}."
