"""The worker makes the PDFs that a kill has left out."""

from datetime import timedelta
from unittest import mock

import pytest
import time_machine
from django.db import connection

from roost.billing import chores
from roost.billing.chores import make_missing_documents
from roost.billing.documents import document_of
from roost.billing.invoice_pdf import document_of_invoice
from roost.billing.invoices import void_invoice
from roost.billing.models import Document, Invoice, InvoiceDocument, Receipt
from roost.billing.services import void_receipt
from roost.core.tenancy import scope
from roost.core.time import now
from tests.support.cast import Cast, make_cast
from tests.support.money import attended, invoice_of, make_billable, pay


def kinds(receipt: Receipt) -> list[str]:
    rows = Document.objects.filter(receipt=receipt)
    return sorted(rows.values_list("kind", flat=True))


@pytest.fixture
def unmade(billable: Cast) -> list[Receipt]:
    return [pay(billable, attended(billable)) for _ in range(3)]


def test_what_is_missing_is_made_once(billable: Cast, unmade: list[Receipt]) -> None:
    stored = document_of(unmade[0])
    void_receipt(by=billable.olivia, receipt=unmade[1])
    make_missing_documents()
    assert [kinds(each) for each in unmade] == [["issued"], ["void"], ["issued"]]
    with mock.patch("roost.billing.chores.document_of") as made:
        make_missing_documents()
    assert not made.called
    assert document_of(unmade[0]) == stored


def test_those_of_every_practice_are_made(billable: Cast, unmade: list[Receipt]) -> None:
    other = make_cast("cedar", "Cedar Practice", "America/Vancouver")
    with scope(other.practice.pk):
        make_billable(other)
        theirs = pay(other, attended(other))
    make_missing_documents()
    with scope(other.practice.pk):
        assert kinds(theirs) == ["issued"]
    assert Document.objects.count() == 3


def test_one_that_cannot_be_made_leaves_the_others(
    unmade: list[Receipt], caplog: pytest.LogCaptureFixture
) -> None:
    def make(receipt: Receipt) -> bytes:
        if receipt.pk == unmade[2].pk:
            raise OSError("The disk is full.")
        return document_of(receipt)

    with mock.patch("roost.billing.chores.document_of", make):
        make_missing_documents()
    assert [kinds(each) for each in unmade] == [["issued"], ["issued"], []]
    assert "could not be made" in caplog.text


def test_invoices_are_made_as_receipts_are(billable: Cast) -> None:
    void, valid = invoice_of(billable), invoice_of(billable)
    void_invoice(by=billable.olivia, invoice=void)
    with time_machine.travel(now() + chores.LOOKED_BACK + timedelta(days=1)):
        make_missing_documents()
    assert not InvoiceDocument.objects.exists()
    make_missing_documents()
    found = InvoiceDocument.objects.order_by("invoice").values_list("invoice", "kind")
    assert list(found) == [(void.pk, "void"), (valid.pk, "issued")]
    stored = document_of_invoice(valid)
    with mock.patch("roost.billing.chores.document_of_invoice") as made:
        make_missing_documents()
    assert not made.called
    assert bytes(InvoiceDocument.objects.get(invoice=valid).pdf) == stored


def test_an_invoice_that_cannot_be_made_leaves_the_others(
    billable: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = invoice_of(billable), invoice_of(billable)

    def make(invoice: Invoice) -> bytes:
        if invoice.pk == second.pk:
            raise OSError("The disk is full.")
        return document_of_invoice(invoice)

    with mock.patch("roost.billing.chores.document_of_invoice", make):
        make_missing_documents()
    assert InvoiceDocument.objects.get().invoice == first
    assert f"The PDF of invoice {second.uuid} could not be made" in caplog.text


def test_so_many_at_once_and_none_for_the_demo(
    billable: Cast, unmade: list[Receipt], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chores, "AT_ONCE", 2)
    make_missing_documents()
    assert [kinds(each) for each in unmade] == [[], ["issued"], ["issued"]]
    billable.practice.is_demo = True
    billable.practice.save(update_fields=["is_demo"])
    make_missing_documents()
    assert kinds(unmade[0]) == []


def test_it_reads_what_is_new_through_an_index(billable: Cast, unmade: list[Receipt]) -> None:
    """However many receipts and invoices a practice has issued over the years."""
    names = ("receipt_by_issue", "receipt_by_void", "invoice_by_issue", "invoice_by_void")
    for name, rows in zip(names, chores._without_document(), strict=True):
        plan = rows.explain()
        assert name in plan or "Seq Scan" in plan, plan
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        for name, rows in zip(names, chores._without_document(), strict=True):
            assert name in rows.explain()


def test_what_is_old_is_left_to_its_next_download(billable: Cast) -> None:
    sessions = [attended(billable) for _ in range(3)]
    with time_machine.travel(now() - chores.LOOKED_BACK - timedelta(days=1)):
        unmade = [pay(billable, each) for each in sessions[:2]]
    unmade.append(pay(billable, sessions[2]))
    void_receipt(by=billable.olivia, receipt=unmade[1])
    make_missing_documents()
    assert [kinds(each) for each in unmade] == [[], ["void"], ["issued"]]
