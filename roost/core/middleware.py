"""The outermost middleware of Roost: request facts and the headers every page carries."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from roost.core.context import RequestFacts, request_facts

PERMISSIONS_POLICY = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"


class RequestMiddleware:
    """Notes where the request comes from, and adds the headers that do not depend on the page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = request_facts.set(
            RequestFacts(
                source=request.META.get("REMOTE_ADDR", "")[:45],
                user_agent=request.headers.get("User-Agent", "")[:200],
            )
        )
        try:
            response = self.get_response(request)
        finally:
            request_facts.reset(token)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cache-Control", "no-store")
        return response
