"""Invoices: numbered, fixed, followed by payments, and voided."""

import uuid
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from roost.audit.models import AuditEvent
from roost.billing.balances import balance_of_client, bills_to_invoice
from roost.billing.charging import choose_billed
from roost.billing.errors import (
    AlreadyBilled,
    BillingError,
    CannotIssue,
    HasReceipts,
    NothingToInvoice,
    WrongDay,
)
from roost.billing.invoice_pdf import document_of_invoice
from roost.billing.invoices import issue_invoice, still_due, void_invoice, with_states
from roost.billing.models import Invoice, InvoiceDocument, InvoiceLine, IsFixed
from roost.billing.owed import Payer, owed_for
from roost.billing.services import take_attendance, void_receipt
from roost.clients.models import Client
from roost.core.time import now
from roost.scheduling.models import Appointment
from tests.billing.test_pdf import text_of
from tests.support.cast import Cast
from tests.support.money import attended, pay


@pytest.fixture(autouse=True)
def invoicing(billable: Cast) -> None:
    billable.practice.uses_invoices = True
    billable.practice.save(update_fields=["uses_invoices"])


def issue(
    cast: Cast, *sessions: Appointment, client: Client | None = None, days: int = 30,
    key: uuid.UUID | None = None,
) -> Invoice:  # fmt: skip
    return issue_invoice(
        by=cast.olivia, key=key or uuid.uuid4(), client=client or cast.casey,
        chosen=[str(each.uuid) for each in sessions],
        due_on=now().astimezone(cast.practice.zone).date() + timedelta(days=days),
    )[0]  # fmt: skip


def state(invoice: Invoice, days: int = 0) -> str:
    today = now().date() + timedelta(days=days)
    return with_states([Invoice.objects.get(pk=invoice.pk)], today)[0][2]


def test_an_invoice_asks_for_what_is_owed(billable: Cast, tmp_path: Path) -> None:
    first, second = attended(billable), attended(billable, attendance="no_show")
    pay(billable, first, "50")
    invoice = issue(billable, first, second)
    year = now().astimezone(billable.practice.zone).year
    assert (invoice.number, invoice.amount) == (f"INV-{year}-0001", Decimal(250))
    assert [line.amount for line in invoice.lines.all()] == [100, 150]
    event = AuditEvent.objects.get(action="invoice.issued")
    assert (event.client_uuid, event.subject_uuid) == (billable.casey.uuid, invoice.uuid)
    text = text_of(document_of_invoice(invoice), tmp_path)
    for words in (
        f"No. {invoice.number}", "Casey Nguyen", "Maple Counselling", "416 555 0142",
        "Missed session (no show): Individual", "Tara Okafor, RP", "Total, CAD", "$300.00",
        "Paid before", "$50.00", "$250.00", "GST/HST exempt", "An invoice is no receipt",
    ):  # fmt: skip
        assert words in text, words
    assert bills_to_invoice(billable.casey, billable.practice) == []


def test_it_is_paid_when_its_sessions_are(billable: Cast) -> None:
    first, second = attended(billable), attended(billable)
    invoice = issue(billable, first, second)
    assert (state(invoice), state(invoice, 31)) == ("Open", "Overdue")
    pay(billable, first)
    receipt = pay(billable, second, "170", keep_over=True)
    assert still_due([invoice]) == {invoice.pk: Decimal(0)}
    assert state(invoice, 31) == "Paid"
    void_receipt(by=billable.olivia, receipt=receipt)
    assert (state(invoice), still_due([invoice])[invoice.pk]) == ("Open", 150)


def test_it_fixes_what_its_sessions_cost_until_it_is_void(billable: Cast) -> None:
    session = attended(billable)
    invoice = issue(billable, session)
    billable.individual.fee = Decimal(200)
    billable.individual.save(update_fields=["fee"])
    assert owed_for(session, billable.practice).balance == 150
    with pytest.raises(HasReceipts, match=f"Invoice {invoice.number} says"):
        take_attendance(by=billable.tara, appointment=session, attendance="no_show")
    with pytest.raises(AlreadyBilled):
        choose_billed(by=billable.tara, appointment=session, client=billable.casey, payer=Payer())
    issued = document_of_invoice(invoice)
    assert void_invoice(by=billable.olivia, invoice=invoice)
    assert not void_invoice(by=billable.olivia, invoice=invoice)
    assert AuditEvent.objects.filter(action="invoice.voided").count() == 1
    assert state(invoice) == "Void"
    assert owed_for(session, billable.practice).balance == 200
    take_attendance(by=billable.tara, appointment=session, attendance="no_show")
    fresh = Invoice.objects.get(pk=invoice.pk)
    assert document_of_invoice(fresh) != issued
    assert bytes(InvoiceDocument.objects.get(kind="issued").pdf) == issued
    again = issue(billable, session)
    assert (again.serial, again.amount) == (invoice.serial + 1, Decimal(200))


def test_a_void_one_says_so(billable: Cast, tmp_path: Path) -> None:
    invoice = issue(billable, attended(billable))
    void_invoice(by=billable.olivia, invoice=invoice)
    pdf = document_of_invoice(Invoice.objects.get(pk=invoice.pk))
    assert text_of(pdf, tmp_path).startswith("VOID This invoice was voided on")


def test_a_payment_outlives_its_invoice(billable: Cast) -> None:
    session = attended(billable)
    invoice = issue(billable, session)
    pay(billable, session, "100")
    void_invoice(by=billable.olivia, invoice=invoice)
    assert owed_for(session, billable.practice).charge is not None
    assert balance_of_client(billable.casey, billable.practice).owed == 50


def test_nothing_is_asked_for_twice_or_of_somebody_else(billable: Cast) -> None:
    session, noors = attended(billable), attended(billable, billable.noor)
    paid = attended(billable)
    pay(billable, paid)
    key = uuid.uuid4()
    assert issue(billable, session, key=key) == issue(billable, session, key=key)
    for wrong in ([session], [noors], [paid], [], [attended(billable), noors]):
        with pytest.raises(NothingToInvoice):
            issue(billable, *wrong)
    with pytest.raises(WrongDay):
        issue(billable, attended(billable), days=-1)
    assert Invoice.objects.count() == 1
    assert InvoiceLine.objects.count() == 1


def test_different_payers_have_different_invoices(billable: Cast) -> None:
    first, second = attended(billable), attended(billable)
    choose_billed(
        by=billable.tara, appointment=first, client=billable.casey, payer=Payer("Acme Benefits")
    )  # fmt: skip
    with pytest.raises(NothingToInvoice, match="different payers"):
        issue(billable, first, second)
    assert issue(billable, first).facts["payer"] == "Acme Benefits"
    assert issue(billable, second).facts["payer"] == ""


def test_what_a_receipt_would_miss_stops_an_invoice(billable: Cast) -> None:
    billable.tara.college = ""
    billable.tara.save(update_fields=["college"])
    with pytest.raises(CannotIssue) as stopped:
        issue(billable, attended(billable))
    assert [each.words for each in stopped.value.missing] == ["Tara Okafor’s college"]


def test_a_practice_that_wants_none_issues_none(billable: Cast) -> None:
    billable.practice.uses_invoices = False
    billable.practice.save(update_fields=["uses_invoices"])
    with pytest.raises(BillingError, match="issues no invoices"):
        issue(billable, attended(billable))


def test_an_invoice_is_never_edited_or_deleted(billable: Cast) -> None:
    invoice = issue(billable, attended(billable))
    before = Invoice.objects.values_list().get()
    for attempt in (
        lambda: Invoice.objects.update(amount=1),
        lambda: Invoice.objects.bulk_update([invoice], ["amount"]),
        lambda: Invoice.objects.all().delete(),
        invoice.save,
        invoice.delete,
        lambda: InvoiceLine.objects.update(amount=1),
        lambda: InvoiceLine.objects.all().delete(),
    ):
        with pytest.raises(IsFixed):
            attempt()
    assert Invoice.objects.values_list().get() == before


def test_it_is_printed_in_the_practices_language(billable: Cast, tmp_path: Path) -> None:
    billable.practice.receipt_language = "fr"
    billable.practice.save(update_fields=["receipt_language"])
    text = text_of(document_of_invoice(issue(billable, attended(billable))), tmp_path)
    for words in ("Facture", "émise le", "À payer", "150,00", "exonéré de la TPS/TVH", "Vidéo"):
        assert words in text, words
    assert "Invoice" not in text


@pytest.mark.parametrize("name", ['*A* #panic() $x$ "); #let', "<script>x</script>", "x" * 100])
def test_hostile_names_are_printed_as_they_were_typed(
    billable: Cast, tmp_path: Path, name: str
) -> None:
    billable.casey.first_name = name
    billable.casey.save()
    text = text_of(document_of_invoice(issue(billable, attended(billable))), tmp_path)
    assert name.replace(" ", "") in text.replace(" ", "")
