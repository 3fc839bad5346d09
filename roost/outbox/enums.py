"""What can become of a message."""

from django.db import models


class MessageState(models.TextChoices):
    """queued → accepted, or → failed for good. A message that could not be handed over yet stays
    queued with the reason of the last try. failed → queued when somebody sends it again."""

    QUEUED = "queued", "Queued"
    ACCEPTED = "accepted", "Accepted by the mail server"
    FAILED = "failed", "Failed"
