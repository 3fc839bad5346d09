"""What people type about money."""

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from roost.billing.enums import Method
from roost.billing.errors import BillingError
from roost.clients.models import Client
from roost.core.forms import KeyedForm, LineField
from roost.practices.money import decimals_of

_DAY = {"type": "date"}


def _day_field(label: str, **kwargs: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"),
        error_messages={
            "required": "Choose a day.",
            "invalid": "That day isn’t in the calendar. Write it like 2026-11-24.",
        },
        **kwargs,
    )


class _Refusing(forms.Form):
    def refuse(self, error: BillingError) -> None:
        """Put what stood in the way beside the field it is about."""
        self.add_error(error.field if error.field in self.fields else None, str(error))


class TaxRateForm(_Refusing):
    """What tax a service carries from a day on."""

    from_on = _day_field("From")
    kind = forms.ChoiceField(
        label="Tax",
        choices=[("exempt", "GST/HST exempt"), ("taxed", "Taxed")],
        widget=forms.RadioSelect,
        initial="exempt",
        error_messages={
            "required": "Choose exempt or taxed.",
            "invalid_choice": "Choose exempt or taxed.",
        },
    )
    name = LineField(
        label="Name of the tax, if taxed",
        max_length=20,
        required=False,
        help_text="Like HST or GST.",
        error_messages={"max_length": "A tax’s name has at most 20 characters."},
    )
    percent = forms.DecimalField(
        label="Rate in %, if taxed",
        required=False,
        min_value=0,
        max_value=100,
        max_digits=6,
        decimal_places=3,
        error_messages={
            "invalid": "Write the rate as a number, like 13 or 9.975.",
            "min_value": "A rate is from 0 to 100.",
            "max_value": "A rate is from 0 to 100.",
            "max_digits": "A rate is from 0 to 100, with at most three decimals.",
            "max_whole_digits": "A rate is from 0 to 100.",
            "max_decimal_places": "A rate has at most three decimals.",
        },
        widget=forms.TextInput(attrs={"class": "input-short", "inputmode": "decimal"}),
    )

    def clean_from_on(self) -> date:
        day: date = self.cleaned_data["from_on"]
        if not 1990 <= day.year <= 2100:
            raise ValidationError("Choose a day between 1990 and 2100. Check the year.")
        return day

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("kind") == "taxed":
            if not values.get("name") and "name" not in self.errors:
                self.add_error("name", "Give the tax its name, as it stands on receipts.")
            if values.get("percent") is None and "percent" not in self.errors:
                self.add_error("percent", "Say how many percent.")
        return values


class PaymentForm(_Refusing, KeyedForm):
    """Record a payment: its receipt is issued with it."""

    amount = forms.DecimalField(
        label="Amount",
        max_digits=12,
        decimal_places=3,
        error_messages={
            "required": "Write the amount that came in.",
            "invalid": "Write the amount as a number, like 150 or 150.00.",
            "max_digits": "That amount has too many digits.",
            "max_whole_digits": "That amount has too many digits.",
            "max_decimal_places": "That amount has too many decimals for your currency.",
        },
        widget=forms.TextInput(attrs={"class": "input-short", "inputmode": "decimal"}),
    )
    method = forms.ChoiceField(
        label="Paid by",
        choices=Method.choices,
        error_messages={
            "required": "Choose how it was paid.",
            "invalid_choice": "Choose how it was paid, from the list.",
        },
    )
    paid_on = _day_field("Paid on")
    client = forms.ChoiceField(
        label="Billed to",
        error_messages={
            "required": "Choose who is billed.",
            "invalid_choice": "Choose one of the people the session was for.",
        },
    )
    payer = LineField(
        label="Name of the payer",
        max_length=150,
        required=False,
        help_text="Where somebody else pays. It stands on the receipt.",
        error_messages={"max_length": "A name has at most 150 characters."},
    )

    field_order = ("form_key", "amount", "method", "paid_on", "client", "payer")

    def __init__(
        self,
        *args: Any,
        attending: list[Client],
        settled: bool,
        balance: Decimal,
        currency: str,
        today: date,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.attending = {str(each.uuid): each for each in attending}
        if settled:
            # The first payment has said who is billed.
            del self.fields["client"], self.fields["payer"]
        elif len(attending) == 1:
            del self.fields["client"]
        else:
            choices = [(key, each.name) for key, each in self.attending.items()]
            self.fields["client"].choices = choices  # type: ignore[attr-defined]
        self.fields["amount"].label = f"Amount ({currency})"
        self.initial.setdefault("amount", f"{balance:.{decimals_of(currency)}f}")
        self.initial.setdefault("paid_on", today)

    @property
    def billed(self) -> Client | None:
        """Who is billed, where that was asked."""
        return self.attending.get(str(self.cleaned_data.get("client") or ""))
