"""A client's statement: what was charged and paid from one day to another, and what came before.

It is a reading of the books as they are now, made anew whenever somebody asks. Void receipts and
refunds are not in it.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from roost.billing.balances import fixed_charges, payments_of, total_of, unfixed_bills
from roost.billing.credit import credit_of
from roost.billing.enums import Method
from roost.billing.models import Payment, Refund
from roost.billing.owed import attendance_billed
from roost.billing.rules import say_money
from roost.clients.models import Client
from roost.core.time import day_bounds
from roost.practices.models import Practice
from roost.scheduling.enums import Attendance

_FIRST, _PAID, _BACK = 0, 1, 2


@dataclass(frozen=True)
class Entry:
    """One line. `charge` raises what is owed, `payment` lowers it, and is below zero where money
    was given back; `balance` is after it."""

    on: date
    words: str
    number: str
    charge: Decimal
    payment: Decimal
    balance: Decimal


@dataclass(frozen=True)
class Statement:
    """A period's entries. `brought` is what was owed before it, `balance` what is owed after it:
    below zero where there is more credit than debt. `credit` is what is left today."""

    client: Client
    currency: str
    start: date
    end: date
    brought: Decimal
    entries: list[Entry]
    charged: Decimal
    paid: Decimal
    balance: Decimal
    credit: Decimal
    unpriced: int


def statement_of(client: Client, practice: Practice, start: date, end: date) -> Statement:
    """The client's statement from `start` to `end`, both included, in the practice's currency and
    its days. In a number of queries that does not grow with it."""
    currency, tz = practice.currency, practice.zone
    first, _ = day_bounds(start, tz)
    _, last = day_bounds(end, tz)
    charges = fixed_charges(client, currency)
    payments = payments_of(client, currency)
    money = payments.exclude(method=Method.CREDIT)
    refunds = Refund.objects.filter(client=client, currency=currency, voided_at=None)
    unfixed = unfixed_bills(client, practice)
    earlier = [each for each in unfixed if each.appointment.starts_at < first]
    before = money.filter(paid_on__lt=start)
    brought = (
        total_of(charges.filter(appointment__starts_at__lt=first), "total", currency)
        + sum((each.total for each in earlier), Decimal(0))
        - total_of(before, "amount", currency)
        - total_of(before, "over", currency)
        + total_of(refunds.filter(refunded_on__lt=start), "amount", currency)
    )
    found: list[tuple[date, int, str, str, Decimal, Decimal]] = []
    nothing = Decimal(0)
    fixed = charges.filter(appointment__starts_at__gte=first, appointment__starts_at__lt=last)
    rows = fixed.select_related("appointment__service")
    for charge in rows.prefetch_related("appointment__attendees"):
        day = charge.appointment.starts_at.astimezone(tz).date()
        words = _session(charge.appointment.label, attendance_billed(charge))
        found.append((day, _FIRST, words, "", charge.total, nothing))
    for bill in unfixed:
        if first <= bill.appointment.starts_at < last:
            day = bill.appointment.starts_at.astimezone(tz).date()
            words = _session(bill.appointment.label, bill.attendance)
            found.append((day, _FIRST, words, "", bill.total, nothing))
    in_period = payments.filter(paid_on__range=(start, end)).select_related("receipt")
    found += [_payment(each, currency) for each in in_period]
    for refund in refunds.filter(refunded_on__range=(start, end)):
        words = f"Credit given back, {refund.get_method_display()}"
        found.append((refund.refunded_on, _BACK, words, "", nothing, -refund.amount))
    found.sort(key=lambda each: each[:2])
    entries, balance = [], brought
    for day, _, words, number, charge_amount, payment in found:
        balance += charge_amount - payment
        entries.append(Entry(day, words, number, charge_amount, payment, balance))
    return Statement(
        client, currency, start, end, brought, entries,
        charged=sum((each.charge for each in entries), nothing),
        paid=sum((each.payment for each in entries), nothing),
        balance=balance,
        credit=credit_of(client, currency),
        unpriced=sum(
            1 for each in unfixed if each.line is None and each.appointment.starts_at < last
        ),
    )  # fmt: skip


def _session(label: str, attendance: Attendance) -> str:
    return label if attendance == Attendance.ATTENDED else f"{label} ({attendance.label.lower()})"


def _payment(payment: Payment, currency: str) -> tuple[date, int, str, str, Decimal, Decimal]:
    """A payment; of credit that is used the amount is in its words, for no money came in."""
    number, nothing = payment.receipt.number, Decimal(0)
    if payment.method == Method.CREDIT:
        words = f"Credit used, {say_money(payment.amount, currency)}"
        return payment.paid_on, _PAID, words, number, nothing, nothing
    words = f"Payment, {payment.get_method_display()}"
    return payment.paid_on, _PAID, words, number, nothing, payment.amount + payment.over
