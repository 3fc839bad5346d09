"""Many receipts at once. Runs on whichever database is configured, in real threads."""

import threading
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import connection, transaction

from roost.audit.models import AuditEvent
from roost.billing.credit import credit_of, give_back
from roost.billing.documents import document_of
from roost.billing.errors import CreditUsed, HasReceipts, NothingToInvoice, WrongAmount
from roost.billing.models import (
    Charge,
    CreditUse,
    Document,
    Invoice,
    InvoiceLine,
    Payment,
    Receipt,
    ReceiptCounter,
)
from roost.billing.services import record_payment, take_attendance, void_receipt
from roost.clients.models import Client
from roost.core.tenancy import scope
from roost.core.time import now
from roost.scheduling.errors import HasHappened
from roost.scheduling.models import Appointment
from roost.scheduling.services import move_appointment
from tests.support.cast import Cast, make_cast, make_client
from tests.support.money import attended, invoice_of, make_billable, make_group, pay

# Hundreds of connections at once: one crowd at a time.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("crowd")]

MANY = 200
Act = Callable[[], object]


class OnPurposeError(Exception):
    """What fails in the middle of an act."""


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    made = make_cast("maple", "Maple Counselling", "America/Toronto")
    with scope(made.practice.pk):
        make_billable(made)
    return made


def at_once(practice_id: int, acts: list[Act]) -> Counter[str]:
    """Run every act in a thread of its own, all let go together; count how each ended."""
    gate = threading.Barrier(len(acts))
    ends: list[str] = []

    def run(act: Act) -> None:
        try:
            with scope(practice_id):
                gate.wait(60)
                act()
            ends.append("done")
        except Exception as error:
            ends.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return Counter(ends)


def paying(cast: Cast, session: Appointment, *, fails: bool = False, amount: str = "150") -> Act:
    def act() -> None:
        with transaction.atomic():
            record_payment(
                by=cast.tara, key=uuid.uuid4(), appointment=session, amount=Decimal(amount),
                method="cash", paid_on=now().date() - timedelta(days=1),
            )  # fmt: skip
            if fails:
                raise OnPurposeError

    return act


def numbers() -> list[int]:
    return sorted(Receipt.objects.values_list("serial", flat=True))


def sessions(cast: Cast, number: int) -> list[Appointment]:
    with scope(cast.practice.pk):
        return [attended(cast, starts_at=now() - timedelta(days=1 + n)) for n in range(number)]


@pytest.fixture(autouse=True)
def no_pdfs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred PDFs are the matter of another test."""
    monkeypatch.setattr("roost.billing.services.document_of", lambda receipt: b"")
    monkeypatch.setattr("roost.billing.invoices.document_of_invoice", lambda invoice: b"")


def test_200_receipts_at_once_have_200_numbers_and_no_gap(cast: Cast) -> None:
    held = sessions(cast, MANY)
    assert at_once(cast.practice.pk, [paying(cast, each) for each in held]) == {"done": MANY}
    with scope(cast.practice.pk):
        assert numbers() == list(range(1, MANY + 1))
        assert len(set(Receipt.objects.values_list("code", flat=True))) == MANY


def test_those_that_fail_leave_no_gap_either(cast: Cast) -> None:
    held = sessions(cast, MANY)
    acts = [paying(cast, each, fails=n % 3 == 0) for n, each in enumerate(held)]
    ends = at_once(cast.practice.pk, acts)
    failed = len(range(0, MANY, 3))
    assert ends == {"OnPurposeError": failed, "done": MANY - failed}
    with scope(cast.practice.pk):
        assert numbers() == list(range(1, MANY - failed + 1))
        assert ReceiptCounter.objects.get().last == MANY - failed
        assert Payment.objects.count() == MANY - failed
        assert AuditEvent.objects.filter(action="receipt.issued").count() == MANY - failed


def test_one_session_is_never_paid_twice(cast: Cast) -> None:
    (session,) = sessions(cast, 1)
    ends = at_once(cast.practice.pk, [paying(cast, session, amount="50") for _ in range(20)])
    assert ends == {"done": 3, WrongAmount.__name__: 17}


def test_one_receipt_asked_for_twenty_times_at_once_has_one_document(cast: Cast) -> None:
    (session,) = sessions(cast, 1)
    with scope(cast.practice.pk):
        receipt = pay(cast, session)
    got: list[bytes] = []
    acts: list[Act] = [lambda: got.append(document_of(receipt)) for _ in range(20)]
    assert at_once(cast.practice.pk, acts) == {"done": 20}
    with scope(cast.practice.pk):
        assert Document.objects.count() == 1
    assert len(set(got)) == 1


def test_attendance_never_changes_under_a_receipt(cast: Cast) -> None:
    """Pressed, paid and moved by several hands at once: no deadlock, and one story."""
    (session,) = sessions(cast, 1)
    acts: list[Act] = [paying(cast, session, amount="10") for _ in range(6)]
    acts += [
        partial(take_attendance, by=cast.tara, appointment=session, attendance=mark)
        for mark in ("no_show", "attended", "late_cancel", "attended") * 3
    ]
    later = session.starts_at + timedelta(hours=2)
    acts += [
        partial(move_appointment, by=cast.olivia, appointment=session, starts_at=later)
        for _ in range(4)
    ]
    ends = at_once(cast.practice.pk, acts)
    assert set(ends) <= {"done", HasReceipts.__name__, HasHappened.__name__}
    with scope(cast.practice.pk):
        said = {r.facts["lines"][0]["attendance"] for r in Receipt.objects.all()}
        assert said == {session.attendees.get().attendance}
        assert numbers() == list(range(1, 7))


def test_the_same_credit_is_never_used_twice(cast: Cast) -> None:
    """Used for many sessions, given back and its receipt voided, all at once: it goes once."""
    first, *others = sessions(cast, 13)
    with scope(cast.practice.pk):
        receipt = pay(cast, first, "200", keep_over=True)

    def use(session: Appointment) -> Act:
        return lambda: pay(cast, session, "20", method="credit")

    def give() -> object:
        return give_back(
            by=cast.olivia, key=uuid.uuid4(), client=cast.casey, practice=cast.practice,
            amount=Decimal(20), method="cash", refunded_on=now().date() - timedelta(days=1),
        )  # fmt: skip

    acts = [use(each) for each in others] + [give] * 6
    acts += [partial(void_receipt, by=cast.olivia, receipt=receipt)] * 4
    ends = at_once(cast.practice.pk, acts)
    assert set(ends) <= {"done", WrongAmount.__name__, CreditUsed.__name__}
    with scope(cast.practice.pk):
        used = sum(CreditUse.objects.values_list("amount", flat=True))
        if Receipt.objects.get(pk=receipt.pk).is_void:
            assert used == 0
        else:
            assert used == 40
            assert credit_of(cast.casey, "CAD") == 10
        assert numbers() == list(range(1, Receipt.objects.count() + 1))


def test_a_group_is_paid_by_all_at_once(cast: Cast) -> None:
    with scope(cast.practice.pk):
        people = [make_client(f"Person{n} Quill", cast.tara) for n in range(12)]
        session = make_group(cast, *people)

    def paying_own(client: Client) -> Act:
        return lambda: pay(cast, session, "40", client=client)

    ends = at_once(cast.practice.pk, [paying_own(each) for each in people * 2])
    assert ends == {"done": 12, WrongAmount.__name__: 12}
    with scope(cast.practice.pk):
        assert sorted(Receipt.objects.values_list("client", flat=True)) == [p.pk for p in people]
        assert Charge.objects.count() == 12


def test_50_invoices_at_once_have_no_gap_and_no_session_twice(cast: Cast) -> None:
    """Each asks for the same three sessions and one of its own; a payment comes in meanwhile."""
    held = sessions(cast, 53)
    with scope(cast.practice.pk):
        cast.practice.uses_invoices = True
        cast.practice.save(update_fields=["uses_invoices"])

    def issue(own: Appointment) -> Act:
        return lambda: invoice_of(cast, *held[:3], own)

    acts = [issue(each) for each in held[3:]] + [paying(cast, held[0], amount="10")]
    ends = at_once(cast.practice.pk, acts)
    assert ends == {"done": 2, NothingToInvoice.__name__: 49}
    alone: list[Act] = [lambda each=each: invoice_of(cast, each) for each in held[3:]]  # type: ignore[misc]
    ends = at_once(cast.practice.pk, alone)
    assert ends == {"done": 49, NothingToInvoice.__name__: 1}
    with scope(cast.practice.pk):
        serials = sorted(Invoice.objects.values_list("serial", flat=True))
        assert serials == list(range(1, 51))
        charges = list(InvoiceLine.objects.values_list("charge", flat=True))
        assert len(charges) == len(set(charges)) == 53
