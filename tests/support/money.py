"""Fees, sessions that were held, and their receipts."""

import uuid
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from roost.billing.models import Receipt, TaxRate
from roost.billing.services import record_payment
from roost.clients.models import Client
from roost.core.time import now
from roost.scheduling.enums import Attendance
from roost.scheduling.models import Appointment, Attendee
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
    receipt, _ = record_payment(
        by=cast.olivia,
        key=uuid.uuid4(),
        appointment=appointment,
        amount=Decimal(amount),
        **values,
    )
    return receipt
