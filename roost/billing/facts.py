"""What a receipt says, frozen when it is issued: plain text and dates, no rows."""

from datetime import date
from decimal import Decimal
from typing import Any

from roost.billing.codes import say_code
from roost.billing.models import Charge, Payment, Receipt
from roost.billing.rules import Rate, balance_of, plain, say_rate
from roost.practices.addresses import full_url
from roost.practices.models import Practice
from roost.scheduling.enums import Attendance
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
) -> dict[str, Any]:
    """Everything that a receipt's documents print. Amounts are text in the charge's currency,
    dates ISO 8601; the day of service is the practice's."""

    def say(amount: Decimal) -> str:
        return plain(amount, charge.currency)

    therapist, supervisor = appointment.therapist, appointment.therapist.supervisor
    day = appointment.starts_at.astimezone(practice.zone).date()
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
            {
                "on": day.isoformat(),
                "service": appointment.service.name,
                "attendance": attendance,
                "late_cancel_percent": (
                    practice.late_cancel_percent if attendance == Attendance.LATE_CANCEL else None
                ),
                "mode": appointment.mode,
                "minutes": appointment.duration_minutes,
                "code": appointment.service.billing_code,
                "fee": say(charge.fee),
                "tax": say(charge.tax),
                "tax_words": say_rate(Rate(date.min, charge.tax_percent, charge.tax_name)),
                "amount": say(charge.total),
            }
        ],
        "fee": say(charge.fee),
        "tax": say(charge.tax),
        "total": say(charge.total),
        "paid_before": say(paid_before),
        "paid_now": say(payment.amount),
        "paid": say(paid),
        "balance": say(balance_of(charge.total, [paid])),
        "method": payment.method,
        "paid_on": payment.paid_on.isoformat(),
        "code": say_code(receipt.code),
        "url": full_url(practice, "portal", "receipt-check", code=say_code(receipt.code)),
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
