"""The room's page, which both doors answer with."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import redirect

from roost.audit.services import record_read
from roost.core.pages import page
from roost.core.time import say_hour, say_hours, say_relative_day, say_span
from roost.video.enums import Closed
from roost.video.queries import Seat, Standing, names_together, standing_of
from roost.video.turn import relay_urls

# The only page that may use camera and microphone, and only for itself.
PERMISSIONS_POLICY = (
    "camera=(self), microphone=(self), autoplay=(self), fullscreen=(self), "
    "display-capture=(self), speaker-selection=(self), "
    "geolocation=(), payment=(), usb=()"
)

# The modules of room.js, asked for together with it and not one after the other.
SCRIPTS = [
    f"video/{name}.js"
    for name in [
        "browser",
        "check",
        "circle",
        "clock",
        "controls",
        "devices",
        "ending",
        "ladder",
        "line",
        "outgoing",
        "peer",
        "pickers",
        "practice",
        "presence",
        "quality",
        "resume",
        "safety",
        "safety-panel",
        "stage",
        "views",
    ]
]
THERAPISTS_SCRIPTS = ["video/acts.js", "video/lobby.js"]


def room_page(
    request: HttpRequest,
    seat: Seat,
    *,
    socket: str,
    home: str,
    after: str,
    bell: str = "",
    seats: Sequence[Seat] = (),
    together: bool = False,
) -> HttpResponse:
    """The room's page for one seat, or a page that says why it is closed; who has been in it is
    sent on once it is over. Records room.opened.

    `socket` is the path of the seat's socket, `bell` of the one that tells a therapist who waits
    for other sessions; `home` is that of the page to go back to, `after` of the one that follows a
    call. `seats` are those that the account
    may choose from; `together`, that all of them are at this one screen.
    """
    standing = standing_of(seat)
    if standing.closed == Closed.LATE and standing.has_been_in:
        return redirect(after)
    attendees = seat.appointment.attendees.select_related("client")
    seen = [a.client.uuid for a in attendees] if seat.is_therapist else [seat.client_uuid]
    record_read(
        "room.opened",
        by=seat.account,
        client_uuids=[u for u in seen if u is not None],
        appointment=str(seat.appointment.uuid),
    )
    words = _words(request, standing)
    context: dict[str, Any] = {"seat": seat, "standing": standing, "home": home, "words": words}
    if seat.is_therapist:
        context["clients"] = [attendee.client for attendee in attendees]
    if standing.closed is not None:
        context["can_reopen"] = standing.closed == Closed.ENDED and seat.window.is_open(
            standing.moment
        )
        return page(request, "video/closed.html", context)
    origin = urlsplit(settings.ROOST_ORIGIN)
    context |= {
        "socket": socket,
        "bell": bell,
        "after": after,
        "secure_place": f"{origin.scheme}://{origin.netloc}",
        "has_relay": bool(relay_urls()),
        "stepped_out": standing.may_return,
        "appointment": seat.appointment,
        "scripts": [*SCRIPTS, *(THERAPISTS_SCRIPTS if seat.is_therapist else [])],
        "choices": seats if len(seats) > 1 else (),
        "together": together and len(seats) > 1,
        "own_name": names_together(seats) if together and len(seats) > 1 else seat.own_name,
    }
    response = page(request, "video/room.html", context)
    response.headers["Permissions-Policy"] = PERMISSIONS_POLICY
    # The heaviest page of all, often opened by phone. It repeats nothing that a stranger
    # could choose, its CSRF token is masked anew each time, and Django adds bytes by chance.
    GZipMiddleware(lambda _: response).process_response(request, response)
    return response


def _words(request: HttpRequest, standing: Standing) -> dict[str, str]:
    """Times as the reader's clock says them."""
    seat, zone = standing.seat, request.zone  # type: ignore[attr-defined]
    appointment, window = seat.appointment, seat.window
    today = standing.moment.astimezone(zone).date()

    def day(moment: Any) -> str:
        return say_relative_day(moment.astimezone(zone).date(), today)

    def on_day(moment: Any) -> str:
        said = day(moment)
        return said.lower() if said in {"Today", "Tomorrow", "Yesterday"} else f"on {said}"

    until_start = appointment.starts_at - standing.moment
    return {
        "day": day(appointment.starts_at),
        "on_day": on_day(appointment.starts_at),
        "start": say_hour(appointment.starts_at, zone),
        "hours": say_hours(appointment.starts_at, appointment.ends_at, zone, zone_name=True),
        "end": say_hour(appointment.ends_at, zone),
        "opens_day": day(window.opens_at),
        "opens": say_hour(window.opens_at, zone),
        "closes": say_hour(window.closes_at, zone),
        "closes_day": day(window.closes_at),
        "until_start": say_span(until_start) if until_start.total_seconds() > 0 else "",
    }
