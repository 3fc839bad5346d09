"""What staff may not do to each other."""


class StaffError(Exception):
    """The family. Its text can be shown as it is."""


class LastOwner(StaffError):
    """A practice keeps at least one active owner."""

    def __init__(self) -> None:
        super().__init__("A practice needs an owner. Make somebody else an owner first.")


class OwnersOnly(StaffError):
    """An admin touched an owner, or tried to make one."""

    def __init__(self) -> None:
        super().__init__("Only an owner can change an owner, or make somebody one.")


class NotProven(StaffError):
    """The address has a log-in whose holder has never shown that the mailbox is theirs."""

    def __init__(self) -> None:
        super().__init__(
            "That e-mail has a log-in already, and its holder has not shown yet that the mailbox "
            "is theirs. Ask them to use Forgot Your Password? once, then invite them."
        )


class AlreadyStaff(StaffError):
    """The address belongs to a colleague."""

    def __init__(self) -> None:
        super().__init__("That e-mail belongs to somebody on the staff already.")
