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
    """More than there is, nothing at all, or more decimals than the currency has."""

    field = "amount"


class MoreThanOwed(WrongAmount):
    """More came in than is owed, and nobody has said yet that the rest is to stay as credit."""

    def __init__(self, owed: str, over: str) -> None:
        super().__init__(
            f"{owed} is owed. If {over} more did come in, tick the box below, and it stays as "
            "the client’s credit. Otherwise correct the amount."
        )


class WrongDay(BillingError):
    """Paid in the future, or long ago."""

    field = "paid_on"


class NotAnAttendee(BillingError):
    """Whoever is billed has to be one of those the session was for."""

    field = "client"

    def __init__(self) -> None:
        super().__init__("Choose one of the people the session was for.")


class HasReceipts(BillingError):
    """Changing attendance would change what a valid receipt or invoice says. `paper` names it."""

    def __init__(self, paper: str) -> None:
        super().__init__(
            f"{paper} says how this session went. Void it first, then change attendance."
        )


class AlreadyBilled(BillingError):
    """Who is billed stands on a valid receipt or invoice."""

    def __init__(self, paper: str) -> None:
        super().__init__(f"{paper} says who is billed. Void it first, then choose somebody else.")


class WrongPayer(BillingError):
    """Somebody who cannot be the payer, or whose name nobody has said."""

    field = "payer"


class CreditUsed(BillingError):
    """What is left over of a receipt has been used. `by` names where: it has to go first. `hidden`
    says it of what the reader may not see."""

    def __init__(self, number: str, by: Sequence[str], hidden: Sequence[str] = ()) -> None:
        words = [*by, *hidden]
        void = f"Void {'that' if len(words) == 1 else 'those'} first."
        super().__init__(
            f"What was left over of receipt {number} has been used: {', '.join(words)}. "
            + (f"{void} An owner or an admin sees where." if hidden else void)
        )


class PaidBefore(BillingError):
    """Later papers say that what a receipt is for was paid before: they have to go first. `papers`
    names them, the newest first."""

    def __init__(self, number: str, papers: Sequence[str], *, asks_owner: bool = False) -> None:
        alone = len(papers) == 1
        first = papers[0] if alone else f"{', '.join(papers[:-1])} and {papers[-1]}"
        super().__init__(
            f"{first[:1].upper()}{first[1:]} {'says' if alone else 'say'} that the payment of "
            f"receipt {number} was made before. Void {'it' if alone else 'those'} first"
            f"{'' if alone else ', in this order'}."
            + (" An owner or an admin voids invoices." if asks_owner else "")
        )


class NothingToInvoice(BillingError):
    """The sessions chosen owe nothing, stand on an invoice already, or lack what it has to say."""


class BadRate(BillingError):
    """A tax rate that cannot be meant."""

    field = "percent"


class NotALogo(BillingError):
    """An upload that is no picture, or one too large."""

    field = "logo"
