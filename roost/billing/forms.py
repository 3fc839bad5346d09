"""What people type about money."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from roost.billing.charging import paper_of
from roost.billing.enums import MONEY_METHODS, Method
from roost.billing.errors import BillingError, MoreThanOwed
from roost.billing.owed import Owed, Payer
from roost.billing.rules import say_money
from roost.clients.models import Client, PortalAccess
from roost.core.forms import KeyedForm, LineField
from roost.core.text import one_line
from roost.practices.money import decimals_of

_DAY = {"type": "date"}
FAR = timedelta(days=366)
FAR_WORDS = (
    "Check the year: the session was on {day}. If it was paid on this day all the same, tick the "
    "box below."
)


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
    """`usual` is the field for words that are about none of this form's; `renamed` says what this
    form calls a field that errors know by another name."""

    usual: ClassVar[str]
    renamed: ClassVar[dict[str, str]] = {}

    def refuse(self, error: BillingError) -> None:
        """Put what stood in the way beside the field it is about."""
        name = self.renamed.get(error.field or "", error.field)
        self.add_error(name if name in self.fields else self.usual, str(error))


class TaxRateForm(_Refusing):
    """What tax a service carries from a day on."""

    usual = "from_on"

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
        help_text="For example HST or GST.",
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
                self.add_error("name", "Give the tax its name, as it appears on receipts.")
            if values.get("percent") is None and "percent" not in self.errors:
                self.add_error("percent", "Say how many percent.")
        return values


GONE = (
    "Whoever was chosen can’t be chosen any more: their portal access has ended. Choose again, or "
    "write a name."
)


class _BilledForm(_Refusing):
    """Who is billed and who pays: the fields that a payment and a choice beforehand share. `shown`
    is a mark of what the page said of it."""

    usual = "payer"

    shown = LineField(
        required=False,
        max_length=16,
        widget=forms.HiddenInput,
        error_messages={"max_length": "This page is out of date. Reload it and try once more."},
    )

    client = forms.ChoiceField(
        label="Billed to",
        error_messages={
            "required": "Choose who is billed.",
            "invalid_choice": "Choose one of the people the session was for.",
        },
    )
    payer_is = forms.ChoiceField(
        label="Who pays",
        required=False,
        error_messages={"invalid_choice": GONE},
    )
    payer = LineField(
        label="Name of the payer",
        max_length=150,
        required=False,
        help_text="If somebody else pays. It appears on the receipt.",
        error_messages={"max_length": "A name has at most 150 characters."},
    )

    def offer(self, bill: Owed, attending: list[Client], payers: list[PortalAccess]) -> None:
        """Put in what can be chosen: the people of the session, and who has portal access."""
        self.bill = bill
        self.attending = {str(each.uuid): each for each in attending}
        self.payers: dict[str, Payer] = {"": Payer()}
        labels = {"": "The client, or the person named below"}
        for each in attending if len(attending) > 1 else []:
            self.payers[f"client-{each.uuid}"] = Payer(client=each)
            labels[f"client-{each.uuid}"] = each.name
        for access in payers:
            key = f"access-{access.uuid}"
            relationship = access.get_relationship_display().lower()
            self.payers[key] = Payer(account=access.account)
            labels[key] = f"{access.account.email} ({relationship} of {access.client.name})"
        chosen = (bill.payer.client, bill.payer.account)
        keys = [key for key, each in self.payers.items() if (each.client, each.account) == chosen]
        if not keys:
            keys = ["before"]
            self.payers["before"] = replace(bill.payer, name="")
            labels["before"] = f"{bill.payer.name} (portal access has ended)"
        if len(labels) == 1:
            del self.fields["payer_is"]
        else:
            self.fields["payer_is"].choices = list(labels.items())  # type: ignore[attr-defined]
        if len(attending) == 1:
            del self.fields["client"]
        else:
            names = [(key, each.name) for key, each in self.attending.items()]
            self.fields["client"].choices = names  # type: ignore[attr-defined]
        self.initial.setdefault("client", str(bill.client.uuid))
        self.initial.setdefault("payer", bill.payer.name)
        self.initial.setdefault("payer_is", keys[0])
        payer = [each and each.pk for each in chosen]
        said = f"{bill.client.uuid} {payer} {bill.payer.name} {bill.charge is not None}"
        self.mark = sha256(said.encode()).hexdigest()[:16]
        self.initial.setdefault("shown", self.mark)

    def clean(self) -> dict[str, Any]:
        """What somebody chose is neither left out in silence nor put over what they have not
        seen."""
        values = super().clean() or self.cleaned_data
        if self.bill.charge is not None:
            return values
        if "payer_is" not in self.fields and self.data.get("payer_is"):
            self.add_error("payer", GONE)
        elif values.get("shown", "") not in ("", self.mark) and not self._is_as_it_stands():
            self.add_error(
                "payer",
                f"Somebody else has chosen meanwhile: {self.says}. If your choice is the right "
                "one, send it again.",
            )
            self.data = {**dict(self.data.items()), "shown": self.mark}
        return values

    def _is_as_it_stands(self) -> bool:
        # A page that asked for no payer has chosen none.
        return "payer" in self.data and not self._is_otherwise()

    def _is_otherwise(self) -> bool:
        """Whether the page chose somebody else than the bill names by now."""
        sent, bill = self.data, self.bill
        if sent.get("client", str(bill.client.uuid)) != str(bill.client.uuid):
            return True
        if "payer" not in sent and "payer_is" not in sent:
            return False
        known = self.payers.get(sent.get("payer_is", ""))
        name = one_line(sent.get("payer", ""))
        if known is None:
            return True
        if known.client == bill.client or name.casefold() == bill.client.name.casefold():
            known, name = Payer(), ""
        if (known.client, known.account) != (bill.payer.client, bill.payer.account):
            return True
        is_known = known.client is not None or known.account is not None
        return bool(name or not is_known) and name != bill.payer.name

    @property
    def says(self) -> str:
        """Who is billed and who pays, in words."""
        payer = self.bill.payer.name
        return f"{self.bill.client.name} is billed" + (f", and {payer} pays" if payer else "")

    @property
    def billed(self) -> Client | None:
        """Who is billed, where that was asked."""
        return self.attending.get(str(self.cleaned_data.get("client") or ""))

    @property
    def chosen_payer(self) -> Payer:
        """Who pays, as far as the form says. The name of whoever is chosen may be left out."""
        known = self.payers[self.cleaned_data.get("payer_is") or ""]
        stays = "payer_is" in self.changed_data and "payer" not in self.changed_data
        if stays and (known.client is not None or self.initial.get("payer_is")):
            # Somebody else was chosen, and the name is still that of the last payer.
            return known
        return replace(known, name=self.cleaned_data.get("payer", ""))


class BilledForm(_BilledForm):
    """Say who is billed for a session, and who pays, before anything is paid."""

    field_order = ("shown", "client", "payer_is", "payer")

    def __init__(
        self,
        *args: Any,
        bill: Owed,
        attending: list[Client],
        payers: list[PortalAccess],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.offer(bill, attending, payers)


def _amount_field(**kwargs: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label="Amount",
        max_digits=12,
        decimal_places=3,
        error_messages={
            "required": "Write the amount.",
            "invalid": "Write the amount as a number, like 150 or 150.00.",
            "max_digits": "That amount has too many digits.",
            "max_whole_digits": "That amount has too many digits.",
            "max_decimal_places": "That amount has too many decimals for your currency.",
        },
        widget=forms.TextInput(attrs={"class": "input-short", "inputmode": "decimal"}),
        **kwargs,
    )


class PaymentForm(_BilledForm, KeyedForm):
    """Record a payment: its receipt is issued with it."""

    usual = "amount"

    amount = _amount_field()
    method = forms.ChoiceField(
        label="Paid by",
        error_messages={
            "required": "Choose how it was paid.",
            "invalid_choice": "Choose how it was paid, from the list.",
        },
    )
    paid_on = _day_field("Paid on")
    keep_over = forms.BooleanField(label="Keep what is over as credit", required=False)
    day_is_right = forms.BooleanField(label="The day is right", required=False)

    field_order = (
        "form_key", "shown", "amount", "keep_over", "method", "paid_on", "day_is_right", "client",
        "payer_is", "payer",
    )  # fmt: skip

    def __init__(
        self,
        *args: Any,
        bill: Owed,
        attending: list[Client],
        payers: list[PortalAccess],
        credit: Decimal,
        today: date,
        held_on: date,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.today, self.held_on = today, held_on
        currency = bill.currency
        self.offer(bill, attending, payers)
        if bill.charge is not None:
            # A payment or an invoice has said who is billed: `_is_otherwise` compares.
            for name in ("client", "payer_is", "payer"):
                self.fields.pop(name, None)
        methods: list[tuple[str, str]] = [(each.value, each.label) for each in MONEY_METHODS]
        if credit:
            methods.append((Method.CREDIT, f"Credit ({say_money(credit, currency)} left)"))
        self.fields["method"].choices = methods  # type: ignore[attr-defined]
        self.fields["amount"].label = f"Amount ({currency})"
        self.initial.setdefault("amount", f"{bill.balance:.{decimals_of(currency)}f}")
        self.initial.setdefault("paid_on", today)
        self.asks_over = "keep_over" in self.data
        self.asks_day = "day_is_right" in self.data

    def clean(self) -> dict[str, Any]:
        """A past day more than a year from the session is a slip more often than not."""
        values = super().clean()
        if self.bill.charge is not None and self._is_otherwise():
            self.add_error(
                None,
                f"{paper_of(self.bill.charge)} was issued meanwhile: {self.says}. What you chose "
                "does not count any more. Look at it again, then record the payment.",
            )
        day = values.get("paid_on")
        is_far = day is not None and day < self.today and abs(day - self.held_on) > FAR
        if is_far and not values.get("day_is_right"):
            self.asks_day = True
            self.add_error(
                "paid_on", FAR_WORDS.format(day=f"{self.held_on.day} {self.held_on:%B %Y}")
            )
        return values

    def refuse(self, error: BillingError) -> None:
        self.asks_over = self.asks_over or isinstance(error, MoreThanOwed)
        super().refuse(error)


class RefundForm(_Refusing, KeyedForm):
    """Record that credit was given back."""

    usual = "amount"
    renamed: ClassVar[dict[str, str]] = {"paid_on": "refunded_on"}

    amount = _amount_field()
    method = forms.ChoiceField(
        label="Given back by",
        choices=[(each.value, each.label) for each in MONEY_METHODS],
        error_messages={
            "required": "Choose how it was given back.",
            "invalid_choice": "Choose how it was given back, from the list.",
        },
    )
    refunded_on = _day_field("Given back on")

    field_order = ("form_key", "amount", "method", "refunded_on")

    def __init__(
        self, *args: Any, credit: Decimal, currency: str, today: date, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"].label = f"Amount ({currency})"
        self.initial.setdefault("amount", f"{credit:.{decimals_of(currency)}f}")
        self.initial.setdefault("refunded_on", today)


class PeriodForm(forms.Form):
    """From one day to another, both included."""

    start = _day_field("From")
    end = _day_field("To")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        start, end = values.get("start"), values.get("end")
        for name, day in (("start", start), ("end", end)):
            if day is not None and not 1990 <= day.year <= 2100:
                self.add_error(name, "Choose a day between 1990 and 2100. Check the year.")
        if start is not None and end is not None and end < start:
            self.add_error("end", "The last day comes after the first.")
        return values


class InvoiceForm(_Refusing, KeyedForm):
    """Choose sessions that are owed, and by when."""

    usual = "charges"
    renamed: ClassVar[dict[str, str]] = {"paid_on": "due_on"}

    charges = forms.MultipleChoiceField(
        label="Sessions",
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": "Tick at least one session.",
            "invalid_choice": "Something has changed since. Choose from the list as it is now.",
        },
    )
    due_on = _day_field("Due on")

    field_order = ("form_key", "charges", "due_on")

    def __init__(self, *args: Any, choices: list[tuple[str, str]], due_on: date, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["charges"].choices = choices  # type: ignore[attr-defined]
        self.initial.setdefault("charges", [key for key, _ in choices])
        self.initial.setdefault("due_on", due_on)
