"""Payments, receipts and voids: each whole, numbered, and written down."""

import re
import uuid
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import ProtectedError

from roost.audit.models import AuditEvent
from roost.billing.errors import (
    CannotIssue,
    HasReceipts,
    NotAnAttendee,
    NothingCharged,
    PaidBefore,
    WrongAmount,
    WrongDay,
)
from roost.billing.invoices import void_invoice
from roost.billing.models import Charge, Invoice, IsFixed, Payment, Receipt, ReceiptCounter
from roost.billing.owed import owed_for
from roost.billing.services import record_payment, set_tax_rate, take_attendance, void_receipt
from roost.core.time import now
from roost.scheduling.enums import Attendance
from roost.scheduling.errors import AttendanceTooEarly, IsCancelled
from roost.scheduling.models import Appointment, Service
from roost.scheduling.services import cancel_appointment
from tests.support.cast import Cast, make_appointment
from tests.support.money import attended, invoice_of, pay


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


def balance(cast: Cast, session: Appointment) -> Decimal:
    fresh = Appointment.objects.get(pk=session.pk)
    cast.practice.refresh_from_db()
    return owed_for(fresh, cast.practice).balance


def test_a_payment_issues_a_receipt_with_every_fact(billable: Cast, session: Appointment) -> None:
    receipt = pay(billable, session, payer="Robin Parker")
    year = now().astimezone(billable.practice.zone).year
    assert receipt.number == f"{year}-0001"
    facts = receipt.facts
    assert facts["practitioner"] == {
        "name": "Tara Okafor", "title": "RP", "registration_number": "009142",
        "college": "College of Registered Psychotherapists of Ontario",
    }  # fmt: skip
    assert (facts["client"], facts["payer"]) == ("Casey Nguyen", "Robin Parker")
    (line,) = facts["lines"]
    assert (line["fee"], line["tax_words"], line["amount"]) == (
        "150.00",
        "GST/HST exempt",
        "150.00",
    )
    assert (facts["paid"], facts["balance"]) == ("150.00", "0.00")
    assert balance(billable, session) == 0
    assert actions()[-2:] == ["payment.recorded", "receipt.issued"]
    assert AuditEvent.objects.get(action="receipt.issued").client_uuid == billable.casey.uuid


def test_part_payments_leave_a_balance_and_each_has_its_receipt(
    billable: Cast, session: Appointment
) -> None:
    first, second = pay(billable, session, "50"), pay(billable, session, "100")
    assert (first.facts["balance"], second.facts["balance"]) == ("100.00", "0.00")
    assert (second.facts["paid_before"], second.facts["paid"]) == ("50.00", "150.00")
    assert second.serial == first.serial + 1
    with pytest.raises(WrongAmount):
        pay(billable, session, "0.01")


@pytest.mark.parametrize("amount", ["0", "-1", "150.01", "1.001"])
def test_an_amount_that_cannot_be_is_refused_and_leaves_nothing(
    billable: Cast, session: Appointment, amount: str
) -> None:
    with pytest.raises(WrongAmount):
        pay(billable, session, amount)
    assert not Payment.objects.exists()
    assert not Charge.objects.exists()
    assert not ReceiptCounter.objects.exists()


def test_a_form_sent_again_finds_its_first_receipt(billable: Cast, session: Appointment) -> None:
    key, day = uuid.uuid4(), date(2026, 1, 2)
    results = [
        record_payment(
            by=billable.tara, key=key, appointment=session, amount=Decimal("60"), method="cash",
            paid_on=day,
        )
        for _ in range(2)
    ]  # fmt: skip
    assert [new for _, new in results] == [True, False]
    assert results[0][0] == results[1][0]
    assert Payment.objects.count() == 1


def test_the_tax_is_that_of_the_day_of_service(billable: Cast) -> None:
    billable.practice.tax_number = "123456789 RT0001"
    billable.practice.save(update_fields=["tax_number"])
    set_tax_rate(
        by=billable.olivia, service=billable.individual, from_on=date(2020, 1, 1),
        percent=Decimal("13"), name="HST",
    )  # fmt: skip
    before = attended(billable, starts_at=now().replace(year=2024, month=6, day=18))
    after = attended(billable, starts_at=now().replace(year=2024, month=6, day=22))
    assert pay(billable, before, "169.50").facts["lines"][0]["tax_words"] == "HST 13 %"
    assert pay(billable, after, "150").facts["lines"][0]["tax_words"] == "GST/HST exempt"
    set_tax_rate(
        by=billable.olivia, service=billable.individual, from_on=date(2020, 1, 1), percent=None
    )
    assert Receipt.objects.get(appointment=before).facts["tax"] == "19.50"


@pytest.mark.parametrize("lost", ["fee", "rate", "both"])
def test_what_is_fixed_stays_payable_without_its_fee_or_rate(
    billable: Cast, session: Appointment, lost: str
) -> None:
    """By its first payment, and by an invoice."""
    invoiced = attended(billable)
    invoice_of(billable, invoiced)
    pay(billable, session, "50")
    if lost != "rate":
        Service.objects.filter(pk=billable.individual.pk).update(fee=None)
    if lost != "fee":
        billable.individual.tax_rates.all().delete()
    with pytest.raises(CannotIssue):
        pay(billable, attended(billable))
    second = pay(billable, session, "100")
    assert (second.facts["balance"], second.facts["fee"]) == ("0.00", "150.00")
    assert pay(billable, invoiced).facts["lines"][0]["tax_words"] == "GST/HST exempt"
    billable.tara.college = ""
    billable.tara.save(update_fields=["college"])
    void_receipt(by=billable.olivia, receipt=second)
    with pytest.raises(CannotIssue) as stopped:
        pay(billable, session, "100")
    assert [each.words for each in stopped.value.missing] == ["Tara Okafor’s college"]


def test_a_late_cancel_costs_the_practices_share(billable: Cast) -> None:
    billable.practice.late_cancel_percent = 50
    billable.practice.save(update_fields=["late_cancel_percent"])
    late = attended(billable, attendance=Attendance.LATE_CANCEL)
    assert balance(billable, late) == 75
    assert pay(billable, late, "75").facts["lines"][0]["late_cancel_percent"] == 50


def test_the_share_of_a_late_cancel_is_fixed_with_its_charge(billable: Cast) -> None:
    """Papers say the share that the fee was computed with, whatever the practice asks for now."""

    def ask(percent: int) -> None:
        billable.practice.late_cancel_percent = percent
        billable.practice.save(update_fields=["late_cancel_percent"])

    def said(paper: Receipt | Invoice) -> tuple[str, int]:
        (line,) = paper.facts["lines"]
        return line["fee"], line["late_cancel_percent"]

    ask(50)
    late = attended(billable, attendance=Attendance.LATE_CANCEL)
    invoice = invoice_of(billable, late)
    ask(80)
    first = pay(billable, late, "50")
    void_invoice(by=billable.olivia, invoice=invoice)
    again = invoice_of(billable, late)
    assert [said(each) for each in (invoice, first, again)] == [("75.00", 50)] * 3
    void_invoice(by=billable.olivia, invoice=again)
    void_receipt(by=billable.olivia, receipt=first)
    assert said(pay(billable, late, "10")) == ("120.00", 80)
    assert Charge.objects.get(appointment=late).late_cancel_percent == 80
    held = attended(billable)
    pay(billable, held)
    assert Charge.objects.get(appointment=held).late_cancel_percent is None


@pytest.mark.parametrize(
    ("attribute", "name", "words"),
    [
        ("tara", "registration_number", "registration number"),
        ("tara", "college", "college"),
        ("tara", "title", "title"),
        ("practice", "address", "address"),
        ("practice", "phone", "phone number"),
    ],
)
def test_what_an_insurer_asks_for_stops_the_issue_when_it_is_missing(
    billable: Cast, session: Appointment, attribute: str, name: str, words: str
) -> None:
    holder = getattr(billable, attribute)
    setattr(holder, name, "")
    holder.save(update_fields=[name])
    with pytest.raises(CannotIssue) as stopped:
        pay(billable, session)
    (missing,) = stopped.value.missing
    assert words in missing.words
    assert missing.place == ("practice" if attribute == "practice" else "staff-member")
    assert not Receipt.objects.exists()


@pytest.mark.parametrize("name", ["title", "college", "registration_number"])
def test_a_supervisors_details_stop_it_just_the_same(
    billable: Cast, session: Appointment, name: str
) -> None:
    billable.tara.supervisor = billable.theo
    billable.tara.save(update_fields=["supervisor"])
    setattr(billable.theo, name, "")
    billable.theo.save(update_fields=[name])
    with pytest.raises(CannotIssue) as stopped:
        pay(billable, session)
    (missing,) = stopped.value.missing
    assert missing.words == f"{billable.theo.display_name}’s {name.replace('_', ' ')}"
    assert missing.value == str(billable.theo.uuid)
    assert not Receipt.objects.exists()


def test_a_service_without_fee_or_tax_stops_it_too(billable: Cast, session: Appointment) -> None:
    billable.individual.fee = None
    billable.individual.save(update_fields=["fee"])
    billable.individual.tax_rates.all().delete()
    with pytest.raises(CannotIssue) as stopped:
        pay(billable, session)
    assert [each.place for each in stopped.value.missing] == ["service", "service"]


def test_a_tax_is_charged_under_the_practices_number_only(
    billable: Cast, session: Appointment
) -> None:
    """On a receipt, on an invoice, and for what was fixed before; an exempt session needs none."""
    exempt = attended(billable)
    invoice = invoice_of(billable, exempt)
    set_tax_rate(
        by=billable.olivia, service=billable.individual, from_on=date(2025, 1, 1),
        percent=Decimal("13"), name="HST",
    )  # fmt: skip
    for issue in (
        lambda: pay(billable, session, "169.50"), lambda: invoice_of(billable, session),
    ):  # fmt: skip
        with pytest.raises(CannotIssue) as stopped:
            issue()
        (missing,) = stopped.value.missing
        assert (missing.words, missing.place) == (
            "The practice’s tax number, for HST is charged", "receipt-settings",
        )  # fmt: skip
    pay(billable, exempt)
    assert not Invoice.objects.exclude(pk=invoice.pk).exists()
    billable.practice.tax_number = "123456789 RT0001"
    billable.practice.save(update_fields=["tax_number"])
    receipt = pay(billable, session, "100")
    assert receipt.facts["practice"]["tax_number"] == "123456789 RT0001"
    billable.practice.tax_number = ""
    billable.practice.save(update_fields=["tax_number"])
    with pytest.raises(CannotIssue):
        pay(billable, session, "69.50")


def test_nothing_is_paid_before_attendance_nor_tomorrow(billable: Cast) -> None:
    undecided = attended(billable, attendance=Attendance.SCHEDULED)
    with pytest.raises(NothingCharged):
        pay(billable, undecided)
    tomorrow = now().astimezone(billable.practice.zone).date() + timedelta(days=1)
    with pytest.raises(WrongDay):
        pay(billable, attended(billable), paid_on=tomorrow)


def test_somebody_of_the_session_is_billed_the_first_unless_chosen(billable: Cast) -> None:
    people = (billable.robin, billable.remy)
    family = {"therapist": billable.theo, "service": billable.family}
    assert pay(billable, attended(billable, *people, **family), "210").client == billable.robin
    chosen = attended(billable, *people, **family)
    assert pay(billable, chosen, "10", client=billable.remy).client == billable.remy
    with pytest.raises(NotAnAttendee):
        pay(billable, attended(billable, *people, **family), "10", client=billable.casey)


def test_voiding_is_for_good_and_the_payment_counts_no_more(
    billable: Cast, session: Appointment, receipt: Receipt
) -> None:
    facts = receipt.facts
    assert void_receipt(by=billable.olivia, receipt=receipt)
    assert not void_receipt(by=billable.olivia, receipt=receipt)
    assert actions().count("receipt.voided") == 1
    assert balance(billable, session) == 150
    again = pay(billable, session, payer="Somebody Else")
    assert again.serial == receipt.serial + 1
    fresh = Receipt.objects.get(pk=receipt.pk)
    assert fresh.is_void
    assert fresh.facts == facts
    assert again.facts["payer"] == "Somebody Else"


def test_a_payment_that_later_papers_say_was_made_before_goes_after_them(
    billable: Cast, session: Appointment
) -> None:
    """Of one session: the newest first. Those of other sessions say nothing of it."""
    first, second = pay(billable, session, "50"), pay(billable, session, "20")
    invoice = invoice_of(billable, session, attended(billable))
    third = pay(billable, session, "80")
    pay(billable, attended(billable))
    named = {
        first: (third.number, f"invoice {invoice.number}", second.number),
        second: (third.number, f"invoice {invoice.number}"),
    }
    for receipt, papers in named.items():
        with pytest.raises(PaidBefore) as stopped:
            void_receipt(by=billable.olivia, receipt=receipt)
        words = str(stopped.value)
        assert re.findall(r"INV-[\d-]+\d|(?<![-\d])\d{4}-\d{4}", words) == [
            *(each.removeprefix("invoice ") for each in papers), receipt.number,
        ]  # fmt: skip
        assert "in this order" in words
    assert balance(billable, session) == 0
    assert void_receipt(by=billable.olivia, receipt=third)
    with pytest.raises(PaidBefore, match=f"^Invoice {invoice.number} says .* Void it first"):
        void_receipt(by=billable.olivia, receipt=second)
    void_invoice(by=billable.olivia, invoice=invoice)
    assert void_receipt(by=billable.olivia, receipt=second)
    assert void_receipt(by=billable.olivia, receipt=first)
    pay(billable, session, "50")
    assert not void_receipt(by=billable.olivia, receipt=first)
    assert actions().count("receipt.voided") == 3


def test_an_invoice_that_asked_for_all_of_it_says_nothing_of_a_payment(
    billable: Cast, session: Appointment
) -> None:
    invoice_of(billable, session)
    first = pay(billable, session, "50")
    voided = pay(billable, session, "20")
    void_receipt(by=billable.olivia, receipt=voided)
    assert void_receipt(by=billable.olivia, receipt=first)
    assert balance(billable, session) == 150


def test_a_therapist_is_told_who_voids_an_invoice(billable: Cast, session: Appointment) -> None:
    first = pay(billable, session, "50")
    invoice_of(billable, session)
    for by, told in ((billable.tara, True), (billable.adam, False)):
        with pytest.raises(PaidBefore) as stopped:
            void_receipt(by=by, receipt=first)
        assert ("An owner or an admin voids invoices." in str(stopped.value)) is told


def test_voiding_as_attendance_asks_for_it_comes_to_an_end(
    billable: Cast, session: Appointment
) -> None:
    """The paper that is named is one that can be voided."""
    for _ in range(3):
        pay(billable, session, "50")
    for number in (3, 2, 1):
        newest = Receipt.objects.get(serial=number)
        with pytest.raises(HasReceipts, match=newest.number):
            take_attendance(by=billable.tara, appointment=session, attendance="no_show")
        void_receipt(by=billable.tara, receipt=newest)
    take_attendance(by=billable.tara, appointment=session, attendance="no_show")


def test_a_receipt_is_neither_edited_nor_deleted_nor_left_without_its_client(
    billable: Cast, receipt: Receipt
) -> None:
    receipt.amount = Decimal(1)
    with pytest.raises(IsFixed):
        receipt.save()
    with pytest.raises(IsFixed):
        receipt.save(update_fields=["voided_at"])
    with pytest.raises(IsFixed):
        receipt.delete()
    with pytest.raises(ProtectedError):
        billable.casey.delete()


# Attendance


def test_attendance_is_marked_and_undone_by_another_press(billable: Cast) -> None:
    session = attended(billable, attendance=Attendance.SCHEDULED)
    marks = [Attendance.ATTENDED, Attendance.NO_SHOW, Attendance.LATE_CANCEL, Attendance.SCHEDULED]
    before = [
        take_attendance(by=billable.tara, appointment=session, attendance=mark)
        for mark in [*marks, Attendance.SCHEDULED]
    ]
    who = session.attendees.get().uuid
    assert before == [{who: mark} for mark in [Attendance.SCHEDULED, *marks]]
    assert actions().count("attendance.marked") == 4
    event = AuditEvent.objects.filter(action="attendance.marked")[0]
    assert event.client_uuid == billable.casey.uuid


def test_a_session_to_come_is_not_marked_and_a_cancelled_one_can_be_late(billable: Cast) -> None:
    coming = make_appointment(
        billable.tara, billable.casey, service=billable.individual,
        starts_at=now() + timedelta(hours=3),
    )  # fmt: skip
    with pytest.raises(AttendanceTooEarly):
        take_attendance(by=billable.tara, appointment=coming, attendance="attended")
    cancel_appointment(by=billable.tara, appointment=coming)
    with pytest.raises(IsCancelled):
        take_attendance(by=billable.tara, appointment=coming, attendance="attended")
    take_attendance(by=billable.tara, appointment=coming, attendance="late_cancel")
    assert balance(billable, coming) == 150


def test_a_valid_receipt_holds_attendance(
    billable: Cast, session: Appointment, receipt: Receipt
) -> None:
    with pytest.raises(HasReceipts):
        take_attendance(by=billable.tara, appointment=session, attendance="no_show")
    assert session.attendees.get().attendance == Attendance.ATTENDED
    assert take_attendance(by=billable.tara, appointment=session, attendance="attended")
    void_receipt(by=billable.olivia, receipt=receipt)
    take_attendance(by=billable.tara, appointment=session, attendance="no_show")
    assert session.attendees.get().attendance == Attendance.NO_SHOW


def test_a_pdf_that_fails_takes_nothing_back(
    billable: Cast,
    session: Appointment,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The payment is committed: nobody is told otherwise, and the next download makes the PDF."""

    def fail(receipt: Receipt) -> bytes:
        raise RuntimeError("No room left.")

    monkeypatch.setattr("roost.billing.services.document_of", fail)
    with django_capture_on_commit_callbacks(execute=True):
        receipt = pay(billable, session)
    with django_capture_on_commit_callbacks(execute=True):
        assert void_receipt(by=billable.olivia, receipt=receipt)
    assert Receipt.objects.get().is_void
    assert caplog.text.count("No room left.") >= 2
