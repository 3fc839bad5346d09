"""Money to the smallest unit, whatever is charged, taxed and paid."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.billing.rules import (
    Rate,
    balance_of,
    draw,
    fee_charged,
    is_exact,
    make_line,
    plain,
    rate_on,
    rounded,
    say_money,
    say_percent,
    say_rate,
    split,
    unit_of,
)
from roost.practices.money import CURRENCIES, decimals_of
from roost.scheduling.enums import Attendance

currencies = st.sampled_from(sorted(CURRENCIES))
fees = st.decimals(min_value=0, max_value=100_000, places=3)
percents = st.none() | st.decimals(min_value=0, max_value=100, places=3)


@given(fees, percents, currencies)
def test_a_line_is_its_fee_and_its_tax_to_the_smallest_unit(
    fee: Decimal, percent: Decimal | None, currency: str
) -> None:
    line = make_line(fee, percent, currency)
    assert line.fee + line.tax == line.amount
    assert all(is_exact(each, currency) for each in (line.fee, line.tax, line.amount))
    exact = line.fee * (percent or 0) / 100
    assert abs(line.tax - exact) <= unit_of(currency) / 2
    assert percent is not None or line.tax == 0


@given(st.lists(st.tuples(fees, percents), max_size=8), currencies)
def test_a_total_is_the_sum_of_its_lines(
    sold: list[tuple[Decimal, Decimal | None]], currency: str
) -> None:
    lines = [make_line(fee, percent, currency) for fee, percent in sold]
    total = sum((line.amount for line in lines), Decimal(0))
    assert total == sum((x.fee for x in lines), Decimal(0)) + sum(
        (x.tax for x in lines), Decimal(0)
    )
    assert is_exact(total, currency)


@given(fees, percents, currencies, st.lists(st.integers(1, 10**6), max_size=10), st.data())
def test_part_payments_and_voids_always_balance(
    fee: Decimal, percent: Decimal | None, currency: str, parts: list[int], data: st.DataObject
) -> None:
    total = make_line(fee, percent, currency).amount
    paid: list[Decimal] = []
    for part in parts:
        left = balance_of(total, paid)
        amount = min(part * unit_of(currency), left)
        if amount > 0:
            paid.append(amount)
    assert balance_of(total, paid) + sum(paid, Decimal(0)) == total
    assert balance_of(total, paid) >= 0
    if paid:
        gone = data.draw(st.integers(0, len(paid) - 1))
        voided = paid[gone]
        left_over = paid[:gone] + paid[gone + 1 :]
        assert balance_of(total, left_over) == balance_of(total, paid) + voided
    assert is_exact(balance_of(total, paid), currency)


@given(st.integers(0, 10**9), st.integers(0, 10**9), currencies)
def test_what_comes_in_is_used_or_left_over(came: int, owed: int, currency: str) -> None:
    amount, due = came * unit_of(currency), owed * unit_of(currency)
    used, over = split(amount, due)
    assert used + over == amount
    assert 0 <= used <= due
    assert over == 0 or used == due
    assert is_exact(used, currency)
    assert is_exact(over, currency)


@given(st.lists(st.integers(0, 10**6), max_size=8), st.integers(0, 10**7), currencies)
def test_credit_is_drawn_from_the_first_first_and_never_from_nothing(
    left: list[int], wanted: int, currency: str
) -> None:
    unit = unit_of(currency)
    available = [(key, amount * unit) for key, amount in enumerate(left)]
    drawn = draw(available, wanted * unit)
    total = sum((amount for _, amount in drawn), Decimal(0))
    assert total == min(wanted * unit, sum((amount for _, amount in available), Decimal(0)))
    there = dict(available)
    assert all(0 < amount <= there[key] for key, amount in drawn)
    keys = [key for key, _ in drawn]
    assert keys == sorted(set(keys))
    # But for the last, whatever was drawn from is empty, and nothing before it is left out.
    for key, amount in available[: keys[-1] if keys else 0]:
        assert dict(drawn).get(key, Decimal(0)) == amount


@given(st.decimals(min_value=0, max_value=10_000, places=6), currencies)
def test_half_is_rounded_up(amount: Decimal, currency: str) -> None:
    got, unit = rounded(amount, currency), unit_of(currency)
    assert got - amount <= unit / 2
    assert amount - got < unit / 2


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        ("150", "CAD", "$150.00"), ("1150.005", "CAD", "$1,150.01"), ("-12.5", "CAD", "−$12.50"),
        ("1234.5", "JPY", "¥1,235"), ("12.5", "KWD", "KWD\u00a012.500"), ("0", "EUR", "€0.00"),
    ],
)  # fmt: skip
def test_money_is_said_with_its_currency(amount: str, currency: str, said: str) -> None:
    assert say_money(Decimal(amount), currency) == said


def test_amounts_are_kept_plain() -> None:
    assert plain(Decimal("150"), "CAD") == "150.00"
    assert plain(Decimal("1E+3"), "JPY") == "1000"
    assert {decimals_of(code) for code in CURRENCIES} == {0, 2, 3}


def test_the_rate_of_a_day_is_the_newest_that_has_begun() -> None:
    hst = Rate(date(2010, 7, 1), Decimal("13"), "HST")
    exempt = Rate(date(2024, 6, 20), None)
    rates = [exempt, hst]
    assert rate_on(rates, date(2024, 6, 19)) == hst
    assert rate_on(rates, date(2024, 6, 20)) == exempt
    assert rate_on(rates, date(2010, 6, 30)) is None
    assert (say_rate(hst), say_rate(exempt)) == ("HST 13 %", "GST/HST exempt")
    assert say_percent(Decimal("9.9750")) == "9.975 %"
    assert say_percent(Decimal("100")) == "100 %"


@given(fees, st.integers(0, 100), currencies)
def test_a_late_cancel_costs_its_share(fee: Decimal, percent: int, currency: str) -> None:
    late = fee_charged(fee, Attendance.LATE_CANCEL, percent, currency)
    full = fee_charged(fee, Attendance.ATTENDED, percent, currency)
    assert 0 <= late <= full == rounded(fee, currency)
    assert is_exact(late, currency)
    assert fee_charged(fee, Attendance.NO_SHOW, percent, currency) == full
