"""The receipts for the bookkeeper: whole, safe in a spreadsheet, streamed, and written down."""

import csv
import io
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from roost.audit.models import AuditEvent
from roost.billing import export
from roost.billing.codes import new_code
from roost.billing.credit import give_back, void_refund
from roost.billing.models import Payment, Receipt, Refund
from roost.billing.services import void_receipt
from roost.core.tenancy import scope
from roost.core.time import now
from tests.support.cast import Cast
from tests.support.doors import Visitor
from tests.support.money import attended, make_billable, make_group, pay

Door = Callable[..., Visitor]


@pytest.fixture
def billable(cast: Cast, maple: Any) -> Cast:
    make_billable(cast)
    return cast


def period(cast: Cast, days: int = 10) -> dict[str, str]:
    today = now().astimezone(cast.practice.zone).date()
    return {"start": (today - timedelta(days=days)).isoformat(), "end": today.isoformat()}


def table(answer: Any) -> list[dict[str, str]]:
    raw = b"".join(answer.streaming_content)
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def test_every_receipt_is_in_it_with_its_numbers(billable: Cast, office: Door) -> None:
    billable.individual.tax_rates.update(percent=13, name="HST")
    billable.practice.tax_number = "123456789 RT0001"
    billable.practice.save(update_fields=["tax_number"])
    first = pay(billable, attended(billable), "200", keep_over=True, payer="Robin Parker")
    second = pay(billable, attended(billable), "30.50", method="credit")
    third = pay(billable, make_group(billable), "40", client=billable.noor)
    void_receipt(by=billable.olivia, receipt=third)
    answer = office(billable.adam).go("receipts-csv", period(billable))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["X-Rows"] == "3"
    rows = table(answer)
    assert [(r["Number"], r["State"], r["Client"]) for r in rows] == [
        (first.number, "valid", "Casey Nguyen"),
        (second.number, "valid", "Casey Nguyen"),
        (third.number, "void", "Noor Haddad"),
    ]
    names = ("Fee", "Tax", "Tax amount", "Total", "Paid for the session", "Left over as credit",
             "Received", "Balance", "Payer", "Paid by")  # fmt: skip
    assert [rows[0][name] for name in names] == [
        "150.00", "HST 13 %", "19.50", "169.50", "169.50", "30.50", "200.00", "0.00",
        "Robin Parker", "Credit card",
    ]  # fmt: skip
    assert (rows[1]["Paid by"], rows[1]["Received"]) == ("Credit", "")
    event = AuditEvent.objects.get(action="receipts.exported")
    assert event.actor == billable.adam.account
    assert event.details == {
        **period(billable), "count": 3, "last": third.number, "refunds": 0,
        "clients": sorted([str(billable.casey.uuid), str(billable.noor.uuid)]),
    }  # fmt: skip


def give(cast: Cast, amount: str, **more: Any) -> Refund:
    values: dict[str, Any] = {
        "client": cast.casey, "method": "cash",
        "refunded_on": now().astimezone(cast.practice.zone).date(), **more,
    }  # fmt: skip
    refund, _ = give_back(
        by=cast.olivia, key=uuid.uuid4(), practice=cast.practice, amount=Decimal(amount), **values
    )
    return refund


def test_credit_given_back_stands_in_rows_of_its_own(billable: Cast, office: Door) -> None:
    """One for each receipt that it comes from, below zero, and void ones say so."""
    first = pay(billable, attended(billable), "180", keep_over=True, payer="=Evil()")
    second = pay(billable, attended(billable), "160", keep_over=True)
    void_refund(by=billable.olivia, refund=give(billable, "5", method="cheque"))
    give(billable, "35")
    answer = office(billable.olivia).go("receipts-csv", period(billable))
    assert answer["X-Rows"] == "5"
    rows = table(answer)
    names = ("Kind", "Number", "Of receipt", "State", "Received")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("receipt", first.number, "", "valid", "180.00"),
        ("receipt", second.number, "", "valid", "160.00"),
        ("refund", "", first.number, "void", "-5.00"),
        ("refund", "", first.number, "valid", "-30.00"),
        ("refund", "", second.number, "valid", "-5.00"),
    ]
    refund = rows[3]
    today = now().astimezone(billable.practice.zone).date().isoformat()
    names = ("Paid on", "Paid by", "Client", "Payer", "Practitioner", "Currency",
             "Left over as credit", "Issued on", "Fee", "Paid for the session")  # fmt: skip
    assert [refund[name] for name in names] == [
        today, "Cash", "Casey Nguyen", "'=Evil()", "Tara Okafor", "CAD", "-30.00", "", "", "",
    ]  # fmt: skip
    details = AuditEvent.objects.get(action="receipts.exported").details
    assert (details["count"], details["refunds"]) == (2, 3)
    assert details["clients"] == [str(billable.casey.uuid)]


def test_a_refund_of_the_period_is_in_it_whenever_its_receipt_was_issued(
    billable: Cast, office: Door
) -> None:
    today = now().astimezone(billable.practice.zone).date()
    with time_machine.travel(now() - timedelta(days=40)):
        old = pay(billable, attended(billable), "200", keep_over=True)
    noors = attended(billable, billable.noor)
    with time_machine.travel(now() - timedelta(days=40)):
        pay(billable, noors, "170", keep_over=True)
    # A month that the bookkeeper has taken does not change any more: as a receipt, a refund is in
    # the month in which it was entered, whatever day it was given back.
    give(billable, "50", refunded_on=today - timedelta(days=20))
    with time_machine.travel(now() - timedelta(days=20)):
        give(billable, "20", client=billable.noor)
    answer = office(billable.olivia).go("receipts-csv", period(billable))
    assert [(r["Kind"], r["Of receipt"], r["Received"], r["Paid on"]) for r in table(answer)] == [
        ("refund", old.number, "-50.00", (today - timedelta(days=20)).isoformat())
    ]
    details = AuditEvent.objects.get(action="receipts.exported").details
    assert details["clients"] == [str(billable.casey.uuid)]


def test_refunds_come_in_pages_too_and_in_the_order_in_which_they_were_entered(
    billable: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PAGE", 2)
    moment = now()
    with time_machine.travel(moment - timedelta(days=9)):
        pay(billable, attended(billable), "200", keep_over=True)
    # Two of them in one moment, and one before the period.
    ago = [0, 2, 1, 2, 0, 5]
    for n, days in enumerate(ago):
        with time_machine.travel(moment - timedelta(days=days), tick=False):
            give(billable, str(n + 1))
    today = moment.astimezone(billable.practice.zone).date()
    chosen = export.begin_export(by=billable.olivia, start=today - timedelta(days=3), end=today)
    parts = export.csv_of(chosen)
    give(billable, "9")
    rows = list(csv.DictReader(io.StringIO(b"".join(parts).decode("utf-8-sig"), newline="")))
    assert [r["Received"] for r in rows] == ["-2.00", "-4.00", "-3.00", "-1.00", "-5.00"]


def test_the_evening_belongs_to_the_practices_own_day(billable: Cast, office: Door) -> None:
    """Half an hour before and after midnight in Toronto."""
    pay(billable, attended(billable), "200", keep_over=True)
    midnight = datetime(2029, 3, 2, tzinfo=billable.practice.zone)
    for minutes, amount in ((-30, "1"), (30, "2")):
        with time_machine.travel(midnight + timedelta(minutes=minutes)):
            give(billable, amount)
    with time_machine.travel(midnight + timedelta(days=9)):
        for day, amount in (("2029-03-01", "-1.00"), ("2029-03-02", "-2.00")):
            answer = office(billable.olivia).go("receipts-csv", {"start": day, "end": day})
            assert [row["Received"] for row in table(answer)] == [amount]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(billable: Cast, office: Door, start: str) -> None:
    evil = f'{start}HYPERLINK("https://evil.example","x"),"y"'
    billable.casey.first_name = evil
    billable.casey.save(update_fields=["first_name"])
    pay(billable, attended(billable), payer=evil)
    (row,) = table(office(billable.olivia).go("receipts-csv", period(billable)))
    if not start.isspace():
        assert row["Client"] == f"'{evil} Nguyen"
    assert row["Payer"] == f"'{evil}"
    assert row["Total"] == "150.00"


@pytest.mark.parametrize(
    ("typed", "cell"),
    [
        ("=1+1", "'=1+1"), (" =1+1", "' =1+1"), ("\r\n@x", "'\r\n@x"), ("-1", "'-1"),
        ("Anne-Marie", "Anne-Marie"), ("", ""),
    ],
)  # fmt: skip
def test_a_cell_that_could_be_a_formula_begins_with_an_apostrophe(typed: str, cell: str) -> None:
    assert export.safe(typed) == cell


def test_the_period_and_the_practice_are_its_limits(billable: Cast, office: Door) -> None:
    pay(billable, attended(billable))
    day = (now() - timedelta(days=5)).date().isoformat()
    answer = office(billable.olivia).go("receipts-csv", {"start": day, "end": day})
    assert answer["X-Rows"] == "0"
    assert table(answer) == []
    assert AuditEvent.objects.get(action="receipts.exported").details["count"] == 0


def test_it_is_written_down_before_anything_is_sent(
    billable: Cast, office: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("The log is full.")

    pay(billable, attended(billable))
    monkeypatch.setattr(export, "record", fail)
    visitor = office(billable.olivia)
    visitor.raise_request_exception = False
    answer = visitor.go("receipts-csv", period(billable))
    assert answer.status_code == 500
    assert b"Casey" not in answer.content


def test_of_very_many_the_log_names_the_period_and_the_count(
    billable: Cast, office: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MOST_NAMED", 1)
    pay(billable, attended(billable))
    last = pay(billable, attended(billable, billable.noor))
    office(billable.olivia).go("receipts-csv", period(billable))
    event = AuditEvent.objects.get(action="receipts.exported")
    assert event.details == {
        **period(billable), "count": 2, "last": last.number, "refunds": 0,
    }  # fmt: skip


def copy(receipt: Receipt, number: int) -> Iterator[tuple[Payment, Receipt]]:
    """Receipts like this one, past the services, spread over two years."""
    for n in range(number):
        payment = Payment.objects.get(pk=receipt.payment_id)
        payment.pk, payment.uuid = None, None
        row = Receipt.objects.get(pk=receipt.pk)
        row.pk, row.uuid, row.code = None, None, new_code()
        year = receipt.year - 1 if n % 2 else receipt.year
        row.year, row.serial, row.issued_on = year, 10 + n, date(year, 1, 1)
        yield payment, row


def grow(receipt: Receipt, number: int) -> None:
    pairs = list(copy(receipt, number))
    for payment, row in pairs:
        payment.uuid, row.uuid = uuid.uuid4(), uuid.uuid4()
    payments = Payment.objects.bulk_create([payment for payment, _ in pairs])
    for payment, (_, row) in zip(payments, pairs, strict=True):
        row.payment = payment
    Receipt.objects.bulk_create([row for _, row in pairs], batch_size=500)


def test_it_comes_in_pages_and_takes_no_more_memory_for_more(
    billable: Cast, office: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """3,000 receipts: a query or two a page, and never more than a page of them at once."""
    monkeypatch.setattr(export, "PAGE", 100)
    receipt = pay(billable, attended(billable))
    grow(receipt, 3000)
    query = {"start": f"{receipt.year - 1}-01-01", "end": f"{receipt.year}-12-31"}
    answer = office(billable.olivia).go("receipts-csv", query)
    assert answer["X-Rows"] == "3001"
    seen: list[str] = []
    with CaptureQueriesContext(connection) as asked:
        for part in answer.streaming_content:
            lines = part.decode("utf-8-sig").splitlines()
            assert len(lines) <= 100
            seen += [line.split(",")[0] for line in lines]
    numbers = seen[1:]
    assert len(numbers) == len(set(numbers)) == 3001
    assert numbers == sorted(numbers, key=lambda each: (each[:4], int(each[5:])))
    assert len(asked) < 40
    peaks = []
    for start in (f"{receipt.year}-01-01", query["start"]):
        answer = office(billable.olivia).go("receipts-csv", {**query, "start": start})
        parts = iter(answer.streaming_content)
        next(parts)
        next(parts)
        tracemalloc.start()
        for _ in parts:
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5


def test_what_is_issued_meanwhile_is_not_in_it(billable: Cast) -> None:
    pay(billable, attended(billable))
    today = now().astimezone(billable.practice.zone).date()
    chosen = export.begin_export(by=billable.olivia, start=today, end=today)
    parts = export.csv_of(chosen)
    pay(billable, attended(billable))
    with scope(billable.practice.pk):
        assert b"".join(parts).count(b"\r\n") == 2


def test_therapists_take_none(billable: Cast, office: Door) -> None:
    pay(billable, attended(billable))
    assert office(billable.olivia).go("receipts-csv", period(billable)).status_code == 200
    assert office(billable.tara).go("receipts-csv", period(billable)).status_code == 403
    assert office(billable.tara).go("export-receipts").status_code == 403
