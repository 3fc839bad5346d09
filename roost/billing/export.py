"""The practice's receipts as a table for the bookkeeper: streamed, in constant memory.

Cells that a spreadsheet would take for a formula begin with an apostrophe; amounts stay numbers.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet

from roost.audit.services import record
from roost.billing.enums import Method
from roost.billing.models import Receipt
from roost.core.tenancy import current_practice_id, scope
from roost.scheduling.enums import Mode
from roost.staff.models import StaffMember

PAGE = 500
# Above that the audit row names the period, the count and the last number. They say the same:
# receipts are neither removed nor dated anew.
MOST_NAMED = 2000
HEADINGS = [
    "Number", "State", "Issued on", "Paid on", "Paid by", "Client", "Payer", "Date of service",
    "Service", "How", "Practitioner", "Currency", "Fee", "Tax", "Tax amount", "Total",
    "Paid for the session", "Left over as credit", "Received", "Balance",
]  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Export:
    """Which receipts: those issued from `start` to `end`, up to the newest when it was asked for,
    and how many there are."""

    start: date
    end: date
    newest: int
    count: int


def safe(text: str) -> str:
    """A cell of text that no spreadsheet runs, also one that trims it first."""
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text


def begin_export(*, by: StaffMember, start: date, end: date) -> Export:
    """Which receipts an export holds, written down before any of them is sent.

    Owners and admins only; the page has checked it. Records receipts.exported: with the ids of the
    clients, or where there are more than 2,000 with the period, the count and the last number.
    """
    rows = _rows(start, end)
    last = rows.order_by("-pk").first()
    chosen = Export(start, end, last.pk if last else 0, rows.count())
    clients = rows.order_by().values_list("client__uuid", flat=True).distinct()
    named = list(clients[: MOST_NAMED + 1])
    details: dict[str, Any] = {"count": chosen.count, "last": last.number if last else ""}
    if len(named) <= MOST_NAMED:
        details["clients"] = sorted(str(each) for each in named)
    record(
        "receipts.exported", by=by.account, start=start.isoformat(), end=end.isoformat(), **details
    )
    return chosen


def csv_of(chosen: Export) -> Iterator[bytes]:
    """The table in UTF-8 with a byte order mark, a page of receipts at a time, in the order of
    their numbers. It opens the practice's scope itself: a response is read after its view."""
    practice_id = current_practice_id()

    def pages() -> Iterator[bytes]:
        yield "\ufeff".encode() + _lines([HEADINGS])
        after = (0, 0)
        while True:
            with scope(practice_id):
                found = _page(chosen, after)
            if not found:
                return
            after = (found[-1].year, found[-1].serial)
            yield _lines([_cells(each) for each in found])

    return pages()


def _rows(start: date, end: date) -> QuerySet[Receipt]:
    return Receipt.objects.filter(year__range=(start.year, end.year), issued_on__range=(start, end))


def _page(chosen: Export, after: tuple[int, int]) -> list[Receipt]:
    """The next receipts after a year and number: by key, so that the last page costs what the
    first one does."""
    year, serial = after
    rows = _rows(chosen.start, chosen.end).filter(pk__lte=chosen.newest)
    rows = rows.order_by("year", "serial").only("prefix", "year", "serial", "voided_at", "facts")
    rest = list(rows.filter(year=year, serial__gt=serial)[:PAGE])
    if len(rest) < PAGE:
        rest += rows.filter(year__gt=year)[: PAGE - len(rest)]
    return rest


def _lines(rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def _cells(receipt: Receipt) -> list[str]:
    """One receipt as it was issued. Its facts are of one line each."""
    facts, line = receipt.facts, receipt.facts["lines"][0]
    received = facts.get("received", facts["paid_now"])
    words = [
        receipt.number,
        "void" if receipt.is_void else "valid",
        facts["issued_on"],
        facts["paid_on"],
        Method(facts["method"]).label,
        facts["client"],
        facts["payer"],
        line["on"],
        line["service"],
        Mode(line["mode"]).label,
        facts["practitioner"]["name"],
        facts["currency"],
        line["fee"],
        line["tax_words"],
        line["tax"],
        line["amount"],
        facts["paid_now"],
        facts.get("over", ""),
        "" if facts["method"] == Method.CREDIT else received,
        facts["balance"],
    ]
    return [safe(str(word)) for word in words]
