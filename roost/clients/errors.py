"""What can stand in the way of giving access, and of changing a record."""

from typing import Any

from roost.accounts.models import Account
from roost.clients.models import DetailsRequest, Prospect


class ClientError(Exception):
    """The family."""


class HasLogInAlready(ClientError):
    """The address has a log-in that this record is not tied to yet: ask before tying them."""

    def __init__(self, account: Account) -> None:
        super().__init__("This e-mail has a log-in already.")
        self.account = account


class StarterNeeded(ClientError):
    """The account has no password yet, and the form named no starter password for it."""


class EditedMeanwhile(ClientError):
    """Fields that were to be changed have been changed since they were seen. `newer` is what they
    say by now, by name."""

    def __init__(self, newer: dict[str, Any]) -> None:
        super().__init__("The record was changed meanwhile.")
        self.newer = newer


class AlreadyHandled(ClientError):
    """Somebody else was quicker with this prospect. `prospect` is how it stands now."""

    def __init__(self, prospect: Prospect) -> None:
        super().__init__("This prospect has been dealt with.")
        self.prospect = prospect


class HasOtherLogIn(ClientError):
    """The address of this sign-up has a log-in already: it can only be dismissed."""


class AddressChanged(ClientError):
    """The prospect has corrected their address since it was on the screen of whoever acts."""

    def __init__(self, prospect: Prospect) -> None:
        super().__init__("The address was corrected meanwhile.")
        self.prospect = prospect


class WrongConfirmationCode(ClientError):
    """The confirmation code is not the one on the person's screen."""


class Archived(ClientError):
    """The client's record is archived: nobody is let into it."""


class AlreadyAsked(ClientError):
    """A correction of this record waits already."""


class AlreadyAnswered(ClientError):
    """Somebody else was quicker with this request. `request` is how it stands now."""

    def __init__(self, request: DetailsRequest) -> None:
        super().__init__("This request has been answered or withdrawn.")
        self.request = request
