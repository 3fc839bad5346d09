"""Verify: staff vouch for somebody whose mailbox is not proven; or mail the proof once more."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from roost.accounts.doors import door_path
from roost.audit.services import record_read, record_refusal
from roost.clients.enums import ProspectState
from roost.clients.errors import (
    AddressChanged,
    AlreadyHandled,
    HasOtherLogIn,
    WrongConfirmationCode,
)
from roost.clients.models import Prospect
from roost.clients.prospect_forms import VouchForm
from roost.clients.prospect_queries import get_prospect_for
from roost.clients.prospects import verify as vouch
from roost.core.pages import page
from roost.office.views.prospects import Trouble, resend_to, show_trouble, too_late
from roost.staff.http import OfficeRequest
from roost.staff.permissions import Who, open_to


def known_address(prospect: Prospect) -> Trouble:
    """The trouble of a sign-up on an address that has a log-in already."""
    return Trouble(
        f"{prospect.email} has a log-in already",
        "Somebody signed up with that address again. Its owner was told by e-mail, and can log "
        "in or choose a new password. This sign-up opens nothing, whatever you do; dismiss it.",
        dismissable=prospect if prospect.state == ProspectState.WAITING else None,
    )


def address_changed(prospect: Prospect) -> Trouble:
    """The trouble of a page that shows an address which is no longer the prospect's."""
    return Trouble(
        f"{prospect.name} has corrected their address",
        f"It is {prospect.email} now. Nothing was done; look at it again before you act.",
    )


def origin_of(request: OfficeRequest, prospect: Prospect) -> str:
    """Where somebody came from, and goes back to: the linked client's record, All Clients, or
    Prospects."""
    origin = request.GET.get("from")
    if origin == "client" and prospect.client is not None:
        return door_path(request, "client", client=prospect.client.uuid)
    return door_path(request, "clients" if origin == "clients" else "prospects")


@open_to(Who.OWNER_OR_ADMIN, methods=("GET", "POST"), hidden=True)
def verify(request: OfficeRequest, prospect: uuid.UUID) -> HttpResponse:
    """Vouch for a person by the confirmation code they read out, or for a stated reason."""
    found = get_prospect_for(request.staff, prospect)
    try:
        if found.is_verified or found.state == ProspectState.DISMISSED:
            raise too_late(request, [found])
        if found.has_other_log_in:  # type: ignore[attr-defined]
            raise known_address(found)
        form = VouchForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid() and _vouch(request, found, form):
            return redirect(origin_of(request, found))
    except Trouble as trouble:
        return show_trouble(request, trouble)
    record_read(
        "prospects.listed", by=request.account, client_uuids=[], prospects=[str(found.uuid)]
    )
    if found.client is not None:
        record_read(
            "client.viewed", by=request.account, client_uuids=[found.client.uuid], part="verify"
        )
    context = {"prospect": found, "form": form, "back": origin_of(request, found)}
    return page(request, "office/prospects/verify.html", context)


def _vouch(request: OfficeRequest, prospect: Prospect, form: VouchForm) -> bool:
    """Verify with what the form says; False puts what is wrong beside its field."""
    try:
        seen = request.POST.get("seen", "")
        vouch(prospect=prospect, seen=seen, by=request.staff, **form.cleaned_data)
    except WrongConfirmationCode:
        record_refusal(
            by=request.account, status=422, route="office:verify-prospect",
            prospect=str(prospect.uuid),
        )  # fmt: skip
        form.add_error(
            "code",
            "That is not the code on their Account page. It changes each day; "
            "ask for the one they see now.",
        )
        return False
    except HasOtherLogIn:
        raise known_address(prospect) from None
    except AlreadyHandled as late:
        raise too_late(request, [late.prospect]) from None
    except AddressChanged as changed:
        raise address_changed(changed.prospect) from None
    words = f"{prospect.name} is verified. A notice goes to {prospect.email}."
    if prospect.client is not None:
        words = f"{words} They can open {prospect.client.name}’s record from now on."
    messages.success(request, words)
    return True


@open_to(Who.OWNER_OR_ADMIN, methods=("POST",), hidden=True)
def send_again(request: OfficeRequest, prospect: uuid.UUID) -> HttpResponse:
    """Mail link and code once more, from the linked client's record."""
    found = get_prospect_for(request.staff, prospect)
    try:
        if found.state == ProspectState.DISMISSED:
            raise too_late(request, [found])
        resend_to(request, [found])
    except Trouble as trouble:
        return show_trouble(request, trouble)
    return redirect(origin_of(request, found))
