"""The practice's receipts as a table for the bookkeeper: streamed, in constant memory. Credit that
was given back follows them, below zero, a row for each receipt that it came from.

Cells that a spreadsheet would take for a formula begin with an apostrophe; amounts stay numbers.
"""

import csv
import io
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Prefetch, QuerySet

from roost.audit.services import record
from roost.billing.enums import Method
from roost.billing.models import CreditUse, Receipt, Refund
from roost.billing.rules import plain
from roost.core.tenancy import current_practice_id, scope
from roost.core.time import day_bounds
from roost.scheduling.enums import Mode
from roost.staff.models import StaffMember

PAGE = 500
# Above that the audit row names the period, the counts, the last number and the last refund. They
# say the same: neither receipts nor refunds are removed or dated anew.
MOST_NAMED = 2000
HEADINGS = [
    "Number", "State", "Issued on", "Paid on", "Paid by", "Client", "Payer", "Date of service",
    "Service", "How", "Practitioner", "Currency", "Fee", "Tax", "Tax amount", "Total",
    "Paid for the session", "Left over as credit", "Received", "Balance", "Kind", "Of receipt",
]  # fmt: skip
_READ = ["prefix", "year", "serial", "voided_at", "facts"]
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Export:
    """Which rows: receipts issued from `start` to `end`, and credit given back that was recorded
    then, each up to the newest when it was asked for; and how many rows there are."""

    start: date
    end: date
    # The same in UTC, the end not included.
    span: tuple[datetime, datetime]
    newest: int
    newest_refund: int
    count: int


def safe(text: str) -> str:
    """A cell of text that no spreadsheet runs, also one that trims it first."""
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text


def begin_export(*, by: StaffMember, start: date, end: date) -> Export:
    """Which receipts an export holds, written down before any of them is sent.

    Owners and admins only; the page has checked it. Records receipts.exported: with the ids of the
    clients, or where there are more than 2,000 with the period, the counts and the last of each.
    """
    span = day_bounds(start, by.practice.zone, (end - start).days + 1)
    rows, refunds = _rows(start, end), _refunds(span)
    last, last_refund = rows.order_by("-pk").first(), refunds.order_by("-pk").first()
    receipts, parts = rows.count(), CreditUse.objects.filter(refund__in=refunds).count()
    newest = (last.pk if last else 0, last_refund.pk if last_refund else 0)
    chosen = Export(start, end, span, *newest, receipts + parts)
    details: dict[str, Any] = {
        "count": receipts, "last": last.number if last else "", "refunds": parts,
    }  # fmt: skip
    if last_refund is not None:
        details["last_refund"] = str(last_refund.uuid)
    named: set[uuid.UUID] = set()
    for clients in (_clients_of(rows), _clients_of(refunds)):
        named.update(clients[: MOST_NAMED + 1])
    if len(named) <= MOST_NAMED:
        details["clients"] = sorted(str(each) for each in named)
    record(
        "receipts.exported", by=by.account, start=start.isoformat(), end=end.isoformat(), **details
    )
    return chosen


def csv_of(chosen: Export) -> Iterator[bytes]:
    """The table in UTF-8 with a byte order mark, a page of rows at a time: receipts in the order of
    their numbers, then credit given back in that of its record. It opens the practice's scope
    itself: a response is read after its view."""
    practice_id = current_practice_id()

    def pages() -> Iterator[bytes]:
        yield "\ufeff".encode() + _lines([HEADINGS])
        after = (0, 0)
        while True:
            with scope(practice_id):
                found = _page(chosen, after)
            if not found:
                break
            after = (found[-1].year, found[-1].serial)
            yield _lines([_cells(each) for each in found])
        last = (chosen.span[0], 0)
        while True:
            with scope(practice_id):
                refunds = _page_of_refunds(chosen, last)
            if not refunds:
                return
            last = (refunds[-1].recorded_at, refunds[-1].pk)
            yield _lines(
                [_refund_cells(each, part) for each in refunds for part in each.credit_drawn.all()]
            )

    return pages()


def _rows(start: date, end: date) -> QuerySet[Receipt]:
    return Receipt.objects.filter(year__range=(start.year, end.year), issued_on__range=(start, end))


def _refunds(span: tuple[datetime, datetime]) -> QuerySet[Refund]:
    return Refund.objects.filter(recorded_at__gte=span[0], recorded_at__lt=span[1])


def _clients_of(rows: QuerySet[Any]) -> QuerySet[Any, uuid.UUID]:
    return rows.order_by().values_list("client__uuid", flat=True).distinct()


def _page(chosen: Export, after: tuple[int, int]) -> list[Receipt]:
    """The next receipts after a year and number: by key, so that the last page costs what the
    first one does."""
    year, serial = after
    rows = _rows(chosen.start, chosen.end).filter(pk__lte=chosen.newest)
    rows = rows.order_by("year", "serial").only(*_READ)
    rest = list(rows.filter(year=year, serial__gt=serial)[:PAGE])
    if len(rest) < PAGE:
        rest += rows.filter(year__gt=year)[: PAGE - len(rest)]
    return rest


def _page_of_refunds(chosen: Export, after: tuple[datetime, int]) -> list[Refund]:
    """The next refunds after a moment and key, in the same way."""
    moment, pk = after
    rows = _refunds(chosen.span).filter(pk__lte=chosen.newest_refund)
    drawn = CreditUse.objects.select_related("source__receipt")
    rows = rows.prefetch_related(Prefetch("credit_drawn", drawn)).order_by("recorded_at", "pk")
    rest = list(rows.filter(recorded_at=moment, pk__gt=pk)[:PAGE])
    if len(rest) < PAGE:
        rest += rows.filter(recorded_at__gt=moment)[: PAGE - len(rest)]
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
        "receipt",
        "",
    ]
    return [safe(str(word)) for word in words]


def _refund_cells(refund: Refund, part: CreditUse) -> list[str]:
    """What was given back of what one receipt left over."""
    receipt, out = part.source.receipt, plain(-part.amount, refund.currency)
    facts = receipt.facts
    said = {
        "State": "void" if refund.is_void else "valid",
        "Paid on": refund.refunded_on.isoformat(),
        "Paid by": Method(refund.method).label,
        "Client": safe(facts["client"]),
        "Payer": safe(facts["payer"]),
        "Practitioner": safe(facts["practitioner"]["name"]),
        "Currency": refund.currency,
        # Numbers, also below zero: nothing in them is anybody's words.
        "Left over as credit": out,
        "Received": out,
        "Kind": "refund",
        "Of receipt": safe(receipt.number),
    }
    return [said.get(name, "") for name in HEADINGS]
