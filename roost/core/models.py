"""Model parts that every domain uses, and the memory of forms that have been sent."""

import uuid

from django.db import models

from roost.core.tenancy import TenantModel


class PublicId(models.Model):
    """A row with a public id. Primary keys never leave the database."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)

    class Meta:
        abstract = True


class Submission(TenantModel):
    """A form that created something: its key, and what came of it.

    A double click, Back and a resubmit carry the same key and find the first result: of the same
    account, and about the same thing.
    """

    key = models.UUIDField()
    kind = models.CharField(max_length=40)
    # The account's id, and the id of what the form was about.
    by = models.UUIDField(null=True)
    about = models.CharField(max_length=80, blank=True, default="")
    result = models.UUIDField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("practice", "kind", "key", name="one_result_per_submission")
        ]
