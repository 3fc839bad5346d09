"""What PDF/UA-1 and PDF/A-2a ask of a file, as far as it can be read from its parts.

The one checker that PyPI has (pdfua) knows a sixth of PDF/UA-1's rules; veraPDF, which knows them
all, needs Java. What is left is asked here of every kind of document, after its signature.
"""

import pytest

from roost.billing.documents import document_of
from roost.billing.logos import set_logo
from roost.billing.models import Receipt
from roost.billing.queries import get_receipt_for
from roost.billing.services import void_receipt
from roost.scheduling.models import Appointment
from tests.support.cast import Cast
from tests.support.money import attended, pay
from tests.support.pdfs import elements, judge
from tests.support.pictures import picture


def test_a_receipt_keeps_to_both_once_it_is_signed(billable: Cast, receipt: Receipt) -> None:
    document = judge(document_of(receipt), language="en-CA", title=f"Receipt {receipt.number}")
    assert len(document.pages) == 1


def test_a_void_one_does_too(billable: Cast, receipt: Receipt) -> None:
    void_receipt(by=billable.olivia, receipt=receipt)
    void = get_receipt_for(billable.olivia, receipt.uuid)
    judge(document_of(void), language="en-CA", title=f"VOID: Receipt {receipt.number}")


def test_one_in_french_with_a_logo_does_too(billable: Cast, session: Appointment) -> None:
    billable.practice.receipt_language = "fr"
    billable.practice.save(update_fields=["receipt_language"])
    set_logo(billable.practice, picture(mode="RGBA"), by=billable.olivia.account)
    receipt = pay(billable, session)
    document = judge(document_of(receipt), language="fr-CA", title=f"Reçu {receipt.number}")
    figures = [each for each in elements(document.Root.StructTreeRoot) if str(each.S) == "/Figure"]
    assert next(str(each.Alt) for each in figures) == "Maple Counselling"


@pytest.mark.parametrize("name", ["👩‍👧 Zoë", "محمد عبد الله", "張偉", "x" * 300])
def test_so_does_one_for_a_name_in_any_script(billable: Cast, name: str) -> None:
    billable.casey.first_name, billable.casey.last_name = name[:100], ""
    billable.casey.save()
    receipt = pay(billable, attended(billable))
    judge(document_of(receipt), language="en-CA", title=f"Receipt {receipt.number}")
