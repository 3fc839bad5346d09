"""What can stand in the way of giving access."""

from roost.accounts.models import Account


class ClientError(Exception):
    """The family."""


class HasLogInAlready(ClientError):
    """The address has a log-in that this record is not tied to yet: ask before tying them."""

    def __init__(self, account: Account) -> None:
        super().__init__("This e-mail has a log-in already.")
        self.account = account


class StarterNeeded(ClientError):
    """The account has no password yet, and the form named no starter password for it."""
