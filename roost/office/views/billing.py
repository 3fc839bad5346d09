"""Money in the office: attendance, payments, receipts."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from roost.accounts.doors import door_path, to_log_in
from roost.audit.services import record_read
from roost.billing.charging import choose_billed, payers_of
from roost.billing.credit import credit_of
from roost.billing.documents import document_of, file_name
from roost.billing.errors import BillingError, CannotIssue
from roost.billing.forms import BilledForm, PaymentForm
from roost.billing.models import Receipt
from roost.billing.owed import Owed, is_shared_out, owed_for
from roost.billing.queries import get_receipt_for, receipts_visible_to
from roost.billing.rules import say_money
from roost.billing.services import (
    receipt_made_before,
    record_payment,
    take_attendance,
    void_receipt,
)
from roost.clients.models import Client
from roost.core.flashes import flash_with_way_back
from roost.core.pages import page, pdf_answer
from roost.core.time import now, say_day
from roost.scheduling.enums import Attendance
from roost.scheduling.errors import SchedulingError
from roost.scheduling.models import Appointment
from roost.scheduling.queries import get_appointment_for
from roost.staff.http import OfficeRequest
from roost.staff.permissions import Who, open_to
from roost.video.queries import has_just_held

PER_PAGE = 50
SAID = {
    Attendance.ATTENDED: "attended",
    Attendance.NO_SHOW: "a no show",
    Attendance.LATE_CANCEL: "a late cancel",
    Attendance.CANCELLED: "cancelled",
    Attendance.SCHEDULED: "not decided",
}


@open_to(Who.STAFF, methods=("POST",), survives_idle=True)
def attendance(request: OfficeRequest, appointment: uuid.UUID) -> HttpResponse:
    """Mark a session, or one person of it, as attended, no show or late cancel, in one press. No
    idle limit stops a therapist who has only just left its call."""
    if request.is_idle and not has_just_held(request.staff, appointment):
        request.session.flush()
        return to_log_in(request, idle=True)
    found = get_appointment_for(request.staff, appointment)
    people = {str(each.uuid): each for each in found.attendees.all()}
    marks = _marks(request, list(people))
    if marks is None:
        messages.warning(request, "Choose attended, no show or late cancel.")
    else:
        try:
            before = take_attendance(by=request.staff, appointment=found, attendance=marks)
        except (BillingError, SchedulingError) as error:
            messages.warning(request, str(error))
        else:
            kept = [("from", request.POST.get("from", "")), ("of", request.POST.get("of", ""))]
            flash_with_way_back(
                request,
                _said(found, marks),
                path=door_path(request, "attendance", appointment=found.uuid),
                fields=[("was", f"{who}:{before[who]}") for who in marks]
                + [(name, value) for name, value in kept if value],
                label="Undo",
            )
    return redirect(_back_to(request, found))


def _marks(request: OfficeRequest, people: list[str]) -> dict[uuid.UUID, str] | None:
    """What each attendee is marked as: everybody or `attendee` as `attendance`, or each as `was`
    says. None for what is no attendance, Http404 for somebody who is not of the session."""
    asked = request.POST
    if "was" in asked:
        marks = dict(each.partition(":")[::2] for each in asked.getlist("was")[: len(people)])
    else:
        whom = [asked["attendee"]] if asked.get("attendee") else people
        marks = dict.fromkeys(whom, asked.get("attendance", ""))
    if not set(marks) <= set(people):
        raise Http404("There is no such person on this session.")
    if not set(marks.values()) <= set(Attendance.values):
        return None
    return {uuid.UUID(who): mark for who, mark in marks.items()}


def _said(found: Appointment, marks: dict[uuid.UUID, str]) -> str:
    """ "Robin Parker: attended. Remy Parker: a no show." """
    names: dict[str, list[str]] = {}
    for each in found.attendees.all():
        if each.uuid in marks:
            names.setdefault(marks[each.uuid], []).append(each.client.name)
    said = [f"{', '.join(who)}: {SAID[Attendance(mark)]}." for mark, who in names.items()]
    return " ".join(said)


def _back_to(request: OfficeRequest, found: Appointment) -> str:
    """The page that a press came from: the day, a client's record, what follows a call, else the
    session."""
    where = request.POST.get("from", "")
    if where == "call" and found.therapist_id == request.staff.pk:
        return door_path(request, "room-after", appointment=found.uuid)
    if where == "day":
        day = found.starts_at.astimezone(request.practice.zone).date()
        whose = f"&whose={found.therapist.uuid}" if request.staff.runs_practice else ""
        return f"{door_path(request, 'today')}?day={day.isoformat()}{whose}"
    if where == "client":
        for each in found.attendees.all():
            if str(each.client.uuid) == request.POST.get("of", ""):
                return door_path(request, "client-sessions", client=each.client.uuid)
    return door_path(request, "appointment", appointment=found.uuid)


def _bill(request: OfficeRequest, found: Appointment) -> tuple[Owed, list[Client]]:
    """The bill that a page is about, and whom it could be of. Raises Http404."""
    people = [each.client for each in found.attendees.all()]
    asked = next((c for c in people if str(c.uuid) == request.GET.get("client")), None)
    if "client" in request.GET and asked is None:
        raise Http404("There is no such person on this session.")
    owed = owed_for(found, request.practice, asked)
    return owed, [owed.client] if is_shared_out(found) else people


def _about(request: OfficeRequest, found: Appointment, owed: Owed) -> dict[str, Any]:
    """What pages about one bill of a session say, after an audit row that names its people."""
    tz, today = request.practice.zone, now().astimezone(request.practice.zone).date()
    people = [each.client for each in found.attendees.all()]
    record_read("appointment.viewed", by=request.account, client_uuids=[c.uuid for c in people])
    return {
        "appointment": found,
        "names": ", ".join(each.name for each in people),
        "heading": say_day(found.starts_at.astimezone(tz).date(), today),
        "owed": owed,
        "is_shared_out": is_shared_out(found),
    }


@open_to(Who.STAFF, methods=("GET", "POST"))
def billed(request: OfficeRequest, appointment: uuid.UUID) -> HttpResponse:
    """Say who is billed for a session, and who pays, before anything is paid."""
    found = get_appointment_for(request.staff, appointment)
    owed, people = _bill(request, found)
    form = BilledForm(
        request.POST if request.method == "POST" else None,
        bill=owed,
        attending=people,
        payers=payers_of(people),
    )
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                choose_billed(
                    by=request.staff,
                    appointment=found,
                    client=form.billed or owed.client,
                    payer=form.chosen_payer,
                )
        except BillingError as error:
            form.refuse(error)
        else:
            messages.success(request, "Saved. It appears on receipts from now on.")
            return redirect(door_path(request, "appointment", appointment=found.uuid))
    context = _about(request, found, owed)
    return page(request, "office/billing/billed.html", {**context, "form": form})


@open_to(Who.STAFF, methods=("GET", "POST"))
def payment(request: OfficeRequest, appointment: uuid.UUID) -> HttpResponse:
    """Record a payment for a session, and issue its receipt."""
    found = get_appointment_for(request.staff, appointment)
    owed, people = _bill(request, found)
    billed = owed.client
    form = PaymentForm(
        request.POST if request.method == "POST" else None,
        bill=owed,
        attending=people,
        payers=payers_of(people),
        credit=credit_of(billed, owed.currency),
        today=now().astimezone(request.practice.zone).date(),
        held_on=found.starts_at.astimezone(request.practice.zone).date(),
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
                client=form.billed or billed,
                payer=form.chosen_payer if "payer" in form.fields else None,
                keep_over=values["keep_over"],
            )
        except CannotIssue as error:
            missing = error.missing
            form.refuse(error)
        except BillingError as error:
            form.refuse(error)
        else:
            return _paid(request, found, receipt, new)
    elif request.method == "POST":
        # What its first send has used or fixed is no choice any more.
        sent = request.POST.get("form_key", "")
        made = receipt_made_before(by=request.staff, sent=sent, appointment=found, client=billed)
        if made is not None:
            return _paid(request, found, made, new=False)
    context = _about(request, found, owed)
    context |= {
        "form": form,
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


def _paid(request: OfficeRequest, found: Appointment, receipt: Receipt, new: bool) -> HttpResponse:
    amount = say_money(receipt.amount + receipt.payment.over, receipt.currency)
    said = (
        f"{amount} recorded, and receipt {receipt.number} is issued."
        if new
        else f"This form was sent before. Receipt {receipt.number} stands, once."
    )
    messages.success(request, said)
    return redirect(door_path(request, "appointment", appointment=found.uuid))


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
    return pdf_answer(document_of(found), file_name(found))


@open_to(Who.STAFF, methods=("GET", "POST"))
def void(request: OfficeRequest, receipt: uuid.UUID) -> HttpResponse:
    """Ask, then void a receipt for good."""
    found = get_receipt_for(request.staff, receipt)
    trouble = ""
    if request.method == "POST":
        try:
            voided = void_receipt(by=request.staff, receipt=found)
        except BillingError as error:
            trouble = str(error)
        else:
            if voided:
                messages.success(
                    request,
                    f"Receipt {found.number} is void, and its payment no longer counts. "
                    "Record the payment again as it should be, and a new receipt is issued.",
                )
            else:
                messages.info(request, f"Receipt {found.number} is void already.")
            return redirect(door_path(request, "appointment", appointment=found.appointment.uuid))
    record_read("receipt.viewed", by=request.account, client_uuids=[found.client.uuid])
    context = {"receipt": found, "trouble": trouble}
    return page(request, "office/billing/void.html", context, status=409 if trouble else 200)
