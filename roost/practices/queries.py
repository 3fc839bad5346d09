"""Finding practices."""

from roost.practices.models import Practice


def find_practice(slug: str) -> Practice | None:
    """The practice at this address, or None."""
    return Practice.objects.filter(slug=slug).first()


def only_practice() -> Practice | None:
    """The practice of an installation that has one only, else None."""
    found = list(Practice.objects.order_by("pk")[:2])
    return found[0] if len(found) == 1 else None
