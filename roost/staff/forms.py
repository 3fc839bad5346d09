"""Forms about staff."""

from typing import Any

from django import forms

from roost.core.forms import AddressField, KeyedForm, LineField
from roost.staff.enums import Role
from roost.staff.models import StaffMember

PROFILE = [
    "display_name", "sees_clients", "title", "college", "registration_number", "supervisor",
]  # fmt: skip


class ProfileForm(KeyedForm):
    """Who a colleague is to clients and insurers, and what they may do here."""

    display_name = LineField(label="Name", max_length=100)
    role = forms.ChoiceField(label="Role", choices=Role.choices)
    sees_clients = forms.BooleanField(label="Sees clients", required=False)
    title = LineField(
        label="Title", max_length=60, required=False, help_text="As clients see it: RP, RSW."
    )
    college = LineField(label="College", max_length=150, required=False)
    registration_number = LineField(label="Registration number", max_length=40, required=False)
    supervisor: "forms.ModelChoiceField[StaffMember]" = forms.ModelChoiceField(
        None, label="Supervisor", required=False, to_field_name="uuid", empty_label="None"
    )

    def __init__(self, *args: Any, member: StaffMember | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = StaffMember.objects.filter(is_active=True)
        field = self.fields["supervisor"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = others.exclude(pk=member.pk) if member else others

    def profile(self) -> dict[str, Any]:
        """The cleaned values of the profile."""
        return {name: self.cleaned_data[name] for name in PROFILE}


class InviteForm(ProfileForm):
    """Invite a colleague."""

    email = AddressField(label="Email")
    field_order = ["form_key", "display_name", "email", "role"]


class MemberForm(ProfileForm):
    """Change a colleague."""

    is_active = forms.BooleanField(label="Works here and can log in", required=False)

    @staticmethod
    def values_of(member: StaffMember) -> dict[str, Any]:
        """The form's first values for a colleague."""
        values = {name: getattr(member, name) for name in [*PROFILE, "role", "is_active"]}
        values["supervisor"] = member.supervisor.uuid if member.supervisor else None
        return values
