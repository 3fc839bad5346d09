"""The books under whatever people do, in any order: they balance to the smallest unit.

A machine books sessions, pays them in full, in part and more than is owed, uses and gives back
credit, voids, and issues invoices. After each step every sum is compared with a plain account of
what was done, kept beside it.
"""

import csv
import io
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from roost.billing.balances import balance_of_client, bills_to_invoice
from roost.billing.credit import credit_of, give_back, void_refund
from roost.billing.errors import BillingError, CreditUsed, PaidBefore, WrongAmount
from roost.billing.export import begin_export, csv_of
from roost.billing.invoices import bill_key, issue_invoice, still_due, void_invoice
from roost.billing.models import Charge, Invoice, InvoiceLine, Payment, Receipt, Refund
from roost.billing.owed import owed_for
from roost.billing.rules import make_line, unit_of
from roost.billing.services import record_payment, void_receipt
from roost.billing.statements import statement_of
from roost.core.tenancy import scope
from roost.core.time import now
from roost.scheduling.models import Appointment
from tests.support.cast import Cast
from tests.support.money import attended, make_billable

FEES = {"CAD": "149.99", "JPY": "14999", "KWD": "49.995"}
RATES = [None, Decimal(13), Decimal("9.975")]


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside is as if it had not been."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _sum(rows: list[dict[str, str]], name: str) -> Decimal:
    return sum((Decimal(each[name] or 0) for each in rows), Decimal(0))


class Books(RuleBasedStateMachine):
    """Casey's money, and beside it what was done: by session what is paid, and by receipt what is
    over, in whole units."""

    cast: Cast
    currency: str
    percent: Decimal | None

    def __init__(self) -> None:
        super().__init__()
        self.block = undone()
        self.block.__enter__()
        self.sessions: list[Appointment] = []
        self.receipts: list[Receipt] = []
        self.refunds: list[Refund] = []
        self.invoices: list[Invoice] = []
        self.money_in = self.money_out = Decimal(0)

    def teardown(self) -> None:
        self.block.__exit__(None, None, None)

    @property
    def today(self) -> Any:
        return now().astimezone(self.cast.practice.zone).date()

    def units(self, number: int) -> Decimal:
        return number * unit_of(self.currency)

    @rule()
    def hold(self) -> None:
        start = now() - timedelta(days=1 + len(self.sessions))
        self.sessions.append(attended(self.cast, starts_at=start))

    def pay(self, session: Appointment, amount: Decimal, method: str) -> None:
        owed = owed_for(session, self.cast.practice).balance
        credit = credit_of(self.cast.casey, self.currency)
        fits = amount <= min(owed, credit) if method == "credit" else owed > 0
        try:
            receipt, _ = record_payment(
                by=self.cast.olivia, key=uuid.uuid4(), appointment=session, amount=amount,
                method=method, paid_on=self.today, keep_over=True,
            )  # fmt: skip
        except WrongAmount:
            assert not fits
            return
        assert fits
        self.receipts.append(receipt)
        assert receipt.payment.amount == min(amount, owed)
        assert receipt.payment.amount + receipt.payment.over == amount
        if method != "credit":
            self.money_in += amount

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), amount=st.integers(1, 40_000))
    def pay_money(self, data: st.DataObject, amount: int) -> None:
        self.pay(data.draw(st.sampled_from(self.sessions)), self.units(amount), "cash")

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def pay_in_full(self, data: st.DataObject) -> None:
        session = data.draw(st.sampled_from(self.sessions))
        owed = owed_for(session, self.cast.practice).balance
        if owed:
            self.pay(session, owed, "cash")

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), share=st.integers(1, 120))
    def use_credit(self, data: st.DataObject, share: int) -> None:
        session = data.draw(st.sampled_from(self.sessions))
        credit = credit_of(self.cast.casey, self.currency)
        units = max(int(credit / unit_of(self.currency)) * share // 100, 1)
        self.pay(session, self.units(units), "credit")

    @precondition(lambda self: self.receipts)
    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        receipt = data.draw(st.sampled_from(self.receipts))
        was_void = Receipt.objects.get(pk=receipt.pk).is_void
        try:
            voided = void_receipt(by=self.cast.olivia, receipt=receipt)
        except CreditUsed:
            assert not was_void
            assert receipt.payment.over
            return
        except PaidBefore:
            assert not was_void
            charge = receipt.payment.charge
            later = Receipt.objects.filter(
                pk__gt=receipt.pk, voided_at=None, payment__charge=charge
            )
            rest = InvoiceLine.objects.filter(
                charge=charge, amount__lt=charge.total, invoice__voided_at=None
            )
            assert later.exists() or rest.exists()
            return
        assert voided is not was_void
        if voided and receipt.payment.method != "credit":
            self.money_in -= receipt.payment.amount + receipt.payment.over

    @rule(share=st.integers(1, 110))
    def refund(self, share: int) -> None:
        credit = credit_of(self.cast.casey, self.currency)
        amount = self.units(max(int(credit / unit_of(self.currency)) * share // 100, 1))
        try:
            refund, _ = give_back(
                by=self.cast.olivia, key=uuid.uuid4(), client=self.cast.casey,
                practice=self.cast.practice, amount=amount, method="cash", refunded_on=self.today,
            )  # fmt: skip
        except WrongAmount:
            assert amount > credit
            return
        assert amount <= credit
        self.refunds.append(refund)
        self.money_out += amount

    @precondition(lambda self: self.refunds)
    @rule(data=st.data())
    def take_refund_back(self, data: st.DataObject) -> None:
        refund = data.draw(st.sampled_from(self.refunds))
        if void_refund(by=self.cast.olivia, refund=refund):
            self.money_out -= refund.amount

    @rule()
    def invoice(self) -> None:
        bills = bills_to_invoice(self.cast.casey, self.cast.practice)[:3]
        try:
            invoice, _ = issue_invoice(
                by=self.cast.olivia, key=uuid.uuid4(), client=self.cast.casey,
                chosen=[bill_key(each) for each in bills], due_on=self.today,
            )  # fmt: skip
        except BillingError:
            assert not bills
            return
        assert invoice.amount == sum(each.balance for each in bills)
        assert still_due([invoice])[invoice.pk] == invoice.amount
        self.invoices.append(invoice)

    @precondition(lambda self: self.invoices)
    @rule(data=st.data())
    def void_an_invoice(self, data: st.DataObject) -> None:
        void_invoice(by=self.cast.olivia, invoice=data.draw(st.sampled_from(self.invoices)))

    @invariant()
    def they_balance(self) -> None:
        total = make_line(Decimal(FEES[self.currency]), self.percent, self.currency).amount
        got = balance_of_client(self.cast.casey, self.cast.practice)
        assert got.charged == total * len(self.sessions)
        bills = [owed_for(each, self.cast.practice) for each in self.sessions]
        assert all(0 <= each.balance <= total for each in bills)
        assert got.owed == sum((each.balance for each in bills), Decimal(0))
        assert got.credit == credit_of(self.cast.casey, self.currency) >= 0
        # Money that came in, less what went out, has paid for sessions or is credit.
        assert self.money_in - self.money_out == got.paid + got.credit
        year_ago = self.today - timedelta(days=365)
        stated = statement_of(self.cast.casey, self.cast.practice, year_ago, self.today)
        assert stated.balance == got.owed - got.credit
        for each in (got.charged, got.paid, got.credit, stated.balance):
            assert each == each.quantize(unit_of(self.currency))
        # So says the bookkeeper's table: what came in less what went out, and the credit left.
        rows = [each for each in self.table() if each["State"] == "valid"]
        assert _sum(rows, "Received") == self.money_in - self.money_out
        assert _sum(rows, "Paid for the session") == got.paid
        used = [each for each in rows if each["Paid by"] == "Credit"]
        assert (
            _sum(rows, "Left over as credit") - _sum(used, "Paid for the session") == got.credit
        )  # fmt: skip

    def table(self) -> list[dict[str, str]]:
        chosen = begin_export(by=self.cast.olivia, start=self.today, end=self.today)
        text = b"".join(csv_of(chosen)).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    @invariant()
    def numbers_have_no_gap_and_charges_are_held(self) -> None:
        serials = list(Receipt.objects.order_by("serial").values_list("serial", flat=True))
        assert serials == list(range(1, len(self.receipts) + 1))
        held = set(
            Payment.objects.filter(receipt__voided_at=None).values_list("charge", flat=True)
        ) | set(
            Charge.objects.filter(
                invoice_lines__isnull=False, invoice_lines__invoice__voided_at=None
            ).values_list("pk", flat=True)
        )
        fixed = Charge.objects.filter(fixed_at__isnull=False).values_list("pk", flat=True)
        assert set(fixed) == held

    @invariant()
    def papers_say_what_was_paid_before_them(self) -> None:
        """Whatever was voided since: a paper that is valid is true."""
        valid = list(Receipt.objects.filter(voided_at=None).select_related("payment"))

        def paid(charge: int, paper: Receipt | Invoice) -> Decimal:
            mine = [each for each in valid if each.payment.charge_id == charge]
            before = [each.amount for each in mine if each.issued_at < paper.issued_at]
            return sum(before, Decimal(0))

        for receipt in valid:
            before = paid(receipt.payment.charge_id, receipt)
            assert Decimal(receipt.facts["paid_before"]) == before
        for invoice in Invoice.objects.filter(voided_at=None):
            charges = invoice.lines.values_list("charge", flat=True)
            said = sum((paid(each, invoice) for each in charges), Decimal(0))
            assert Decimal(invoice.facts["paid"]) == said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("currency", "percent"), [(c, r) for c, r in zip(FEES, RATES, strict=True)]
)
@pytest.mark.one_database
def test_the_books_balance_whatever_is_done(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, currency: str, percent: Decimal | None
) -> None:
    with scope(cast.practice.pk):
        make_billable(cast)
        cast.individual.fee = Decimal(FEES[currency])
        cast.individual.save(update_fields=["fee"])
        cast.individual.tax_rates.update(percent=percent, name="" if percent is None else "Tax")
        cast.practice.currency, cast.practice.uses_invoices = currency, True
        cast.practice.tax_number = "123456789 RT0001"
        cast.practice.save(update_fields=["currency", "uses_invoices", "tax_number"])
        Books.cast, Books.currency, Books.percent = cast, currency, percent
        run_state_machine_as_test(
            Books,
            settings=settings(
                max_examples=10, stateful_step_count=14, deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
