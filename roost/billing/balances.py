"""Reads of a client's money: what was charged and paid, what is owed, and what is left as credit.

Charges that are fixed are added up by the database; what nothing has fixed yet is computed, and
there is little of it, for most sessions are paid.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from roost.billing.credit import credit_of
from roost.billing.models import Charge, InvoiceLine, Payment
from roost.billing.owed import Owed, bills_of
from roost.billing.rules import CHARGED, rounded
from roost.clients.models import Client
from roost.practices.models import Practice
from roost.scheduling.enums import ServiceType
from roost.scheduling.models import Appointment, Attendee
from roost.scheduling.queries import with_people
from roost.staff.models import StaffMember


@dataclass(frozen=True)
class Balance:
    """A client's money in one currency. `sessions` counts those for which something is owed;
    `unpriced` those that are charged but whose fee or tax nobody has set."""

    currency: str
    charged: Decimal
    paid: Decimal
    credit: Decimal
    sessions: int
    unpriced: int

    @property
    def owed(self) -> Decimal:
        return self.charged - self.paid


def total_of(rows: QuerySet[Any], name: str, currency: str) -> Decimal:
    """The sum of a column, exact to the currency's smallest unit: SQLite adds up in floats."""
    found: Decimal | None = rows.aggregate(total=Sum(name))["total"]
    return rounded(found or Decimal(0), currency)


def has_money() -> bool:
    """Whether anything was paid or invoiced at the practice: then its currency stays."""
    return Charge.objects.filter(fixed_at__isnull=False).exists() or Payment.objects.exists()


def fixed_charges(client: Client, currency: str) -> QuerySet[Charge]:
    """What the client is billed for, as payments and invoices have fixed it."""
    return Charge.objects.filter(client=client, currency=currency, fixed_at__isnull=False)


def payments_of(client: Client, currency: str) -> QuerySet[Payment]:
    """The client's payments that count, oldest first."""
    # From the charges on: SQLite would walk all payments of the practice.
    paid = Charge.objects.filter(
        client=client, currency=currency, payments__receipt__voided_at=None, payments__isnull=False
    )
    return Payment.objects.filter(pk__in=paid.values("payments"))


def unfixed_bills(
    client: Client,
    practice: Practice,
    therapist: StaffMember | None = None,
    *,
    with_missing: bool = False,
) -> list[Owed]:
    """What the client owes and nothing has fixed, the oldest session first, in a few queries
    however many. `with_missing` as in `bills_of`."""
    # From the client's own attendances on: a practice has a thousand times as many sessions. Of
    # several people the others may have come.
    attended = Attendee.objects.filter(
        Q(attendance__in=CHARGED) | ~Q(appointment__service__type=ServiceType.INDIVIDUAL),
        client=client,
    )
    fixed = Charge.objects.filter(
        ~Q(appointment__service__type=ServiceType.GROUP) | Q(client=client),
        appointment__attendees__client=client,
        fixed_at__isnull=False,
    )
    # Told apart here: a database that does not know yet how much it holds would look through all
    # charges for each session.
    open_ones = set(attended.order_by().values_list("appointment", flat=True))
    open_ones.difference_update(fixed.order_by().values_list("appointment", flat=True))
    rows = Appointment.objects.filter(pk__in=open_ones)
    if therapist is not None:
        rows = rows.filter(therapist=therapist)
    bills = bills_of(list(with_people(rows)), practice, with_missing=with_missing)
    return [each for each in bills if each.client == client and each.is_charged]


def balance_of_client(
    client: Client, practice: Practice, therapist: StaffMember | None = None
) -> Balance:
    """The client's money in the practice's currency; with `therapist`, of their sessions only,
    but for the credit, which is the client's wherever it came from."""
    currency = practice.currency
    charges, payments = fixed_charges(client, currency), payments_of(client, currency)
    if therapist is not None:
        charges = charges.filter(appointment__therapist=therapist)
        payments = payments.filter(charge__appointment__therapist=therapist)
    unfixed = unfixed_bills(client, practice, therapist)
    # Told apart here: SQLite adds up in floats, and a session that is paid may lack a trillionth.
    sums: Any = with_paid(charges).filter(total__gt=F("paid"))
    lacking = [total - paid for total, paid in sums.values_list("total", "paid")]
    still_open = sum(1 for each in lacking if rounded(each, currency) > 0)
    return Balance(
        currency=currency,
        charged=total_of(charges, "total", currency)
        + sum((each.total for each in unfixed), Decimal(0)),
        paid=total_of(payments, "amount", currency),
        credit=credit_of(client, currency),
        sessions=still_open + sum(1 for each in unfixed if each.balance > 0),
        unpriced=sum(1 for each in unfixed if each.line is None),
    )


def with_paid(charges: QuerySet[Charge]) -> QuerySet[Charge]:
    """The same charges, each with what is `paid` of it."""
    valid = Q(payments__receipt__voided_at=None)
    return charges.annotate(paid=Coalesce(Sum("payments__amount", filter=valid), Decimal(0)))


def bills_to_invoice(client: Client, practice: Practice) -> list[Owed]:
    """What the client owes and no valid invoice asks for yet, the oldest session first."""
    open_charges = (
        with_paid(fixed_charges(client, practice.currency))
        .filter(total__gt=F("paid"))
        .exclude(pk__in=InvoiceLine.objects.filter(invoice__voided_at=None).values("charge"))
    )
    rows = Appointment.objects.filter(
        pk__in=list(open_charges.order_by().values_list("appointment", flat=True))
    )
    fixed = bills_of(list(with_people(rows)), practice, with_missing=True)
    mine = [each for each in fixed if each.client == client and each.charge is not None]
    bills = [*unfixed_bills(client, practice, with_missing=True), *mine]
    return sorted(
        (each for each in bills if each.balance > 0), key=lambda each: each.appointment.starts_at
    )
