"""The practice: the tenant that everything belongs to, and its settings."""

from zoneinfo import ZoneInfo

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from roost.core.models import PublicId
from roost.core.time import zone
from roost.practices.enums import Language, Paper
from roost.practices.money import CURRENCIES

AFTER_CALL_WORDS = "Thank you for coming. Take a moment for yourself before you go on."
FALLBACK_WORDS = "If video does not work, call us, and we go on by phone."


class Practice(PublicId):
    """One practice, of one therapist or forty."""

    tenancy_exempt = "It is the tenant itself."

    slug = models.CharField(
        max_length=40, unique=True, validators=[RegexValidator(r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    )
    name = models.CharField(max_length=100)
    zone_name = models.CharField(max_length=50, default="America/Toronto")
    phone = models.CharField(max_length=40, blank=True)
    address = models.CharField(max_length=300, blank=True)
    mail_sender_name = models.CharField(max_length=60, blank=True)
    is_demo = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    # Settings → Client Portal
    allow_sign_up = models.BooleanField(default=False)
    starter_password_days = models.PositiveSmallIntegerField(
        default=7, validators=[MinValueValidator(1), MaxValueValidator(30)]
    )
    join_minutes_before = models.PositiveSmallIntegerField(
        default=30, validators=[MaxValueValidator(120)]
    )
    join_minutes_after = models.PositiveSmallIntegerField(
        default=30, validators=[MaxValueValidator(120)]
    )
    staff_idle_minutes = models.PositiveSmallIntegerField(default=30)
    client_idle_minutes = models.PositiveSmallIntegerField(default=60)
    portal_settings_changed_at = models.DateTimeField(null=True, blank=True)
    portal_settings_changed_by = models.CharField(max_length=100, blank=True)

    # Settings → Video
    relay_only = models.BooleanField(default=False)
    # What clients read after a call, and when a call does not come about.
    after_call_words = models.CharField(max_length=600, blank=True, default=AFTER_CALL_WORDS)
    fallback_words = models.CharField(max_length=300, blank=True, default=FALLBACK_WORDS)

    # Settings → Practice → Money
    currency = models.CharField(
        max_length=3,
        default="CAD",
        choices=[(code, each.name) for code, each in CURRENCIES.items()],
    )
    late_cancel_percent = models.PositiveSmallIntegerField(
        default=100, validators=[MaxValueValidator(100)]
    )
    uses_invoices = models.BooleanField(default=False)

    # Settings → Receipts
    paper = models.CharField(max_length=6, choices=Paper.choices, default=Paper.LETTER)
    tax_number = models.CharField(max_length=40, blank=True)
    receipt_language = models.CharField(
        max_length=2, choices=Language.choices, default=Language.ENGLISH
    )
    receipt_prefix = models.CharField(max_length=10, blank=True)
    # The SHA-256 of the logo that new receipts carry, by which billing finds it; empty for none.
    receipt_logo = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """The zone that sessions are booked in."""
        return zone(self.zone_name)

    @property
    def sender_name(self) -> str:
        """The neutral name that mail comes from, and all that its subject says of the practice."""
        return self.mail_sender_name or self.name
