"""Reads of receipts: what staff may see, and what portal access opens."""

import uuid
from collections.abc import Iterable

from django.db.models import BigAutoField, Q, QuerySet
from django.http import Http404

from roost.billing.models import Invoice, Receipt, Refund
from roost.clients.enums import Relationship
from roost.clients.models import Client, PortalAccess
from roost.clients.rules import OPENS
from roost.core.prepared import Prepared, Slot
from roost.scheduling.models import Appointment
from roost.scheduling.queries import appointments_visible_to
from roost.staff.models import StaffMember

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


def _named_as_payer(account_id: int) -> Q:
    """Papers that name this account as the payer, or the client that it is itself."""
    oneself = PortalAccess.objects.filter(
        account=account_id, relationship=Relationship.SELF, ended_at=None
    ).values("client")
    return Q(payer_account=account_id) | Q(payer_client__in=oneself)


def papers_of(access: PortalAccess) -> Q | None:
    """Which receipts and invoices one portal access opens, or None for none."""
    extent = OPENS[access.relationship].receipts
    if access.ended_at is not None or not extent:
        return None
    mine = Q(client=access.client_id)
    return mine if extent == "all" else mine & _named_as_payer(access.account_id)


def receipts_open_to(access: PortalAccess) -> QuerySet[Receipt]:
    """The receipts that one portal access opens, newest first."""
    opened = papers_of(access)
    return Receipt.objects.none() if opened is None else Receipt.objects.filter(opened).only(*SHOWN)


_newest_of = Prepared(
    lambda: Receipt.objects.filter(client=Slot("client", BigAutoField())).only(*SHOWN)[
        : ON_MY_ACCOUNT + 1
    ]
)


def newest_receipts(access: PortalAccess) -> tuple[list[Receipt], bool]:
    """What My Account shows of `receipts_open_to`, and whether there are more: a prepared read,
    but for those that see only some."""
    if OPENS[access.relationship].receipts == "all" and access.ended_at is None:
        found = _newest_of(client=access.client_id)
    else:
        found = list(receipts_open_to(access)[: ON_MY_ACCOUNT + 1])
    return found[:ON_MY_ACCOUNT], len(found) > ON_MY_ACCOUNT


def _opened_by(held: Iterable[PortalAccess]) -> Q:
    opened = Q(pk__in=[])
    for access in held:
        if (papers := papers_of(access)) is not None:
            opened |= papers
    return opened


def get_receipt_by_access(held: Iterable[PortalAccess], receipt_uuid: uuid.UUID) -> Receipt:
    """A receipt that one of an account's accesses opens. Raises Http404 for any other."""
    receipt = Receipt.objects.filter(_opened_by(held), uuid=receipt_uuid).first()
    if receipt is None:
        raise Http404("There is no such receipt.")
    return receipt


def receipt_with_code(code: str) -> Receipt | None:
    """The practice's receipt with that verification code, as it is kept, or None."""
    return Receipt.objects.filter(code=code).first()


# Refunds and invoices


def refunds_of_client(client: Client) -> QuerySet[Refund]:
    """Credit that was given back to a client, newest first, void records too. For owners and
    admins."""
    return Refund.objects.filter(client=client)


def get_refund_for(actor: StaffMember, refund_uuid: uuid.UUID) -> Refund:
    """A refund that the actor may void: owners and admins any. Raises Http404."""
    refund = Refund.objects.filter(uuid=refund_uuid).select_related("client").first()
    if refund is None or not actor.runs_practice:
        raise Http404("There is no such refund.")
    return refund


def invoices_of_client(client: Client) -> QuerySet[Invoice]:
    """A client's invoices, newest first, void ones too. For owners and admins."""
    return Invoice.objects.filter(client=client).defer("facts")


def get_invoice_for(actor: StaffMember, invoice_uuid: uuid.UUID) -> Invoice:
    """An invoice that the actor may see and void: owners and admins any. Raises Http404."""
    invoice = Invoice.objects.filter(uuid=invoice_uuid).select_related("client").first()
    if invoice is None or not actor.runs_practice:
        raise Http404("There is no such invoice.")
    return invoice


def invoices_open_to(access: PortalAccess) -> QuerySet[Invoice]:
    """The invoices that one portal access opens, newest first."""
    opened = papers_of(access)
    rows = Invoice.objects.none() if opened is None else Invoice.objects.filter(opened)
    return rows.defer("facts")


def get_invoice_by_access(held: Iterable[PortalAccess], invoice_uuid: uuid.UUID) -> Invoice:
    """An invoice that one of an account's accesses opens. Raises Http404 for any other."""
    invoice = Invoice.objects.filter(_opened_by(held), uuid=invoice_uuid).first()
    if invoice is None:
        raise Http404("There is no such invoice.")
    return invoice
