"""The page for a rehearsal, which both doors answer with."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from roost.accounts.limits import TooMany
from roost.audit.services import record_read
from roost.core.pages import page
from roost.core.time import now, say_hour, say_relative_day, say_span
from roost.scheduling.models import Attendee
from roost.video.enums import Found, Part
from roost.video.errors import NotAFinding
from roost.video.pages import PERMISSIONS_POLICY
from roost.video.rehearsals import describe_check, keep_check, last_check, lend_relay
from roost.video.rules import join_window
from roost.video.turn import relay_urls


def rehearsal_page(
    request: HttpRequest, *, home: str, coming: Attendee | None = None, status: int = 200
) -> HttpResponse:
    """The page on which somebody tries camera and sound. `coming` is the reader's next session on
    video, and `home` the page to go back to. Records rehearsal.opened where a session is named."""
    context: dict[str, Any] = {"home": home, "has_relay": bool(relay_urls()), "status": status}
    origin = urlsplit(settings.ROOST_ORIGIN)
    context["secure_place"] = f"{origin.scheme}://{origin.netloc}"
    account, zone = request.account, request.zone  # type: ignore[attr-defined]
    if (last := last_check(account)) is not None:
        context["last"] = describe_check(last, now(), zone)
        context["last_worked"] = all(getattr(last, part) == Found.WORKS for part in Part)
    if coming is not None:
        context |= _coming(request, coming)
        record_read(
            "rehearsal.opened",
            by=account,
            client_uuids=[coming.client.uuid],
            appointment=str(coming.appointment.uuid),
        )
    response = page(request, "video/rehearse.html", context, status=status)
    response.headers["Permissions-Policy"] = PERMISSIONS_POLICY
    return response


def _coming(request: HttpRequest, coming: Attendee) -> dict[str, Any]:
    """The next session in words, as the reader's clock says it."""
    appointment, moment = coming.appointment, now()
    zone = request.zone  # type: ignore[attr-defined]
    day = say_relative_day(
        appointment.starts_at.astimezone(zone).date(), moment.astimezone(zone).date()
    )
    near = day.lower() if day in ("Today", "Tomorrow", "Yesterday") else day
    window = join_window(appointment, request.practice)  # type: ignore[attr-defined]
    return {
        "coming": appointment,
        "ready_for": f"{near}, {say_hour(appointment.starts_at, zone)}",
        "is_open": window.is_open(moment),
    }


def answer_findings(request: HttpRequest, **more: Any) -> HttpResponse:
    """Keep what a rehearsal found. Answers JSON, or the page again with 422."""
    try:
        keep_check(
            by=request.account,  # type: ignore[attr-defined]
            found={str(part): request.POST.get(part, "") for part in Part},
        )
    except NotAFinding:
        return rehearsal_page(request, status=422, **more)
    return JsonResponse({"kept": True})


def answer_relay(request: HttpRequest, **more: Any) -> HttpResponse:
    """Where the relay is, with credentials for one rehearsal. Answers JSON, or 429 with a page."""
    try:
        ice = lend_relay(by=request.account)  # type: ignore[attr-defined]
    except TooMany as limit:
        wait = say_span(limit.wait)
        return page(request, "video/too_many.html", {"wait": wait, **more}, status=429)
    return JsonResponse({"ice": ice})
