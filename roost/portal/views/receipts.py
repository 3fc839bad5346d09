"""Receipts at the portal: one's own, and the page that confirms one to whoever holds it."""

import uuid
from datetime import date
from decimal import Decimal

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse

from roost.accounts.limits import TooMany
from roost.audit.services import record_read
from roost.billing.balances import balance_of_client
from roost.billing.checking import check_code
from roost.billing.documents import document_of, file_name
from roost.billing.invoice_pdf import document_of_invoice, invoice_file_name
from roost.billing.invoices import state_for_client, with_states
from roost.billing.queries import (
    get_invoice_by_access,
    get_receipt_by_access,
    invoices_open_to,
    receipts_open_to,
)
from roost.billing.rules import say_money
from roost.billing.years import (
    count_year_pdf,
    make_year_pdf,
    receipts_of_year,
    year_file_name,
    years_open_to,
)
from roost.clients.enums import Relationship
from roost.clients.queries import get_access_for, opens
from roost.core.pages import page, pdf_answer
from roost.core.time import now, say_span
from roost.portal.context import held_by, whose
from roost.staff.http import DoorRequest
from roost.staff.permissions import Who, open_to

PER_PAGE = 50
INVOICES_PER_PAGE = 10


@open_to(Who.ACCOUNT)
def receipts(request: DoorRequest, client: uuid.UUID) -> HttpResponse:
    """All receipts of one person, newest first, with what is owed and the invoices."""
    access = get_access_for(request.account, client)
    opened = opens(access)
    if not opened.receipts:
        raise Http404("These receipts are not yours to see.")
    today = now().astimezone(request.practice.zone).date()
    found = Paginator(receipts_open_to(access), PER_PAGE).get_page(request.GET.get("page"))
    billed = Paginator(invoices_open_to(access), INVOICES_PER_PAGE)
    invoices = billed.get_page(request.GET.get("invoices"))
    persons = [a for a in held_by(request) if opens(a).receipts]
    # The switcher shows the names of the others.
    others = [str(a.client.uuid) for a in persons if a.client_id != access.client_id]
    record_read(
        "client.viewed",
        by=request.account,
        client_uuids=[client],
        part="receipts",
        **({"others": others} if others else {}),
    )
    context = {
        "client": access.client,
        "today": today,
        "is_self": access.relationship == Relationship.SELF,
        "persons": whose(persons),
        "found": found,
        "receipts": found.object_list,
        "opens": opened,
        "balance": balance_of_client(access.client, request.practice) if opened.balance else None,
        "invoices_found": invoices,
        "invoices": with_states(invoices.object_list, today, state_for_client),
        "years": years_open_to(access),
    }
    return page(request, "portal/receipts.html", context)


@open_to(Who.ACCOUNT)
def year_pdf(request: DoorRequest, client: uuid.UUID, year: int) -> HttpResponse:
    """All receipts of one person and year in one PDF, with their sums, for the tax return."""
    access = get_access_for(request.account, client)
    if not opens(access).receipts:
        raise Http404("These receipts are not yours to see.")
    found = receipts_of_year(access, year)
    if not found:
        raise Http404("There are no receipts of that year.")
    try:
        count_year_pdf(request.account)
    except TooMany as error:
        context = {"client": access.client, "wait": say_span(error.wait)}
        return page(request, "portal/receipts_busy.html", context, 429)
    record_read(
        "receipts.downloaded",
        by=request.account,
        client_uuids=[client],
        year=year,
        receipts=[str(each.uuid) for each in found],
    )
    today = now().astimezone(request.practice.zone).date()
    pdf = make_year_pdf(request.practice, access.client.name, year, found, today=today)
    return pdf_answer(pdf, year_file_name(year))


@open_to(Who.ACCOUNT)
def receipt_pdf(request: DoorRequest, receipt: uuid.UUID) -> HttpResponse:
    """A receipt's PDF, as it is now."""
    held = held_by(request)
    found = get_receipt_by_access(held, receipt)
    whose = next(access.client for access in held if access.client_id == found.client_id)
    record_read(
        "receipt.downloaded",
        by=request.account,
        client_uuids=[whose.uuid],
        receipt=str(found.uuid),
    )
    return pdf_answer(document_of(found), file_name(found))


@open_to(Who.ACCOUNT)
def invoice_pdf(request: DoorRequest, invoice: uuid.UUID) -> HttpResponse:
    """An invoice's PDF, as it is now."""
    held = held_by(request)
    found = get_invoice_by_access(held, invoice)
    whose = next(access.client for access in held if access.client_id == found.client_id)
    record_read(
        "invoice.downloaded",
        by=request.account,
        client_uuids=[whose.uuid],
        invoice=str(found.uuid),
    )
    return pdf_answer(document_of_invoice(found), invoice_file_name(found))


@open_to(Who.ANYONE)
def check(request: HttpRequest, code: str) -> HttpResponse:
    """Whether a receipt is the practice's own, and valid. Says nothing of the client."""
    try:
        found = check_code(code)
    except TooMany as error:
        return page(request, "portal/receipt_check_busy.html", {"wait": say_span(error.wait)}, 429)
    if found is None:
        return page(request, "portal/receipt_unknown.html", status=404)
    facts = found.facts
    context = {
        "receipt": found,
        "practitioner": facts["practitioner"],
        "practice_name": facts["practice"]["name"],
        "issued_on": date.fromisoformat(facts["issued_on"]),
        "total": say_money(Decimal(facts["total"]), facts["currency"]),
    }
    return page(request, "portal/receipt_check.html", context)
