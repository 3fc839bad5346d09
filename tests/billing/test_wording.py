"""The words of a receipt in each language."""

import string
from datetime import date
from decimal import Decimal

import pytest

from roost.billing.enums import Method
from roost.billing.rules import EXEMPT
from roost.billing.wording import (
    WORDS,
    say_amount,
    say_date,
    say_method,
    say_mode,
    say_tax,
)
from roost.practices.enums import Language
from roost.scheduling.enums import Mode


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_language_has_every_word_with_the_same_places() -> None:
    assert set(WORDS) == set(Language.values)
    english = WORDS[Language.ENGLISH]
    for words in WORDS.values():
        assert set(words) == set(english)
        assert {key: places(text) for key, text in words.items()} == {
            key: places(text) for key, text in english.items()
        }
    same = {key for key in english if english[key] == WORDS[Language.FRENCH][key]}
    assert same == {"client", "service", "code_of_service", "total", "code", "page"}


def test_days_as_people_write_them() -> None:
    assert say_date(date(2026, 11, 26), "en") == "26 November 2026"
    assert say_date(date(2026, 11, 26), "fr") == "26 novembre 2026"
    assert say_date(date(2027, 2, 1), "fr") == "1er février 2027"


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        ("150", "CAD", "150,00 $"),
        ("1234567.5", "CAD", "1 234 567,50 $"),
        ("-20", "CAD", "−20,00 $"),
        ("150", "USD", "150,00 $ US"),
        ("150", "EUR", "150,00 €"),
        ("1500", "JPY", "1 500 JPY"),
        ("12.5", "KWD", "12,500 KWD"),
    ],
)
def test_money_as_people_write_it_in_french(amount: str, currency: str, said: str) -> None:
    assert say_amount(Decimal(amount), currency, "fr") == said.replace(" ", "\u00a0")
    assert " " not in say_amount(Decimal(amount), currency, "fr")


def test_money_in_english_is_as_everywhere() -> None:
    assert say_amount(Decimal("1150"), "CAD", "en") == "$1,150.00"


def test_taxes_have_their_french_names() -> None:
    assert say_tax(EXEMPT, "fr") == "exonéré de la TPS/TVH"
    assert say_tax("HST 13 %", "fr") == "TVH 13\u00a0%"
    assert say_tax("QST 9.975 %", "fr") == "TVQ 9,975\u00a0%"
    assert say_tax("VAT 20 %", "fr") == "VAT 20\u00a0%"
    assert say_tax("HST 13 %", "en") == "HST 13 %"
    assert say_tax(EXEMPT, "en") == EXEMPT


def test_every_way_to_pay_and_to_meet_has_a_french_word() -> None:
    for method in Method:
        assert say_method(method, "en") == method.label
        assert say_method(method, "fr") != method.label
    for mode in Mode:
        assert say_mode(mode, "en") == mode.label
        assert say_mode(mode, "fr") != mode.label
