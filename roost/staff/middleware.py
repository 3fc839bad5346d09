"""The staff profile of whoever is signed in at the office door."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from roost.core.time import zone
from roost.staff.queries import staff_of


class StaffMiddleware:
    """Sets `request.staff` at the office door, and the zone that times are said in: the
    practice's for staff, the reader's own for clients."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        account, practice = request.account, request.practice  # type: ignore[attr-defined]
        request.staff = None  # type: ignore[attr-defined]
        if practice is None:
            return self.get_response(request)
        tz = practice.zone
        if account is not None and request.door == "office":  # type: ignore[attr-defined]
            request.staff = staff_of(account)  # type: ignore[attr-defined]
        elif (reader := account or request.sign_up) is not None and reader.zone_name:  # type: ignore[attr-defined]
            tz = zone(reader.zone_name)
        request.zone = tz  # type: ignore[attr-defined]
        with timezone.override(tz):
            return self.get_response(request)
