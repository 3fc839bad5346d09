"""What happens to money: each act whole, with its audit events, or not at all.

A payment and its receipt are one act. The appointment's row is locked first, the counter of the
year last, so that numbers are given one after the other and none is left out: a transaction that
fails gives its number back.
"""

import uuid
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction

from roost.audit.services import record
from roost.billing.codes import new_code
from roost.billing.documents import document_of
from roost.billing.enums import Method
from roost.billing.errors import (
    BadRate,
    BillingError,
    CannotIssue,
    HasReceipts,
    NotAnAttendee,
    NothingCharged,
    WrongAmount,
    WrongDay,
)
from roost.billing.facts import facts_of
from roost.billing.models import Charge, Payment, Receipt, ReceiptCounter, TaxRate
from roost.billing.queries import Owed, owed_for, payments_that_count
from roost.billing.rules import is_exact, say_money
from roost.clients.models import Client
from roost.core.submissions import once
from roost.core.tenancy import current_practice_id
from roost.core.time import now
from roost.practices.models import Practice
from roost.scheduling.models import Appointment, Service
from roost.scheduling.queries import with_people
from roost.scheduling.rules import attendance_of
from roost.scheduling.services import mark_attendance
from roost.staff.models import StaffMember

EARLIEST = date(2000, 1, 1)


# Tax


def set_tax_rate(
    *, by: StaffMember, service: Service, from_on: date, percent: Decimal | None, name: str = ""
) -> TaxRate:
    """Say what tax a service carries from a day on: `percent` of the fee, or None for exempt.

    A second rate from the same day takes the first one's place. Receipts issued keep theirs.
    Owners and admins only; the page has checked it. Raises BadRate. Records tax_rate.set.
    """
    if percent is not None and not (0 <= percent <= 100 and name):
        raise BadRate("Give the tax a name and a rate from 0 to 100, or choose exempt.")
    values: dict[str, Any] = {"percent": percent, "name": name if percent is not None else ""}
    with transaction.atomic():
        rate, new = TaxRate.objects.get_or_create(service=service, from_on=from_on, defaults=values)
        if not new:
            rate.percent, rate.name = percent, values["name"]
            rate.save(update_fields=["percent", "name"])
        record("tax_rate.set", by=by.account, subject=service, rate=str(rate.uuid))
        return rate


# Attendance


def take_attendance(*, by: StaffMember, appointment: Appointment, attendance: str) -> str:
    """`scheduling.mark_attendance`, unless a valid receipt says otherwise.

    Returns what it was before. Raises HasReceipts or a SchedulingError. Records attendance.marked.
    """
    with transaction.atomic():
        # The therapist's row is locked before the appointment's, as by a booking that is moved.
        before = mark_attendance(by=by, appointment=appointment, attendance=attendance)
        _lock(appointment)
        charge = Charge.objects.filter(appointment=appointment).first()
        paid = None if charge is None else payments_that_count(charge).first()
        if paid is not None and before != attendance:
            raise HasReceipts(paid.receipt.number)
        return before


# Payments and receipts


def record_payment(
    *,
    by: StaffMember,
    key: uuid.UUID,
    appointment: Appointment,
    amount: Decimal,
    method: str,
    paid_on: date,
    client: Client | None = None,
    payer: str = "",
) -> tuple[Receipt, bool]:
    """Record money that came in for a session, and issue its receipt.

    `amount` is in the practice's currency, at most what is owed. `client` is who is billed, the
    first attendee unless chosen, and `payer` a name where somebody else pays; the first payment
    settles both for the session. The caller has looked the appointment up for the actor. Returns
    the receipt and whether it is new: a form sent again finds its first result. Raises a
    BillingError, CannotIssue with what is missing among them. Records payment.recorded and
    receipt.issued. Its PDF is made after the commit; where that fails, by the first download.
    """

    def make() -> Receipt:
        _lock(appointment)
        practice = Practice.objects.get(pk=current_practice_id())
        fresh = with_people(Appointment.objects.all()).get(pk=appointment.pk)
        owed = owed_for(fresh, practice)
        _check(owed, amount, method, paid_on, now().astimezone(practice.zone).date())
        charge = owed.charge or _fix_charge(fresh, owed, client, payer)
        payment = Payment.objects.create(
            charge=charge, amount=amount, method=method, paid_on=paid_on, recorded_by=by
        )
        record("payment.recorded", by=by.account, subject=payment, client_uuid=charge.client.uuid)
        return _issue(by, practice, fresh, charge, payment, owed)

    return once(key, "payment", Receipt, make)


def _lock(appointment: Appointment) -> None:
    Appointment.objects.select_for_update(no_key=True).get(pk=appointment.pk)


def _check(owed: Owed, amount: Decimal, method: str, paid_on: date, today: date) -> None:
    if not owed.is_charged:
        raise NothingCharged
    if owed.missing or owed.line is None:
        raise CannotIssue(owed.missing)
    if method not in Method.values:
        raise BillingError("Choose how it was paid.")
    if not EARLIEST <= paid_on <= today:
        raise WrongDay("Choose the day it was paid: today, or a day before.")
    if not is_exact(amount, owed.currency):
        raise WrongAmount("That amount has too many decimals for your currency.")
    if owed.balance == 0:
        raise WrongAmount("Nothing is owed for this session.")
    if not 0 < amount <= owed.balance:
        most = say_money(owed.balance, owed.currency)
        raise WrongAmount(f"Write an amount of at most {most}, which is what is owed.")


def _fix_charge(appointment: Appointment, owed: Owed, client: Client | None, payer: str) -> Charge:
    attending = [attendee.client for attendee in appointment.attendees.all()]
    if client is not None and client not in attending:
        raise NotAnAttendee
    assert owed.line is not None and owed.rate is not None
    billed = client or attending[0]
    values: dict[str, Any] = {
        "client": billed,
        "payer": "" if payer.casefold() == billed.name.casefold() else payer,
        "currency": owed.currency,
        "fee": owed.line.fee,
        "tax_name": owed.rate.name,
        "tax_percent": owed.rate.percent,
        "tax": owed.line.tax,
        "total": owed.line.amount,
    }
    charge = Charge.objects.filter(appointment=appointment).first()
    if charge is None:
        return Charge.objects.create(appointment=appointment, **values)
    for name, value in values.items():
        setattr(charge, name, value)
    charge.save(update_fields=list(values))
    return charge


def _issue(
    by: StaffMember,
    practice: Practice,
    appointment: Appointment,
    charge: Charge,
    payment: Payment,
    owed: Owed,
) -> Receipt:
    moment = now()
    issued_on = moment.astimezone(practice.zone).date()
    serial, code = _next_serial(issued_on.year), new_code()
    receipt = Receipt(
        prefix=practice.receipt_prefix,
        year=issued_on.year,
        serial=serial,
        payment=payment,
        appointment=appointment,
        client=charge.client,
        issued_on=issued_on,
        issued_at=moment,
        issued_by=by,
        currency=charge.currency,
        amount=payment.amount,
        code=code,
    )
    attendance = attendance_of(each.attendance for each in appointment.attendees.all())
    receipt.facts = facts_of(
        receipt,
        practice,
        appointment,
        charge,
        payment,
        attendance=attendance,
        paid_before=owed.paid,
    )
    receipt.save()
    record("receipt.issued", by=by.account, subject=receipt, client_uuid=charge.client.uuid)
    transaction.on_commit(partial(document_of, receipt), robust=True)
    return receipt


def _next_serial(year: int) -> int:
    """The next number of the year. The counter stays locked until this transaction ends."""
    rows = ReceiptCounter.objects.select_for_update().filter(year=year)
    counter = rows.first()
    if counter is None:
        try:
            with transaction.atomic():
                ReceiptCounter.objects.create(year=year)
        except IntegrityError:
            pass  # Somebody began the year a moment ago.
        counter = rows.get()
    counter.last += 1
    counter.save(update_fields=["last"])
    return counter.last


def void_receipt(*, by: StaffMember, receipt: Receipt) -> bool:
    """Void a receipt for good; its payment counts no more, and can be recorded anew.

    Returns whether it was valid until now. Records receipt.voided. Its second document, with VOID
    on it, is made after the commit; where that fails, by the first download.
    """
    with transaction.atomic():
        _lock(receipt.appointment)
        changed = Receipt.objects.filter(pk=receipt.pk, voided_at=None).update(
            voided_at=now(), voided_by=by
        )
        if not changed:
            return False
        fresh = Receipt.objects.select_related("client").get(pk=receipt.pk)
        record("receipt.voided", by=by.account, subject=fresh, client_uuid=fresh.client.uuid)
        transaction.on_commit(partial(document_of, fresh), robust=True)
        return True
