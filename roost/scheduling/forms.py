"""What people type to book and move sessions, and to describe services."""

import uuid
from datetime import date, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError

from roost.core.forms import KeyedForm, LineField
from roost.core.time import (
    WallTimeInFold,
    WallTimeInGap,
    from_wall_time,
    now,
    say_day,
    say_hour,
)
from roost.practices.money import decimals_of
from roost.scheduling.enums import Mode, ServiceType
from roost.scheduling.errors import BadDuration, DayOutOfRange, SchedulingError
from roost.scheduling.models import Service
from roost.scheduling.queries import active_services, calendars_visible_to
from roost.scheduling.rules import (
    LONGEST_MINUTES,
    MOST_TOGETHER,
    SHORTEST_MINUTES,
    gap_around,
    is_in_reach,
)
from roost.staff.models import StaffMember

HOUR_FORMATS = ["%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M%p", "%I %p", "%I%p"]


class IdsField(forms.Field):
    """Several public ids, each once, in the order they came."""

    widget = forms.SelectMultiple

    def to_python(self, value: Any) -> list[uuid.UUID]:
        try:
            ids = [uuid.UUID(str(each)) for each in dict.fromkeys(value or [])]
        except ValueError:
            raise ValidationError("One of them can’t be found. Search for them again.") from None
        if len(ids) > MOST_TOGETHER:
            raise ValidationError(f"At most {MOST_TOGETHER} people can be booked together.")
        return list(dict.fromkeys(ids))


class WallTimeForm(forms.Form):
    """A day and a time in the practice's zone. `cleaned_data["starts_at"]` is the moment in UTC.

    A time that the clocks skip is refused with the reason; for one that comes twice `asks_which`
    becomes true, and the page asks.
    """

    day = forms.DateField(
        label="Day",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": "Choose a day.",
            "invalid": "That day isn’t in the calendar. Write it like 2026-11-24.",
        },
    )
    hour = forms.TimeField(
        label="Time",
        input_formats=HOUR_FORMATS,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={
            "required": "Choose a time.",
            "invalid": "That isn’t a time of day. Write it like 14:00 or 2:00 pm.",
        },
    )
    which = forms.Field(
        label="Which of the two",
        required=False,
        widget=forms.RadioSelect(choices=[("0", "The first"), ("1", "The second")]),
    )

    def __init__(self, *args: Any, tz: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tz = tz
        self.today = now().astimezone(tz).date()
        self.asks_which = False

    def clean_day(self) -> date:
        day: date = self.cleaned_data["day"]
        if not is_in_reach(day, self.today):
            raise ValidationError(str(DayOutOfRange()))
        return day

    def clean_hour(self) -> time:
        hour: time = self.cleaned_data["hour"]
        return hour.replace(second=0, microsecond=0)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        day, hour = values.get("day"), values.get("hour")
        if day is not None and hour is not None:
            which = values.get("which")
            fold = int(which) if which in ("0", "1") else None
            try:
                values["starts_at"] = from_wall_time(day, hour, self.tz, fold)
            except WallTimeInGap:
                self.add_error("hour", self._words_on_gap(day, hour))
            except WallTimeInFold:
                self._ask_which(day, hour)
                self.add_error("which", self._words_on_fold(day, hour))
            else:
                if fold is not None and self._comes_twice(day, hour):
                    self._ask_which(day, hour)
        return values

    def _comes_twice(self, day: date, hour: time) -> bool:
        try:
            from_wall_time(day, hour, self.tz)
        except WallTimeInFold:
            return True
        return False

    def _words_on_gap(self, day: date, hour: time) -> str:
        start, end = (_say_clock(each) for each in gap_around(day, hour, self.tz))
        return (
            f"On {say_day(day)} the clocks go forward from {start} to {end}, "
            f"so {_say_clock(hour)} doesn’t exist. Choose another time."
        )

    def _words_on_fold(self, day: date, hour: time) -> str:
        return (
            f"On {say_day(day)} the clocks go back, so {_say_clock(hour)} comes twice. "
            "Say which one you mean."
        )

    def _ask_which(self, day: date, hour: time) -> None:
        self.asks_which = True
        moments = [from_wall_time(day, hour, self.tz, fold) for fold in (0, 1)]
        self.fields["which"].widget.choices = [  # type: ignore[attr-defined]
            (str(fold), f"The {word} {say_hour(moment, self.tz)} ({moment.astimezone(self.tz):%Z})")
            for fold, word, moment in zip((0, 1), ("first", "second"), moments, strict=True)
        ]

    def refuse(self, error: SchedulingError) -> None:
        """Put what stood in the way beside the field it is about."""
        self.add_error(error.field if error.field in self.fields else None, str(error))


def _say_clock(hour: time) -> str:
    return f"{hour.hour % 12 or 12}:{hour.minute:02} {'am' if hour.hour < 12 else 'pm'}"


class BookingForm(WallTimeForm, KeyedForm):
    """Book a session. `clients` are public ids; the view looks them up for the actor."""

    clients = IdsField(
        label="Who it’s for", error_messages={"required": "Choose who the session is for."}
    )
    therapist = forms.ChoiceField(
        label="Therapist",
        error_messages={
            "required": "Choose a therapist.",
            "invalid_choice": "That therapist isn’t in the list. Choose another one.",
        },
    )
    service = forms.ChoiceField(
        label="Session",
        error_messages={
            "required": "Choose what kind of session it is.",
            "invalid_choice": "That service is no longer offered. Choose another one.",
        },
    )
    mode = forms.ChoiceField(
        label="How",
        choices=Mode.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose how you meet.",
            "invalid_choice": "Choose video, in person or phone.",
        },
    )

    field_order = ("form_key", "clients", "therapist", "service", "mode", "day", "hour", "which")

    def __init__(self, actor: StaffMember, *args: Any, tz: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, tz=tz, **kwargs)
        self.therapists = {str(each.uuid): each for each in calendars_visible_to(actor)}
        self.services = {str(each.uuid): each for each in active_services()}
        self._choices("therapist", {k: v.name_with_title for k, v in self.therapists.items()})
        self._choices("service", {k: v.label for k, v in self.services.items()})
        self.initial.setdefault("mode", Mode.VIDEO)

    def _choices(self, name: str, choices: dict[str, str]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        first = [] if len(choices) == 1 else [("", "Choose…")]
        field.choices = [*first, *choices.items()]

    @property
    def chosen_therapist(self) -> StaffMember | None:
        """Whoever the form names now, whether or not the rest of it is right."""
        if len(self.therapists) == 1:
            return next(iter(self.therapists.values()))
        return self.therapists.get(str(self["therapist"].value() or ""))

    @property
    def chosen_day(self) -> date | None:
        """The day the form names now, or None for none that can be booked."""
        value = self["day"].value()
        try:
            day = value if isinstance(value, date) else date.fromisoformat(str(value or ""))
        except ValueError:
            return None
        return day if is_in_reach(day, self.today) else None


class SeenForm(forms.Form):
    """What is done to a session as the page showed it: `seen` is the start that it said."""

    seen = forms.DateTimeField(
        required=False,
        widget=forms.HiddenInput,
        error_messages={"invalid": "This page is out of date. Reload it and try once more."},
    )


class CancelForm(SeenForm):
    """Cancel a session."""

    def refuse(self, error: SchedulingError) -> None:
        """Say what stood in the way: it is about no field."""
        self.add_error(None, str(error))


class MoveForm(SeenForm, WallTimeForm):
    """Move a session to another day or time."""

    field_order = ("seen", "day", "hour", "which")


class ServiceForm(forms.Form):
    """What a service is called, what kind it is and how long it takes."""

    name = LineField(
        label="Name",
        max_length=80,
        help_text="What clients and colleagues read: Individual, Couple, First session.",
        error_messages={
            "required": "Give the service a name.",
            "max_length": "A name has at most 80 characters.",
        },
    )
    type = forms.ChoiceField(
        label="Kind",
        choices=ServiceType.choices,
        widget=forms.RadioSelect,
        initial=ServiceType.INDIVIDUAL,
        error_messages={
            "required": "Choose what kind of service it is.",
            "invalid_choice": "Choose individual, couple, family or group.",
        },
    )
    duration_minutes = forms.IntegerField(
        label="Minutes",
        min_value=SHORTEST_MINUTES,
        max_value=LONGEST_MINUTES,
        error_messages={
            "required": "Say how many minutes it takes.",
            "invalid": "Write the minutes as a whole number, like 50.",
            "min_value": str(BadDuration()),
            "max_value": str(BadDuration()),
        },
        widget=forms.NumberInput(attrs={"class": "input-short", "inputmode": "numeric"}),
    )

    fee = forms.DecimalField(
        label="Fee",
        required=False,
        min_value=0,
        max_digits=9,
        decimal_places=3,
        help_text="Before tax. With 0 nothing is owed, and there is no receipt.",
        error_messages={
            "invalid": "Write the fee as a number, like 150 or 150.00.",
            "min_value": "A fee can’t be less than 0.",
            "max_digits": "That fee has too many digits.",
            "max_whole_digits": "That fee has too many digits.",
            "max_decimal_places": "That fee has too many decimals for your currency.",
        },
        widget=forms.TextInput(attrs={"class": "input-short", "inputmode": "decimal"}),
    )
    billing_code = LineField(
        label="Billing code",
        max_length=20,
        required=False,
        help_text="Appears on receipts, where an insurer asks for one.",
        error_messages={"max_length": "A billing code has at most 20 characters."},
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["fee"]
        field.label = f"Fee ({currency})"
        self.decimals = decimals_of(currency)

    def clean_fee(self) -> Decimal | None:
        fee: Decimal | None = self.cleaned_data["fee"]
        if fee is not None and fee != fee.quantize(Decimal(1).scaleb(-self.decimals)):
            raise ValidationError("That fee has too many decimals for your currency.")
        return fee

    def refuse(self, error: SchedulingError) -> None:
        """Put what stood in the way beside the field it is about."""
        self.add_error(error.field if error.field in self.fields else None, str(error))

    @staticmethod
    def values_of(service: Service, currency: str) -> dict[str, Any]:
        """A service as the form shows it."""
        places = decimals_of(currency)
        return {
            "fee": None if service.fee is None else f"{service.fee:.{places}f}",
            "billing_code": service.billing_code,
            "name": service.name,
            "type": service.type,
            "duration_minutes": service.duration_minutes,
        }


class NewServiceForm(ServiceForm, KeyedForm):
    """Add a service."""

    field_order = ("form_key", "name", "type", "duration_minutes", "fee", "billing_code")
