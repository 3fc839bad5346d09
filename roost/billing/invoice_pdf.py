"""An invoice's stored documents: each is made once, and every download reads the stored copy.

As with receipts, the work is done outside any write transaction, and the first stored copy wins.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from roost.billing.models import Invoice, InvoiceDocument
from roost.billing.papers import head_words, make_paper, said
from roost.billing.rules import EXEMPT, say_money
from roost.practices.models import Practice
from roost.scheduling.enums import Attendance, Mode


def document_of_invoice(invoice: Invoice) -> bytes:
    """The PDF of an invoice as it is now: as issued, or void. Made and stored if it is missing."""
    if (stored := _stored(invoice)) is not None:
        return stored
    pdf = make_paper(
        "invoice",
        f"{'VOID: ' if invoice.is_void else ''}Invoice {invoice.number}",
        _words(invoice.facts, _void_on(invoice)),
    )
    try:
        with transaction.atomic():
            InvoiceDocument.objects.create(invoice=invoice, kind=invoice.kind, pdf=pdf)
    except IntegrityError:
        pass  # Somebody has stored a copy meanwhile, and that one is it.
    stored = _stored(invoice)
    assert stored is not None
    return stored


def invoice_file_name(invoice: Invoice) -> str:
    """What a download is called: "invoice-INV-2026-0007.pdf", "invoice-INV-2026-0007-void.pdf"."""
    return f"invoice-{invoice.number}{'-void' if invoice.is_void else ''}.pdf"


def _stored(invoice: Invoice) -> bytes | None:
    rows = InvoiceDocument.objects.filter(invoice=invoice, kind=invoice.kind)
    found = rows.values_list("pdf", flat=True).first()
    return None if found is None else bytes(found)


def _void_on(invoice: Invoice) -> date | None:
    if invoice.voided_at is None:
        return None
    practice = Practice.objects.get(pk=invoice.practice_id)
    return invoice.voided_at.astimezone(practice.zone).date()


def _words(facts: dict[str, Any], void_on: date | None) -> dict[str, Any]:
    """The facts as people read them: what the template prints, in its places."""
    currency, issued_on = facts["currency"], date.fromisoformat(facts["issued_on"])

    def money(name: str, where: dict[str, Any] = facts) -> str:
        return say_money(Decimal(where[name]), currency)

    return {
        **head_words(facts["practice"], facts["paper"], issued_on),
        "number": facts["number"],
        "issued": said(issued_on),
        "due_on": said(date.fromisoformat(facts["due_on"])),
        "void": "" if void_on is None else said(void_on),
        "client": facts["client"],
        "payer": facts["payer"],
        "currency": currency,
        "lines": [
            {
                "on": said(date.fromisoformat(line["on"])),
                "service": _service(line),
                "details": f"{line['minutes']} min"
                + (f", code {line['code']}" if line["code"] else ""),
                "practitioner": ", ".join(
                    part
                    for part in (line["practitioner"]["name"], line["practitioner"]["title"])
                    if part
                ),
                "mode": Mode(line["mode"]).label,
                "fee": money("fee", line),
                "tax": line["tax_words"],
                "tax_amount": "" if line["tax_words"] == EXEMPT else money("tax", line),
                "amount": money("amount", line),
            }
            for line in facts["lines"]
        ],
        "subtotal": money("fee"),
        "tax": money("tax"),
        "total": money("total"),
        "paid": money("paid") if Decimal(facts["paid"]) else "",
        "due": money("due"),
    }


def _service(line: dict[str, Any]) -> str:
    """What was sold, and that nobody came where nobody did."""
    if line["attendance"] == Attendance.NO_SHOW:
        return f"Missed session (no show): {line['service']}"
    if line["attendance"] == Attendance.LATE_CANCEL:
        return f"Late cancellation, {line['late_cancel_percent']} % of the fee: {line['service']}"
    return str(line["service"])
