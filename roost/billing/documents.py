"""A receipt's stored documents: each is made once, and every download reads the stored copy.

The work is done outside any write transaction. Two makers at once, or a kill between the commit of
a receipt and its PDF, are both settled by the unique constraint: the first stored copy wins.
"""

from datetime import UTC, date

from django.db import IntegrityError, transaction

from roost.billing.enums import DocumentKind
from roost.billing.models import Document, Receipt
from roost.billing.pdf import make_pdf


def document_of(receipt: Receipt) -> bytes:
    """The PDF of a receipt as it is now: as issued, or void. Made and stored if it is missing."""
    if (stored := _stored(receipt)) is not None:
        return stored
    pdf = make_pdf(receipt.facts, void_on=_void_on(receipt))
    try:
        with transaction.atomic():
            Document.objects.create(receipt=receipt, kind=receipt.kind, pdf=pdf)
    except IntegrityError:
        pass  # Somebody has stored a copy meanwhile, and that one is it.
    stored = _stored(receipt)
    assert stored is not None
    return stored


def _stored(receipt: Receipt) -> bytes | None:
    rows = Document.objects.filter(receipt=receipt, kind=receipt.kind)
    found = rows.values_list("pdf", flat=True).first()
    return None if found is None else bytes(found)


def _void_on(receipt: Receipt) -> date | None:
    if receipt.kind == DocumentKind.ISSUED:
        return None
    assert receipt.voided_at is not None
    tz = receipt.practice.zone if receipt.practice_id else UTC
    return receipt.voided_at.astimezone(tz).date()


def file_name(receipt: Receipt) -> str:
    """What a download is called: "receipt-2026-0413.pdf", "receipt-2026-0413-void.pdf"."""
    return f"receipt-{receipt.number}{'-void' if receipt.is_void else ''}.pdf"
