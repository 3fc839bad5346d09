"""System checks: no address without a word on who may use it."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import Error, Tags, register
from django.urls import URLPattern, URLResolver, get_resolver

from roost.staff.permissions import Access


def routes(resolver: Any = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address there is, by its name with its namespaces ("office:client")."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            namespace = f"{prefix}{entry.namespace}:" if entry.namespace else prefix
            yield from routes(entry, namespace)
        else:
            yield f"{prefix}{entry.name or entry.pattern}", entry


@register(Tags.security)
def every_route_says_who_may_use_it(app_configs: Any, **kwargs: Any) -> list[Error]:
    """List each address whose view was not made with `open_to`."""
    return [
        Error(
            f"The route {name} does not say who may use it.",
            hint="Put @open_to(Who…) on its view.",
            obj=entry.callback,
            id="roost.E003",
        )
        for name, entry in routes()
        if not isinstance(getattr(entry.callback, "access", None), Access)
    ]
