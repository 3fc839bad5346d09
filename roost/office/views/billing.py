"""Money in the office: attendance, payments, receipts."""

import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect

from roost.accounts.doors import door_path
from roost.audit.services import record_read
from roost.billing.documents import document_of, file_name
from roost.billing.errors import BillingError, CannotIssue
from roost.billing.forms import PaymentForm
from roost.billing.models import Receipt
from roost.billing.queries import get_receipt_for, owed_for, receipts_visible_to
from roost.billing.rules import say_money
from roost.billing.services import record_payment, take_attendance, void_receipt
from roost.core.flashes import flash_with_way_back
from roost.core.pages import page
from roost.core.time import now, say_day
from roost.scheduling.enums import Attendance
from roost.scheduling.errors import SchedulingError
from roost.scheduling.queries import get_appointment_for
from roost.staff.http import OfficeRequest
from roost.staff.permissions import Who, open_to

PER_PAGE = 50
SAID = {
    Attendance.ATTENDED: "attended",
    Attendance.NO_SHOW: "a no show",
    Attendance.LATE_CANCEL: "a late cancel",
    Attendance.CANCELLED: "cancelled",
    Attendance.SCHEDULED: "not decided",
}


@open_to(Who.STAFF, methods=("POST",))
def attendance(request: OfficeRequest, appointment: uuid.UUID) -> HttpResponse:
    """Mark a session as attended, no show or late cancel, in one press."""
    found = get_appointment_for(request.staff, appointment)
    names = ", ".join(each.client.name for each in found.attendees.all())
    here = door_path(request, "attendance", appointment=found.uuid)
    wanted = request.POST.get("attendance", "")
    to_day = request.POST.get("from") == "day"
    if wanted not in Attendance.values:
        messages.warning(request, "Choose attended, no show or late cancel.")
    else:
        try:
            before = take_attendance(by=request.staff, appointment=found, attendance=wanted)
        except (BillingError, SchedulingError) as error:
            messages.warning(request, str(error))
        else:
            fields = [("attendance", before), *([("from", "day")] if to_day else [])]
            flash_with_way_back(
                request,
                f"{names}: {SAID[Attendance(wanted)]}.",
                path=here,
                fields=fields,
                label="Undo",
            )
    if to_day:
        day = found.starts_at.astimezone(request.practice.zone).date()
        whose = f"&whose={found.therapist.uuid}" if request.staff.runs_practice else ""
        return redirect(f"{door_path(request, 'today')}?day={day.isoformat()}{whose}")
    return redirect(door_path(request, "appointment", appointment=found.uuid))


@open_to(Who.STAFF, methods=("GET", "POST"))
def payment(request: OfficeRequest, appointment: uuid.UUID) -> HttpResponse:
    """Record a payment for a session, and issue its receipt."""
    found = get_appointment_for(request.staff, appointment)
    tz, today = request.practice.zone, now().astimezone(request.practice.zone).date()
    owed = owed_for(found, request.practice)
    attending = [each.client for each in found.attendees.all()]
    form = PaymentForm(
        request.POST if request.method == "POST" else None,
        attending=attending,
        settled=owed.charge is not None,
        balance=owed.balance,
        currency=owed.currency,
        today=today,
    )
    missing = owed.missing
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            receipt, new = record_payment(
                by=request.staff,
                key=values["form_key"],
                appointment=found,
                amount=values["amount"],
                method=values["method"],
                paid_on=values["paid_on"],
                client=form.billed,
                payer=values.get("payer", ""),
            )
        except CannotIssue as error:
            missing = error.missing
            form.refuse(error)
        except BillingError as error:
            form.refuse(error)
        else:
            amount = say_money(receipt.amount, receipt.currency)
            said = (
                f"{amount} recorded, and receipt {receipt.number} is issued."
                if new
                else f"This form was sent before. Receipt {receipt.number} stands, once."
            )
            messages.success(request, said)
            return redirect(door_path(request, "appointment", appointment=found.uuid))
    record_read("appointment.viewed", by=request.account, client_uuids=[c.uuid for c in attending])
    context = {
        "form": form,
        "appointment": found,
        "names": ", ".join(each.name for each in attending),
        "heading": say_day(found.starts_at.astimezone(tz).date(), today),
        "owed": owed,
        "missing": [
            (
                each,
                door_path(
                    request, each.place, **({each.argument: each.value} if each.argument else {})
                ),
            )
            for each in missing
        ],
    }
    return page(request, "office/billing/payment.html", context)


@open_to(Who.OWNER_OR_ADMIN)
def receipts(request: OfficeRequest) -> HttpResponse:
    """All receipts of the practice, newest first."""
    rows = receipts_visible_to(request.staff)
    found = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    if uuids := list({each.client.uuid: None for each in found.object_list}):
        record_read("receipts.listed", by=request.account, client_uuids=uuids)
    return page(request, "office/billing/receipts.html", {"found": found})


@open_to(Who.STAFF)
def receipt_pdf(request: OfficeRequest, receipt: uuid.UUID) -> HttpResponse:
    """A receipt's PDF, as it is now."""
    found = get_receipt_for(request.staff, receipt)
    record_read(
        "receipt.downloaded",
        by=request.account,
        client_uuids=[found.client.uuid],
        receipt=str(found.uuid),
    )
    return pdf_answer(found)


def pdf_answer(receipt: Receipt) -> HttpResponse:
    """A receipt's stored document as a download."""
    return HttpResponse(
        document_of(receipt),
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{file_name(receipt)}"'},
    )


@open_to(Who.STAFF, methods=("GET", "POST"))
def void(request: OfficeRequest, receipt: uuid.UUID) -> HttpResponse:
    """Ask, then void a receipt for good."""
    found = get_receipt_for(request.staff, receipt)
    if request.method == "POST":
        if void_receipt(by=request.staff, receipt=found):
            messages.success(
                request,
                f"Receipt {found.number} is void, and its payment no longer counts. "
                "Record the payment again as it should be, and a new receipt is issued.",
            )
        else:
            messages.info(request, f"Receipt {found.number} is void already.")
        return redirect(door_path(request, "appointment", appointment=found.appointment.uuid))
    record_read("receipt.viewed", by=request.account, client_uuids=[found.client.uuid])
    return page(request, "office/billing/void.html", {"receipt": found})
