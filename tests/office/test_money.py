"""A client's money in the office: balance, statement, credit given back, invoices."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from roost.audit.models import AuditEvent
from roost.billing.charging import choose_billed
from roost.billing.credit import credit_of
from roost.billing.models import Invoice, Refund
from roost.billing.owed import Payer
from roost.clients.enums import Relationship
from roost.clients.models import PortalAccess
from roost.core.time import now
from roost.office.views.clients import PAPERS_PER_PAGE
from tests.support.cast import Cast, give, make_account
from tests.support.doors import Visitor
from tests.support.money import attended, invoice_of, make_billable, pay, refund_of

Door = Callable[..., Visitor]


@pytest.fixture
def billable(cast: Cast, maple: Any) -> Cast:
    make_billable(cast)
    return cast


def tally(page: str) -> dict[str, str]:
    return dict(re.findall(r"<dt>(Charged|Paid|Owed|Credit)</dt><dd>([^<]+)</dd>", page))


def test_a_record_shows_what_is_owed_and_left_over(billable: Cast, office: Door) -> None:
    pay(billable, attended(billable), "200", keep_over=True)
    attended(billable)
    attended(billable, therapist=billable.theo)
    where = {"client": billable.casey.uuid}
    assert tally(office(billable.olivia).go("client-receipts", **where).content.decode()) == {
        "Charged": "$450.00", "Paid": "$150.00", "Owed": "$300.00", "Credit": "$50.00",
    }  # fmt: skip
    own = office(billable.tara).go("client-receipts", **where).content.decode()
    assert tally(own)["Owed"] == "$150.00"
    assert "Balance of your sessions" in own
    for route in ("client-statement", "refund-credit"):
        assert office(billable.tara).path(route, **where) not in own
        assert office(billable.tara).go(route, **where).status_code == 403


def test_a_statement_is_shown_downloaded_and_written_down(billable: Cast, office: Door) -> None:
    pay(billable, attended(billable), "100")
    owner, where = office(billable.olivia), {"client": billable.casey.uuid}
    today = now().astimezone(billable.practice.zone).date()
    query = {"start": (today - timedelta(days=9)).isoformat(), "end": today.isoformat()}
    page = owner.go("client-statement", query, **where).content.decode()
    for words in ("Individual, 50 min", "Payment, Credit card", "$50.00", "brought forward"):
        assert words in page, words
    answer = owner.go("client-statement-pdf", query, **where)
    assert answer.content.startswith(b"%PDF")
    name = f"statement-{query['start']}-{query['end']}.pdf"
    assert name in answer["Content-Disposition"]
    event = AuditEvent.objects.get(action="statement.downloaded")
    assert (event.client_uuid, event.details) == (billable.casey.uuid, query)
    assert AuditEvent.objects.filter(
        action="client.viewed", details={"part": "statement"}, client_uuid=billable.casey.uuid
    ).exists()
    before = (today - timedelta(days=400)).isoformat()
    early = owner.go("client-statement", {"start": before, "end": before}, **where)
    assert "Nothing was charged or paid" in early.content.decode()


def test_a_statement_of_no_period_is_written_down_too_for_it_names_the_client(
    billable: Cast, office: Door
) -> None:
    query = {"start": "2026-02-02", "end": "2026-02-01"}
    page = office(billable.olivia).go("client-statement-pdf", query, client=billable.casey.uuid)
    assert "Casey Nguyen" in page.content.decode()
    event = AuditEvent.objects.get(action="client.viewed")
    assert (event.client_uuid, event.details) == (billable.casey.uuid, {"part": "statement"})


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"start": "2026-02-02", "end": "2026-02-01"}, "The last day comes after the first"),
        ({"start": "2026-02-30", "end": "2026-03-01"}, "isn’t in the calendar"),
        ({"start": "0001-01-01", "end": "2026-03-01"}, "between 1990 and 2100"),
        ({"start": "2026-03-01"}, "Choose a day"),
    ],
)
def test_a_period_that_is_none_gets_words(
    billable: Cast, office: Door, query: dict[str, str], words: str
) -> None:
    owner = office(billable.olivia)
    for route, where in (
        ("client-statement", {"client": billable.casey.uuid}),
        ("client-statement-pdf", {"client": billable.casey.uuid}),
        ("receipts-csv", {}),
    ):
        answer = owner.go(route, query, **where)
        assert answer.status_code == 422
        assert words in answer.content.decode()
    assert not AuditEvent.objects.filter(action="receipts.exported").exists()


def test_credit_is_given_back_and_that_is_taken_back(billable: Cast, office: Door) -> None:
    pay(billable, attended(billable), "200", keep_over=True)
    owner, where = office(billable.olivia), {"client": billable.casey.uuid}
    today = now().astimezone(billable.practice.zone).date().isoformat()
    values = {
        "form_key": str(uuid.uuid4()), "amount": "60", "method": "cash", "refunded_on": today,
    }  # fmt: skip
    wrong = owner.send("refund-credit", values, **where)
    assert wrong.status_code == 422
    assert "Casey Nguyen has $50.00 of credit left." in wrong.content.decode()
    assert owner.send("refund-credit", {**values, "amount": "50"}, **where).status_code == 302
    again = owner.send("refund-credit", {**values, "amount": "50"}, **where)
    assert "was given back, once" in owner.get(again["Location"]).content.decode()
    refund = Refund.objects.get()
    assert credit_of(billable.casey, "CAD") == 0
    page = owner.go("client-receipts", **where).content.decode()
    assert owner.path("void-refund", refund=refund.uuid) in page
    owner.send("void-refund", refund=refund.uuid)
    assert credit_of(billable.casey, "CAD") == 50
    assert AuditEvent.objects.get(action="refund.voided").client_uuid == billable.casey.uuid


def test_a_new_invoice_says_what_each_session_and_all_of_them_come_to(
    billable: Cast, office: Door
) -> None:
    attended(billable)
    pay(billable, attended(billable), "50")
    billable.practice.uses_invoices = True
    billable.practice.save(update_fields=["uses_invoices"])
    where = {"client": billable.casey.uuid}
    page = office(billable.olivia).go("invoice-client", **where).content.decode()
    said = re.findall(r'data-amount="([^"]*)".*?<b class="money">([^<]*)<', page)
    assert sorted((Decimal(amount), words) for amount, words in said) == [
        (Decimal(100), "$100.00"), (Decimal(150), "$150.00"),
    ]  # fmt: skip
    assert re.search(r"All of them</span> <b[^>]*>\$250\.00<", page)
    assert 'data-symbol="$" data-decimals="2"' in page


def test_an_invoice_is_issued_downloaded_and_voided(billable: Cast, office: Door) -> None:
    first, second = attended(billable), attended(billable)
    owner, where = office(billable.olivia), {"client": billable.casey.uuid}
    assert owner.go("invoice-client", **where).status_code == 404
    billable.practice.uses_invoices = True
    billable.practice.save(update_fields=["uses_invoices"])
    assert owner.path("invoice-client", **where) in (
        owner.go("client-receipts", **where).content.decode()
    )
    day = (now() + timedelta(days=14)).date().isoformat()
    values = {
        "form_key": str(uuid.uuid4()), "charges": [str(first.uuid), str(second.uuid)],
        "due_on": day,
    }  # fmt: skip
    assert owner.send("invoice-client", {**values, "charges": []}, **where).status_code == 422
    assert owner.send("invoice-client", values, **where).status_code == 302
    invoice = Invoice.objects.get()
    again = owner.send("invoice-client", values, **where)
    assert again["Location"] == owner.path("client-receipts", **where)
    said = owner.get(again["Location"]).content.decode()
    assert f"This form was sent before. Invoice {invoice.number} stands, once." in said
    assert office(billable.adam).send("invoice-client", values, **where).status_code == 403
    other = owner.send("invoice-client", {**values, "form_key": str(uuid.uuid4())}, **where)
    assert other.status_code == 422
    assert "Something has changed since" in other.content.decode()
    assert (invoice.amount, invoice.issued_by) == (300, billable.olivia)
    page = owner.go("client-receipts", **where).content.decode()
    assert invoice.number in page
    assert "Open" in page
    assert owner.go("invoice-pdf", invoice=invoice.uuid).content.startswith(b"%PDF")
    assert AuditEvent.objects.get(action="invoice.downloaded").details["invoice"] == str(
        invoice.uuid
    )
    assert "Nothing to invoice" in owner.go("invoice-client", **where).content.decode()
    owner.send("void-invoice", invoice=invoice.uuid)
    assert Invoice.objects.get().voided_by == billable.olivia
    assert "Void" in owner.go("client-receipts", **where).content.decode()


def test_an_invoice_names_a_payer_whose_portal_access_has_ended(
    billable: Cast, office: Door
) -> None:
    session, partner = attended(billable), make_account("noor@client.example")
    access = give(partner, billable.casey, Relationship.PARTNER)
    choose_billed(
        by=billable.tara, appointment=session, client=billable.casey,
        payer=Payer("Noor Haddad", account=partner),
    )  # fmt: skip
    PortalAccess.objects.filter(pk=access.pk).update(ended_at=now())
    billable.practice.uses_invoices = True
    billable.practice.save(update_fields=["uses_invoices"])
    day = (now() + timedelta(days=14)).date().isoformat()
    values = {"form_key": str(uuid.uuid4()), "charges": [str(session.uuid)], "due_on": day}
    where = {"client": billable.casey.uuid}
    assert office(billable.olivia).send("invoice-client", values, **where).status_code == 302
    assert Invoice.objects.get().facts["payer"] == "Noor Haddad"


def test_what_stops_an_invoice_stands_beside_a_field(billable: Cast, office: Door) -> None:
    first, second = attended(billable), attended(billable)
    choose_billed(
        by=billable.tara, appointment=first, client=billable.casey, payer=Payer("Acme Benefits")
    )
    billable.practice.uses_invoices = True
    billable.practice.save(update_fields=["uses_invoices"])
    owner, where = office(billable.olivia), {"client": billable.casey.uuid}
    day = (now() + timedelta(days=14)).date().isoformat()
    values = {
        "form_key": str(uuid.uuid4()), "charges": [str(first.uuid), str(second.uuid)],
        "due_on": day,
    }  # fmt: skip

    def errors(**more: Any) -> dict[str, list[str]]:
        answer = owner.send("invoice-client", {**values, **more}, **where)
        assert answer.status_code == 422
        found: dict[str, list[str]] = answer.context["form"].errors
        return found

    assert list(errors()) == ["charges"]
    assert "different payers" in errors()["charges"][0]
    alone = {"charges": [str(second.uuid)]}
    assert errors(**alone, due_on="2020-01-01") == {
        "due_on": ["Choose a day from today on, within a year."]
    }
    billable.tara.college = ""
    billable.tara.save(update_fields=["college"])
    assert errors(**alone) == {
        "charges": ["An invoice needs what is not written down yet: Tara Okafor’s college."]
    }
    assert not Invoice.objects.exists()


def test_the_currency_stays_once_money_is_recorded(billable: Cast, office: Door) -> None:
    owner = office(billable.olivia)
    values = {k: v for k, v in owner.go("practice").context["form"].initial.items() if v}
    assert owner.send("practice", {**values, "currency": "USD"}).status_code == 302
    assert owner.send("practice", {**values, "currency": "CAD"}).status_code == 302
    pay(billable, attended(billable), "50")
    refused = owner.send("practice", {**values, "currency": "USD", "name": "Maple and Oak"})
    assert refused.status_code == 422
    assert "Money is recorded in CAD" in refused.content.decode()
    assert "Maple and Oak" in refused.content.decode()
    billable.practice.refresh_from_db()
    assert (billable.practice.currency, billable.practice.name) == ("CAD", "Maple Counselling")
    assert owner.send("practice", {**values, "name": "Maple and Oak"}).status_code == 302


def test_invoices_are_a_setting_of_the_practice(billable: Cast, office: Door) -> None:
    owner = office(billable.olivia)
    page = owner.go("receipt-settings")
    assert page.context["form"].initial["uses_invoices"] == "no"
    values = {k: v for k, v in page.context["form"].initial.items() if v is not None}
    owner.send("receipt-settings", {**values, "uses_invoices": "yes"})
    billable.practice.refresh_from_db()
    assert billable.practice.uses_invoices
    event = AuditEvent.objects.get(action="practice.changed")
    assert event.details == {"fields": ["uses_invoices"]}


def test_a_record_costs_the_same_with_many_papers(billable: Cast, office: Door) -> None:
    from tests.office.test_lists import _counting

    owner, counts = office(billable.olivia), []
    where = {"client": billable.casey.uuid}
    refund_of(billable)
    invoice_of(billable)
    owner.go("client-receipts", **where)
    for _ in range(3):
        with _counting(counts):
            owner.go("client-receipts", **where)
        refund_of(billable)
        invoice_of(billable)
    while Refund.objects.count() < PAPERS_PER_PAGE + 2:
        refund_of(billable)
        invoice_of(billable)
    invoices = [each.number for each in Invoice.objects.all()]
    refunds = [str(each.uuid) for each in Refund.objects.all()]

    def shown(**query: str) -> tuple[list[str], list[str]]:
        with _counting(counts):
            page = owner.go("client-receipts", query, **where).content.decode()
        return (
            [number for number in invoices if f"<b>{number}</b>" in page],
            [refund for refund in refunds if refund in page],
        )

    first, second = slice(PAPERS_PER_PAGE), slice(PAPERS_PER_PAGE, None)
    assert shown() == (invoices[first], refunds[first])
    assert shown(invoices="2") == (invoices[second], refunds[first])
    assert shown(refunds="2", page="2") == (invoices[first], refunds[second])
    page = owner.go("client-receipts", {"refunds": "2"}, **where).content.decode()
    assert 'href="?refunds=2&amp;invoices=2#invoices-h"' in page
    assert 'aria-label="Pages of invoices"' in page
    assert counts == counts[:1] * 6
    assert counts[0] < 32
