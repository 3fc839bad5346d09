"""Reads of what is owed, payments and receipts: what staff may see, and what access opens."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import BigAutoField, QuerySet
from django.http import Http404

from roost.billing.errors import Missing
from roost.billing.models import Charge, Payment, Receipt, TaxRate
from roost.billing.rules import (
    CHARGED,
    Line,
    Rate,
    balance_of,
    fee_charged,
    make_line,
    rate_on,
)
from roost.clients.models import Client, PortalAccess
from roost.clients.rules import OPENS
from roost.core.prepared import Prepared, Slot
from roost.practices.models import Practice
from roost.scheduling.models import Appointment, Service
from roost.scheduling.queries import appointments_visible_to
from roost.scheduling.rules import attendance_of
from roost.staff.models import StaffMember

# What things cost


def tax_rates_of(service: Service) -> QuerySet[TaxRate]:
    """The tax rates of a service, the newest first."""
    return TaxRate.objects.filter(service=service)


def rates_of(service: Service) -> list[Rate]:
    """The same, for the rules."""
    return [rate_of(row) for row in tax_rates_of(service)]


def rate_of(row: TaxRate) -> Rate:
    """A stored rate, for the rules."""
    return Rate(row.from_on, row.percent, row.name)


@dataclass(frozen=True)
class Owed:
    """What a session costs and what has been paid for it.

    `charge` is None until a payment counts; the rest is then what it would be now. `line` and
    `rate` are None while something is missing.
    """

    charge: Charge | None
    is_charged: bool
    currency: str
    line: Line | None
    rate: Rate | None
    payments: list[Payment]
    missing: list[Missing]

    @property
    def total(self) -> Decimal:
        return self.line.amount if self.line is not None else Decimal(0)

    @property
    def paid(self) -> Decimal:
        return sum((payment.amount for payment in self.payments), Decimal(0))

    @property
    def balance(self) -> Decimal:
        return balance_of(self.total, (payment.amount for payment in self.payments))


def owed_for(appointment: Appointment, practice: Practice) -> Owed:
    """What an appointment costs, from its charge or, while no payment counts, as of now."""
    charge = Charge.objects.filter(appointment=appointment).select_related("client").first()
    payments = [] if charge is None else list(payments_that_count(charge))
    attendance = attendance_of(each.attendance for each in appointment.attendees.all())
    is_charged = attendance in CHARGED
    missing = missing_for_receipt(appointment, practice)
    day = appointment.starts_at.astimezone(practice.zone).date()
    if charge is not None and payments:
        rate = Rate(day, charge.tax_percent, charge.tax_name)
        line = Line(charge.fee, charge.tax)
        return Owed(charge, is_charged, charge.currency, line, rate, payments, missing)
    rate_now, fee = rate_on(rates_of(appointment.service), day), appointment.service.fee
    line_now = None
    if fee is not None and rate_now is not None and is_charged:
        own = fee_charged(fee, attendance, practice.late_cancel_percent, practice.currency)
        line_now = make_line(own, rate_now.percent, practice.currency)
    return Owed(None, is_charged, practice.currency, line_now, rate_now, [], missing)


def payments_that_count(charge: Charge) -> QuerySet[Payment]:
    """The payments of a charge whose receipts are valid, oldest first."""
    return Payment.objects.filter(charge=charge, receipt__voided_at=None).select_related("receipt")


def missing_for_receipt(appointment: Appointment, practice: Practice) -> list[Missing]:
    """What an insurer asks for and nobody has written down yet."""
    therapist, service = appointment.therapist, appointment.service
    about = ("staff-member", "member", str(therapist.uuid))
    of_service = ("service", "service", str(service.uuid))
    day = appointment.starts_at.astimezone(practice.zone).date()
    name = therapist.display_name
    wanted: list[tuple[bool, Missing]] = [
        (bool(practice.address), Missing("The practice’s address", "practice")),
        (bool(practice.phone), Missing("The practice’s phone number", "practice")),
        (bool(therapist.title), Missing(f"{name}’s title", *about)),
        (bool(therapist.college), Missing(f"{name}’s college", *about)),
        (
            bool(therapist.registration_number),
            Missing(f"{name}’s registration number", *about),
        ),
        (service.fee is not None, Missing(f"The fee of “{service.name}”", *of_service)),
        (
            rate_on(rates_of(service), day) is not None,
            Missing(
                f"The tax on “{service.name}” on {day.day} {day:%B %Y}, or that it is exempt",
                *of_service,
            ),
        ),
    ]
    return [each for is_there, each in wanted if not is_there]


# Receipts

# What the portal shows of a receipt; its facts would only be carried about.
SHOWN = [
    "uuid", "practice_id", "prefix", "year", "serial", "issued_on", "currency", "amount",
    "voided_at",
]  # fmt: skip
ON_MY_ACCOUNT = 4


def _with_names(rows: QuerySet[Receipt]) -> QuerySet[Receipt]:
    return rows.select_related("client", "payment", "appointment__therapist").defer("facts")


def receipts_visible_to(actor: StaffMember) -> QuerySet[Receipt]:
    """All receipts for owners and admins; for a therapist those of their own appointments."""
    return _with_names(
        Receipt.objects.filter(appointment__in=appointments_visible_to(actor))
        if not actor.runs_practice
        else Receipt.objects.all()
    )


def get_receipt_for(actor: StaffMember, receipt_uuid: uuid.UUID) -> Receipt:
    """A receipt that the actor may see and void. Raises Http404 for any other."""
    receipt = receipts_visible_to(actor).filter(uuid=receipt_uuid).first()
    if receipt is None:
        raise Http404("There is no such receipt.")
    return receipt


def receipts_of_client(actor: StaffMember, client: Client) -> QuerySet[Receipt]:
    """A client's receipts that the actor may see, newest first."""
    return receipts_visible_to(actor).filter(client=client)


def receipts_of_appointment(appointment: Appointment) -> QuerySet[Receipt]:
    """The receipts issued for an appointment, oldest first, void ones too."""
    rows = Receipt.objects.filter(appointment=appointment)
    return _with_names(rows).order_by("year", "serial")


def receipts_open_to(access: PortalAccess) -> QuerySet[Receipt]:
    """The receipts that one portal access opens, newest first."""
    if access.ended_at is not None or not OPENS[access.relationship].receipts:
        return Receipt.objects.none()
    return Receipt.objects.filter(client=access.client_id).only(*SHOWN)


_newest_of = Prepared(
    lambda: Receipt.objects.filter(client=Slot("client", BigAutoField())).only(*SHOWN)[
        : ON_MY_ACCOUNT + 1
    ]
)


def newest_receipts(access: PortalAccess) -> tuple[list[Receipt], bool]:
    """What My Account shows of `receipts_open_to`, and whether there are more: a prepared read."""
    if access.ended_at is not None or not OPENS[access.relationship].receipts:
        return [], False
    found = _newest_of(client=access.client_id)
    return found[:ON_MY_ACCOUNT], len(found) > ON_MY_ACCOUNT


def get_receipt_by_access(held: Iterable[PortalAccess], receipt_uuid: uuid.UUID) -> Receipt:
    """A receipt that one of an account's accesses opens. Raises Http404 for any other."""
    clients = [
        access.client_id
        for access in held
        if access.ended_at is None and OPENS[access.relationship].receipts
    ]
    receipt = Receipt.objects.filter(client__in=clients, uuid=receipt_uuid).first()
    if receipt is None:
        raise Http404("There is no such receipt.")
    return receipt


def receipt_with_code(code: str) -> Receipt | None:
    """The practice's receipt with that verification code, as it is kept, or None."""
    return Receipt.objects.filter(code=code).first()
