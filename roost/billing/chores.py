"""What the worker does for receipts and invoices once an hour, and when it starts."""

import logging
from datetime import timedelta
from typing import Any, TypeVar

from django.db.models import Exists, OuterRef, QuerySet

from roost.billing.documents import document_of
from roost.billing.enums import DocumentKind
from roost.billing.invoice_pdf import document_of_invoice
from roost.billing.models import Document, Invoice, InvoiceDocument, Receipt
from roost.core.tenancy import scope
from roost.core.time import now
from roost.practices.models import Practice

log = logging.getLogger("roost.billing")
Paper = TypeVar("Paper", Receipt, Invoice)
# Mail waits while this goes on: some seconds at most, and the rest an hour later.
AT_ONCE = 100
# A kill is noticed soon. What is older is made by its next download.
LOOKED_BACK = timedelta(days=30)


def make_missing_documents() -> None:
    """Make the PDFs that a kill, or a full disk, has left out in the last 30 days.

    Not in the demo, whose year of receipts is made without them.
    """
    left = AT_ONCE
    for practice_id in Practice.objects.filter(is_demo=False).values_list("pk", flat=True):
        with scope(practice_id):
            for rows in _without_document():
                for paper in rows[:left]:
                    left -= 1
                    try:
                        if isinstance(paper, Receipt):
                            document_of(paper)
                        else:
                            document_of_invoice(paper)
                    except Exception:
                        # One that cannot be made must not stand in the way of the others.
                        log.exception(
                            "The PDF of %s %s could not be made; it is tried again.",
                            type(paper).__name__.lower(),
                            paper.uuid,
                        )


def _without_document() -> list[QuerySet[Receipt] | QuerySet[Invoice]]:
    """Valid receipts and void ones without the document that they should have; then invoices."""
    made = Document.objects.filter(receipt=OuterRef("pk"))
    invoiced = InvoiceDocument.objects.filter(invoice=OuterRef("pk"))
    return [
        *_missing(Receipt.objects.select_related("practice"), made),
        *_missing(Invoice.objects.all(), invoiced),
    ]


def _missing(rows: QuerySet[Paper], made: QuerySet[Any]) -> list[QuerySet[Paper]]:
    since = now() - LOOKED_BACK
    return [
        rows.filter(
            ~Exists(made.filter(kind=DocumentKind.ISSUED)), issued_at__gte=since, voided_at=None
        ).order_by("-issued_at"),
        rows.filter(~Exists(made.filter(kind=DocumentKind.VOID)), voided_at__gte=since).order_by(
            "-voided_at"
        ),
    ]
