"""Fees, sessions that were held, and their receipts."""

import uuid
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from roost.billing.credit import give_back
from roost.billing.invoices import issue_invoice
from roost.billing.models import Invoice, Receipt, Refund, TaxRate
from roost.billing.owed import Payer
from roost.billing.services import record_payment
from roost.clients.models import Client
from roost.core.time import now
from roost.scheduling.enums import Attendance, ServiceType
from roost.scheduling.models import Appointment, Attendee, Service
from tests.support.cast import Cast, make_appointment

COLLEGE = "College of Registered Psychotherapists of Ontario"


def make_billable(cast: Cast) -> None:
    """All that a receipt needs, but for a session. Needs a scope."""
    for member, number in ((cast.tara, "009142"), (cast.theo, "831150")):
        member.college, member.registration_number = COLLEGE, number
        member.save(update_fields=["college", "registration_number"])
    for service, fee in ((cast.individual, "150"), (cast.family, "210")):
        service.fee = Decimal(fee)
        service.save(update_fields=["fee"])
        TaxRate.objects.create(service=service, from_on=date(2024, 6, 20))


def make_group(cast: Cast, *people: Client, **more: Any) -> Appointment:
    """A group of yesterday with Tara, at 40 for each, exempt: attended by Casey, Noor and Robin
    unless said otherwise. Needs a scope."""
    service, new = Service.objects.get_or_create(
        name="Circle",
        defaults={"type": ServiceType.GROUP, "duration_minutes": 90, "fee": Decimal(40)},
    )
    if new:
        TaxRate.objects.create(service=service, from_on=date(2024, 6, 20))
    who = people or (cast.casey, cast.noor, cast.robin)
    return attended(cast, *who, service=service, **more)


def attended(
    cast: Cast, *clients: Client, attendance: str = Attendance.ATTENDED, **more: Any
) -> Appointment:
    """A session of yesterday: Casey's with Tara unless said otherwise. Needs a scope."""
    values = {"service": cast.individual, "starts_at": now() - timedelta(days=1), **more}
    therapist = values.pop("therapist", cast.tara)
    appointment = make_appointment(therapist, *(clients or (cast.casey,)), **values)
    Attendee.objects.filter(appointment=appointment).update(attendance=attendance)
    return appointment


def pay(cast: Cast, appointment: Appointment, amount: str = "150", **more: Any) -> Receipt:
    """Record a payment as the owner, by credit card, today. Needs a scope."""
    values: dict[str, Any] = {
        "method": "credit_card",
        "paid_on": now().astimezone(cast.practice.zone).date(),
        **more,
    }
    if isinstance(values.get("payer"), str):
        values["payer"] = Payer(values["payer"])
    receipt, _ = record_payment(
        by=cast.olivia,
        key=uuid.uuid4(),
        appointment=appointment,
        amount=Decimal(amount),
        **values,
    )
    return receipt


def refund_of(cast: Cast, amount: str = "20") -> Refund:
    """Credit that Casey was given back, of a payment with something left over. Needs a scope."""
    pay(cast, attended(cast), "200", keep_over=True)
    refund, _ = give_back(
        by=cast.olivia,
        key=uuid.uuid4(),
        client=cast.casey,
        practice=cast.practice,
        amount=Decimal(amount),
        method="e_transfer",
        refunded_on=now().astimezone(cast.practice.zone).date(),
    )
    return refund


def invoice_of(cast: Cast, *sessions: Appointment, **more: Any) -> Invoice:
    """An invoice for Casey, of a session held yesterday unless said otherwise, due in 30 days.
    The practice issues invoices from then on. Needs a scope."""
    cast.practice.uses_invoices = True
    cast.practice.save(update_fields=["uses_invoices"])
    values: dict[str, Any] = {"by": cast.olivia, "key": uuid.uuid4(), "client": cast.casey, **more}
    today = now().astimezone(cast.practice.zone).date()
    values.setdefault("due_on", today + timedelta(days=30))
    chosen = [str(each.uuid) for each in sessions or (attended(cast),)]
    return issue_invoice(chosen=chosen, **values)[0]
