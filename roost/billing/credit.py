"""Credit: what is left over of payments, used for other sessions or given back.

Each piece of it is remembered by the payment it came from, so that a receipt can say so and no
receipt is voided under credit that was used since. It is kept by client and currency.
"""

import uuid
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, QuerySet

from roost.audit.services import record
from roost.billing.charging import lock_credit
from roost.billing.enums import MONEY_METHODS
from roost.billing.errors import BillingError, CreditUsed, WrongAmount, WrongDay
from roost.billing.models import Charge, CreditUse, Payment, Receipt, Refund
from roost.billing.queries import receipts_visible_to
from roost.billing.rules import EARLIEST, draw, is_exact, say_money
from roost.clients.models import Client
from roost.core.submissions import once
from roost.core.time import now
from roost.practices.models import Practice
from roost.staff.models import StaffMember

_COUNTS = Q(payment__receipt__voided_at=None, payment__isnull=False) | Q(
    refund__voided_at=None, refund__isnull=False
)


def uses_that_count(sources: Iterable[Payment]) -> QuerySet[CreditUse]:
    """What has been taken out of what these payments left over, the first use first."""
    return CreditUse.objects.filter(_COUNTS, source__in=list(sources))


def credit_left(client: Client, currency: str) -> list[tuple[Payment, Decimal]]:
    """The client's payments with something left over, the oldest first, and how much of it is
    still there. In two queries."""
    # From the charges on, as in `balances.payments_of`.
    over = Charge.objects.filter(
        client=client, currency=currency, payments__over__gt=0, payments__receipt__voided_at=None
    )
    sources = list(Payment.objects.filter(pk__in=over.values("payments")).select_related("receipt"))
    left = {each.pk: each.over for each in sources}
    # Not added up by the database: SQLite does that in floats.
    for source, amount in uses_that_count(sources).values_list("source", "amount"):
        left[source] -= amount
    return [(each, left[each.pk]) for each in sources if left[each.pk] > 0]


def credit_of(client: Client, currency: str) -> Decimal:
    """How much credit a client has."""
    return sum((amount for _, amount in credit_left(client, currency)), Decimal(0))


def take_credit(
    client: Client, currency: str, amount: Decimal, on: date
) -> list[tuple[Payment, Decimal]]:
    """From which payments so much of the client's credit comes. The caller writes the uses.

    Holds the client's credit until the transaction ends. Raises WrongAmount where there is less,
    WrongDay where it had not come in `on` that day.
    """
    lock_credit(client)
    available = credit_left(client, currency)
    there = sum((part for _, part in available), Decimal(0))
    if there < amount:
        raise WrongAmount(f"{client.name} has {say_money(there, currency)} of credit left.")
    drawn = draw([each for each in available if each[0].paid_on <= on], amount)
    if sum((part for _, part in drawn), Decimal(0)) < amount:
        since = max(source.paid_on for source, _ in draw(available, amount))
        raise WrongDay(
            f"That credit came in on {since.day} {since:%B %Y}. Choose that day, or a later one."
        )
    return drawn


def check_unused(receipt: Receipt, payment: Payment, *, by: StaffMember) -> None:
    """Raise CreditUsed where what the payment left over was used. It names what `by` may see.
    Holds the client's credit."""
    if not payment.over:
        return
    lock_credit(receipt.client)
    uses = uses_that_count([payment]).select_related("payment__receipt", "refund")
    seen = set(
        receipts_visible_to(by).filter(payment__in=[u.payment_id for u in uses]).values_list("pk")
    )
    used, hidden = [], []
    for use in uses:
        if use.payment is not None:
            if (use.payment.receipt.pk,) in seen:
                used.append(f"by receipt {use.payment.receipt.number}")
            else:
                hidden.append("by a colleague’s session")
        elif use.refund is not None:
            day = use.refund.refunded_on
            if by.runs_practice:
                used.append(f"by the refund of {day.day} {day:%B %Y}")
            else:
                hidden.append("by money that was given back")
    if used or hidden:
        raise CreditUsed(receipt.number, used, list(dict.fromkeys(hidden)))


def give_back(
    *,
    by: StaffMember,
    key: uuid.UUID,
    client: Client,
    practice: Practice,
    amount: Decimal,
    method: str,
    refunded_on: date,
) -> tuple[Refund, bool]:
    """Record that credit was given back to the client, in the practice's currency.

    Returns the refund and whether it is new. Owners and admins only; the page has checked it.
    Raises WrongAmount, WrongDay. Records credit.refunded.
    """

    def make() -> Refund:
        currency = practice.currency
        if method not in [each.value for each in MONEY_METHODS]:
            raise BillingError("Choose how it was given back.")
        if not EARLIEST <= refunded_on <= now().astimezone(practice.zone).date():
            raise WrongDay("Choose the day it was given back: today, or a day before.")
        if amount <= 0 or not is_exact(amount, currency):
            raise WrongAmount("Write an amount in your currency, above zero.")
        drawn = take_credit(client, currency, amount, refunded_on)
        refund = Refund.objects.create(
            client=client, currency=currency, amount=amount, method=method,
            refunded_on=refunded_on, recorded_by=by,
        )  # fmt: skip
        for source, part in drawn:
            CreditUse.objects.create(source=source, refund=refund, amount=part)
        record("credit.refunded", by=by.account, subject=refund, client_uuid=client.uuid)
        return refund

    return once(key, "refund", Refund, make, by=by.account.uuid, about=str(client.uuid))


def void_refund(*, by: StaffMember, refund: Refund) -> bool:
    """Take a refund back that was recorded by mistake: it is credit again.

    Returns whether it counted until now. Records refund.voided.
    """
    with transaction.atomic():
        lock_credit(refund.client)
        if not refund.void(voided_at=now(), voided_by=by):
            return False
        record("refund.voided", by=by.account, subject=refund, client_uuid=refund.client.uuid)
        return True
