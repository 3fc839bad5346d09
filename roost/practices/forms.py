"""Forms of the practice's settings."""

from django import forms

from roost.core.forms import LineField, LinesField, PhoneField
from roost.core.time import ZONES

YES_NO = [("yes", "Yes"), ("no", "No")]


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
        help_text="A neutral one, if others may see a client’s inbox. Empty: the practice’s name.",
    )
    zone_name = forms.ChoiceField(
        label="Time zone",
        choices=[(z, z.replace("_", " ")) for z in sorted(ZONES)],
        help_text="Sessions are booked in it. Booked ones keep their moment when it changes.",
    )
    staff_idle_minutes = forms.IntegerField(
        label="Sign staff out after (minutes without use)", min_value=5, max_value=240
    )
    client_idle_minutes = forms.IntegerField(
        label="Sign clients out after (minutes without use)", min_value=5, max_value=240
    )


class PortalForm(forms.Form):
    """Settings → Client Portal."""

    allow_sign_up = forms.ChoiceField(
        label="Allow clients to create account", choices=YES_NO, widget=forms.RadioSelect
    )
    starter_password_days = forms.IntegerField(
        label="Expires after (days)",
        min_value=1,
        max_value=30,
        help_text="1 to 30. Seven suits most practices.",
    )
    join_minutes_before = forms.IntegerField(
        label="Minutes before the start", min_value=0, max_value=120
    )
    join_minutes_after = forms.IntegerField(
        label="Minutes after the end", min_value=0, max_value=120
    )
