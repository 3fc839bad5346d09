"""How a person is related to a client, and what that opens."""

from django.db import models


class Relationship(models.TextChoices):
    """PRODUCT.md "Words": the table of what each opens is `rules.OPENS`."""

    SELF = "self", "Self"
    PARENT = "parent", "Parent"
    GUARDIAN = "guardian", "Guardian"
    PARTNER = "partner", "Partner"
    PAYER = "payer", "Payer"
