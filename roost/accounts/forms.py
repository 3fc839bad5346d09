"""Forms of everybody's own account."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from roost.accounts import passwords
from roost.accounts.models import Account
from roost.accounts.services import check_own_password, check_password_choice
from roost.core.forms import AddressField
from roost.core.time import ZONES, say_place


def password_field(label: str, *, new: bool = False, **kwargs: Any) -> forms.CharField:
    """A password field: nothing is stripped or cut, and it comes back empty."""
    return forms.CharField(
        label=label,
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(
            attrs={"autocomplete": "new-password" if new else "current-password"}
        ),
        **kwargs,
    )


class StartsWithEmail(forms.Form):
    """Begins with the e-mail, which has the focus until something was wrong: then the summary has
    it."""

    email = AddressField(label="Email", widget=forms.EmailInput(attrs={"autocomplete": "username"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound:
            self.fields["email"].widget.attrs["autofocus"] = True


class TellsZone(forms.Form):
    """The browser adds its zone where it can."""

    zone = forms.CharField(required=False, widget=forms.HiddenInput(attrs={"data-zone": ""}))

    def clean_zone(self) -> str:
        """An IANA zone, or nothing: what a browser sends here is never worth an error."""
        name: str = self.cleaned_data["zone"]
        return name if name in ZONES else ""


class LogInForm(TellsZone, StartsWithEmail):
    """E-mail and password."""

    password = password_field("Password")
    next = forms.CharField(required=False, widget=forms.HiddenInput, max_length=500)


class AskForResetForm(StartsWithEmail):
    """Where to send a link for a new password."""


class NewAddressForm(forms.Form):
    """The address that somebody wants to log in with from now on."""

    email = AddressField(
        label="New e-mail", widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )

    def __init__(self, account: Account, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = account

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if email == self.account.email:
            raise ValidationError("That is the address you log in with already.")
        return email


class ChoosePasswordForm(forms.Form):
    """A password of one's own. `account` and `own_words` decide what may be chosen."""

    # The account's name for password managers; what is sent in it is not read.
    email = forms.CharField(
        label="Log-in e-mail",
        required=False,
        disabled=True,
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    new_password = password_field(
        "New password",
        new=True,
        help_text=f"At least {passwords.SHORTEST} characters. "
        "A short sentence is good; spaces are fine.",
    )

    def __init__(self, account: Account, own_words: Iterable[str], *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.account, self.own_words = account, list(own_words)
        self.initial["email"] = account.email

    def clean_new_password(self) -> str:
        password = self.cleaned_data["new_password"]
        check_password_choice(password, self.own_words, self.account)
        return password


class LinkForm(TellsZone, ChoosePasswordForm):
    """A password of one's own, through a mailed link: somebody's first log-in, maybe."""


class ChangePasswordForm(ChoosePasswordForm):
    """A new password, after the current one."""

    current_password = password_field("Current password")
    field_order = ["email", "current_password", "new_password"]

    def clean_current_password(self) -> str:
        password = self.cleaned_data["current_password"]
        if not check_own_password(self.account, password):
            raise ValidationError("That is not your current password.")
        return password


class ZoneForm(forms.Form):
    """The zone in which the reader wants to see times. `likely` are those put first: the reader's
    own, which their browser has told, and the practice's."""

    zone = forms.ChoiceField(label="Your time zone", widget=forms.Select(attrs={"data-zones": ""}))

    def __init__(self, likely: Iterable[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        first = [name for name in dict.fromkeys(likely) if name in ZONES]
        others = [each for each in _zone_choices() if each[0] not in first]
        field = self.fields["zone"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("Likely", [(name, say_place(name)) for name in first]),
            ("All others", others),
        ]


@cache
def _zone_choices() -> list[tuple[str, str]]:
    return sorted(((name, say_place(name)) for name in ZONES), key=lambda each: each[1])


class PasswordOfForm(forms.Form):
    """The password that belongs with an address, asked for before something that a mailed link
    alone must not do. `label` says which password is meant."""

    # For password managers; what is sent in it is not read.
    email = forms.CharField(
        label="Log-in e-mail",
        required=False,
        disabled=True,
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password = password_field("Password")

    def __init__(self, email: str, label: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["email"] = email
        self.fields["password"].label = label
