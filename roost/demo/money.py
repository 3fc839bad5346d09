"""A year of payments in the demo: paid, part-paid and void, exempt and taxed.

The rows are made in bulk. Their PDFs are made when somebody first downloads one.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from roost.billing.codes import new_code
from roost.billing.enums import Method
from roost.billing.facts import facts_of
from roost.billing.models import Charge, Payment, Receipt, ReceiptCounter, TaxRate
from roost.billing.owed import rates_of
from roost.billing.rules import Rate, make_line, rate_on
from roost.clients.models import Client
from roost.core.time import now
from roost.practices.models import Practice
from roost.scheduling.enums import Attendance
from roost.scheduling.models import Appointment, Service
from roost.scheduling.queries import with_people
from roost.staff.models import StaffMember

FEES = {"Individual": "150", "Couple": "190", "Family": "210", "Coaching": "160"}
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
        )
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
                tax_percent=rate.percent, tax=line.tax, total=line.amount,
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
