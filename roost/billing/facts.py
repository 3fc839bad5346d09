"""What a receipt says, frozen when it is issued: plain text and dates, no rows."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from roost.billing.codes import say_code
from roost.billing.models import Charge, Payment, Receipt
from roost.billing.rules import Line, Rate, balance_of, plain, say_rate
from roost.practices.addresses import full_url
from roost.practices.models import Practice
from roost.scheduling.models import Appointment
from roost.staff.models import StaffMember


def facts_of(
    receipt: Receipt,
    practice: Practice,
    appointment: Appointment,
    charge: Charge,
    payment: Payment,
    *,
    attendance: str,
    paid_before: Decimal,
    credit_from: Sequence[tuple[str, Decimal]] = (),
) -> dict[str, Any]:
    """Everything that a receipt's documents print. Amounts are text in the charge's currency,
    dates ISO 8601; the day of service is the practice's. `credit_from` are the numbers of the
    receipts whose credit pays, and how much of each."""

    def say(amount: Decimal) -> str:
        return plain(amount, charge.currency)

    therapist, supervisor = appointment.therapist, appointment.therapist.supervisor
    line, rate = Line(charge.fee, charge.tax), Rate(date.min, charge.tax_percent, charge.tax_name)
    paid = paid_before + payment.amount
    return {
        **about_practice(practice),
        "number": receipt.number,
        "issued_on": receipt.issued_on.isoformat(),
        "currency": charge.currency,
        "practitioner": about_practitioner(therapist),
        "supervisor": None if supervisor is None else about_practitioner(supervisor),
        "client": charge.client.name,
        "payer": charge.payer,
        "lines": [
            line_facts(
                practice,
                appointment,
                line,
                rate,
                attendance,
                charge.late_cancel_percent,
                charge.currency,
            )
        ],
        "fee": say(charge.fee),
        "tax": say(charge.tax),
        "total": say(charge.total),
        "paid_before": say(paid_before),
        "paid_now": say(payment.amount),
        "received": say(payment.amount + payment.over),
        "over": say(payment.over),
        "credit_from": [
            {"number": number, "amount": say(amount)} for number, amount in credit_from
        ],
        "paid": say(paid),
        "balance": say(balance_of(charge.total, [paid])),
        "method": payment.method,
        "paid_on": payment.paid_on.isoformat(),
        "code": say_code(receipt.code),
        "url": full_url(practice, "portal", "receipt-check", code=say_code(receipt.code)),
    }


def line_facts(
    practice: Practice,
    appointment: Appointment,
    line: Line,
    rate: Rate,
    attendance: str,
    late_cancel_percent: int | None,
    currency: str,
) -> dict[str, Any]:
    """One session as papers list it. The service is read with the appointment."""
    return {
        "on": appointment.starts_at.astimezone(practice.zone).date().isoformat(),
        "service": appointment.service.name,
        "attendance": attendance,
        "late_cancel_percent": late_cancel_percent,
        "mode": appointment.mode,
        "minutes": appointment.duration_minutes,
        "code": appointment.service.billing_code,
        "fee": plain(line.fee, currency),
        "tax": plain(line.tax, currency),
        "tax_words": say_rate(rate),
        "amount": plain(line.amount, currency),
    }


def about_practice(practice: Practice) -> dict[str, Any]:
    """What facts say of a practice, and how they are printed. Version 1 had no language or logo."""
    return {
        "version": 2,
        "language": practice.receipt_language,
        "paper": practice.paper,
        "logo": practice.receipt_logo,
        "practice": {
            "name": practice.name,
            "address": practice.address,
            "phone": practice.phone,
            "tax_number": practice.tax_number,
        },
    }


def about_practitioner(member: StaffMember) -> dict[str, str]:
    """What facts say of a therapist or their supervisor."""
    return {
        "name": member.display_name,
        "title": member.title,
        "college": member.college,
        "registration_number": member.registration_number,
    }
