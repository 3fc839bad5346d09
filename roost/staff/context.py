"""What every page behind a door knows."""

from typing import Any

from django.http import HttpRequest


def door(request: HttpRequest) -> dict[str, Any]:
    """The practice, and who is signed in."""
    return {
        "practice": getattr(request, "practice", None),
        "account": getattr(request, "account", None),
        "staff": getattr(request, "staff", None),
    }
