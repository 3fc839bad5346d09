"""Tax rates, charges, payments, credit, receipts and invoices.

A receipt is never edited and never deleted, and neither is an invoice. What they say is frozen in
`facts` when they are issued; voiding fills in two columns and nothing else.
"""

from decimal import Decimal
from typing import Any, ClassVar, Self, TypeVar

from django.db import models

from roost.billing.enums import DocumentKind, Method
from roost.core.models import PublicId
from roost.core.tenancy import TenantManager, TenantModel, TenantQuerySet
from roost.scheduling.models import Appointment, Service


class TaxRate(PublicId, TenantModel):
    """What tax a service carries from a day on, until the next rate begins. No percent: exempt."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="tax_rates")
    from_on = models.DateField()
    name = models.CharField(max_length=20, blank=True)
    percent = models.DecimalField(max_digits=6, decimal_places=3, null=True, blank=True)

    class Meta:
        ordering = ["-from_on", "-pk"]
        constraints = [models.UniqueConstraint("service", "from_on", name="one_rate_from_a_day")]


class Charge(PublicId, TenantModel):
    """Who is billed for a session, who pays, and what it costs.

    One for a session, but for a group one for each of its people. The amounts mean something from
    `fixed_at` on: its first payment or an invoice fixes them, and they are free to be fixed anew
    once nothing that holds them counts any more. Until then it only says whom somebody chose.
    """

    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="charges")
    client = models.ForeignKey("clients.Client", on_delete=models.PROTECT, related_name="+")
    # The name that stands on papers; beside it who that is, where it is somebody Roost knows.
    payer = models.CharField(max_length=150, blank=True)
    payer_account = models.ForeignKey(
        "accounts.Account", null=True, on_delete=models.PROTECT, related_name="+"
    )
    payer_client = models.ForeignKey(
        "clients.Client", null=True, on_delete=models.PROTECT, related_name="+"
    )
    currency = models.CharField(max_length=3)
    fee = models.DecimalField(max_digits=12, decimal_places=3)
    # The share of the service's fee that `fee` is, where the session was cancelled late.
    late_cancel_percent = models.PositiveSmallIntegerField(null=True)
    tax_name = models.CharField(max_length=20, blank=True)
    tax_percent = models.DecimalField(max_digits=6, decimal_places=3, null=True)
    tax = models.DecimalField(max_digits=12, decimal_places=3)
    total = models.DecimalField(max_digits=12, decimal_places=3)
    fixed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["client", "currency"], name="charge_by_client")]
        constraints = [models.UniqueConstraint("appointment", "client", name="one_charge_a_client")]


class IsFixed(RuntimeError):
    """Something would have changed, or removed, what is fixed for good."""


Row = TypeVar("Row", bound=models.Model)


class FixedQuerySet(TenantQuerySet[Row]):
    """Rows that nobody edits or deletes, one by one or many at once. Voiding is the one way to
    change them, it fills in who and when, and there is no way back."""

    def void(self, **values: Any) -> int:
        """Void those that are not void yet: `voided_at` and `voided_by`. Returns how many."""
        if values.keys() != {"voided_at", "voided_by"} or None in values.values():
            raise IsFixed("Voiding says who and when.")
        return super(FixedQuerySet, self.filter(voided_at=None)).update(**values)

    def update(self, **values: Any) -> int:
        raise IsFixed(f"A {self.model.__name__} is fixed: it is never edited.")

    def bulk_update(self, *args: Any, **kwargs: Any) -> int:
        raise IsFixed(f"A {self.model.__name__} is fixed: it is never edited.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise IsFixed(f"A {self.model.__name__} is kept.")

    def _raw_delete(self, using: str | None) -> int:
        raise IsFixed(f"A {self.model.__name__} is kept.")


class FixedManager(TenantManager[Row]):
    """The practice's own rows, fixed."""

    _queryset_class = FixedQuerySet


class FixedModel(TenantModel):
    """A row that is written once. On PostgreSQL the database refuses as well: migrations 0004 and
    0007."""

    objects: ClassVar[TenantManager[Self]] = FixedManager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise IsFixed(f"A {type(self).__name__} is never edited.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise IsFixed(f"A {type(self).__name__} is kept.")

    def void(self, **values: Any) -> bool:
        """Void this row: `voided_at` and `voided_by`. Returns whether it was valid until now."""
        rows: Any = type(self).objects.filter(pk=self.pk)
        return bool(rows.void(**values))


class Payment(PublicId, FixedModel):
    """Money that came in for a session, or credit that was used for it. It counts until its
    receipt is voided. `amount` is what it pays of the charge; `over` is what came in on top, and
    is the client's credit."""

    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="payments")
    amount = models.DecimalField(max_digits=12, decimal_places=3)
    over = models.DecimalField(max_digits=12, decimal_places=3, default=Decimal(0))
    method = models.CharField(max_length=13, choices=Method.choices)
    paid_on = models.DateField()
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by = models.ForeignKey("staff.StaffMember", on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="a_payment_is_money"),
            models.CheckConstraint(condition=models.Q(over__gte=0), name="over_is_not_owed"),
        ]


class Refund(PublicId, FixedModel):
    """Credit that was given back. recorded → void, where it was a mistake."""

    client = models.ForeignKey("clients.Client", on_delete=models.PROTECT, related_name="refunds")
    currency = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=12, decimal_places=3)
    method = models.CharField(max_length=13, choices=Method.choices)
    refunded_on = models.DateField()
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by = models.ForeignKey("staff.StaffMember", on_delete=models.PROTECT, related_name="+")
    voided_at = models.DateTimeField(null=True, blank=True)
    voided_by = models.ForeignKey(
        "staff.StaffMember", null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["-refunded_on", "-pk"]
        indexes = [models.Index(fields=["practice", "recorded_at", "id"], name="refund_by_record")]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="a_refund_is_money")
        ]

    @property
    def is_void(self) -> bool:
        return self.voided_at is not None


class CreditUse(FixedModel):
    """Credit that left the payment it was left over from: for a session, or back to the client.
    It counts as long as that payment's receipt, or that refund, does."""

    source = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="credit_uses")
    payment = models.ForeignKey(
        Payment, null=True, on_delete=models.PROTECT, related_name="credit_drawn"
    )
    refund = models.ForeignKey(
        Refund, null=True, on_delete=models.PROTECT, related_name="credit_drawn"
    )
    amount = models.DecimalField(max_digits=12, decimal_places=3)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="a_use_is_money"),
            models.CheckConstraint(
                condition=models.Q(payment=None, refund__isnull=False)
                | models.Q(payment__isnull=False, refund=None),
                name="a_use_has_one_end",
            ),
        ]


class ReceiptCounter(TenantModel):
    """The last number given in a year. Locked by the transaction that issues the next."""

    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint("practice", "year", name="one_counter_a_year")]


class Receipt(PublicId, FixedModel):
    """A receipt as it was issued. `facts` is all that its documents say.

    issued → void, and never back.
    """

    prefix = models.CharField(max_length=10, blank=True, default="")
    year = models.PositiveSmallIntegerField()
    serial = models.PositiveIntegerField()
    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="receipt")
    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="receipts")
    client = models.ForeignKey("clients.Client", on_delete=models.PROTECT, related_name="receipts")
    payer_account = models.ForeignKey(
        "accounts.Account", null=True, on_delete=models.PROTECT, related_name="+"
    )
    payer_client = models.ForeignKey(
        "clients.Client", null=True, on_delete=models.PROTECT, related_name="+"
    )
    issued_on = models.DateField()
    issued_at = models.DateTimeField()
    issued_by = models.ForeignKey("staff.StaffMember", on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=12, decimal_places=3)
    # 80 bits, Crockford's base 32, without its hyphens.
    code = models.CharField(max_length=16)
    facts = models.JSONField()
    voided_at = models.DateTimeField(null=True, blank=True)
    voided_by = models.ForeignKey(
        "staff.StaffMember", null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["-year", "-serial"]
        indexes = [
            models.Index(fields=["client", "-year", "-serial"], name="receipt_by_client"),
            # What the worker looks through each hour for a PDF that is missing.
            models.Index(fields=["practice", "issued_at"], name="receipt_by_issue"),
            models.Index(
                fields=["practice", "voided_at"],
                condition=models.Q(voided_at__isnull=False),
                name="receipt_by_void",
            ),
        ]
        constraints = [
            models.UniqueConstraint("practice", "year", "serial", name="one_receipt_a_number"),
            models.UniqueConstraint("practice", "code", name="one_receipt_a_code"),
        ]

    @property
    def number(self) -> str:
        """ "2026-0413", behind the prefix that the practice had when it was issued."""
        return f"{self.prefix}{self.year}-{self.serial:04}"

    @property
    def is_void(self) -> bool:
        return self.voided_at is not None

    @property
    def kind(self) -> str:
        """Which of its documents is the one to hand out now."""
        return DocumentKind.VOID if self.is_void else DocumentKind.ISSUED


class Document(FixedModel):
    """A receipt's PDF, made once. The first stored copy wins, and every download reads it."""

    receipt = models.ForeignKey(Receipt, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=6, choices=DocumentKind.choices)
    pdf = models.BinaryField()
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint("receipt", "kind", name="one_document_a_kind")]


class InvoiceCounter(TenantModel):
    """The last invoice number given in a year: locked as the receipts' is."""

    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint("practice", "year", name="one_invoice_counter")]


class Invoice(PublicId, FixedModel):
    """Sessions of one client that are to be paid by a day. `facts` is all that its documents say.

    open → paid, which follows from the payments of its charges and is stored nowhere. Either
    → void, and never back.
    """

    year = models.PositiveSmallIntegerField()
    serial = models.PositiveIntegerField()
    client = models.ForeignKey("clients.Client", on_delete=models.PROTECT, related_name="invoices")
    payer_account = models.ForeignKey(
        "accounts.Account", null=True, on_delete=models.PROTECT, related_name="+"
    )
    payer_client = models.ForeignKey(
        "clients.Client", null=True, on_delete=models.PROTECT, related_name="+"
    )
    issued_on = models.DateField()
    issued_at = models.DateTimeField()
    issued_by = models.ForeignKey("staff.StaffMember", on_delete=models.PROTECT, related_name="+")
    due_on = models.DateField()
    currency = models.CharField(max_length=3)
    # What was owed for its sessions when it was issued.
    amount = models.DecimalField(max_digits=12, decimal_places=3)
    facts = models.JSONField()
    voided_at = models.DateTimeField(null=True, blank=True)
    voided_by = models.ForeignKey(
        "staff.StaffMember", null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["-year", "-serial"]
        indexes = [
            models.Index(fields=["client", "-year", "-serial"], name="invoice_by_client"),
            # What the worker looks through, as with receipts.
            models.Index(fields=["practice", "issued_at"], name="invoice_by_issue"),
            models.Index(
                fields=["practice", "voided_at"],
                condition=models.Q(voided_at__isnull=False),
                name="invoice_by_void",
            ),
        ]
        constraints = [
            models.UniqueConstraint("practice", "year", "serial", name="one_invoice_a_number")
        ]

    @property
    def number(self) -> str:
        """ "INV-2026-0007": not to be mistaken for a receipt's."""
        return f"INV-{self.year}-{self.serial:04}"

    @property
    def is_void(self) -> bool:
        return self.voided_at is not None

    @property
    def kind(self) -> str:
        """Which of its documents is the one to hand out now."""
        return DocumentKind.VOID if self.is_void else DocumentKind.ISSUED


class InvoiceLine(FixedModel):
    """A session on an invoice, and what was owed for it then."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="invoice_lines")
    amount = models.DecimalField(max_digits=12, decimal_places=3)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint("invoice", "charge", name="one_line_a_charge")]


class InvoiceDocument(FixedModel):
    """An invoice's PDF, made once. The first stored copy wins, and every download reads it."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=6, choices=DocumentKind.choices)
    pdf = models.BinaryField()
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint("invoice", "kind", name="one_invoice_document")]


class Logo(FixedModel):
    """A practice's logo, cleaned: a small PNG that is never changed. Receipts name it by hash."""

    sha256 = models.CharField(max_length=64)
    png = models.BinaryField()
    kept_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint("practice", "sha256", name="one_logo_a_hash")]
