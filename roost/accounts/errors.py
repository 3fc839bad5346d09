"""What can go wrong with an account. Views turn these into words."""


class AccountError(Exception):
    """The family."""


class WrongCredentials(AccountError):
    """E-mail and password do not belong together, or there is no such account. One answer."""


class StarterExpired(AccountError):
    """The starter password is right, but its time is over."""


class ChangedMeanwhile(AccountError):
    """The password was changed elsewhere after this page was asked for."""


class LinkDead(AccountError):
    """A mailed link can no longer be used. `renewable`: the same address may have a new one."""

    def __init__(self, *, renewable: bool, replaced: bool = False) -> None:
        super().__init__("This link can no longer be used.")
        self.renewable = renewable
        self.replaced = replaced


class AddressTaken(AccountError):
    """There is an account with this address already."""


class WrongCode(AccountError):
    """The code is not the one that was mailed, or it is for an address that has an account."""
