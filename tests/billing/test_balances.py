"""A client's balance and statement: sums of what is in the books, to the cent."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from roost.billing.balances import balance_of_client
from roost.billing.charging import choose_billed
from roost.billing.owed import Payer
from roost.billing.services import void_receipt
from roost.billing.statement_pdf import statement_pdf
from roost.billing.statements import Statement, statement_of
from roost.clients.models import Client
from roost.core.time import now
from tests.billing.test_credit import refund
from tests.billing.test_pdf import info_of, text_of
from tests.support.cast import Cast
from tests.support.money import attended, invoice_of, make_group, pay


def money(cast: Cast, client: Client | None = None) -> tuple[Decimal, ...]:
    """Charged, paid, owed, credit."""
    got = balance_of_client(client or cast.casey, cast.practice)
    return got.charged, got.paid, got.owed, got.credit


def today(cast: Cast) -> date:
    return now().astimezone(cast.practice.zone).date()


def days_ago(number: int) -> dict[str, object]:
    return {"starts_at": now() - timedelta(days=number)}


def test_a_balance_follows_what_happens(billable: Cast) -> None:
    assert money(billable) == (0, 0, 0, 0)
    first = attended(billable, **days_ago(3))
    attended(billable, attendance="scheduled", **days_ago(2))
    assert money(billable) == (150, 0, 150, 0)
    pay(billable, first, "50")
    assert money(billable) == (150, 50, 100, 0)
    pay(billable, first, "120", keep_over=True)
    assert money(billable) == (150, 150, 0, 20)
    second = attended(billable, attendance="no_show", **days_ago(1))
    receipt = pay(billable, second, "20", method="credit")
    assert money(billable) == (300, 170, 130, 0)
    void_receipt(by=billable.olivia, receipt=receipt)
    assert money(billable) == (300, 150, 150, 20)


def test_everybody_owes_their_own(billable: Cast) -> None:
    together = attended(
        billable, billable.robin, billable.remy, therapist=billable.theo, service=billable.family
    )
    make_group(billable, billable.robin, billable.casey)
    assert money(billable, billable.robin) == (250, 0, 250, 0)
    assert money(billable, billable.remy) == (0, 0, 0, 0)
    assert money(billable) == (40, 0, 40, 0)
    with transaction.atomic():
        choose_billed(
            by=billable.theo, appointment=together, client=billable.remy, payer=Payer()
        )  # fmt: skip
    assert money(billable, billable.robin) == (40, 0, 40, 0)
    assert money(billable, billable.remy) == (210, 0, 210, 0)
    pay(billable, together, "210")
    assert money(billable, billable.remy) == (210, 210, 0, 0)
    assert money(billable, billable.robin) == (40, 0, 40, 0)


def test_a_therapist_sees_the_balance_of_own_sessions(billable: Cast) -> None:
    attended(billable)
    attended(billable, therapist=billable.theo)
    own = balance_of_client(billable.casey, billable.practice, billable.theo)
    assert (own.owed, money(billable)[2]) == (150, 300)


def test_a_session_without_a_price_is_counted_apart(billable: Cast) -> None:
    attended(billable)
    billable.individual.fee = None
    billable.individual.save(update_fields=["fee"])
    got = balance_of_client(billable.casey, billable.practice)
    assert (got.owed, got.unpriced) == (0, 1)


def test_what_is_paid_in_parts_to_the_cent_is_owed_no_more(billable: Cast) -> None:
    """In floats, by which SQLite adds up, 10.01 and 139.98 are less than 149.99."""
    billable.individual.fee = Decimal("149.99")
    billable.individual.save(update_fields=["fee"])
    session = attended(billable)
    for part in ("10.01", "139.98"):
        pay(billable, session, part)
    attended(billable)
    got = balance_of_client(billable.casey, billable.practice)
    assert (got.owed, got.sessions) == (Decimal("149.99"), 1)


def test_a_balance_costs_the_same_however_long(billable: Cast) -> None:
    counts = []
    for number in range(4):
        pay(billable, attended(billable, **days_ago(10 + number)), "160", keep_over=True)
        attended(billable, **days_ago(20 + number))
        with CaptureQueriesContext(connection) as seen:
            balance_of_client(billable.casey, billable.practice)
        with CaptureQueriesContext(connection) as stated:
            statement(billable)
        counts.append((len(seen), len(stated)))
    assert counts == counts[:1] * 4


# Statements


def statement(cast: Cast, start: date | None = None, end: date | None = None) -> Statement:
    last = today(cast)
    return statement_of(cast.casey, cast.practice, start or last - timedelta(days=400), end or last)


@pytest.fixture
def history(billable: Cast) -> Cast:
    """Held 40 days ago and overpaid, held 10 days ago and paid with what was over and in part,
    missed five days ago; some credit went back."""
    last = today(billable)
    pay(billable, attended(billable, **days_ago(40)), "200", keep_over=True,
        paid_on=last - timedelta(days=39))  # fmt: skip
    second = attended(billable, **days_ago(10))
    pay(billable, second, "30", method="credit", paid_on=last - timedelta(days=9))
    pay(billable, second, "70", paid_on=last - timedelta(days=8))
    void_receipt(
        by=billable.olivia, receipt=pay(billable, second, "5", paid_on=last - timedelta(days=8))
    )
    attended(billable, attendance="no_show", **days_ago(5))
    refund(billable, "20", refunded_on=last - timedelta(days=2))
    return billable


def test_a_statement_lists_a_period_with_what_was_before(history: Cast) -> None:
    got = statement(history, today(history) - timedelta(days=30))
    assert got.brought == -50
    assert [(each.words, each.charge, each.payment, each.balance) for each in got.entries] == [
        ("Individual, 50 min", 150, 0, 100),
        ("Credit used, $30.00", 0, 0, 100),
        ("Payment, Credit card", 0, 70, 30),
        ("Individual, 50 min (no show)", 150, 0, 180),
        ("Credit given back, e-Transfer", 0, -20, 200),
    ]
    assert got.balance == 200
    assert (got.charged, got.paid) == (300, 50)
    charged, paid, owed, credit = money(history)
    assert (charged, paid, owed, credit) == (450, 250, 200, 0)
    assert got.balance == owed - credit


@pytest.mark.parametrize("fixed", ["not", "paid", "invoiced"])
def test_a_statement_says_how_a_session_went_paid_or_not(billable: Cast, fixed: str) -> None:
    group = make_group(billable, **days_ago(5))
    family = attended(
        billable, billable.casey, billable.noor, service=billable.family, **days_ago(4)
    )
    for session in (group, family):
        session.attendees.filter(client=billable.casey).update(attendance="no_show")
    late = attended(billable, attendance="late_cancel", **days_ago(3))
    missed = attended(billable, attendance="no_show", **days_ago(2))
    held = attended(billable, **days_ago(1))
    sessions = (group, family, late, missed, held)
    if fixed == "invoiced":
        invoice_of(billable, *sessions)
    elif fixed == "paid":
        for session in sessions:
            pay(billable, session, "10", client=billable.casey)
    said = [each.words for each in statement(billable).entries if each.charge]
    assert said == [
        "Circle, 50 min (no show)", "Family, 50 min", "Individual, 50 min (late cancel)",
        "Individual, 50 min (no show)", "Individual, 50 min",
    ]  # fmt: skip


def test_periods_follow_on_from_each_other(history: Cast) -> None:
    """Wherever it is cut, what one brings forward is what the one before it ends with."""
    whole, last = statement(history), today(history)
    for days in range(45):
        cut = last - timedelta(days=days)
        early, late = statement(history, end=cut), statement(history, cut + timedelta(days=1))
        assert late.brought == early.balance
        assert late.balance == whole.balance
        assert [*early.entries, *late.entries] == whole.entries


def test_money_given_back_is_nothing_that_was_charged(history: Cast) -> None:
    """What is charged is what sessions cost; what is paid, what came in and stayed."""
    whole = statement(history)
    assert whole.charged == money(history)[0] == 450
    assert whole.paid == 200 + 70 - 20


def test_a_statement_counts_no_session_without_a_fee_that_comes_after_it(billable: Cast) -> None:
    billable.individual.tax_rates.all().delete()
    attended(billable, **days_ago(40))
    attended(billable, **days_ago(3))
    last = today(billable)
    assert statement(billable).unpriced == 2
    assert statement(billable, end=last - timedelta(days=20)).unpriced == 1
    assert statement(billable, end=last - timedelta(days=60)).unpriced == 0


def test_a_statement_prints(history: Cast, tmp_path: Path) -> None:
    pdf = statement_pdf(statement(history), history.practice, today(history))
    text = text_of(pdf, tmp_path)
    for words in (
        "Statement", "Casey Nguyen", "Maple Counselling", "Balance brought forward", "$0.00",
        "Credit used, $30.00", "Individual, 50 min (no show)", "Credit given back, e-Transfer",
        "Balance on", "$200.00",
    ):  # fmt: skip
        assert words in text, words
    assert "Tagged: yes" in " ".join(info_of(pdf, tmp_path).split())
    assert pdf == statement_pdf(statement(history), history.practice, today(history))


def test_a_long_statement_goes_over_pages(billable: Cast, tmp_path: Path) -> None:
    for number in range(60):
        attended(billable, **days_ago(1 + number))
    pdf = statement_pdf(statement(billable), billable.practice, today(billable))
    assert "Pages: 1" not in " ".join(info_of(pdf, tmp_path).split())
    assert "$9,000.00" in text_of(pdf, tmp_path)
