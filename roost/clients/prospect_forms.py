"""Forms of sign-ups and prospects: those that people fill in themselves, and those of staff."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from roost.accounts import passwords
from roost.accounts.forms import StartsWithEmail, TellsZone, password_field
from roost.accounts.sign_ups import CODE_DIGITS
from roost.clients.enums import Relationship
from roost.clients.forms import DayField
from roost.core.forms import AddressField, KeyedForm, LineField, LinesField, PhoneField


class CreateAccountForm(TellsZone, KeyedForm):
    """Create Account: who one is, and a password of one's own."""

    first_name = LineField(
        label="First name",
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    last_name = LineField(
        label="Last name",
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    preferred_name = LineField(
        label="Preferred name",
        max_length=100,
        required=False,
        help_text="What we call you on screen and in e-mails.",
        widget=forms.TextInput(attrs={"autocomplete": "nickname"}),
    )
    email = AddressField(label="Email", widget=forms.EmailInput(attrs={"autocomplete": "username"}))
    phone = PhoneField(label="Phone", required=False)
    date_of_birth = DayField(
        label="Date of birth",
        required=False,
        help_text="It helps the practice find your file.",
        widget=forms.DateInput(attrs={"type": "date", "autocomplete": "bday"}, format="%Y-%m-%d"),
    )
    password = password_field(
        "Password",
        new=True,
        help_text=f"At least {passwords.SHORTEST} characters. "
        "A short sentence is good; spaces are fine.",
    )

    def __init__(self, practice_name: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.practice_name = practice_name

    def clean_password(self) -> str:
        """A password that may be chosen by somebody of these names."""
        password: str = self.cleaned_data["password"]
        typed = ("first_name", "last_name", "preferred_name", "email")
        names = [self.cleaned_data.get(name, "") for name in typed]
        passwords.check_new_password(password, [self.practice_name, *names])
        return password


class MailedCodeForm(forms.Form):
    """The six digits from the verification e-mail."""

    code = forms.CharField(
        label="6-digit code from the e-mail",
        max_length=20,
        widget=forms.TextInput(
            attrs={
                "inputmode": "numeric", "autocomplete": "one-time-code", "class": "code-input",
            }
        ),
    )  # fmt: skip

    def clean_code(self) -> str:
        """The digits alone, however they were spaced."""
        digits = "".join(c for c in self.cleaned_data["code"] if c.isascii() and c.isdigit())
        if len(digits) != CODE_DIGITS:
            raise ValidationError("The code has six digits.")
        return digits


class CorrectAddressForm(StartsWithEmail):
    """Another address for the verification e-mail."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "New e-mail"


class VouchForm(forms.Form):
    """Verify: the confirmation code that the person reads out, or how staff know them."""

    code = LineField(
        label="Confirmation code",
        max_length=20,
        required=False,
        help_text="Six letters and digits. The person sees them on their Account page.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}
        ),
    )
    reason = LinesField(
        label="Or: how do you know this person?",
        max_length=300,
        required=False,
        help_text="For example: showed ID at the desk on Tuesday.",
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if not self.errors and not values.get("code") and not values.get("reason"):
            raise ValidationError(
                {
                    "code": "Enter the code that the person reads out, or say how you know them.",
                    "reason": "Write how, if they have no code.",
                }
            )
        return values


class AssociateForm(forms.Form):
    """Associate: what the person is to the client, and an answer where Roost asks again."""

    relationship = forms.ChoiceField(
        label="Relationship to this client",
        choices=Relationship.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Say what this person is to the client."},
    )
