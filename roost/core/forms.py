"""Form parts that every page uses: fields that clean what was typed, and the form's own key."""

import json
import uuid
from typing import Any

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.core.signing import BadSignature, Signer

from roost.core.phones import HOME_REGION, spoken
from roost.core.text import clean_email, one_line, several_lines


class LineField(forms.CharField):
    """One line of text, free of control and direction marks. At most 150 characters."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 150)
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> str:
        # NUL would otherwise be refused in words nobody understands.
        return one_line(super().to_python(str(value or "").replace("\x00", "")) or "")


class LinesField(forms.CharField):
    """Several lines of text."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 500)
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": 3}))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> str:
        return several_lines(super().to_python(str(value or "").replace("\x00", "")) or "")


class AddressField(forms.CharField):
    """An e-mail address, cleaned by `clean_email`."""

    widget = forms.EmailInput

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 320)
        super().__init__(**kwargs)
        self.error_messages.setdefault(
            "invalid", "That address needs an @ and a domain, like casey@example.com."
        )

    def to_python(self, value: Any) -> str:
        text = one_line(str(value or ""))
        return clean_email(text) if text and len(text) <= 320 else text


class PhoneField(LineField):
    """A phone number, kept in E.164 where it can be read so, else as it was typed."""

    widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"})

    def __init__(self, region: str = HOME_REGION, **kwargs: Any) -> None:
        self.region = region
        kwargs.setdefault("max_length", 40)
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        """A stored number stands in its field as the pages say it."""
        return spoken(value) if isinstance(value, str) and value.startswith("+") else value

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        if not text:
            return ""
        try:
            number = phonenumbers.parse(text, self.region)
        except phonenumbers.NumberParseException:
            raise ValidationError(
                "That is not a phone number. Write it like 416 555 0142."
            ) from None
        if not phonenumbers.is_possible_number(number):
            raise ValidationError("That phone number has too few or too many digits.")
        text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        return f"{text};ext={number.extension}" if number.extension else text


class ShownField(forms.Field):
    """What a form showed when its page was made, by name. It comes back signed, as it left; days
    come back in ISO 8601."""

    widget = forms.HiddenInput
    signer = Signer(salt="roost.core.shown")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.error_messages["required"] = self.error_messages["invalid"] = (
            "This form has lost what it showed. Reload the page, and send it again."
        )

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return self.signer.sign(json.dumps(value, cls=DjangoJSONEncoder))

    def to_python(self, value: Any) -> dict[str, Any]:
        if not value:
            return {}
        try:
            shown: dict[str, Any] = json.loads(self.signer.unsign(value))
        except BadSignature:
            raise ValidationError(self.error_messages["invalid"]) from None
        return shown


class KeyedForm(forms.Form):
    """A form that creates something: it carries a key, so that it does so once."""

    form_key = forms.UUIDField(widget=forms.HiddenInput, required=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("form_key", uuid.uuid4())
        self.fields["form_key"].error_messages["required"] = (
            "This form has lost its number. Reload the page, and send it again."
        )
