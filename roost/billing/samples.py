"""What the practice's receipts look like, on a client who does not exist."""

from datetime import date
from decimal import Decimal
from typing import Any

from roost.billing.enums import Method
from roost.billing.facts import about_practice, practitioner_facts
from roost.billing.rules import EXEMPT, plain
from roost.practices.addresses import full_url
from roost.practices.models import Practice
from roost.scheduling.enums import Attendance, Mode
from roost.staff.models import StaffMember

FEE = Decimal(150)
NO_CODE = "0000-0000-0000-0000"


def sample_facts(practice: Practice, therapist: StaffMember, *, today: date) -> dict[str, Any]:
    """The facts of a receipt as `facts_of` would freeze them, marked as a sample. No row is made
    and no number taken; its code is none that can be given."""
    fee, nothing = plain(FEE, practice.currency), plain(Decimal(0), practice.currency)
    supervisor = therapist.supervisor
    return {
        **about_practice(practice),
        "is_sample": True,
        "number": f"{practice.receipt_prefix}{today.year}-0000",
        "issued_on": today.isoformat(),
        "currency": practice.currency,
        "practitioner": practitioner_facts(therapist),
        "supervisor": None if supervisor is None else practitioner_facts(supervisor),
        "client": "Sample Client",
        "payer": "",
        "lines": [
            {
                "on": today.isoformat(),
                "service": "Individual",
                "attendance": Attendance.ATTENDED,
                "late_cancel_percent": None,
                "mode": Mode.VIDEO,
                "minutes": 50,
                "code": "",
                "fee": fee,
                "tax": nothing,
                "tax_words": EXEMPT,
                "amount": fee,
            }
        ],
        "fee": fee,
        "tax": nothing,
        "total": fee,
        "paid_before": nothing,
        "paid_now": fee,
        "paid": fee,
        "balance": nothing,
        "method": Method.CREDIT_CARD,
        "paid_on": today.isoformat(),
        "code": NO_CODE,
        "url": full_url(practice, "portal", "receipt-check", code=NO_CODE),
    }
