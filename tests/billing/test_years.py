"""A year's receipts in one PDF: the sums, the list, and a page for each that is valid."""

import subprocess
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from roost.billing import years
from roost.billing.logos import set_logo
from roost.billing.models import Payment, Receipt
from roost.billing.services import void_receipt
from roost.billing.years import (
    Sums,
    make_year_pdf,
    receipts_of_year,
    sums_of,
    years_open_to,
)
from roost.clients.models import PortalAccess
from tests.support.cast import Cast
from tests.support.money import attended, pay
from tests.support.pdfs import judge, state_of, text_of
from tests.support.pictures import picture

TODAY = date(2026, 11, 26)


def day_of(receipt: Receipt) -> date:
    return Payment.objects.get(pk=receipt.payment_id).paid_on


@pytest.fixture
def access(billable: Cast) -> PortalAccess:
    return PortalAccess.objects.get(client=billable.casey, account=billable.casey_account)


@pytest.fixture
def year(billable: Cast) -> tuple[int, list[Receipt]]:
    """One paid whole, one in two parts, a void one, and somebody else's."""
    whole = pay(billable, attended(billable))
    session = attended(billable)
    parts = [pay(billable, session, "50"), pay(billable, session, "100")]
    void = pay(billable, attended(billable))
    void_receipt(by=billable.olivia, receipt=void)
    pay(billable, attended(billable, billable.noor))
    return day_of(whole).year, [whole, *parts, void]


def made(cast: Cast, access: PortalAccess, year: int) -> bytes:
    found = receipts_of_year(access, year)
    return make_year_pdf(cast.practice, access.client.name, year, found, today=TODAY)


def test_its_sums_count_each_session_once_and_no_void_one(
    access: PortalAccess, year: tuple[int, list[Receipt]]
) -> None:
    found = receipts_of_year(access, year[0])
    assert [each.number for each in found] == [each.number for each in year[1]]
    assert sums_of(found) == [Sums("CAD", Decimal(300), Decimal(0), Decimal(300))]


def test_each_currency_has_sums_of_its_own(billable: Cast, access: PortalAccess) -> None:
    first = pay(billable, attended(billable))
    billable.practice.currency = "KWD"
    billable.practice.save(update_fields=["currency"])
    pay(billable, attended(billable), "12.500")
    found = receipts_of_year(access, day_of(first).year)
    assert [(each.currency, each.paid) for each in sums_of(found)] == [
        ("CAD", Decimal(150)), ("KWD", Decimal("12.5")),
    ]  # fmt: skip


def test_a_year_is_that_of_the_payments(billable: Cast, access: PortalAccess) -> None:
    now = pay(billable, attended(billable))
    before = pay(billable, attended(billable), paid_on=day_of(now) - timedelta(days=366))
    assert years_open_to(access) == [day_of(now).year, day_of(before).year]
    assert receipts_of_year(access, day_of(before).year) == [before]
    for nothing in (1999, 0, 99999, -5):
        assert receipts_of_year(access, nothing) == []


def test_it_lists_all_and_holds_a_page_of_each_valid_one(
    billable: Cast, access: PortalAccess, year: tuple[int, list[Receipt]], tmp_path: Path
) -> None:
    which, (whole, first, second, void) = year
    pdf = made(billable, access, which)
    text = text_of(pdf, tmp_path)
    for words in (
        f"Receipts of {which}", "Casey Nguyen", f"For payments made in {which}",
        f"{void.number}", "VOID", "Together, CAD", "$300.00", "$0.00", "Void receipts are listed",
        "counts once", "Made on 26 November 2026", "The receipts follow",
    ):  # fmt: skip
        assert words in text, words
    for each in (whole, first, second):
        assert each.facts["code"] in text
        assert f"No. {each.number}" in text
    assert void.facts["code"] not in text
    assert "Page 4 of 4" in text
    assert "This receipt was voided" not in text


def test_it_is_tagged_signed_and_keeps_to_the_standards(
    billable: Cast, access: PortalAccess, year: tuple[int, list[Receipt]]
) -> None:
    set_logo(billable.practice, picture(), by=billable.olivia.account)
    billable.practice.receipt_language = "fr"
    pay(billable, attended(billable))
    pdf = made(billable, access, year[0])
    judge(pdf, language="fr-CA", title=f"Reçus de {year[0]}, Casey Nguyen")
    state = state_of(pdf)
    assert (state.intact, state.valid, state.bottom_line) == (True, True, True)


def test_many_pages_are_tagged_and_signed_as_well(
    billable: Cast, access: PortalAccess, receipt: Receipt
) -> None:
    many = [receipt] * 40
    pdf = make_year_pdf(billable.practice, "Casey Nguyen", 2026, many, today=TODAY)
    document = judge(pdf, language="en-CA", title="Receipts of 2026, Casey Nguyen")
    assert len(document.pages) > 40
    assert state_of(pdf).bottom_line


def test_more_than_a_file_should_hold_are_summed_and_not_shown(
    billable: Cast, access: PortalAccess, year: Any, monkeypatch: Any, tmp_path: Path
) -> None:
    monkeypatch.setattr(years, "MOST_PAGES", 2)
    text = text_of(made(billable, access, year[0]), tmp_path)
    assert "more receipts than one file should hold" in text
    assert "$300.00" in text
    assert "Page 1 of 1" in text


def test_a_year_of_void_ones_says_so(billable: Cast, receipt: Receipt, tmp_path: Path) -> None:
    void_receipt(by=billable.olivia, receipt=receipt)
    access = PortalAccess.objects.get(client=billable.casey, account=billable.casey_account)
    text = text_of(made(billable, access, day_of(receipt).year), tmp_path)
    assert "All receipts of this year are void." in text
    assert "Together" not in text


def test_a_hostile_name_stays_within_the_page(
    billable: Cast, access: PortalAccess, receipt: Receipt, tmp_path: Path
) -> None:
    name = "*x* #panic() <b>" + "W" * 300
    pdf = make_year_pdf(
        billable.practice, name, 2026, receipts_of_year(access, day_of(receipt).year), today=TODAY
    )
    (tmp_path / "year.pdf").write_bytes(pdf)
    command = ["pdftotext", "-bbox", str(tmp_path / "year.pdf"), "-"]
    boxes = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert max(float(part.split('"')[1]) for part in boxes.split("xMax=")[1:] if part) < 612 - 56
    assert name.replace(" ", "") in text_of(pdf, tmp_path).replace(" ", "")
