"""Invoices, where a practice wants them: sessions that are owed, asked for by a day.

Issuing one fixes what its sessions cost, takes the next number of the year, and freezes all that
the invoice says. Its sessions' rows are locked first, in the order of their keys, the counter last.
"""

import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from roost.audit.services import record
from roost.billing.balances import bills_to_invoice
from roost.billing.charging import fix, release
from roost.billing.errors import BillingError, CannotIssue, NothingToInvoice, WrongDay
from roost.billing.facts import about_practice, about_practitioner, line_facts
from roost.billing.invoice_pdf import document_of_invoice
from roost.billing.models import Charge, Invoice, InvoiceCounter, InvoiceLine
from roost.billing.numbering import next_serial, once_committed
from roost.billing.owed import Owed, payments_that_count
from roost.billing.rules import plain
from roost.clients.models import Client
from roost.core.submissions import made_before, once
from roost.core.tenancy import current_practice_id
from roost.core.time import now
from roost.practices.models import Practice
from roost.scheduling.models import Appointment
from roost.staff.models import StaffMember

REACH = timedelta(days=366)


def bill_key(bill: Owed) -> str:
    """What names a bill in a form: its session. A client has one bill there, a group's too."""
    return str(bill.appointment.uuid)


def issue_invoice(
    *, by: StaffMember, key: uuid.UUID, client: Client, chosen: Sequence[str], due_on: date
) -> tuple[Invoice, bool]:
    """Issue an invoice for sessions that the client owes; `chosen` are their ids.

    Owners and admins only; the page has checked it. Returns the invoice and whether it is new.
    Raises CannotIssue, NothingToInvoice, WrongDay. Records invoice.issued. Its PDF is made after
    the commit; where that fails, by the first download.
    """

    def make() -> Invoice:
        practice = Practice.objects.get(pk=current_practice_id())
        if not practice.uses_invoices:
            raise BillingError("This practice issues no invoices. Settings → Receipts changes it.")
        _lock_all(Appointment.objects.filter(uuid__in=list(chosen)).values_list("pk", flat=True))
        bills = [each for each in bills_to_invoice(client, practice) if bill_key(each) in chosen]
        moment = now()
        issued_on = moment.astimezone(practice.zone).date()
        _check(bills, set(chosen), issued_on, due_on)
        charges = [fix(each) for each in bills]
        serial = next_serial(InvoiceCounter, issued_on.year)
        invoice = Invoice(
            year=issued_on.year,
            serial=serial,
            client=client,
            payer_account=charges[0].payer_account,
            payer_client=charges[0].payer_client,
            issued_on=issued_on,
            issued_at=moment,
            issued_by=by,
            due_on=due_on,
            currency=practice.currency,
            amount=sum((each.balance for each in bills), Decimal(0)),
        )
        invoice.facts = _facts(invoice, practice, bills, charges[0].payer)
        invoice.save()
        for bill, charge in zip(bills, charges, strict=True):
            InvoiceLine.objects.create(invoice=invoice, charge=charge, amount=bill.balance)
        record("invoice.issued", by=by.account, subject=invoice, client_uuid=client.uuid)
        once_committed(lambda: document_of_invoice(invoice))
        return invoice

    return once(key, "invoice", Invoice, make, by=by.account.uuid, about=str(client.uuid))


def invoice_made_before(*, by: StaffMember, sent: str, client: Client) -> Invoice | None:
    """The invoice that a form has made, whose key is `sent` again. Raises OtherForm."""
    about = str(client.uuid)
    return made_before(sent, "invoice", Invoice, by=by.account.uuid, about=about)


def _lock_all(appointments: Iterable[int]) -> None:
    rows = Appointment.objects.select_for_update(no_key=True).filter(pk__in=list(appointments))
    list(rows.order_by("pk").values_list("pk", flat=True))


def _check(bills: list[Owed], chosen: set[str], today: date, due_on: date) -> None:
    if missing := {each.words: each for bill in bills for each in bill.missing}:
        raise CannotIssue(list(missing.values()))
    if not bills or {bill_key(each) for each in bills} != chosen:
        raise NothingToInvoice(
            "Something has changed since: choose again from what is owed and on no invoice yet."
        )
    if any(each.line is None for each in bills):
        raise NothingToInvoice("The fee or the tax of a service is not set yet.")
    if len({(b.payer.name, b.payer.account, b.payer.client) for b in bills}) > 1:
        raise NothingToInvoice(
            "These sessions have different payers. Issue an invoice for each of them."
        )
    if not today <= due_on <= today + REACH:
        raise WrongDay("Choose a day from today on, within a year.")


def _facts(invoice: Invoice, practice: Practice, bills: list[Owed], payer: str) -> dict[str, Any]:
    """Everything that an invoice's documents print, as `facts_of` a receipt."""

    def say(amount: Decimal) -> str:
        return plain(amount, invoice.currency)

    def total(amounts: Iterable[Decimal]) -> str:
        return say(sum(amounts, Decimal(0)))

    lines = []
    for bill in bills:
        assert bill.line is not None and bill.rate is not None
        lines.append(
            {
                **line_facts(practice, bill.appointment, bill.line, bill.rate, bill.attendance,
                             bill.late_cancel_percent, invoice.currency),
                "practitioner": about_practitioner(bill.appointment.therapist),
                "paid": say(bill.paid),
                "due": say(bill.balance),
            }
        )  # fmt: skip
    return {
        **about_practice(practice),
        "number": invoice.number,
        "issued_on": invoice.issued_on.isoformat(),
        "due_on": invoice.due_on.isoformat(),
        "currency": invoice.currency,
        "client": invoice.client.name,
        "payer": payer,
        "lines": lines,
        "fee": total(bill.line.fee for bill in bills if bill.line is not None),
        "tax": total(bill.line.tax for bill in bills if bill.line is not None),
        "total": total(bill.total for bill in bills),
        "paid": total(bill.paid for bill in bills),
        "due": say(invoice.amount),
    }


def void_invoice(*, by: StaffMember, invoice: Invoice) -> bool:
    """Void an invoice for good: its sessions can stand on another one. Payments stay as they are.

    Returns whether it was valid until now. Records invoice.voided. Its second document, with VOID
    on it, is made after the commit; where that fails, by the first download.
    """
    with transaction.atomic():
        charges = Charge.objects.filter(invoice_lines__invoice=invoice)
        _lock_all(charges.values_list("appointment", flat=True))
        if not invoice.void(voided_at=now(), voided_by=by):
            return False
        release(list(charges))
        fresh = Invoice.objects.select_related("client").get(pk=invoice.pk)
        record("invoice.voided", by=by.account, subject=fresh, client_uuid=fresh.client.uuid)
        once_committed(lambda: document_of_invoice(fresh))
        return True


def still_due(invoices: Iterable[Invoice]) -> dict[int, Decimal]:
    """What is still owed for the sessions of each invoice, by its key. In two queries."""
    lines = InvoiceLine.objects.filter(invoice__in=list(invoices)).select_related("charge")
    due: dict[int, Decimal] = {}
    by_charge: dict[int, list[int]] = {}
    charges = {}
    for line in lines:
        due[line.invoice_id] = due.get(line.invoice_id, Decimal(0)) + line.charge.total
        by_charge.setdefault(line.charge_id, []).append(line.invoice_id)
        charges[line.charge_id] = line.charge
    for payment in payments_that_count(charges.values()):
        for invoice_id in by_charge[payment.charge_id]:
            due[invoice_id] -= payment.amount
    return due


def state_of(invoice: Invoice, due: Decimal, today: date) -> tuple[str, str]:
    """How an invoice stands in the office, and the badge that says so: it is paid when its
    sessions are."""
    if invoice.is_void:
        return ("Void", "stop")
    if due <= 0:
        return ("Paid", "ok")
    return ("Overdue", "wait") if invoice.due_on < today else ("Open", "wait")


def state_for_client(invoice: Invoice, due: Decimal, today: date) -> tuple[str, str]:
    """The same as the client reads it: "Due since 3 March", which is as true and no reproach."""
    words, badge = state_of(invoice, due, today)
    if words != "Overdue":
        return words, badge
    day = f"{invoice.due_on.day} {invoice.due_on:%B}"
    year = "" if invoice.due_on.year == today.year else f" {invoice.due_on.year}"
    return f"Due since {day}{year}", badge


def with_states(
    invoices: Iterable[Invoice],
    today: date,
    state: Callable[[Invoice, Decimal, date], tuple[str, str]] = state_of,
) -> list[tuple[Invoice, Decimal, str, str]]:
    """Invoices as a list shows them: with what is still due, the state and its badge."""
    rows = list(invoices)
    due = still_due(rows)
    return [(each, due[each.pk], *state(each, due[each.pk], today)) for each in rows]
