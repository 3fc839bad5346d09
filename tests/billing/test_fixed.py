"""What is fixed stays: one by one, many at once, and on PostgreSQL past Roost as well."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError

from roost.billing.documents import document_of
from roost.billing.invoice_pdf import document_of_invoice
from roost.billing.logos import set_logo
from roost.billing.models import (
    CreditUse,
    Document,
    FixedModel,
    InvoiceDocument,
    IsFixed,
    Logo,
    Payment,
    Receipt,
)
from roost.billing.services import void_receipt
from roost.clients.models import Client
from roost.core.time import now
from roost.scheduling.models import Attendee
from tests.support.cast import Cast
from tests.support.money import attended, invoice_of, pay
from tests.support.pictures import picture


def rows() -> list[tuple[object, ...]]:
    return [
        row for model in (Receipt, Payment, CreditUse, Document, InvoiceDocument, Logo)
        for row in model.objects.order_by("pk").values_list()
    ]  # fmt: skip


@pytest.fixture
def books(billable: Cast, receipt: Receipt) -> Cast:
    """A valid receipt, a void one, one with something left over, and one that used it; stored
    documents, and a logo."""
    void_receipt(by=billable.olivia, receipt=pay(billable, attended(billable)))
    pay(billable, attended(billable), "200", keep_over=True)
    pay(billable, attended(billable), "50", method="credit")
    document_of(receipt)
    document_of_invoice(invoice_of(billable))
    set_logo(billable.practice, picture(), by=billable.olivia.account)
    return billable


def _bulk(model: type[FixedModel], name: str, value: object) -> None:
    every = list(model.objects.all())
    for row in every:
        setattr(row, name, value)
    model.objects.bulk_update(every, [name])


WAYS: dict[str, Callable[[type[FixedModel]], Callable[[Cast], object]]] = {
    "update": lambda model: lambda cast: model.objects.update(**{_bytes(model): b"x"}),
    "bulk_update": lambda model: lambda cast: _bulk(model, _bytes(model), b"x"),
    "delete": lambda model: lambda cast: model.objects.all().delete(),
    "raw delete": lambda model: lambda cast: model.objects.all()._raw_delete("default"),
    "saved": lambda model: lambda cast: model.objects.get().save(),
    "a column saved": lambda model: (
        lambda cast: model.objects.get().save(update_fields=[_bytes(model)])
    ),
    "deleted": lambda model: lambda cast: model.objects.get().delete(),
}


def _bytes(model: type[FixedModel]) -> str:
    return "png" if model is Logo else "pdf"


ATTEMPTS: dict[str, Callable[[Cast], object]] = {
    "update": lambda cast: Receipt.objects.update(amount=1),
    "update client": lambda cast: Receipt.objects.update(client=cast.noor),
    "update facts": lambda cast: Receipt.objects.filter(client=cast.casey).update(facts={}),
    "un-void": lambda cast: Receipt.objects.update(voided_at=None, voided_by=None),
    "un-void quietly": lambda cast: Receipt.objects.all().void(voided_at=None, voided_by=None),
    "void in part": lambda cast: Receipt.objects.all().void(voided_at=now()),
    "void with more": lambda cast: Receipt.objects.all().void(
        voided_at=now(), voided_by=cast.olivia, amount=1
    ),
    "bulk_update": lambda cast: _bulk(Receipt, "amount", Decimal(1)),
    "bulk un-void": lambda cast: _bulk(Receipt, "voided_at", None),
    "update_or_create": lambda cast: Receipt.objects.update_or_create(
        serial=1, defaults={"amount": 1}
    ),
    "delete": lambda cast: Receipt.objects.all().delete(),
    "raw delete": lambda cast: Receipt.objects.all()._raw_delete("default"),
    "payments update": lambda cast: Payment.objects.update(amount=1),
    "payments bulk_update": lambda cast: _bulk(Payment, "over", Decimal(1)),
    "payments delete": lambda cast: Payment.objects.all().delete(),
    "uses delete": lambda cast: CreditUse.objects.all().delete(),
    "a void one saved": lambda cast: Receipt.objects.exclude(voided_at=None)[0].save(),
    "a payment saved": lambda cast: Payment.objects.all()[0].save(),
    "a payment deleted": lambda cast: Payment.objects.all()[0].delete(),
    **{
        f"{model.__name__} {name}": attempt(model)
        for model in (Document, InvoiceDocument, Logo)
        for name, attempt in WAYS.items()
    },
}


@pytest.mark.parametrize("name", ATTEMPTS)
def test_nothing_edits_or_deletes_what_is_fixed(books: Cast, name: str) -> None:
    before = rows()
    with pytest.raises(IsFixed):
        ATTEMPTS[name](books)
    assert rows() == before


def test_a_void_receipt_is_not_voided_again_by_another_hand(books: Cast) -> None:
    before = Receipt.objects.exclude(voided_at=None).get()
    changed = Receipt.objects.filter(pk=before.pk).void(voided_at=now(), voided_by=books.tara)
    assert changed == 0
    assert Receipt.objects.get(pk=before.pk).voided_by == books.olivia


def test_a_client_with_a_receipt_stays(books: Cast) -> None:
    for attempt in (books.casey.delete, Client.objects.filter(pk=books.casey.pk).delete):
        with pytest.raises(ProtectedError), transaction.atomic():
            attempt()
    assert Receipt.objects.filter(client=books.casey).count() == 4
    assert Attendee.objects.filter(client=books.casey).count() == 5


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no triggers here")
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE billing_receipt SET amount = 1",
        "UPDATE billing_receipt SET voided_at = NULL, voided_by_id = NULL",
        "UPDATE billing_receipt SET voided_at = now()",
        "UPDATE billing_receipt SET client_id = client_id + 1",
        "DELETE FROM billing_receipt",
        "UPDATE billing_payment SET amount = 1",
        "DELETE FROM billing_credituse",
        "UPDATE billing_document SET pdf = ''",
        "UPDATE billing_document SET receipt_id = receipt_id + 1",
        "DELETE FROM billing_document",
        "UPDATE billing_invoicedocument SET kind = 'void'",
        "DELETE FROM billing_invoicedocument",
        "UPDATE billing_logo SET png = ''",
        "DELETE FROM billing_logo",
    ],
)
def test_the_database_refuses_as_well(books: Cast, sql: str) -> None:
    before = rows()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert rows() == before
