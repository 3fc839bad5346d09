"""Settings → Services: what can be booked."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from roost.accounts.doors import door_path
from roost.billing.errors import BillingError
from roost.billing.forms import TaxRateForm
from roost.billing.owed import rate_of, tax_rates_of
from roost.billing.rules import say_rate
from roost.billing.services import set_tax_rate
from roost.core.pages import page
from roost.scheduling.errors import SchedulingError
from roost.scheduling.forms import NewServiceForm, ServiceForm
from roost.scheduling.models import Service
from roost.scheduling.queries import all_services, get_service_for
from roost.scheduling.services import (
    add_service,
    archive_service,
    edit_service,
    restore_service,
)
from roost.staff.http import OfficeRequest
from roost.staff.permissions import Who, open_to


@open_to(Who.OWNER_OR_ADMIN)
def services(request: OfficeRequest) -> HttpResponse:
    """All services, those on offer first."""
    return page(request, "office/scheduling/services.html", {"services": list(all_services())})


@open_to(Who.OWNER_OR_ADMIN, methods=("GET", "POST"))
def add(request: OfficeRequest) -> HttpResponse:
    """Add a service."""
    form = NewServiceForm(
        request.POST if request.method == "POST" else None, currency=request.practice.currency
    )
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            found, new = add_service(
                by=request.staff,
                key=values["form_key"],
                name=values["name"],
                type=values["type"],
                duration_minutes=values["duration_minutes"],
                fee=values["fee"],
                billing_code=values["billing_code"],
            )
        except SchedulingError as error:
            form.refuse(error)
        else:
            said = "can be booked now" if new else "was added when this form was sent before"
            messages.success(request, f"{found.label} {said}. Next, say what tax it carries.")
            return redirect(f"{door_path(request, 'service', service=found.uuid)}#tax")
    return page(request, "office/scheduling/add_service.html", {"form": form})


@open_to(Who.OWNER_OR_ADMIN, methods=("GET", "POST"))
def service(request: OfficeRequest, service: uuid.UUID) -> HttpResponse:
    """Edit a service, archive it, or offer it again."""
    found = get_service_for(request.staff, service)
    if request.method == "POST" and request.POST.get("do") in ("archive", "restore"):
        return _put_away(request, found, restore=request.POST["do"] == "restore")
    currency = request.practice.currency
    sets_tax = request.POST.get("do") == "tax"
    tax_form = TaxRateForm(request.POST if sets_tax else None)
    if sets_tax and (answer := _set_tax(request, found, tax_form)) is not None:
        return answer
    form = ServiceForm(
        request.POST if request.method == "POST" and not sets_tax else None,
        initial=ServiceForm.values_of(found, currency),
        currency=currency,
    )
    if form.is_bound and form.is_valid():
        try:
            changes = edit_service(by=request.staff, service=found, **form.cleaned_data)
        except SchedulingError as error:
            form.refuse(error)
            found = get_service_for(request.staff, service)
        else:
            said = (
                "is saved. Sessions booked before keep their length" if changes else "is as it was"
            )
            messages.success(request, f"{found.label} {said}.")
            return redirect(door_path(request, "services"))
    context = {
        "form": form,
        "tax_form": tax_form,
        "service": found,
        "rates": [
            (row.from_on, say_rate(rate_of(row)).replace(" %", "%")) for row in tax_rates_of(found)
        ],
    }
    return page(request, "office/scheduling/service.html", context)


def _set_tax(request: OfficeRequest, found: Service, form: TaxRateForm) -> HttpResponse | None:
    """The answer to a tax rate that was set, or None when the form has more to say."""
    if not form.is_valid():
        return None
    values = form.cleaned_data
    try:
        set_tax_rate(
            by=request.staff,
            service=found,
            from_on=values["from_on"],
            percent=values["percent"] if values["kind"] == "taxed" else None,
            name=values["name"],
        )
    except BillingError as error:
        form.refuse(error)
        return None
    messages.success(request, "The tax is set. Receipts already issued keep theirs.")
    return redirect(f"{door_path(request, 'service', service=found.uuid)}#tax")


def _put_away(request: OfficeRequest, found: Service, *, restore: bool) -> HttpResponse:
    try:
        if restore:
            restore_service(by=request.staff, service=found)
            messages.success(request, f"{found.label} can be booked again.")
        else:
            archive_service(by=request.staff, service=found)
            messages.success(
                request, f"{found.label} can’t be booked any more. Sessions already booked stay."
            )
    except SchedulingError as error:
        messages.warning(request, str(error))
    return redirect(door_path(request, "services"))
