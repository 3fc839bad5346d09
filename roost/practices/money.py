"""The currencies that a practice can keep its books in."""

from typing import NamedTuple


class Currency(NamedTuple):
    """A currency: its name, what stands before an amount, and its decimals (ISO 4217)."""

    name: str
    symbol: str
    decimals: int


CURRENCIES = {
    "CAD": Currency("Canadian dollar", "$", 2),
    "USD": Currency("US dollar", "US$", 2),
    "GBP": Currency("Pound sterling", "£", 2),
    "EUR": Currency("Euro", "€", 2),
    "AUD": Currency("Australian dollar", "A$", 2),
    "NZD": Currency("New Zealand dollar", "NZ$", 2),
    "CHF": Currency("Swiss franc", "CHF\u00a0", 2),
    "JPY": Currency("Yen", "¥", 0),
    "ISK": Currency("Icelandic króna", "ISK\u00a0", 0),
    "KWD": Currency("Kuwaiti dinar", "KWD\u00a0", 3),
}


def decimals_of(currency: str) -> int:
    """How many decimals an amount of a currency has: 0, 2 or 3."""
    return CURRENCIES[currency].decimals


def symbol_of(currency: str) -> str:
    """What stands before an amount of a currency."""
    return CURRENCIES[currency].symbol
