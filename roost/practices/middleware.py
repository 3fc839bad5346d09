"""Which practice and which door a request is for, and the cookies that belong to them."""

import re
from collections.abc import Callable, MutableMapping
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse

from roost.core.context import request_facts
from roost.core.tenancy import scope
from roost.practices.queries import find_practice

DOOR_PATH = re.compile(r"^/(?P<door>portal|office)/(?P<slug>[a-z0-9]+(?:-[a-z0-9]+)*)(?:/|$)")


def cookie_name(kind: str, door: str, slug: str) -> str:
    """The name of a door's own cookie: `__Host-roost-office-maple`.

    Over plain http on this machine browsers refuse the `__Host-` prefix, so it is left out.
    """
    prefix = "__Host-" if settings.ORIGIN_IS_SECURE else ""
    # No slug has an underscore, so that no two names meet.
    return f"{prefix}roost-{door}-{slug}{DOOR_COOKIES[kind]}"


SIGN_UP_COOKIE = "sign-up"
DOOR_COOKIES = {
    settings.SESSION_COOKIE_NAME: "",
    settings.CSRF_COOKIE_NAME: "_csrf",
    SIGN_UP_COOKIE: "_sign_up",
}


def take_door_cookies(cookies: MutableMapping[str, str], door: str, slug: str) -> None:
    """Give Django the cookies of this door under the names it knows, and no other door's."""
    mine = {
        name: cookies[own]
        for name in DOOR_COOKIES
        if (own := cookie_name(name, door, slug)) in cookies
    }
    for name in DOOR_COOKIES:
        cookies.pop(name, None)
    cookies.update(mine)


class PracticeMiddleware:
    """Finds the practice in the URL, opens its scope, and swaps the door's cookies in and out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.practice = None  # type: ignore[attr-defined]
        request.door = ""  # type: ignore[attr-defined]
        match = DOOR_PATH.match(request.path_info)
        if match is None:
            for name in DOOR_COOKIES:
                request.COOKIES.pop(name, None)
            return self.get_response(request)
        door, slug = match["door"], match["slug"]
        take_door_cookies(request.COOKIES, door, slug)
        practice = find_practice(slug)
        if practice is None:
            return self.get_response(request)
        request.practice, request.door = practice, door  # type: ignore[attr-defined]
        token = request_facts.set(replace(request_facts.get(), door=door))
        try:
            with scope(practice.pk):
                response = self.get_response(request)
        finally:
            request_facts.reset(token)
        for name in DOOR_COOKIES:
            if (morsel := response.cookies.pop(name, None)) is not None:
                own = cookie_name(name, door, slug)
                response.cookies[own] = morsel.value
                for key, value in morsel.items():
                    response.cookies[own][key] = value
                # Also on one that is taken back, or the browser would keep it.
                response.cookies[own]["secure"] = settings.ORIGIN_IS_SECURE
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Views get their practice from the request, not from the URL."""
        if kwargs.pop("practice", None) is not None and request.practice is None:  # type: ignore[attr-defined]
            raise Http404("There is no such practice.")
