"""A year of payments in the demo: paid, part-paid and void, exempt and taxed, with a supervisor
and without, of a couple and of a group, with credit that was left over and used, and an invoice.

Most rows are made in bulk. Their PDFs are made when somebody first downloads one.
"""

import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from roost.billing.balances import bills_to_invoice, unfixed_bills
from roost.billing.codes import new_code
from roost.billing.enums import Method
from roost.billing.facts import facts_of
from roost.billing.invoices import bill_key, issue_invoice
from roost.billing.models import Charge, Payment, Receipt, ReceiptCounter, TaxRate
from roost.billing.owed import Payer, rates_of
from roost.billing.rules import Rate, make_line, rate_on
from roost.billing.services import record_payment
from roost.clients.models import Client
from roost.core.time import now
from roost.practices.models import Practice
from roost.scheduling.enums import Attendance, ServiceType
from roost.scheduling.models import Appointment, Service
from roost.scheduling.queries import with_people
from roost.staff.models import StaffMember

FEES = {
    "Individual": "150", "Couple": "190", "Family": "210", "Coaching": "160",
    "Evening circle": "40",
}  # fmt: skip
EXEMPT_SINCE = date(2024, 6, 20)
METHODS = [Method.CREDIT_CARD, Method.E_TRANSFER, Method.CREDIT_CARD, Method.DEBIT_CARD]
# The newest sessions are left to be paid for by whoever tries it out.
UNPAID = timedelta(days=8)


def set_prices() -> None:
    """Fees, billing codes and tax: psychotherapy exempt since 20 June 2024, coaching taxed."""
    for service in Service.objects.all():
        service.fee = Decimal(FEES[service.name])
        service.save(update_fields=["fee"])
        TaxRate.objects.create(
            service=service, from_on=date(2010, 7, 1), name="HST", percent=Decimal(13)
        )
        if service.name != "Coaching":
            TaxRate.objects.create(service=service, from_on=EXEMPT_SINCE)


def make_receipts(practice: Practice, by: StaffMember, clients: Iterable[Client]) -> None:
    """Receipts for the sessions that these clients have attended: of every ninth a part only is
    paid, and every thirteenth is void."""
    rows = with_people(
        Appointment.objects.filter(
            attendees__client__in=list(clients),
            attendees__attendance=Attendance.ATTENDED,
            ends_at__lt=now() - UNPAID,
        ).exclude(service__type__in=[ServiceType.GROUP, ServiceType.COUPLE])
    )
    held = list(rows.select_related("therapist__supervisor").distinct().order_by("starts_at"))
    rates: dict[int, list[Rate]] = {}
    charges = []
    for appointment in held:
        service = appointment.service
        known = rates.setdefault(service.pk, rates_of(service))
        rate = rate_on(known, appointment.starts_at.astimezone(practice.zone).date())
        assert service.fee is not None and rate is not None
        line = make_line(service.fee, rate.percent, practice.currency)
        charges.append(
            Charge(
                appointment=appointment, client=appointment.attendees.all()[0].client,
                currency=practice.currency, fee=line.fee, tax_name=rate.name,
                tax_percent=rate.percent, tax=line.tax, total=line.amount, fixed_at=now(),
            )
        )  # fmt: skip
    charges = Charge.objects.bulk_create(charges, batch_size=500)
    payments = [
        Payment(
            charge=charge,
            amount=Decimal(100) if number % 9 == 8 else charge.total,
            method=METHODS[number % len(METHODS)],
            paid_on=charge.appointment.ends_at.astimezone(practice.zone).date(),
            recorded_by=by,
        )
        for number, charge in enumerate(charges)
    ]
    payments = Payment.objects.bulk_create(payments, batch_size=500)
    serials: Counter[int] = Counter()
    receipts = []
    for number, payment in enumerate(payments):
        appointment = payment.charge.appointment
        year = payment.paid_on.year
        serials[year] += 1
        issued_at = appointment.ends_at + timedelta(minutes=10)
        receipt = Receipt(
            year=year, serial=serials[year], payment=payment, appointment=appointment,
            client=payment.charge.client, issued_on=payment.paid_on, issued_at=issued_at,
            issued_by=by, currency=payment.charge.currency, amount=payment.amount,
            code=new_code(),
        )  # fmt: skip
        if number % 13 == 12:
            receipt.voided_at, receipt.voided_by = issued_at + timedelta(days=1), by
        receipt.facts = facts_of(
            receipt, practice, appointment, payment.charge, payment,
            attendance=Attendance.ATTENDED, paid_before=Decimal(0),
        )  # fmt: skip
        receipts.append(receipt)
    Receipt.objects.bulk_create(receipts, batch_size=500)
    for year, last in serials.items():
        ReceiptCounter.objects.create(year=year, last=last)


def pay_together(
    practice: Practice, by: StaffMember, couple: Appointment, group: Appointment, invoiced: Client
) -> None:
    """What the bulk does not have: a couple whose second pays for the first, a group of which two
    have paid, one of them more than is owed; what is over pays a part of another session. And an
    invoice for the last sessions that `invoiced` owes."""
    first, second = (each.client for each in couple.attendees.all())
    _pay(practice, by, couple, "190", payer=Payer(client=second), client=first)
    casey, noor = (each.client for each in group.attendees.all()[:2])
    _pay(practice, by, group, "40", client=casey)
    _pay(practice, by, group, "60", client=noor, keep_over=True)
    owed = [each for each in unfixed_bills(noor, practice) if each.balance > 20]
    if owed:
        today = now().astimezone(practice.zone).date()
        _pay(
            practice, by, owed[-1].appointment, "20", method=Method.CREDIT, paid_on=today
        )  # fmt: skip
    practice.uses_invoices = True
    practice.save(update_fields=["uses_invoices"])
    if bills := bills_to_invoice(invoiced, practice)[-2:]:
        issue_invoice(
            by=by, key=uuid.uuid4(), client=invoiced, chosen=[bill_key(each) for each in bills],
            due_on=now().astimezone(practice.zone).date() + timedelta(days=30),
        )  # fmt: skip


def _pay(
    practice: Practice, by: StaffMember, appointment: Appointment, amount: str, **more: Any
) -> None:
    record_payment(
        by=by, key=uuid.uuid4(), appointment=appointment, amount=Decimal(amount),
        **{
            "method": Method.E_TRANSFER,
            "paid_on": appointment.ends_at.astimezone(practice.zone).date(),
            **more,
        },
    )  # fmt: skip
