"""Who is billed, who pays, and what fixes both: acts on charges, under the appointment's lock.

Locks are taken in one order: therapist, appointment, client, and the counter of the year last.
"""

from collections.abc import Iterable
from typing import Any

from roost.accounts.models import Account
from roost.audit.services import record
from roost.billing.errors import AlreadyBilled, NotAnAttendee, PaidBefore, WrongPayer
from roost.billing.models import Charge, InvoiceLine, Receipt
from roost.billing.owed import Owed, Payer, charges_of, is_shared_out, payments_that_count
from roost.clients.enums import Relationship
from roost.clients.models import Client, PortalAccess
from roost.clients.rules import OPENS
from roost.core.time import now
from roost.scheduling.models import Appointment
from roost.staff.models import StaffMember


def lock(appointment: Appointment) -> None:
    """Nobody else changes what is billed for a session until this transaction ends."""
    Appointment.objects.select_for_update(no_key=True).get(pk=appointment.pk)


def lock_credit(client: Client) -> None:
    """Nobody else uses or gives back the client's credit until this transaction ends."""
    Client.objects.select_for_update(no_key=True).get(pk=client.pk)


def attending(appointment: Appointment) -> list[Client]:
    """Who was booked, the first of them first."""
    return [attendee.client for attendee in appointment.attendees.all()]


def paper_of(charge: Charge) -> str | None:
    """What holds a charge as it is, in words: its newest valid receipt, else a valid invoice, or
    None."""
    paid = payments_that_count([charge]).last()
    if paid is not None:
        return f"Receipt {paid.receipt.number}"
    line = InvoiceLine.objects.filter(charge=charge, invoice__voided_at=None)
    invoiced = line.select_related("invoice").first()
    return None if invoiced is None else f"Invoice {invoiced.invoice.number}"


def check_latest(receipt: Receipt, *, by: StaffMember) -> None:
    """Raise PaidBefore where a valid paper of the same charge says that this one's payment was made
    before it. The caller holds the appointment's lock."""
    charge = receipt.payment.charge
    later = [
        (each.issued_at, each.pk, f"receipt {each.number}")
        for each in Receipt.objects.filter(
            payment__charge=charge, voided_at=None, pk__gt=receipt.pk
        ).defer("facts")
    ]
    # An invoice that asks for the whole charge counts no payment.
    lines = InvoiceLine.objects.filter(
        charge=charge,
        amount__lt=charge.total,
        invoice__voided_at=None,
        invoice__issued_at__gte=receipt.issued_at,
    ).select_related("invoice")
    invoices = [
        (each.invoice.issued_at, each.invoice.pk, f"invoice {each.invoice.number}")
        for each in lines
    ]
    if papers := [words for *_, words in sorted([*later, *invoices], reverse=True)]:
        asks_owner = bool(invoices) and not by.runs_practice
        raise PaidBefore(receipt.number, papers, asks_owner=asks_owner)


def choose_billed(
    *, by: StaffMember, appointment: Appointment, client: Client, payer: Payer
) -> None:
    """Say who is billed for a session, and who pays; of a group, who pays for one of its people.

    The caller has looked the appointment up for the actor and opened a transaction. Raises
    NotAnAttendee, WrongPayer, and AlreadyBilled once a receipt or an invoice says otherwise.
    Records billing.chosen.
    """
    lock(appointment)
    people = attending(appointment)
    if client not in people:
        raise NotAnAttendee
    charge = _charge_of(appointment, client)
    if charge is not None and (paper := paper_of(charge)) is not None:
        raise AlreadyBilled(paper)
    payer = known_payer(payer, client, people, _payer_before(charge, client))
    values: dict[str, Any] = {
        "client": client,
        "payer": payer.name,
        "payer_account": payer.account,
        "payer_client": payer.client,
    }
    if charge is None:
        blank = {"currency": "", "fee": 0, "tax": 0, "total": 0}
        charge = Charge.objects.create(appointment=appointment, **values, **blank)
    else:
        _change(charge, values)
    record("billing.chosen", by=by.account, subject=charge, client_uuid=client.uuid)


def fix(owed: Owed, client: Client | None = None, payer: Payer | None = None) -> Charge:
    """The charge of a bill, fixed as it is now. `client` and `payer` take the place of what was
    chosen before. Raises NotAnAttendee, WrongPayer, and AlreadyBilled where it is fixed for
    somebody else. The caller holds the appointment's lock."""
    people = attending(owed.appointment)
    if owed.charge is not None:
        if payer is not None:
            payer = known_payer(payer, owed.client, people, owed.payer)
        if client not in (None, owed.client) or payer not in (None, owed.payer):
            raise AlreadyBilled(paper_of(owed.charge) or "An invoice")
        return owed.charge
    assert owed.line is not None and owed.rate is not None
    billed = client or owed.client
    if billed not in people:
        raise NotAnAttendee
    before = owed.payer if billed == owed.client else Payer()
    payer = known_payer(payer if payer is not None else owed.payer, billed, people, before)
    values: dict[str, Any] = {
        "client": billed,
        "payer": payer.name,
        "payer_account": payer.account,
        "payer_client": payer.client,
        "currency": owed.currency,
        "fee": owed.line.fee,
        "late_cancel_percent": owed.late_cancel_percent,
        "tax_name": owed.rate.name,
        "tax_percent": owed.rate.percent,
        "tax": owed.line.tax,
        "total": owed.line.amount,
        "fixed_at": now(),
    }
    charge = _charge_of(owed.appointment, billed)
    if charge is None:
        return Charge.objects.create(appointment=owed.appointment, **values)
    _change(charge, values)
    return charge


def release(charges: Iterable[Charge]) -> None:
    """Free the charges that nothing holds any more. The caller holds their appointments' locks."""
    for charge in charges:
        if charge.fixed_at is not None and paper_of(charge) is None:
            _change(charge, {"fixed_at": None})


def known_payer(payer: Payer, billed: Client, people: Iterable[Client], before: Payer) -> Payer:
    """A payer as papers name them: nobody where it is the client. Raises WrongPayer.

    Whoever was the payer `before` can stay it, also once their portal access has ended: access
    says what opens at the portal, not who pays.
    """
    name = payer.name
    if payer.client is not None:
        if payer.client not in people and payer.client != before.client:
            raise WrongPayer("Choose one of the people the session was for, or write a name.")
        name = name or payer.client.name
    if payer.account is not None:
        may = {each.account for each in payers_of([billed])} | {before.account}
        if payer.account not in may:
            raise WrongPayer(
                "Choose somebody with portal access to who is billed, or write a name."
            )
        name = name or _name_of(payer.account)
    if payer.client == billed or name.casefold() == billed.name.casefold():
        return Payer()
    return Payer(name, payer.account, payer.client)


def payers_of(clients: Iterable[Client]) -> list[PortalAccess]:
    """Who holds portal access to these clients and can be named as their payer."""
    rows = PortalAccess.objects.filter(
        client__in=list(clients),
        ended_at=None,
        relationship__in=[name for name, opens in OPENS.items() if opens.receipts],
    ).exclude(relationship=Relationship.SELF)
    return list(rows.select_related("account", "client").order_by("pk"))


def _name_of(account: Account) -> str:
    """The name on the record that an account is itself."""
    own = PortalAccess.objects.filter(
        account=account, relationship=Relationship.SELF, ended_at=None
    ).select_related("client")
    if (access := own.first()) is None:
        raise WrongPayer("Write the payer’s name, as it is to stand on the receipt.")
    return access.client.name


def _payer_before(charge: Charge | None, client: Client) -> Payer:
    if charge is None or charge.client != client:
        return Payer()
    return Payer(charge.payer, charge.payer_account, charge.payer_client)


def _charge_of(appointment: Appointment, client: Client) -> Charge | None:
    charges = charges_of([appointment])
    if is_shared_out(appointment):
        charges = charges.filter(client=client)
    return charges.first()


def _change(charge: Charge, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(charge, name, value)
    charge.save(update_fields=list(values))
