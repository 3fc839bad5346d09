"""What a session costs: pure rules, no database. Money is Decimal, and never a float."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar

from roost.practices.money import decimals_of, symbol_of
from roost.scheduling.enums import Attendance

K = TypeVar("K")
HUNDRED = Decimal(100)
EXEMPT = "GST/HST exempt"
# Money that is recorded came in, or went out, on this day or later.
EARLIEST = date(2000, 1, 1)

# What is charged for: a session that was held, or one that nobody came to.
CHARGED = (Attendance.ATTENDED, Attendance.NO_SHOW, Attendance.LATE_CANCEL)


def unit_of(currency: str) -> Decimal:
    """The smallest amount of a currency: 0.01, or 1, or 0.001."""
    return Decimal(1).scaleb(-decimals_of(currency))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """An amount in the currency's smallest units, rounded half up (ISO 4217 decimals)."""
    return amount.quantize(unit_of(currency), rounding=ROUND_HALF_UP)


def is_exact(amount: Decimal, currency: str) -> bool:
    """Whether an amount can be paid: it has no more decimals than the currency."""
    return amount == rounded(amount, currency)


@dataclass(frozen=True)
class Rate:
    """A tax rate from a date on. `percent` is None where the service is exempt."""

    from_on: date
    percent: Decimal | None
    name: str = ""


def rate_on(rates: Iterable[Rate], day: date) -> Rate | None:
    """The rate in force on a day: the newest that has begun. None where none has."""
    begun = [rate for rate in rates if rate.from_on <= day]
    return max(begun, key=lambda rate: rate.from_on, default=None)


@dataclass(frozen=True)
class Line:
    """One line of a receipt, rounded: `amount` is `fee` and `tax` together."""

    fee: Decimal
    tax: Decimal

    @property
    def amount(self) -> Decimal:
        return self.fee + self.tax


def make_line(fee: Decimal, percent: Decimal | None, currency: str) -> Line:
    """Fee and tax of one line, each rounded half up. An exempt line has no tax."""
    own = rounded(fee, currency)
    return Line(own, rounded(own * (percent or Decimal(0)) / HUNDRED, currency))


def fee_charged(fee: Decimal, attendance: str, late_cancel_percent: int, currency: str) -> Decimal:
    """What is charged of a service's fee: all of it, or a practice's share of a late cancel."""
    if attendance == Attendance.LATE_CANCEL:
        return rounded(fee * late_cancel_percent / HUNDRED, currency)
    return rounded(fee, currency)


def balance_of(total: Decimal, paid: Iterable[Decimal]) -> Decimal:
    """What is still owed: the total less the payments that count."""
    return total - sum(paid, Decimal(0))


def split(amount: Decimal, owed: Decimal) -> tuple[Decimal, Decimal]:
    """Of money that came in: what pays for the session, and what is left over."""
    used = min(amount, owed)
    return used, amount - used


def draw(available: Iterable[tuple[K, Decimal]], wanted: Decimal) -> list[tuple[K, Decimal]]:
    """How much of `wanted` is taken from each of what is available, the first of them first.

    Takes less than `wanted` where there is less.
    """
    drawn, left = [], wanted
    for key, amount in available:
        part = min(amount, left)
        if part > 0:
            drawn.append((key, part))
            left -= part
    return drawn


def plain(amount: Decimal, currency: str) -> str:
    """An amount as it is kept in a receipt's facts: "150.00"."""
    return f"{rounded(amount, currency):f}"


def say_percent(percent: Decimal) -> str:
    """A rate without idle zeros: "13 %", "9.975 %"."""
    text = f"{percent:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def say_rate(rate: Rate) -> str:
    """A rate in words: "HST 13 %", or "GST/HST exempt"."""
    if rate.percent is None:
        return EXEMPT
    return f"{rate.name} {say_percent(rate.percent)}".strip()


def say_money(amount: Decimal, currency: str) -> str:
    """An amount as people read it: "$1,150.00", "KWD 12.500", with a minus before it."""
    symbol, own = symbol_of(currency), rounded(amount, currency)
    sign = "−" if own < 0 else ""
    return f"{sign}{symbol}{abs(own):,f}"
