"""Create Client: a prospect becomes a client. And the way back from any link."""

import uuid

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect

from roost.accounts.doors import door_path
from roost.audit.services import record_read
from roost.clients.enums import ProspectState
from roost.clients.errors import AddressChanged, AlreadyHandled, HasOtherLogIn
from roost.clients.forms import ClientForm
from roost.clients.models import Client, Prospect
from roost.clients.prospect_queries import get_prospect_for
from roost.clients.prospects import create_client, undo_link
from roost.core.flashes import flash_with_way_back
from roost.core.pages import page
from roost.core.submissions import is_done
from roost.office.duplicates import records_alike
from roost.office.views.prospects import Trouble, check_state, show_trouble, too_late
from roost.office.views.verifying import address_changed, known_address
from roost.staff.http import OfficeRequest
from roost.staff.permissions import Who, open_to
from roost.video.services import recheck_rooms_of

CREATED = "client of prospect"
FILLED_IN = ["first_name", "last_name", "preferred_name", "email", "phone", "date_of_birth"]


def check_free(request: OfficeRequest, prospect: Prospect) -> None:
    """Raise Trouble unless the prospect can be linked with a client now."""
    check_state(request, [prospect], ProspectState.WAITING)
    if prospect.has_other_log_in:  # type: ignore[attr-defined]
        raise known_address(prospect)


def tell_of_link(request: OfficeRequest, prospect: Prospect, client: Client, words: str) -> None:
    """Say what was done, with the way back."""
    if not prospect.is_verified:
        words = f"{words} Nothing opens until the e-mail is verified."
    flash_with_way_back(
        request,
        words,
        path=door_path(request, "undo-link", prospect=prospect.uuid),
        fields=[("link", get_prospect_for(request.staff, prospect.uuid).link_stamp)],
        label="Undo",
    )


@open_to(Who.OWNER_OR_ADMIN, methods=("GET", "POST"), hidden=True)
def create(request: OfficeRequest, prospect: uuid.UUID) -> HttpResponse:
    """Create Client: Add Client, filled in from the sign-up. One form makes one client."""
    found = get_prospect_for(request.staff, prospect)
    first = {name: getattr(found, name) for name in FILLED_IN}
    form = ClientForm(request.staff, request.POST or None, initial=first)
    try:
        is_right = request.method == "POST" and form.is_valid()
        # A second send of one form finds the client that the first has made.
        is_again = is_right and _is_done(request, found, form)
        if not is_again:
            check_free(request, found)
        alike = records_alike(request, form.cleaned_data) if is_right and not is_again else []
        if is_right and not alike:
            client = _create(request, found, form)
            return redirect(door_path(request, "client", client=client.uuid))
    except Trouble as trouble:
        return show_trouble(request, trouble)
    record_read(
        "prospects.listed", by=request.account, client_uuids=[], prospects=[str(found.uuid)]
    )
    context = {"prospect": found, "form": form, "alike": alike}
    return page(request, "office/prospects/create.html", context, status=409 if alike else 200)


def _is_done(request: OfficeRequest, prospect: Prospect, form: ClientForm) -> bool:
    key, own = form.cleaned_data["form_key"], request.account.uuid
    return is_done(key, CREATED, by=own, about=str(prospect.uuid))


def _create(request: OfficeRequest, prospect: Prospect, form: ClientForm) -> Client:
    values = form.cleaned_data
    try:
        client = create_client(
            key=values.pop("form_key"),
            prospect=prospect,
            seen=request.POST.get("seen", ""),
            by=request.staff,
            therapists=list(values.pop("therapists", [])),
            **values,
        )
    except HasOtherLogIn:
        raise known_address(prospect) from None
    except AlreadyHandled as late:
        raise too_late(request, [late.prospect]) from None
    except AddressChanged as changed:
        raise address_changed(changed.prospect) from None
    if get_prospect_for(request.staff, prospect.uuid).client == client:
        tell_of_link(request, prospect, client, f"{client.name} is added, from the sign-up.")
    else:
        words = f"{client.name} was added, from the sign-up; that link is no more."
        messages.warning(request, words)
    return client


@open_to(Who.OWNER_OR_ADMIN, methods=("POST",), hidden=True)
def undo(request: OfficeRequest, prospect: uuid.UUID) -> HttpResponse:
    """Take a link back. The form names the link, so that an old page undoes no newer one."""
    found = get_prospect_for(request.staff, prospect)
    stamp = request.POST.get("link", "")
    try:
        with transaction.atomic():
            client = undo_link(prospect=found, stamp=stamp, by=request.staff)
            recheck_rooms_of(client)
    except AlreadyHandled as late:
        return show_trouble(request, too_late(request, [late.prospect]))
    messages.success(
        request,
        f"{found.name} can no longer open {client.name}’s record. Nothing else is lost.",
    )
    return redirect(door_path(request, "prospects"))
