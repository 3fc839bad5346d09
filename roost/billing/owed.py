"""Reads of what is owed: who is billed for a session, what it costs, and what has been paid.

A session has one bill; a group has one for each of its people.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from django.db.models import QuerySet

from roost.accounts.models import Account
from roost.billing.errors import Missing, NotAnAttendee
from roost.billing.models import Charge, Payment, TaxRate
from roost.billing.rules import (
    CHARGED,
    Line,
    Rate,
    balance_of,
    fee_charged,
    make_line,
    rate_on,
)
from roost.clients.models import Client
from roost.practices.models import Practice
from roost.scheduling.enums import Attendance, ServiceType
from roost.scheduling.models import Appointment, Service
from roost.scheduling.rules import attendance_of
from roost.staff.models import StaffMember


def tax_rates_of(service: Service) -> QuerySet[TaxRate]:
    """The tax rates of a service, the newest first."""
    return TaxRate.objects.filter(service=service)


def rates_of(service: Service) -> list[Rate]:
    """The same, for the rules."""
    return [rate_of(row) for row in tax_rates_of(service)]


def rate_of(row: TaxRate) -> Rate:
    """A stored rate, for the rules."""
    return Rate(row.from_on, row.percent, row.name)


def is_shared_out(appointment: Appointment) -> bool:
    """Whether each of its people owes a fee of their own: in a group."""
    return appointment.service.type == ServiceType.GROUP


@dataclass(frozen=True)
class Payer:
    """Who pays where it is not the client: the name on papers, and who that is, if known."""

    name: str = ""
    account: Account | None = None
    client: Client | None = None


@dataclass(frozen=True)
class Owed:
    """What one bill comes to and what has been paid of it.

    `charge` is None until a payment or an invoice fixes it; the rest is then what it would be
    now. `line` and `rate` are None while something is missing. `late_cancel_percent` is the share
    of the fee that a late cancel costs, and None for any other attendance.
    """

    appointment: Appointment
    client: Client
    payer: Payer
    attendance: Attendance
    charge: Charge | None
    is_charged: bool
    currency: str
    line: Line | None
    rate: Rate | None
    late_cancel_percent: int | None
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


def payments_that_count(charges: Iterable[Charge]) -> QuerySet[Payment]:
    """The payments of charges whose receipts are valid, oldest first."""
    return Payment.objects.filter(charge__in=list(charges), receipt__voided_at=None).select_related(
        "receipt"
    )


def charges_of(appointments: Iterable[Appointment]) -> QuerySet[Charge]:
    """What is fixed or chosen for these sessions, oldest first."""
    rows = Charge.objects.filter(appointment__in=list(appointments))
    return rows.select_related("client", "payer_account", "payer_client").order_by("pk")


def bills_of(
    appointments: Sequence[Appointment], practice: Practice, *, with_missing: bool = False
) -> list[Owed]:
    """The bills of sessions that were read `with_people`, in their order, in three queries however
    many. `with_missing` says what an insurer would miss on their receipts."""
    charges: dict[int, list[Charge]] = {}
    for charge in charges_of(appointments):
        charges.setdefault(charge.appointment_id, []).append(charge)
    payments: dict[int, list[Payment]] = {}
    fixed = [each for rows in charges.values() for each in rows if each.fixed_at is not None]
    for payment in payments_that_count(fixed):
        payments.setdefault(payment.charge_id, []).append(payment)
    rates: dict[int, list[Rate]] = {}
    for row in TaxRate.objects.filter(service__in={each.service_id for each in appointments}):
        rates.setdefault(row.service_id, []).append(rate_of(row))
    bills = []
    for appointment in appointments:
        known, own = charges.get(appointment.pk, []), rates.get(appointment.service_id, [])
        unsaid = _unsaid(appointment, practice) if with_missing else []
        unpriced = _unpriced(appointment, practice, own) if with_missing else []
        for client, attendance, chosen in _billed(appointment, known):
            paid = payments.get(chosen.pk, []) if chosen is not None else []
            # What is fixed has its price, whatever became of the service's.
            is_fixed = chosen is not None and chosen.fixed_at is not None
            missing = unsaid if is_fixed else unsaid + unpriced
            bill = _bill(appointment, client, attendance, chosen, paid, own, missing, practice)
            if with_missing and bill.rate is not None and bill.rate.percent:
                bill = replace(bill, missing=missing + _untaxable(practice, bill.rate))
            bills.append(bill)
    return bills


def _billed(
    appointment: Appointment, charges: list[Charge]
) -> list[tuple[Client, Attendance, Charge | None]]:
    """Who is billed, for what attendance, and what is fixed or chosen for them."""
    attendees = list(appointment.attendees.all())
    if is_shared_out(appointment):
        by_client = {charge.client_id: charge for charge in charges}
        return [
            (each.client, Attendance(each.attendance), by_client.get(each.client_id))
            for each in attendees
        ]
    if not attendees:
        return []
    together = attendance_of(each.attendance for each in attendees)
    if charges:
        return [(charges[0].client, together, charges[0])]
    return [(attendees[0].client, together, None)]


def _bill(
    appointment: Appointment,
    client: Client,
    attendance: Attendance,
    charge: Charge | None,
    payments: list[Payment],
    rates: list[Rate],
    missing: list[Missing],
    practice: Practice,
) -> Owed:
    payer = Payer()
    if charge is not None:
        payer = Payer(charge.payer, charge.payer_account, charge.payer_client)
    is_charged = attendance in CHARGED
    day = appointment.starts_at.astimezone(practice.zone).date()
    line: Line | None = None
    if charge is not None and charge.fixed_at is not None:
        rate: Rate | None = Rate(day, charge.tax_percent, charge.tax_name)
        line, currency = Line(charge.fee, charge.tax), charge.currency
        percent = charge.late_cancel_percent
    else:
        rate, fee, currency = rate_on(rates, day), appointment.service.fee, practice.currency
        charge, share = None, practice.late_cancel_percent
        percent = share if attendance == Attendance.LATE_CANCEL else None
        if fee is not None and rate is not None and is_charged:
            own = fee_charged(fee, attendance, share, currency)
            line = make_line(own, rate.percent, currency)
    return Owed(
        appointment, client, payer, attendance, charge, is_charged, currency, line, rate,
        percent, payments, missing,
    )  # fmt: skip


def attendance_billed(charge: Charge) -> Attendance:
    """How a session went for who is billed. Its appointment was read with service and attendees."""
    rows = list(charge.appointment.attendees.all())
    if is_shared_out(charge.appointment):
        rows = [each for each in rows if each.client_id == charge.client_id]
    return attendance_of(each.attendance for each in rows)


def owed_for(appointment: Appointment, practice: Practice, client: Client | None = None) -> Owed:
    """A session's bill; of a group's the one of `client`, else the first. Raises NotAnAttendee
    where there is none."""
    bills = bills_of([appointment], practice, with_missing=True)
    if client is not None and is_shared_out(appointment):
        bills = [each for each in bills if each.client == client]
    if not bills:
        raise NotAnAttendee
    return bills[0]


def _unsaid(appointment: Appointment, practice: Practice) -> list[Missing]:
    """What an insurer asks for of the practice and the therapist, and nobody has written down."""
    therapist = appointment.therapist
    wanted: list[tuple[bool, Missing]] = [
        (bool(practice.address), Missing("The practice’s address", "practice")),
        (bool(practice.phone), Missing("The practice’s phone number", "practice")),
        *_about(therapist),
        *(_about(therapist.supervisor) if therapist.supervisor is not None else []),
    ]
    return [each for is_there, each in wanted if not is_there]


def _unpriced(appointment: Appointment, practice: Practice, rates: list[Rate]) -> list[Missing]:
    """What keeps a session from having a price. `rates` are its service's."""
    service = appointment.service
    of_service = ("service", "service", str(service.uuid))
    day = appointment.starts_at.astimezone(practice.zone).date()
    wanted: list[tuple[bool, Missing]] = [
        (service.fee is not None, Missing(f"The fee of “{service.name}”", *of_service)),
        (
            rate_on(rates, day) is not None,
            Missing(
                f"The tax on “{service.name}” on {day.day} {day:%B %Y}, or that it is exempt",
                *of_service,
            ),
        ),
    ]
    return [each for is_there, each in wanted if not is_there]


def _untaxable(practice: Practice, rate: Rate) -> list[Missing]:
    """What keeps a tax from being charged: it goes to the state under the practice's number."""
    if practice.tax_number:
        return []
    words = f"The practice’s tax number, for {rate.name} is charged"
    return [Missing(words, "receipt-settings")]


def _about(member: StaffMember) -> list[tuple[bool, Missing]]:
    where, name = ("staff-member", "member", str(member.uuid)), member.display_name
    return [
        (bool(member.title), Missing(f"{name}’s title", *where)),
        (bool(member.college), Missing(f"{name}’s college", *where)),
        (bool(member.registration_number), Missing(f"{name}’s registration number", *where)),
    ]
