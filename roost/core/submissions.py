"""One form, one result: the idempotency key behind every form that creates."""

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from roost.core.models import Submission
from roost.core.tenancy import TenantModel

T = TypeVar("T", bound=TenantModel)


class OtherForm(PermissionDenied):
    """A form was sent with the key of another: of another object, or of another person."""


def once(
    key: uuid.UUID,
    kind: str,
    model: type[T],
    make: Callable[[], T],
    *,
    by: uuid.UUID | None,
    about: str,
) -> tuple[T, bool]:
    """Run `make` in one transaction, unless a form with this key has already made something.

    `by` is the account that sends it, None for a stranger, and `about` the id of what the form is
    about, "" where nothing is there yet. Returns the row and whether it is new. What `make` raises
    goes through and leaves nothing. Raises OtherForm for a key that somebody else has used, or for
    something else. Two sends of one form at the same moment are decided by the unique constraint
    on the key.
    """

    if (row := _result_of(key, kind, model, by, about)) is not None:
        return row, False
    try:
        with transaction.atomic():
            # Claimed first, so that a second send waits here and not after the work is done.
            claim = Submission.objects.create(
                kind=kind, key=key, by=by, about=about, result=uuid.uuid4()
            )
            row = make()
            claim.result = row.uuid  # type: ignore[attr-defined]
            claim.save(update_fields=["result"])
            return row, True
    except IntegrityError:
        if (row := _result_of(key, kind, model, by, about)) is not None:
            return row, False
        raise


def made_before(
    sent: str, kind: str, model: type[T], *, by: uuid.UUID | None, about: str
) -> T | None:
    """What a form has made already, by the key that was `sent`: it is being sent again, and what it
    chose may be no choice any more. None for a key that is new, or is none. Raises OtherForm."""
    try:
        key = uuid.UUID(sent)
    except ValueError:
        return None
    return _result_of(key, kind, model, by, about)


def _result_of(
    key: uuid.UUID, kind: str, model: type[T], by: uuid.UUID | None, about: str
) -> T | None:
    found = Submission.objects.filter(kind=kind, key=key).first()
    if found is None:
        return None
    if not _is_bound(found, by, about):
        raise OtherForm("This key belongs to another form.")
    return model.objects.get(uuid=found.result)


def is_otherwise(row: TenantModel, values: dict[str, Any]) -> bool:
    """Whether a form says something else than the row that its first send has made."""
    return any(getattr(row, name) != value for name, value in values.items())


def is_done(key: uuid.UUID, kind: str, *, by: uuid.UUID | None, about: str) -> bool:
    """Whether a form with this key has made something already: it is being sent again."""
    found = Submission.objects.filter(kind=kind, key=key).first()
    return found is not None and _is_bound(found, by, about)


def _is_bound(found: Submission, by: uuid.UUID | None, about: str) -> bool:
    # What was sent before keys were bound says nothing of either.
    return (found.by, found.about) in ((by, about), (None, ""))
