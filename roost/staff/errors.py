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


class AlreadyStaff(StaffError):
    """The address belongs to a colleague."""

    def __init__(self) -> None:
        super().__init__("That e-mail belongs to somebody on the staff already.")
