"""How a person is related to a client, and what that opens."""

from django.db import models


class Relationship(models.TextChoices):
    """PRODUCT.md "Words": the table of what each opens is `rules.OPENS`."""

    SELF = "self", "Self"
    PARENT = "parent", "Parent"
    GUARDIAN = "guardian", "Guardian"
    PARTNER = "partner", "Partner"
    PAYER = "payer", "Payer"


class WayIn(models.TextChoices):
    """How somebody gets in to whom access was given, and what they are told of it."""

    STARTER = "starter", "By a starter password, from whoever gave it"
    LINK = "link", "By a link that was mailed, to choose a password"
    OWN = "own", "By the password they have; they are told by e-mail"
    ENDED = "ended", "Not: the access that this form gave has ended since"
    BEFORE = "before", "As before: they had this access already, and are told nothing"


class ProspectState(models.TextChoices):
    """waiting → linked (with a client: created, or associated), or → dismissed. Both lead back to
    waiting: by undo, and when the last access of an account ends.

    A linked prospect whose sign-up is not verified opens nothing yet.
    """

    WAITING = "waiting", "Waiting"
    LINKED = "linked", "Linked with a client"
    DISMISSED = "dismissed", "Dismissed"


class Vouching(models.TextChoices):
    """How staff know that the person at the screen is who they say."""

    CODE = "code", "Read out the confirmation code"
    REASON = "reason", "Known otherwise"


class RequestState(models.TextChoices):
    """waiting → accepted or declined (by staff), or → withdrawn (by whoever may ask). Each is the
    end; whoever wants something else asks anew."""

    WAITING = "waiting", "Waiting"
    ACCEPTED = "accepted", "Accepted"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn"
