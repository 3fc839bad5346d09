"""Receipts at the portal: one's own, nobody else's, and the page that confirms one."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from roost.audit.models import AuditEvent
from roost.billing.charging import choose_billed
from roost.billing.codes import read_code, say_code
from roost.billing.invoices import state_for_client
from roost.billing.models import Invoice, Receipt
from roost.billing.owed import Payer
from roost.billing.services import void_receipt
from roost.clients.enums import Relationship
from roost.clients.models import PortalAccess
from roost.core.time import now
from roost.portal.views import receipts
from tests.office.test_lists import _counting
from tests.support.cast import Cast, give, make_account, make_cast
from tests.support.doors import Visitor
from tests.support.money import attended, invoice_of, make_billable, pay

Door = Callable[..., Visitor]


@pytest.fixture
def receipt(cast: Cast, maple: Any) -> Receipt:
    make_billable(cast)
    return pay(cast, attended(cast))


@pytest.mark.parametrize("relationship", list(Relationship))
def test_a_relationship_opens_the_receipts_that_the_table_says(
    portal: Door, cast: Cast, receipt: Receipt, relationship: Relationship
) -> None:
    account = make_account("tied@client.example")
    give(account, cast.casey, relationship)
    visitor = portal(account)
    opens = relationship != Relationship.PARTNER
    answer = visitor.go("receipt-pdf", receipt=receipt.uuid)
    assert answer.status_code == (200 if opens else 404)
    assert (receipt.number in visitor.go("account").content.decode()) is opens
    downloads = AuditEvent.objects.filter(action="receipt.downloaded", actor=account)
    refusals = AuditEvent.objects.filter(action="access.refused", actor=account)
    assert (downloads.count(), refusals.count()) == ((1, 0) if opens else (0, 1))


BALANCE = {Relationship.SELF, Relationship.PARENT, Relationship.GUARDIAN, Relationship.PAYER}


@pytest.mark.parametrize("relationship", list(Relationship))
def test_a_relationship_opens_balance_and_invoices_as_the_table_says(
    portal: Door, cast: Cast, receipt: Receipt, relationship: Relationship
) -> None:
    pay(cast, attended(cast), "170", keep_over=True)
    invoice = invoice_of(cast)
    account = make_account("tied@client.example")
    give(account, cast.casey, relationship)
    visitor = portal(account)
    page = visitor.go("receipts", client=cast.casey.uuid).content.decode()
    opens = relationship in BALANCE
    assert ("To pay</dt><dd><b>$150.00" in page) is opens
    assert ("Credit left</dt><dd>$20.00" in page) is opens
    assert (invoice.number in page) is opens
    answer = visitor.go("invoice-pdf", invoice=invoice.uuid)
    assert answer.status_code == (200 if opens else 404)
    downloads = AuditEvent.objects.filter(action="invoice.downloaded", actor=account)
    refusals = AuditEvent.objects.filter(action="access.refused", actor=account)
    assert (downloads.count(), refusals.count()) == ((1, 0) if opens else (0, 1))


def test_the_balance_says_for_how_many_sessions_it_is_and_what_credit_does(
    portal: Door, cast: Cast, receipt: Receipt
) -> None:
    visitor = portal(cast.casey_account)

    def page() -> str:
        html = visitor.go("receipts", client=cast.casey.uuid).content.decode()
        return " ".join(re.sub(r"<[^>]+>", " ", html).split())

    assert "tells you how to pay" not in page() and "for 0 sessions" not in page()
    attended(cast)
    assert "To pay $150.00 for 1 session" in page()
    pay(cast, attended(cast), "50")
    said = page()
    assert "To pay $250.00 for 2 sessions" in said
    assert "Maple Counselling tells you how to pay: 416 555 0142" in said
    assert "credit" not in said
    pay(cast, attended(cast), "170", keep_over=True)
    said = page()
    assert "To pay $250.00 for 2 sessions" in said
    assert "it is not taken off the sum to pay" in said


def test_the_switcher_stands_over_receipts_and_details_too(
    portal: Door, cast: Cast, maple: Any
) -> None:
    visitor = portal(cast.parker_account)
    for route, label in (("receipts", "Whose receipts"), ("details", "Whose details")):
        html = visitor.go(route, client=cast.remy.uuid).content.decode()
        switcher = html.partition(f'aria-label="{label}"')[2].partition("</nav>")[0]
        found = re.findall(r'href="([^"]+)"(?: aria-current="(\w+)")?', switcher)
        assert found == [
            (visitor.path(route, client=cast.robin.uuid), ""),
            (visitor.path(route, client=cast.remy.uuid), "page"),
        ]
        event = AuditEvent.objects.filter(action="client.viewed").latest("pk")
        assert event.details == {"part": route, "others": [str(cast.robin.uuid)]}
        alone = portal(cast.casey_account).go(route, client=cast.casey.uuid)
        assert 'class="persons"' not in alone.content.decode()


def test_a_partner_who_pays_finds_the_invoice_that_names_them(
    portal: Door, cast: Cast, maple: Any
) -> None:
    make_billable(cast)
    account = make_account("tied@client.example")
    give(account, cast.casey, Relationship.PARTNER)
    give(account, cast.noor)
    others, mine = attended(cast), attended(cast)
    choose_billed(
        by=cast.tara, appointment=mine, client=cast.casey, payer=Payer(account=account)
    )  # fmt: skip
    hidden, shown = invoice_of(cast, others), invoice_of(cast, mine)
    visitor = portal(account)
    page = visitor.go("receipts", client=cast.casey.uuid).content.decode()
    assert shown.number in page
    assert hidden.number not in page
    assert "To pay" not in page
    assert visitor.go("invoice-pdf", invoice=shown.uuid).status_code == 200
    assert visitor.go("invoice-pdf", invoice=hidden.uuid).status_code == 404


def test_an_invoice_past_its_day_is_said_calmly(
    portal: Door, office: Door, cast: Cast, maple: Any
) -> None:
    make_billable(cast)
    with time_machine.travel(now() - timedelta(days=40)):
        late = invoice_of(cast)
    today = now().astimezone(cast.practice.zone).date()
    staff = office(cast.olivia).go("client-receipts", client=cast.casey.uuid).content.decode()
    assert "Overdue" in staff
    page = portal(cast.casey_account).go("receipts", client=cast.casey.uuid).content.decode()
    year = "" if late.due_on.year == today.year else f" {late.due_on.year}"
    assert f"Due since {late.due_on.day} {late.due_on:%B}{year}<" in page
    assert "verdue" not in page


@pytest.mark.parametrize(
    ("due_on", "words"),
    [
        (date(2026, 3, 3), "Due since 3 March"),
        (date(2025, 12, 31), "Due since 31 December 2025"),
        (date(2026, 3, 4), "Open"),
    ],
)
def test_what_a_client_reads_of_an_open_invoice(due_on: date, words: str) -> None:
    said = state_for_client(Invoice(due_on=due_on), Decimal(10), date(2026, 3, 4))
    assert said == (words, "wait")
    assert state_for_client(Invoice(due_on=due_on), Decimal(0), date(2026, 3, 4))[0] == "Paid"


def test_invoices_come_in_pages_that_cost_the_same(portal: Door, cast: Cast, maple: Any) -> None:
    make_billable(cast)
    visitor, where, counts = portal(cast.casey_account), {"client": cast.casey.uuid}, []
    made = [invoice_of(cast)]
    visitor.go("receipts", **where)
    for _ in range(3):
        with _counting(counts):
            visitor.go("receipts", **where)
        made += [invoice_of(cast), invoice_of(cast)]
    made += [invoice_of(cast) for _ in range(receipts.INVOICES_PER_PAGE + 2 - len(made))]
    numbers = [each.number for each in reversed(made)]

    def shown(**query: str) -> list[str]:
        with _counting(counts):
            page = visitor.go("receipts", query, **where)
        text = page.content.decode()
        return [number for number in numbers if f">{number}" in text]

    assert shown() == numbers[:-2]
    assert shown(invoices="2") == numbers[-2:]
    assert shown(invoices="x", page="7") == numbers[:-2]
    assert counts == counts[:1] * 6
    page = visitor.go("receipts", **where).content.decode()
    assert 'href="?invoices=2#invoices-h"' in page
    assert f"1–{len(numbers) - 2} of {len(numbers)} invoices" in page


def test_nobody_elses_receipt_is_there(portal: Door, cast: Cast, receipt: Receipt) -> None:
    assert portal(cast.casey_account).go("receipt-pdf", receipt=receipt.uuid).status_code == 200
    other = portal(cast.parker_account)
    assert other.go("receipt-pdf", receipt=receipt.uuid).status_code == 404
    assert other.go("receipts", client=cast.casey.uuid).status_code == 404


def test_a_partner_sees_the_receipts_that_name_them_as_payer_and_no_others(
    portal: Door, cast: Cast, maple: Any
) -> None:
    make_billable(cast)
    account = make_account("tied@client.example")
    give(account, cast.casey, Relationship.PARTNER)
    give(account, cast.noor)
    others = pay(cast, attended(cast), payer="Noor Haddad")
    by_account = pay(cast, attended(cast), payer=Payer(account=account))
    both = attended(cast, cast.casey, cast.noor, service=cast.family)
    by_record = pay(cast, both, "210", payer=Payer(client=cast.noor))
    assert others.facts["payer"] == by_account.facts["payer"] == "Noor Haddad"
    visitor = portal(account)
    for page in (visitor.go("receipts", client=cast.casey.uuid),
                 visitor.go("account", {"person": str(cast.casey.uuid)})):  # fmt: skip
        assert [each.number for each in page.context["receipts"]] == [
            by_record.number, by_account.number,
        ]  # fmt: skip
    answers = {
        each.number: visitor.go("receipt-pdf", receipt=each.uuid).status_code
        for each in (others, by_account, by_record)
    }
    assert list(answers.values()) == [404, 200, 200]
    # Who is named and has no such access finds nothing.
    PortalAccess.objects.filter(client=cast.casey, account=account).update(ended_at=now())
    assert visitor.go("receipt-pdf", receipt=by_account.uuid).status_code == 404


def test_every_download_is_the_same_until_it_is_void(
    portal: Door, cast: Cast, receipt: Receipt
) -> None:
    visitor = portal(cast.casey_account)
    first, second = (visitor.go("receipt-pdf", receipt=receipt.uuid).content for _ in range(2))
    assert first == second
    void_receipt(by=cast.olivia, receipt=receipt)
    answer = visitor.go("receipt-pdf", receipt=receipt.uuid)
    assert answer.content != first
    assert "-void.pdf" in answer["Content-Disposition"]
    assert "Void" in visitor.go("account").content.decode()


def test_anybody_can_check_a_receipt_and_learns_nothing_of_the_client(
    portal: Door, cast: Cast, receipt: Receipt
) -> None:
    assert receipt.facts["client"] == "Casey Nguyen"
    page = portal().go("receipt-check", code=say_code(receipt.code))
    text = page.content.decode()
    for words in (
        f'<span class="nowrap">{receipt.number}</span> is valid',
        "$150.00",
        "Tara Okafor, RP",
        "009142",
    ):
        assert words in text
    for words in ("Casey", "Nguyen", "Individual", "50 min", str(cast.casey.uuid)):
        assert words not in text
    assert portal().go("receipt-check", code=receipt.code.lower()).status_code == 200
    void_receipt(by=cast.olivia, receipt=receipt)
    assert b"is void" in portal().go("receipt-check", code=receipt.code).content


def test_guessing_is_limited_also_for_a_right_code(portal: Door, receipt: Receipt) -> None:
    visitor = portal()
    for _ in range(20):
        assert visitor.go("receipt-check", code="0000-0000-0000-0000").status_code == 404
    assert visitor.go("receipt-check", code="0000-0000-0000-0000").status_code == 429
    assert visitor.go("receipt-check", code=receipt.code).status_code == 429
    visitor.defaults["REMOTE_ADDR"] = "192.0.2.7"
    assert visitor.go("receipt-check", code=receipt.code).status_code == 200


def test_a_code_of_another_practice_is_unknown(portal: Door, receipt: Receipt) -> None:
    cedar = make_cast("cedar", "Cedar Practice", "America/Vancouver").practice
    assert portal().go("receipt-check", code=receipt.code).status_code == 200
    assert Visitor(cedar, "portal").go("receipt-check", code=receipt.code).status_code == 404


@pytest.mark.parametrize("text", ["", "x" * 5000, "é" * 16, "%00", "0000", "U" * 16, "../../etc"])
def test_what_is_no_code_is_none(text: str) -> None:
    assert read_code(text) is None


def test_a_code_is_read_as_people_write_it() -> None:
    assert read_code("r7kq-4mtx 92pd-oil0") == "R7KQ4MTX92PD0110"
    assert say_code("R7KQ4MTX92PD0110") == "R7KQ-4MTX-92PD-0110"


# A year in one PDF


def test_a_years_receipts_come_in_one_file_and_the_log_names_them(
    portal: Door, cast: Cast, receipt: Receipt
) -> None:
    year = receipt.payment.paid_on.year
    visitor = portal(cast.casey_account)
    page = visitor.go("receipts", client=cast.casey.uuid).content.decode()
    assert visitor.path("receipts-of-year", client=cast.casey.uuid, year=year) in page
    answer = visitor.go("receipts-of-year", client=cast.casey.uuid, year=year)
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="receipts-{year}.pdf"'
    event = AuditEvent.objects.get(action="receipts.downloaded")
    assert event.actor == cast.casey_account
    assert event.client_uuid == cast.casey.uuid
    assert event.details == {"year": year, "receipts": [str(receipt.uuid)]}


def test_a_year_without_receipts_and_one_of_others_are_not_there(
    portal: Door, cast: Cast, receipt: Receipt
) -> None:
    year = receipt.payment.paid_on.year
    visitor, other = portal(cast.casey_account), portal(cast.parker_account)
    assert visitor.go("receipts-of-year", client=cast.casey.uuid, year=1999).status_code == 404
    assert visitor.go("receipts-of-year", client=cast.casey.uuid, year=10**30).status_code == 404
    assert visitor.go("receipts-of-year", client=cast.robin.uuid, year=year).status_code == 404
    assert other.go("receipts-of-year", client=cast.casey.uuid, year=year).status_code == 404
    assert not AuditEvent.objects.filter(action="receipts.downloaded").exists()


def test_the_list_costs_the_same_with_one_year_or_three(
    portal: Door, cast: Cast, receipt: Receipt, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    visitor = portal(cast.casey_account)
    visitor.go("receipts", client=cast.casey.uuid)
    with CaptureQueriesContext(connection) as one:
        visitor.go("receipts", client=cast.casey.uuid)
    paid_on = receipt.payment.paid_on
    for back in (1, 2):
        pay(cast, attended(cast), paid_on=paid_on.replace(year=paid_on.year - back, day=1))
    with django_assert_num_queries(len(one)):
        page = visitor.go("receipts", client=cast.casey.uuid).content.decode()
    assert page.count('PDF<span class="vh"> of all receipts') == 3


def test_its_cost_is_bounded(portal: Door, cast: Cast, receipt: Receipt) -> None:
    from roost.accounts.limits import count, subject
    from roost.billing.years import PER_ACCOUNT

    for _ in range(PER_ACCOUNT.most):
        count([(subject("year-pdf", str(cast.casey_account.uuid)), PER_ACCOUNT)])
    year = receipt.payment.paid_on.year
    answer = portal(cast.casey_account).go("receipts-of-year", client=cast.casey.uuid, year=year)
    assert answer.status_code == 429
    assert b"can be made twenty times an hour" in answer.content
    assert not AuditEvent.objects.filter(action="receipts.downloaded").exists()


@pytest.mark.parametrize("relationship", [Relationship.PAYER, Relationship.PARTNER])
def test_who_waits_for_a_receipt_reads_what_it_waits_for(
    portal: Door, cast: Cast, maple: Any, relationship: Relationship
) -> None:
    """A partner is not told to wait for a payment: what others have paid is never shown to them."""
    account = make_account("tied@client.example")
    give(account, cast.casey, relationship)
    visitor = portal(account)
    paid = "A receipt shows up here once a payment is recorded."
    named = "A receipt shows up here once it names you as payer."
    wanted, other = (named, paid) if relationship == Relationship.PARTNER else (paid, named)
    for page in (visitor.go("account"), visitor.go("receipts", client=cast.casey.uuid)):
        text = page.content.decode()
        assert wanted in text
        assert other not in text
