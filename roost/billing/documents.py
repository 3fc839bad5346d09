"""A receipt's stored documents: each is made once, and every download reads the stored copy.

The work is done outside any write transaction. Two makers at once, or a kill between the commit of
a receipt and its PDF, are both settled by the unique constraint: the first stored copy wins. What
is stored is signed, so that no two makers make the same bytes.
"""

from datetime import UTC, date

from django.db import IntegrityError, transaction

from roost.billing.enums import DocumentKind
from roost.billing.logos import logo_of
from roost.billing.models import Document, Receipt
from roost.billing.pdf import make_pdf
from roost.billing.wording import WORDS
from roost.practices.enums import Language


def document_of(receipt: Receipt) -> bytes:
    """The PDF of a receipt as it is now: as issued, or void. Made and stored if it is missing."""
    if (stored := _stored(receipt)) is not None:
        return stored
    pdf = _made(receipt)
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


def _made(receipt: Receipt) -> bytes:
    # pyhanko takes a quarter of a second to import: not at the start, and not in every process.
    from roost.billing.signing import sign

    facts = receipt.facts
    named = facts.get("logo", "")
    pdf = make_pdf(facts, void_on=void_on(receipt), logo=logo_of(named) if named else None)
    says = WORDS[facts.get("language", Language.ENGLISH)]["signature"]
    return sign(pdf, name=facts["practice"]["name"], says=says)


def void_on(receipt: Receipt) -> date | None:
    """The practice's day on which a receipt was voided, or None for a valid one."""
    if receipt.kind == DocumentKind.ISSUED:
        return None
    assert receipt.voided_at is not None
    tz = receipt.practice.zone if receipt.practice_id else UTC
    return receipt.voided_at.astimezone(tz).date()


def file_name(receipt: Receipt) -> str:
    """What a download is called: "receipt-2026-0413.pdf", "receipt-2026-0413-void.pdf"."""
    return f"receipt-{receipt.number}{'-void' if receipt.is_void else ''}.pdf"
