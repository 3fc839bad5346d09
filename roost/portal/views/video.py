"""The client's way into the room."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect

from roost.accounts.doors import door_path, to_log_in
from roost.audit.services import record_read
from roost.clients.queries import access_held_by
from roost.core.pages import page
from roost.core.time import say_hour, say_hours, say_relative_day
from roost.scheduling.queries import upcoming_for_access
from roost.staff.http import DoorRequest
from roost.staff.permissions import Who, open_to
from roost.video.enums import Closed
from roost.video.pages import room_page
from roost.video.queries import (
    Seat,
    Standing,
    find_seat,
    is_admitted,
    may_finish,
    seats_for,
    standing_of,
)


@open_to(Who.ACCOUNT)
def room(request: DoorRequest, appointment: uuid.UUID) -> HttpResponse:
    """Join: on to the only seat there is, or a choice of who is joining here."""
    seats = seats_for(request.account, appointment)
    if len(seats) == 1:
        seat = seats[0]
        assert seat.attendee is not None
        return redirect(
            door_path(request, "room-person", appointment=appointment, attendee=seat.attendee.uuid)
        )
    record_read(
        "room.chosen_from",
        by=request.account,
        client_uuids=[seat.client_uuid for seat in seats if seat.client_uuid is not None],
        appointment=str(appointment),
    )
    return page(request, "video/choose.html", {"seats": seats, "home": _home(request)})


@open_to(Who.ACCOUNT, survives_idle=True)
def room_person(request: DoorRequest, appointment: uuid.UUID, attendee: uuid.UUID) -> HttpResponse:
    """The room, for one attendee; with ?together=1, for all of the account's at one screen. While
    they are admitted no idle limit ends it."""
    seats = seats_for(request.account, appointment)
    seat = find_seat(seats, attendee)
    if request.is_idle and not is_admitted(seat):
        request.session.flush()
        return to_log_in(request, idle=True)
    here = door_path(request, "room-person", appointment=appointment, attendee=attendee)
    together = request.GET.get("together") == "1"
    return room_page(
        request,
        seat,
        socket=f"{here}socket/",
        home=_home(request),
        after=f"{here}after/",
        seats=seats,
        together=together,
    )


@open_to(Who.ACCOUNT, survives_idle=True)
def room_after(request: DoorRequest, appointment: uuid.UUID, attendee: uuid.UUID) -> HttpResponse:
    """What follows a call: the next session, and what the practice wrote for this page. As the
    room's page asks for it, only that. Whom it is not for is sent to the room."""
    seats = seats_for(request.account, appointment)
    seat = find_seat(seats, attendee)
    if request.is_idle and not may_finish(seat):
        request.session.flush()
        return to_log_in(request, idle=True)
    standing = standing_of(seat)
    room = door_path(request, "room-person", appointment=appointment, attendee=attendee)
    if not (request.htmx or standing.is_after_call):
        return redirect(room)
    record_read(
        "appointment.viewed",
        by=request.account,
        client_uuids=[each.client_uuid for each in seats if each.client_uuid is not None],
        appointment=str(appointment),
    )
    context = {
        "seat": seat,
        "standing": standing,
        "home": _home(request),
        "room": room,
        "closes": say_hour(seat.window.closes_at, request.zone),
        "coming": _coming(request, seats, standing),
        "several": len(seats) > 1,
    }
    part = "portal/after_call_part.html" if request.htmx else "portal/after_call.html"
    return page(request, part, context)


def _coming(
    request: DoorRequest, seats: Sequence[Seat], standing: Standing
) -> list[dict[str, Any]]:
    """The next session of each person that the account joins as, in the reader's zone. One that
    was moved out of its call is to come again."""
    moment = standing.moment
    held = {access.client_id: access for access in access_held_by(request.account)}
    tz, today = request.zone, moment.astimezone(request.zone).date()
    coming = []
    for seat in seats:
        assert seat.attendee is not None
        rows = upcoming_for_access(held[seat.attendee.client_id], moment=moment)
        if standing.closed != Closed.EARLY:
            rows = rows.exclude(appointment=seat.appointment)
        row = rows.first()
        said: dict[str, Any] = {"name": seat.own_name, "appointment": None}
        if row is not None:
            start, end = row.appointment.starts_at, row.appointment.ends_at
            said |= {
                "appointment": row.appointment,
                "day": say_relative_day(start.astimezone(tz).date(), today),
                "hours": say_hours(start, end, tz, zone_name=True),
            }
        coming.append(said)
    return coming


def _home(request: DoorRequest) -> str:
    return door_path(request, "account")
