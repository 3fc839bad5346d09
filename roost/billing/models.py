"""Tax rates, charges, payments and receipts.

A receipt is never edited and never deleted. What it says is frozen in `facts` when it is issued;
voiding fills in two columns and nothing else.
"""

from typing import Any

from django.db import models

from roost.billing.enums import DocumentKind, Method
from roost.core.models import PublicId
from roost.core.tenancy import TenantModel
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
    """What one session costs, and who is billed: fixed by its first payment, and free to be
    fixed anew once no payment for it counts."""

    appointment = models.OneToOneField(Appointment, on_delete=models.PROTECT, related_name="charge")
    client = models.ForeignKey("clients.Client", on_delete=models.PROTECT, related_name="+")
    payer = models.CharField(max_length=150, blank=True)
    currency = models.CharField(max_length=3)
    fee = models.DecimalField(max_digits=12, decimal_places=3)
    tax_name = models.CharField(max_length=20, blank=True)
    tax_percent = models.DecimalField(max_digits=6, decimal_places=3, null=True)
    tax = models.DecimalField(max_digits=12, decimal_places=3)
    total = models.DecimalField(max_digits=12, decimal_places=3)


class Payment(PublicId, TenantModel):
    """Money that came in for a session. It counts until its receipt is voided."""

    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="payments")
    amount = models.DecimalField(max_digits=12, decimal_places=3)
    method = models.CharField(max_length=13, choices=Method.choices)
    paid_on = models.DateField()
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by = models.ForeignKey("staff.StaffMember", on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="a_payment_is_money")
        ]


class ReceiptCounter(TenantModel):
    """The last number given in a year. Locked by the transaction that issues the next."""

    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint("practice", "year", name="one_counter_a_year")]


class ReceiptIsFixed(RuntimeError):
    """Something would have changed, or removed, a receipt."""


class Receipt(PublicId, TenantModel):
    """A receipt as it was issued. `facts` is all that its documents say.

    issued → void, and never back.
    """

    prefix = models.CharField(max_length=10, blank=True, default="")
    year = models.PositiveSmallIntegerField()
    serial = models.PositiveIntegerField()
    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="receipt")
    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="receipts")
    client = models.ForeignKey("clients.Client", on_delete=models.PROTECT, related_name="receipts")
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
        ]
        constraints = [
            models.UniqueConstraint("practice", "year", "serial", name="one_receipt_a_number"),
            models.UniqueConstraint("practice", "code", name="one_receipt_a_code"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise ReceiptIsFixed("A receipt is voided and issued again, never edited.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise ReceiptIsFixed("A receipt is kept.")

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


class Document(TenantModel):
    """A receipt's PDF, made once. The first stored copy wins, and every download reads it."""

    receipt = models.ForeignKey(Receipt, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=6, choices=DocumentKind.choices)
    pdf = models.BinaryField()
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint("receipt", "kind", name="one_document_a_kind")]


class Logo(TenantModel):
    """A practice's logo, cleaned: a small PNG that is never changed. Receipts name it by hash."""

    sha256 = models.CharField(max_length=64)
    png = models.BinaryField()
    kept_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint("practice", "sha256", name="one_logo_a_hash")]
