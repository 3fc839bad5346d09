"""One form, one result: the idempotency key behind every form that creates."""

import uuid
from collections.abc import Callable
from typing import TypeVar

from django.db import IntegrityError, transaction

from roost.core.models import Submission
from roost.core.tenancy import TenantModel

T = TypeVar("T", bound=TenantModel)


def once(key: uuid.UUID, kind: str, model: type[T], make: Callable[[], T]) -> tuple[T, bool]:
    """Run `make` in one transaction, unless a form with this key has already made something.

    Returns the row and whether it is new. What `make` raises goes through and leaves nothing.
    Two sends of one form at the same moment are decided by the unique constraint on the key.
    """

    def earlier() -> T | None:
        found = Submission.objects.filter(kind=kind, key=key).values_list("result", flat=True)
        return model.objects.get(uuid=found[0]) if found else None

    if (row := earlier()) is not None:
        return row, False
    try:
        with transaction.atomic():
            # Claimed first, so that a second send waits here and not after the work is done.
            claim = Submission.objects.create(kind=kind, key=key, result=uuid.uuid4())
            row = make()
            claim.result = row.uuid  # type: ignore[attr-defined]
            claim.save(update_fields=["result"])
            return row, True
    except IntegrityError:
        if (row := earlier()) is not None:
            return row, False
        raise


def is_done(key: uuid.UUID, kind: str) -> bool:
    """Whether a form with this key has made something already: it is being sent again."""
    return Submission.objects.filter(kind=kind, key=key).exists()
