"""What the worker does for receipts once an hour, and when it starts."""

import logging

from django.db.models import Exists, OuterRef, Q, QuerySet

from roost.billing.documents import document_of
from roost.billing.enums import DocumentKind
from roost.billing.models import Document, Receipt
from roost.core.tenancy import scope
from roost.practices.models import Practice

log = logging.getLogger("roost.billing")
# Mail waits while this goes on: some seconds at most, and the rest an hour later.
AT_ONCE = 100


def make_missing_documents() -> None:
    """Make the PDFs that a kill, or a full disk, has left out: the newest first.

    Not in the demo, whose year of receipts is made without them.
    """
    left = AT_ONCE
    for practice_id in Practice.objects.filter(is_demo=False).values_list("pk", flat=True):
        with scope(practice_id):
            for receipt in _without_document()[:left]:
                left -= 1
                try:
                    document_of(receipt)
                except Exception:
                    # One that cannot be made must not stand in the way of the others.
                    log.exception("The PDF of a receipt could not be made; it is tried again.")


def _without_document() -> QuerySet[Receipt]:
    made = Document.objects.filter(receipt=OuterRef("pk"))
    return Receipt.objects.filter(
        Q(voided_at=None) & ~Exists(made.filter(kind=DocumentKind.ISSUED))
        | Q(voided_at__isnull=False) & ~Exists(made.filter(kind=DocumentKind.VOID))
    ).select_related("practice")
