"""Finding practices."""

from django.db.models import CharField

from roost.core.prepared import Prepared, Slot
from roost.practices.models import Practice

_practice_at = Prepared(lambda: Practice.objects.filter(slug=Slot("slug", CharField())))


def find_practice(slug: str) -> Practice | None:
    """The practice at this address, or None."""
    found = _practice_at(slug=slug)
    return found[0] if found else None


def only_practice() -> Practice | None:
    """The practice of an installation that has one only, else None."""
    found = list(Practice.objects.order_by("pk")[:2])
    return found[0] if len(found) == 1 else None
