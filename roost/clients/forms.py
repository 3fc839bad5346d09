"""Forms of a client's record."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format

from roost.accounts.passwords import check_new_password
from roost.clients.enums import Relationship
from roost.clients.models import Client
from roost.clients.queries import therapists_for
from roost.core.forms import (
    AddressField,
    KeyedForm,
    LineField,
    LinesField,
    PhoneField,
    ShownField,
)
from roost.staff.models import StaffMember


class DayField(forms.DateField):
    """A day of somebody's life: not in the future, not before 1900."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def clean(self, value: Any) -> date | None:
        day: date | None = super().clean(value)
        if day is not None and day > timezone.localdate():
            raise ValidationError("That day is in the future.")
        if day is not None and day.year < 1900:
            raise ValidationError("That year is too long ago.")
        return day


class PeopleField(forms.ModelMultipleChoiceField):
    """Therapists of the practice, to tick."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(None, to_field_name="uuid", required=False, **kwargs)

    def label_from_instance(self, obj: StaffMember) -> str:  # type: ignore[override]
        return obj.name_with_title if obj.is_active else f"{obj.name_with_title} (away)"


class FormOfRecord(forms.Form):
    """What stands on a record, to be changed. It carries what it showed: what nobody touched on the
    screen is not written, whatever has become of it meanwhile."""

    shown = ShownField()

    def clean_shown(self) -> dict[str, Any]:
        """What was shown, days as days."""
        shown: dict[str, Any] = self.cleaned_data["shown"]
        for name, value in shown.items():
            if value and isinstance(self.fields.get(name), DayField):
                shown[name] = date.fromisoformat(value)
        return shown

    @property
    def typed(self) -> dict[str, Any]:
        """The fields that were changed on the screen, and what they are to say; but therapists."""
        values = {k: v for k, v in self.cleaned_data.items() if k not in ("shown", "therapists")}
        shown = self.cleaned_data["shown"]
        return {k: v for k, v in values.items() if k in shown and v != shown[k]}

    def refuse(self, newer: dict[str, Any]) -> None:
        """Say beside each field what somebody else has changed it to. What was typed stays there,
        and is written when the form is sent again."""
        shown = {**self.cleaned_data["shown"], **newer}
        assert isinstance(self.data, QueryDict)
        self.data = self.data.copy()
        self.data["shown"] = self.fields["shown"].prepare_value(shown)
        for name, value in newer.items():
            there = _say(self.fields[name].prepare_value(value))
            words = f"Changed meanwhile to “{there}”." if there else "Emptied meanwhile."
            self.add_error(name, f"{words} Save again, and it says what you typed.")


def _say(value: Any) -> str:
    if isinstance(value, date):
        return date_format(value, "j F Y")
    return ", ".join(line.strip(" ,") for line in str(value or "").splitlines())


class ClientForm(KeyedForm):
    """Add Client."""

    first_name = LineField(label="First name", max_length=100)
    last_name = LineField(label="Last name", max_length=100)
    preferred_name = LineField(
        label="Preferred name",
        max_length=100,
        required=False,
        help_text="What the person is called on screen and in e-mails.",
    )
    pronouns = LineField(label="Pronouns", max_length=30, required=False)
    email = AddressField(label="Email", required=False)
    phone = PhoneField(label="Phone", required=False)
    date_of_birth = DayField(label="Date of birth", required=False)
    in_care_since = DayField(label="In care since", required=False)
    address = LinesField(label="Address", max_length=300, required=False)
    emergency_contact = LinesField(
        label="Emergency contact",
        max_length=300,
        required=False,
        help_text="Name, relation and phone number.",
    )
    therapists = PeopleField(label="Therapists")

    def __init__(
        self, actor: StaffMember, *args: Any, client: Client | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["therapists"]
        assert isinstance(field, PeopleField)
        if actor.runs_practice:
            # Who is assigned already can be kept, or not, also while they are away.
            field.queryset = therapists_for(client)
        else:
            del self.fields["therapists"]

    @staticmethod
    def values_of(client: Client) -> dict[str, Any]:
        """The form's first values for a record."""
        names = [
            "first_name", "last_name", "preferred_name", "pronouns", "email", "phone",
            "date_of_birth", "in_care_since", "address", "emergency_contact",
        ]  # fmt: skip
        values = {name: getattr(client, name) for name in names}
        values["therapists"] = [
            str(u) for u in client.assignments.values_list("therapist__uuid", flat=True)
        ]
        return values


class EditClientForm(FormOfRecord, ClientForm):
    """The contact and clinical part of a record."""

    def __init__(self, actor: StaffMember, client: Client, *args: Any, **kwargs: Any) -> None:
        values = self.values_of(client)
        first = {**values, "shown": values}
        super().__init__(actor, *args, client=client, initial=first, **kwargs)

    @property
    def ticked(self) -> dict[str, list[StaffMember]]:
        """The therapists who were ticked on the screen, and those who were unticked."""
        field = self.fields.get("therapists")
        if not isinstance(field, PeopleField) or field.queryset is None:
            return {}
        shown = set(self.cleaned_data["shown"].get("therapists", []))
        chosen = {str(each.uuid): each for each in self.cleaned_data["therapists"]}
        return {
            "assign": [chosen[key] for key in chosen if key not in shown],
            "unassign": list(field.queryset.filter(uuid__in=shown - chosen.keys())),
        }


class PortalSettingsForm(KeyedForm):
    """Client Portal Settings: whom to let in, and with what."""

    email = AddressField(label="Email")
    relationship = forms.ChoiceField(
        label="Relationship to this client", choices=Relationship.choices
    )
    # Somebody reads it out: it holds nothing that cannot be seen.
    starter_password = LineField(
        label="Starter password",
        required=False,
        max_length=4096,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "class": "mono", "spellcheck": "false"}
        ),
    )

    def __init__(self, own_words: list[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.own_words = own_words

    @classmethod
    def asking_again(cls, own_words: list[str], typed: Any) -> "PortalSettingsForm":
        """The form with what was typed, but with the relationship to be chosen anew."""
        names = ("email", "starter_password", "form_key")
        form = cls(own_words, initial={name: typed.get(name, "") for name in names})
        form.choose_nothing()
        return form

    def choose_nothing(self) -> None:
        """Offer no relationship as chosen already: nobody is tied to a second record by a choice
        that was only never changed."""
        field = self.fields["relationship"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "Choose one"), *Relationship.choices]

    def clean_starter_password(self) -> str:
        password = self.cleaned_data["starter_password"]
        if password:
            check_new_password(password, self.own_words)
        return password


class OwnDetailsForm(FormOfRecord):
    """What clients change by themselves."""

    preferred_name = LineField(
        label="Preferred name",
        max_length=100,
        required=False,
    )
    phone = PhoneField(label="Phone", required=False)
    address = LinesField(label="Address", max_length=300, required=False)

    def __init__(self, client: Client, data: Any = None, *, called: str = "you") -> None:
        values = {name: getattr(client, name) for name in ("preferred_name", "phone", "address")}
        super().__init__(data, initial={**values, "shown": values})
        words = f"What we call {called} on screen and in e-mails."
        self.fields["preferred_name"].help_text = words


class CorrectionForm(KeyedForm):
    """The legal name and date of birth as they should be on the record; staff decide."""

    first_name = LineField(label="First name", max_length=100)
    last_name = LineField(label="Last name", max_length=100)
    date_of_birth = DayField(label="Date of birth", required=False)

    def __init__(self, client: Client, *args: Any, **kwargs: Any) -> None:
        names = ("first_name", "last_name", "date_of_birth")
        self.on_record = {name: getattr(client, name) for name in names}
        super().__init__(*args, initial={**self.on_record}, **kwargs)

    @property
    def wanted(self) -> dict[str, Any]:
        """What was typed that is not on the record already."""
        return {
            name: self.cleaned_data[name]
            for name, now_there in self.on_record.items()
            if self.cleaned_data.get(name) and self.cleaned_data[name] != now_there
        }

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if not self.errors and not self.wanted:
            raise ValidationError("All of this is on the record already. Change what is wrong.")
        return values


class DeclineForm(forms.Form):
    """Why staff decline a correction, in words for the client."""

    reason = LineField(
        label="Reason, if you decline",
        max_length=300,
        help_text="The client reads this in the Client Portal. Say what they can do instead.",
        error_messages={"required": "Say why, in words for the client."},
    )
