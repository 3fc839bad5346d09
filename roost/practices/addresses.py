"""Full addresses, made from the configured origin and never from a request's Host."""

from django.conf import settings
from django.urls import reverse

from roost.practices.models import Practice


def portal_url(practice: Practice) -> str:
    """The Client Portal URL of a practice."""
    return f"{settings.ROOST_ORIGIN}/portal/{practice.slug}/"


def full_url(practice: Practice, door: str, name: str, **kwargs: object) -> str:
    """The full address of a page behind one of the practice's doors ("portal" or "office")."""
    path = reverse(f"{door}:{name}", kwargs={"practice": practice.slug, **kwargs})
    return f"{settings.ROOST_ORIGIN}{path}"
