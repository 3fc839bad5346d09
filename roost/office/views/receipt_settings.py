"""Settings → Receipts: what receipts say and look like, with a sample to look at."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from roost.accounts.doors import door_path
from roost.billing.errors import NotALogo
from roost.billing.logos import MOST_BYTES, logo_of, remove_logo, set_logo
from roost.billing.pdf import make_pdf
from roost.billing.samples import sample_facts
from roost.core.pages import page, pdf_answer
from roost.core.time import now
from roost.core.uploads import takes_upload
from roost.practices.forms import LogoForm, ReceiptsForm
from roost.practices.services import change_settings
from roost.staff.http import OfficeRequest
from roost.staff.permissions import Who, open_to
from roost.staff.queries import get_staff_member_for, therapists

FIELDS = ["tax_number", "receipt_prefix", "receipt_language", "paper"]


@open_to(Who.OWNER_OR_ADMIN, methods=("GET", "POST"))
def receipt_settings(request: OfficeRequest) -> HttpResponse:
    """Settings → Receipts."""
    form = _form(request, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        values["uses_invoices"] = values["uses_invoices"] == "yes"
        change_settings(request.practice, action="practice.changed", by=request.account, **values)
        messages.success(request, "Saved. New receipts are printed so; those issued stay.")
        return redirect(door_path(request, "receipt-settings"))
    return _page(request, form, LogoForm())


def _form(request: OfficeRequest, data: Any = None) -> ReceiptsForm:
    first = {name: getattr(request.practice, name) for name in FIELDS}
    first["uses_invoices"] = "yes" if request.practice.uses_invoices else "no"
    return ReceiptsForm(data, initial=first)


def _page(request: OfficeRequest, form: ReceiptsForm, logo_form: LogoForm) -> HttpResponse:
    context = {
        "form": form,
        "logo_form": logo_form,
        "therapists": list(therapists().select_related("supervisor")),
    }
    return page(request, "office/settings/receipts.html", context)


@open_to(Who.OWNER_OR_ADMIN, methods=("POST",))
@takes_upload(MOST_BYTES)
def logo(request: OfficeRequest) -> HttpResponse:
    """Take a logo, from its file."""
    form = LogoForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            set_logo(request.practice, form.cleaned_data["logo"].read(), by=request.account)
        except NotALogo as error:
            form.add_error("logo", str(error))
        else:
            messages.success(request, "New receipts carry this logo. Those issued stay.")
            return redirect(door_path(request, "receipt-settings"))
    return _page(request, _form(request), form)


@open_to(Who.OWNER_OR_ADMIN, methods=("POST",))
def remove(request: OfficeRequest) -> HttpResponse:
    """Print new receipts without a logo."""
    remove_logo(request.practice, by=request.account)
    messages.success(request, "New receipts carry no logo. Those issued keep theirs.")
    return redirect(door_path(request, "receipt-settings"))


@open_to(Who.OWNER_OR_ADMIN)
def logo_png(request: OfficeRequest) -> HttpResponse:
    """The logo as it was drawn anew; never a file as it was sent."""
    png = logo_of(request.practice.receipt_logo)
    if png is None:
        raise Http404("There is no logo.")
    return HttpResponse(png, content_type="image/png")


@open_to(Who.OWNER_OR_ADMIN)
def sample(request: OfficeRequest) -> HttpResponse:
    """A receipt of nobody, by one of the therapists: `?therapist=`, or whoever comes first."""
    place = request.practice
    try:
        wanted = uuid.UUID(request.GET.get("therapist", ""))
    except ValueError:
        therapist = therapists().first() or request.staff
    else:
        therapist = get_staff_member_for(request.staff, wanted)
    facts = sample_facts(place, therapist, today=now().astimezone(place.zone).date())
    return pdf_answer(make_pdf(facts, logo=logo_of(place.receipt_logo)), "receipt-sample.pdf")
