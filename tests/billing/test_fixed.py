"""What is fixed stays: one by one, many at once, and on PostgreSQL past Roost as well."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError

from roost.billing.models import CreditUse, IsFixed, Payment, Receipt
from roost.billing.services import void_receipt
from roost.clients.models import Client
from roost.core.time import now
from roost.scheduling.models import Attendee
from tests.support.cast import Cast
from tests.support.money import attended, pay


def rows() -> list[tuple[object, ...]]:
    return [
        row for model in (Receipt, Payment, CreditUse)
        for row in model.objects.order_by("pk").values_list()
    ]  # fmt: skip


@pytest.fixture
def books(billable: Cast, receipt: Receipt) -> Cast:
    """A valid receipt, a void one, one with something left over, and one that used it."""
    void_receipt(by=billable.olivia, receipt=pay(billable, attended(billable)))
    pay(billable, attended(billable), "200", keep_over=True)
    pay(billable, attended(billable), "50", method="credit")
    return billable


def _bulk(model: type[Receipt] | type[Payment], name: str, value: object) -> None:
    every = list(model.objects.all())
    for row in every:
        setattr(row, name, value)
    model.objects.bulk_update(every, [name])


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
    assert Attendee.objects.filter(client=books.casey).count() == 4


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
    ],
)
def test_the_database_refuses_as_well(books: Cast, sql: str) -> None:
    before = rows()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert rows() == before
