"""What an account's links are for."""

from django.db import models


class LinkPurpose(models.TextChoices):
    """A mailed link: sent → used (somebody pressed its button) → done (a password was chosen, or
    the log-in has its new address).

    It is dead once done, expired, followed by a newer one for the same purpose, or once the
    account's password or address has changed.
    """

    INVITATION = "invitation", "Invitation"
    STAFF_INVITATION = "staff_invitation", "Staff invitation"
    RESET = "reset", "Password reset"
    NEW_ADDRESS = "new_address", "New log-in address"
