"""What can stand in the way of money. The text of each can be shown as it is."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Missing:
    """Something that a receipt must say and that is nowhere written down.

    `place` names the office page with its field, and `argument` the id that page is found by.
    """

    words: str
    place: str
    argument: str = ""
    value: str = ""


class BillingError(Exception):
    """The family. `field` names the part of the form that the words belong beside."""

    field: str | None = None


class CannotIssue(BillingError):
    """An insurer would send the receipt back. `missing` leads to each field."""

    def __init__(self, missing: Sequence[Missing]) -> None:
        super().__init__("A receipt needs a few things that are not written down yet.")
        self.missing = list(missing)


class NothingCharged(BillingError):
    """Nobody has said that the session was held or missed."""

    def __init__(self) -> None:
        super().__init__("Mark attendance first: only then is it known what is owed.")


class WrongAmount(BillingError):
    """More than is owed, nothing at all, or more decimals than the currency has."""

    field = "amount"


class WrongDay(BillingError):
    """Paid in the future, or long ago."""

    field = "paid_on"


class NotAnAttendee(BillingError):
    """Whoever is billed has to be one of those the session was for."""

    field = "client"

    def __init__(self) -> None:
        super().__init__("Choose one of the people the session was for.")


class HasReceipts(BillingError):
    """Changing attendance would change what a valid receipt says."""

    def __init__(self, number: str) -> None:
        super().__init__(
            f"Receipt {number} says how this session went. Void it first, then change attendance."
        )


class BadRate(BillingError):
    """A tax rate that cannot be meant."""

    field = "percent"


class NotALogo(BillingError):
    """An upload that is no picture, or one too large."""

    field = "logo"
