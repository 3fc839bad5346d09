"""My details: asking that the practice correct the legal name or the date of birth."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from roost.accounts.doors import door_path
from roost.audit.services import record_read
from roost.clients.corrections import ask_for_correction, withdraw_correction
from roost.clients.enums import Relationship
from roost.clients.errors import AlreadyAnswered, AlreadyAsked
from roost.clients.forms import CorrectionForm
from roost.clients.models import PortalAccess
from roost.clients.queries import get_access_for, get_request_of, opens
from roost.core.pages import page
from roost.staff.http import DoorRequest
from roost.staff.permissions import Who, open_to


def get_details_access_for(request: DoorRequest, client_uuid: uuid.UUID) -> PortalAccess:
    """The access by which the reader may correct a record's details. Raises Http404."""
    access = get_access_for(request.account, client_uuid)
    if not opens(access).details:
        raise Http404("These details are not yours to change.")
    return access


@open_to(Who.ACCOUNT, methods=("GET", "POST"))
def ask(request: DoorRequest, client: uuid.UUID) -> HttpResponse:
    """Ask for another legal name or date of birth; staff accept or decline."""
    access = get_details_access_for(request, client)
    record = access.client
    form = CorrectionForm(record, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            asked = ask_for_correction(
                key=form.cleaned_data["form_key"], client=record, by=request.account, **form.wanted
            )
        except AlreadyAsked:
            messages.warning(
                request, "Something is asked for already. Withdraw that first to ask anew."
            )
        else:
            if asked.wanted == form.wanted:
                told = f"{request.practice.name} is asked. The answer shows here."
                messages.success(request, told)
            else:
                messages.warning(
                    request,
                    "This form was sent before, with something else in it. To ask for more, "
                    "withdraw that or wait for the answer, and begin anew.",
                )
        return redirect(door_path(request, "details", client=record.uuid))
    record_read("client.viewed", by=request.account, client_uuids=[record.uuid], part="details")
    is_self = access.relationship == Relationship.SELF
    context = {"form": form, "client": record, "is_self": is_self}
    return page(request, "portal/ask_correction.html", context)


@open_to(Who.ACCOUNT, methods=("POST",))
def withdraw(request: DoorRequest, client: uuid.UUID, asked: uuid.UUID) -> HttpResponse:
    """Take back what was asked for, while nobody has answered."""
    record = get_details_access_for(request, client).client
    try:
        withdraw_correction(request=get_request_of(record, asked), by=request.account)
    except AlreadyAnswered:
        messages.warning(request, "That was answered or withdrawn meanwhile.")
    else:
        messages.success(request, "Withdrawn. The record stays as it is.")
    return redirect(door_path(request, "details", client=record.uuid))
