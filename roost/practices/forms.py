"""Forms of the practice's settings."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator

from roost.core.forms import LineField, LinesField, PhoneField
from roost.core.time import ZONES
from roost.practices.enums import Language, Paper
from roost.practices.money import CURRENCIES

YES_NO = [("yes", "Yes"), ("no", "No")]


def number_field(label: str, least: int, most: int, help_text: str = "") -> forms.IntegerField:
    """A short field for a whole number between two others."""
    words = f"Write a whole number from {least} to {most}."
    return forms.IntegerField(
        label=label,
        min_value=least,
        max_value=most,
        help_text=help_text,
        error_messages={"min_value": words, "max_value": words, "invalid": words},
        widget=forms.NumberInput(attrs={"class": "input-short"}),
    )


class PracticeForm(forms.Form):
    """Settings → Practice: what stands on every page and in every mail."""

    name = LineField(label="Practice name", max_length=100)
    phone = PhoneField(
        label="Phone", required=False, help_text="Clients call it when nothing else works."
    )
    address = LinesField(label="Address", required=False, max_length=300)
    mail_sender_name = LineField(
        label="Name that e-mails come from",
        required=False,
        max_length=60,
        help_text="A neutral one, if others may see a client’s inbox: it stands in every subject,"
        " too. Left empty: the practice’s name.",
    )
    zone_name = forms.ChoiceField(
        label="Time zone",
        choices=[(z, z.replace("_", " ")) for z in sorted(ZONES)],
        help_text="Sessions are booked in it. Sessions already booked keep their time when it"
        " changes.",
    )
    staff_idle_minutes = number_field("Sign staff out after (minutes without use)", 5, 240)
    client_idle_minutes = number_field("Sign clients out after (minutes without use)", 5, 240)
    currency = forms.ChoiceField(
        label="Currency",
        choices=[(code, f"{each.name} ({code})") for code, each in CURRENCIES.items()],
        error_messages={"invalid_choice": "Choose a currency from the list."},
        help_text="Fees are charged in it. Receipts already issued keep theirs.",
    )
    late_cancel_percent = number_field(
        "A late cancel costs (% of the fee)", 0, 100, "0 if you don’t charge."
    )


class ReceiptsForm(forms.Form):
    """Settings → Receipts: how new ones are printed. Those issued stay as they are."""

    tax_number = LineField(
        label="Tax number",
        required=False,
        max_length=40,
        help_text="Your GST/HST number, where you have one. It appears on every receipt; without it"
        " no tax can be charged.",
    )
    receipt_prefix = LineField(
        label="Number prefix",
        required=False,
        max_length=10,
        help_text="“MC-” makes numbers like MC-2026-0413. Numbering carries on; issued numbers"
        " stay.",
        validators=[
            RegexValidator(
                r"^[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z-])?$",
                "Use letters, digits and hyphens: a letter first, and no digit last.",
            )
        ],
        widget=forms.TextInput(attrs={"class": "input-short", "autocomplete": "off"}),
    )
    receipt_language = forms.ChoiceField(
        label="Language",
        choices=Language.choices,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": "Choose English or Français."},
    )
    paper = forms.ChoiceField(
        label="Paper",
        choices=Paper.choices,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": "Choose Letter or A4."},
    )
    uses_invoices = forms.ChoiceField(
        label="Issue invoices",
        choices=YES_NO,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose Yes or No.",
            "invalid_choice": "Choose Yes or No.",
        },
        help_text="For clients, or whoever pays, that want one before they pay.",
    )


class LogoForm(forms.Form):
    """A picture for the top of new receipts."""

    logo = forms.FileField(
        label="Picture",
        help_text="A PNG or JPEG of at most 2 MB. It is drawn on white, up to 6 cm wide and 1.5 cm"
        " high.",
        error_messages={
            "required": "Choose a picture first: a PNG or a JPEG.",
            "empty": "That file is empty.",
        },
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg"}),
    )


class VideoForm(forms.Form):
    """Settings → Video. `has_relay`: one is configured, without which Yes would stop every call."""

    relay_only = forms.ChoiceField(
        label="Every call through the relay",
        choices=YES_NO,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose Yes or No.", "invalid_choice": "Choose Yes or No."},
    )

    after_call_words = LinesField(
        label="What clients read after a call",
        required=False,
        max_length=600,
        help_text="On the page that says when their next session is. Plain text, 600 characters.",
    )
    fallback_words = LineField(
        label="What you have agreed for when video fails",
        required=False,
        max_length=300,
        help_text="It appears beside your phone number wherever a call does not come about.",
    )

    def __init__(self, *args: Any, has_relay: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.has_relay = has_relay

    def clean_relay_only(self) -> bool:
        wanted: bool = self.cleaned_data["relay_only"] == "yes"
        if wanted and not self.has_relay:
            raise forms.ValidationError(
                "There is no relay that calls could go through. Whoever runs the server sets one "
                "up first."
            )
        return wanted


class PortalForm(forms.Form):
    """Settings → Client Portal."""

    allow_sign_up = forms.ChoiceField(
        label="Allow clients to create account", choices=YES_NO, widget=forms.RadioSelect
    )
    starter_password_days = number_field(
        "Expires after (days)", 1, 30, "1 to 30. Seven suits most practices."
    )
    join_minutes_before = number_field("Minutes before the start", 0, 120)
    join_minutes_after = number_field("Minutes after the end", 0, 120)
