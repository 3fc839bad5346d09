"""What happens to money: each act whole, with its audit events, or not at all.

A payment and its receipt are one act. The therapist's and the appointment's rows are locked first,
the client's where credit is touched, the counter of the year last, so that numbers are given one
after the other and none is left out: a transaction that fails gives its number back.
"""

import uuid
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction

from roost.audit.services import record
from roost.billing.charging import check_latest, fix, lock, paper_of, release
from roost.billing.codes import new_code
from roost.billing.credit import check_unused, take_credit
from roost.billing.documents import document_of
from roost.billing.enums import Method
from roost.billing.errors import (
    BadRate,
    BillingError,
    CannotIssue,
    HasReceipts,
    MoreThanOwed,
    NothingCharged,
    WrongAmount,
    WrongDay,
)
from roost.billing.facts import facts_of
from roost.billing.models import Charge, CreditUse, Payment, Receipt, ReceiptCounter, TaxRate
from roost.billing.numbering import next_serial, once_committed
from roost.billing.owed import Owed, Payer, charges_of, is_shared_out, owed_for
from roost.billing.rules import EARLIEST, is_exact, say_money, split
from roost.clients.models import Client
from roost.core.submissions import made_before, once
from roost.core.tenancy import current_practice_id
from roost.core.time import now
from roost.practices.models import Practice
from roost.scheduling.models import Appointment, Attendee, Service
from roost.scheduling.queries import with_people
from roost.scheduling.rules import attendance_of
from roost.scheduling.services import mark_attendance
from roost.staff.models import StaffMember

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


def take_attendance(
    *, by: StaffMember, appointment: Appointment, attendance: str | Mapping[uuid.UUID, str]
) -> dict[uuid.UUID, str]:
    """`scheduling.mark_attendance`, unless a valid receipt or invoice says otherwise.

    Returns what each attendee was before. Raises HasReceipts or a SchedulingError. Records
    attendance.marked.
    """
    with transaction.atomic():
        # The therapist's row is locked before the appointment's, as by a booking that is moved.
        before = mark_attendance(by=by, appointment=appointment, attendance=attendance)
        lock(appointment)
        _check_said(appointment, before)
        return before


def _check_said(appointment: Appointment, before: Mapping[uuid.UUID, str]) -> None:
    """A paper says how the session went, and how it went for who is billed."""
    after = list(Attendee.objects.filter(appointment=appointment))
    moved = {row.client_id for row in after if row.attendance != before[row.uuid]}
    together = attendance_of(before.values()) != attendance_of(row.attendance for row in after)
    shared_out = is_shared_out(appointment)
    for charge in charges_of([appointment]):
        if charge.client_id in moved or (together and not shared_out):
            paper = paper_of(charge)
            if paper is not None:
                raise HasReceipts(paper)


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
    payer: Payer | None = None,
    keep_over: bool = False,
) -> tuple[Receipt, bool]:
    """Record money that came in for a session, and issue its receipt.

    `amount` is in the bill's currency, which is the practice's until something fixes the bill: in
    its units (dollars, not cents), with no more decimals than it has. `paid_on` is a day of the
    practice's calendar. More than is owed stays as the client's credit where
    `keep_over` says so. By the method "credit" that is what pays, and no money comes in. `client`
    is who is billed, who was chosen or the first attendee unless given; of a group, whose bill it
    is. `payer` is somebody else who pays. The first payment settles both. The caller has looked
    the appointment up for the actor. Returns the receipt and whether it is new: a form sent again
    finds its first result. Raises a BillingError, CannotIssue with what is missing among them.
    Records payment.recorded and receipt.issued. Its PDF is made after the commit; where that
    fails, by the first download.
    """

    def make() -> Receipt:
        lock(appointment)
        practice = Practice.objects.get(pk=current_practice_id())
        fresh = with_people(Appointment.objects.all()).get(pk=appointment.pk)
        owed = owed_for(fresh, practice, client)
        _check(owed, amount, method, paid_on, now().astimezone(practice.zone).date())
        used, over = split(amount, owed.balance)
        charge = fix(owed, client, payer)
        if over and method == Method.CREDIT:
            raise WrongAmount(f"{say_money(owed.balance, owed.currency)} is owed. Use no more.")
        if over and not keep_over:
            raise MoreThanOwed(
                say_money(owed.balance, owed.currency), say_money(over, owed.currency)
            )
        drawn: list[tuple[Payment, Decimal]] = []
        if method == Method.CREDIT:
            drawn = take_credit(charge.client, charge.currency, amount, paid_on)
        payment = Payment.objects.create(
            charge=charge, amount=used, over=over, method=method, paid_on=paid_on, recorded_by=by
        )
        for source, part in drawn:
            CreditUse.objects.create(source=source, payment=payment, amount=part)
        record("payment.recorded", by=by.account, subject=payment, client_uuid=charge.client.uuid)
        return _issue(by, practice, fresh, charge, payment, owed, drawn)

    about = _about(appointment, client)
    return once(key, "payment", Receipt, make, by=by.account.uuid, about=about)


def receipt_made_before(
    *, by: StaffMember, sent: str, appointment: Appointment, client: Client
) -> Receipt | None:
    """The receipt that a payment form has made, whose key is `sent` again. Raises OtherForm."""
    about = _about(appointment, client)
    return made_before(sent, "payment", Receipt, by=by.account.uuid, about=about)


def _about(appointment: Appointment, client: Client | None) -> str:
    if client is not None and is_shared_out(appointment):
        return f"{appointment.uuid} {client.uuid}"
    return str(appointment.uuid)


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
    if owed.balance <= 0:
        raise WrongAmount("Nothing is owed for this session.")
    if amount <= 0:
        raise WrongAmount("Write an amount above zero.")


def _issue(
    by: StaffMember,
    practice: Practice,
    appointment: Appointment,
    charge: Charge,
    payment: Payment,
    owed: Owed,
    drawn: list[tuple[Payment, Decimal]],
) -> Receipt:
    moment = now()
    issued_on = moment.astimezone(practice.zone).date()
    serial, code = next_serial(ReceiptCounter, issued_on.year), new_code()
    receipt = Receipt(
        prefix=practice.receipt_prefix,
        year=issued_on.year,
        serial=serial,
        payment=payment,
        appointment=appointment,
        client=charge.client,
        payer_account=charge.payer_account,
        payer_client=charge.payer_client,
        issued_on=issued_on,
        issued_at=moment,
        issued_by=by,
        currency=charge.currency,
        amount=payment.amount,
        code=code,
    )
    receipt.facts = facts_of(
        receipt,
        practice,
        appointment,
        charge,
        payment,
        attendance=owed.attendance,
        paid_before=owed.paid,
        credit_from=[(source.receipt.number, part) for source, part in drawn],
    )
    receipt.save()
    record("receipt.issued", by=by.account, subject=receipt, client_uuid=charge.client.uuid)
    once_committed(lambda: document_of(receipt))
    return receipt


def void_receipt(*, by: StaffMember, receipt: Receipt) -> bool:
    """Void a receipt for good; its payment counts no more, and can be recorded anew. Credit that
    it used is there again.

    Returns whether it was valid until now. Raises CreditUsed where what it left over has been
    used since, PaidBefore where a later paper counts its payment. Records receipt.voided. Its
    second document, with VOID on it, is made after the commit; where that fails, by the first
    download.
    """
    with transaction.atomic():
        lock(receipt.appointment)
        rows = Receipt.objects.select_related("client", "payment__charge").filter(pk=receipt.pk)
        found = rows.get()
        if found.is_void:
            return False
        check_latest(found, by=by)
        check_unused(found, found.payment, by=by)
        if not receipt.void(voided_at=now(), voided_by=by):
            return False
        fresh = rows.get()
        release([fresh.payment.charge])
        record("receipt.voided", by=by.account, subject=fresh, client_uuid=fresh.client.uuid)
        once_committed(lambda: document_of(fresh))
        return True
