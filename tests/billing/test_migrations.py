"""What the books held before a migration is there after it, and after the way back."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from roost.billing.documents import document_of
from roost.billing.models import Charge
from roost.core.tenancy import scope
from roost.scheduling.enums import Attendance
from tests.support.cast import make_cast
from tests.support.money import attended, invoice_of, make_billable, pay

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def migrate(name: str) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("billing", name)])


@pytest.fixture(autouse=True)
def up_to_date() -> Iterator[None]:
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def test_charges_learn_their_share_of_a_late_cancel_from_their_papers() -> None:
    cast: Any = make_cast("maple", "Maple Counselling", "America/Toronto")
    with scope(cast.practice.pk):
        make_billable(cast)
        late = [attended(cast, attendance=Attendance.LATE_CANCEL) for _ in range(3)]
        held = attended(cast)
        share = cast.practice.late_cancel_percent
        invoice_of(cast, held, *late[:2])
        receipt = pay(cast, late[2], "10")
    migrate("0004_fixed_rows")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE practices_practice SET late_cancel_percent = 77")
    migrate("0005_late_cancel_percent")
    with scope(cast.practice.pk):
        assert receipt.facts["lines"][0]["late_cancel_percent"] == share != 77
        found = Charge.objects.filter(appointment__in=late)
        assert [each.late_cancel_percent for each in found] == [share] * 3
        assert Charge.objects.get(appointment=held).late_cancel_percent is None


def test_what_fixes_documents_goes_and_comes_back() -> None:
    cast: Any = make_cast("maple", "Maple Counselling", "America/Toronto")
    with scope(cast.practice.pk):
        make_billable(cast)
        document_of(pay(cast, attended(cast)))
    migrate("0006_indexes")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE billing_document SET pdf = pdf")
        assert cursor.rowcount == 1
    migrate("0007_fixed_documents")
    if connection.vendor != "postgresql":
        return
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE billing_document SET pdf = pdf")
