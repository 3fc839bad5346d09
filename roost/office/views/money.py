"""A client's money in the office: statement, credit given back, invoices. For owners and admins."""

import uuid
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from roost.accounts.doors import door_path
from roost.audit.services import record_read
from roost.billing.balances import bills_to_invoice
from roost.billing.credit import credit_of, give_back, void_refund
from roost.billing.errors import BillingError, CannotIssue
from roost.billing.forms import InvoiceForm, PeriodForm, RefundForm
from roost.billing.invoice_pdf import document_of_invoice, invoice_file_name
from roost.billing.invoices import bill_key, invoice_made_before, issue_invoice, void_invoice
from roost.billing.models import Invoice
from roost.billing.owed import Owed
from roost.billing.queries import get_invoice_for, get_refund_for
from roost.billing.rules import say_money
from roost.billing.statement_pdf import statement_file_name, statement_pdf, unpriced_words
from roost.billing.statements import Statement, statement_of
from roost.clients.models import Client
from roost.clients.queries import get_client_for
from roost.core.pages import page, pdf_answer
from roost.core.time import now
from roost.practices.money import decimals_of, symbol_of
from roost.staff.http import OfficeRequest
from roost.staff.permissions import Who, open_to

TO_PAY = timedelta(days=30)


def _today(request: OfficeRequest) -> date:
    return now().astimezone(request.practice.zone).date()


def _back(request: OfficeRequest, client: Client) -> HttpResponse:
    return redirect(door_path(request, "client-receipts", client=client.uuid))


# Statements


def _statement(
    request: OfficeRequest, client: uuid.UUID
) -> tuple[Client, PeriodForm, Statement | None]:
    """The statement that is asked for; this year so far unless somebody says another period."""
    record = get_client_for(request.staff, client)
    today = _today(request)
    first = {"start": today.replace(month=1, day=1), "end": today}
    form = PeriodForm(request.GET) if "start" in request.GET else PeriodForm(initial=first)
    if not form.is_bound:
        return record, form, statement_of(record, request.practice, first["start"], first["end"])
    if not form.is_valid():
        return record, form, None
    values = form.cleaned_data
    return record, form, statement_of(record, request.practice, values["start"], values["end"])


def _read_statement(request: OfficeRequest, client: Client) -> None:
    record_read("client.viewed", by=request.account, client_uuids=[client.uuid], part="statement")


@open_to(Who.OWNER_OR_ADMIN)
def client_statement(request: OfficeRequest, client: uuid.UUID) -> HttpResponse:
    """What was charged and paid in a period, to look at and to print."""
    record, form, statement = _statement(request, client)
    _read_statement(request, record)
    context: dict[str, Any] = {"client": record, "form": form, "statement": statement}
    if statement is not None:
        context |= {
            "unpriced": unpriced_words(statement.unpriced),
            "query": f"start={statement.start.isoformat()}&end={statement.end.isoformat()}",
        }
    return page(request, "office/billing/statement.html", context)


@open_to(Who.OWNER_OR_ADMIN)
def client_statement_pdf(request: OfficeRequest, client: uuid.UUID) -> HttpResponse:
    """The same as a PDF."""
    record, form, statement = _statement(request, client)
    if statement is None:
        _read_statement(request, record)
        context = {"client": record, "form": form, "statement": None}
        return page(request, "office/billing/statement.html", context)
    record_read(
        "statement.downloaded",
        by=request.account,
        client_uuids=[record.uuid],
        start=statement.start.isoformat(),
        end=statement.end.isoformat(),
    )
    pdf = statement_pdf(statement, request.practice, _today(request))
    return pdf_answer(pdf, statement_file_name(statement))


# Credit given back


@open_to(Who.OWNER_OR_ADMIN, methods=("GET", "POST"))
def refund_credit(request: OfficeRequest, client: uuid.UUID) -> HttpResponse:
    """Record that credit was given back to the client."""
    record = get_client_for(request.staff, client)
    currency = request.practice.currency
    credit = credit_of(record, currency)
    form = RefundForm(
        request.POST if request.method == "POST" else None,
        credit=credit,
        currency=currency,
        today=_today(request),
    )
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            refund, new = give_back(
                by=request.staff,
                key=values["form_key"],
                client=record,
                practice=request.practice,
                amount=values["amount"],
                method=values["method"],
                refunded_on=values["refunded_on"],
            )
        except BillingError as error:
            form.refuse(error)
        else:
            amount = say_money(refund.amount, refund.currency)
            said = (
                f"{amount} given back is recorded."
                if new
                else f"This form was sent before. {amount} was given back, once."
            )
            messages.success(request, said)
            return _back(request, record)
    record_read("client.viewed", by=request.account, client_uuids=[record.uuid], part="credit")
    context = {"client": record, "form": form, "credit": credit, "currency": currency}
    return page(request, "office/billing/refund.html", context)


@open_to(Who.OWNER_OR_ADMIN, methods=("POST",))
def take_refund_back(request: OfficeRequest, refund: uuid.UUID) -> HttpResponse:
    """Void the record of credit given back: it was a mistake, and it is credit again."""
    found = get_refund_for(request.staff, refund)
    amount = say_money(found.amount, found.currency)
    if void_refund(by=request.staff, refund=found):
        messages.success(request, f"That record is void: {amount} is credit again.")
    else:
        messages.info(request, "That record is void already.")
    return _back(request, found.client)


# Invoices


def _label(request: OfficeRequest, bill: Owed) -> str:
    day = bill.appointment.starts_at.astimezone(request.practice.zone).date()
    return f"{day.day} {day:%B %Y}, {bill.appointment.label}"


@open_to(Who.OWNER_OR_ADMIN, methods=("GET", "POST"))
def invoice_client(request: OfficeRequest, client: uuid.UUID) -> HttpResponse:
    """Choose sessions that a client owes, and issue an invoice for them."""
    record = get_client_for(request.staff, client)
    if not request.practice.uses_invoices:
        raise Http404("This practice issues no invoices.")
    bills = bills_to_invoice(record, request.practice)
    form = InvoiceForm(
        request.POST if request.method == "POST" else None,
        choices=[(bill_key(each), _label(request, each)) for each in bills],
        due_on=_today(request) + TO_PAY,
    )
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            invoice, new = issue_invoice(
                by=request.staff,
                key=values["form_key"],
                client=record,
                chosen=values["charges"],
                due_on=values["due_on"],
            )
        except CannotIssue as error:
            words = ", ".join(each.words for each in error.missing)
            form.add_error("charges", f"An invoice needs what is not written down yet: {words}.")
        except BillingError as error:
            form.refuse(error)
        else:
            return _invoiced(request, invoice, new)
    elif request.method == "POST":
        # Sessions that its first send has invoiced are no choice any more.
        sent = request.POST.get("form_key", "")
        made = invoice_made_before(by=request.staff, sent=sent, client=record)
        if made is not None:
            return _invoiced(request, made, new=False)
    record_read("client.viewed", by=request.account, client_uuids=[record.uuid], part="invoice")
    currency = request.practice.currency
    context = {
        "client": record,
        "form": form,
        "bills": bills,
        "charges": list(zip(form["charges"], bills, strict=True)),
        "total": sum((each.balance for each in bills), Decimal(0)),
        "currency": currency,
        "symbol": symbol_of(currency),
        "decimals": decimals_of(currency),
    }
    return page(request, "office/billing/invoice.html", context)


def _invoiced(request: OfficeRequest, invoice: Invoice, new: bool) -> HttpResponse:
    said = (
        f"Invoice {invoice.number} is issued. The client finds it in the Client Portal."
        if new
        else f"This form was sent before. Invoice {invoice.number} stands, once."
    )
    messages.success(request, said)
    return _back(request, invoice.client)


@open_to(Who.OWNER_OR_ADMIN)
def invoice_pdf(request: OfficeRequest, invoice: uuid.UUID) -> HttpResponse:
    """An invoice's PDF, as it is now."""
    found = get_invoice_for(request.staff, invoice)
    record_read(
        "invoice.downloaded",
        by=request.account,
        client_uuids=[found.client.uuid],
        invoice=str(found.uuid),
    )
    return pdf_answer(document_of_invoice(found), invoice_file_name(found))


@open_to(Who.OWNER_OR_ADMIN, methods=("GET", "POST"))
def void_the_invoice(request: OfficeRequest, invoice: uuid.UUID) -> HttpResponse:
    """Ask, then void an invoice for good."""
    found = get_invoice_for(request.staff, invoice)
    if request.method == "POST":
        if void_invoice(by=request.staff, invoice=found):
            messages.success(request, f"Invoice {found.number} is void. Its payments stay.")
        else:
            messages.info(request, f"Invoice {found.number} is void already.")
        return _back(request, found.client)
    record_read("invoice.viewed", by=request.account, client_uuids=[found.client.uuid])
    return page(request, "office/billing/void_invoice.html", {"invoice": found})
