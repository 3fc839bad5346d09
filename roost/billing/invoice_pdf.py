"""An invoice's stored documents: each is made once, and every download reads the stored copy.

As with receipts, the work is done outside any write transaction, and the first stored copy wins.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from roost.billing.models import Invoice, InvoiceDocument
from roost.billing.papers import head_words, invoice_words, make_paper, practice_words
from roost.billing.pdf import line_words, person_words
from roost.billing.wording import say_amount, say_date
from roost.practices.models import Practice


def document_of_invoice(invoice: Invoice) -> bytes:
    """The PDF of an invoice as it is now: as issued, or void. Made and stored if it is missing."""
    if (stored := _stored(invoice)) is not None:
        return stored
    pdf = _made(invoice.facts, _void_on(invoice))
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


def _made(facts: dict[str, Any], void_on: date | None) -> bytes:
    """The PDF of an invoice's facts, in the language that they name."""
    language, currency = facts["language"], facts["currency"]
    w = invoice_words(language)
    number, issued_on = facts["number"], date.fromisoformat(facts["issued_on"])

    def money(name: str, where: dict[str, Any] = facts) -> str:
        return say_amount(Decimal(where[name]), currency, language)

    def day(text: str) -> str:
        return say_date(date.fromisoformat(text), language)

    title, stamp = f"{w['name']} {number}", ["", ""]
    if void_on is not None:
        title = w["void_title"].format(number=number)
        stamp = [w["void"], w["void_on"].format(day=say_date(void_on, language))]
    head = {
        **head_words(facts, title, issued_on),
        "w": w,
        "foot": title,
        "stamp": stamp,
        "is_void": void_on is not None,
        "number": number,
        "issued": say_date(issued_on, language),
        "due_on": day(facts["due_on"]),
        "currency": currency,
        "subtotal": money("fee"),
        "tax": money("tax"),
        "total": money("total"),
        "paid": money("paid") if Decimal(facts["paid"]) else "",
        "due": money("due"),
    }
    typed = {
        **practice_words(facts["practice"]),
        "client": facts["client"],
        "payer": facts["payer"],
        "lines": [
            {
                **line_words(line, currency, language),
                "practitioner": person_words(line["practitioner"], w)[0],
            }
            for line in facts["lines"]
        ],
    }
    return make_paper("invoice.typ", head, typed)
