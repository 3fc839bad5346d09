"""The therapist's way into the room, and out of it."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from roost.accounts.doors import door_path, to_log_in
from roost.audit.services import record_read
from roost.core.pages import page
from roost.core.time import now, say_day, say_hour
from roost.office.diary import MARKS
from roost.scheduling.enums import Attendance
from roost.scheduling.queries import get_appointment_for, next_starts_of
from roost.scheduling.rules import attendance_choices
from roost.staff.http import OfficeRequest
from roost.staff.permissions import Who, open_to
from roost.video.enums import Closed
from roost.video.errors import RoomClosed
from roost.video.pages import room_page
from roost.video.queries import get_staff_seat_for, is_admitted, may_finish, standing_of
from roost.video.services import reopen_room


@open_to(Who.STAFF, methods=("GET", "POST"), survives_idle=True)
def room(request: OfficeRequest, appointment: uuid.UUID) -> HttpResponse:
    """The room of one's own session. POST opens one again that was ended."""
    seat = get_staff_seat_for(request.staff, appointment)
    if request.is_idle and not is_admitted(seat):
        request.session.flush()
        return to_log_in(request, idle=True)
    here = door_path(request, "room", appointment=appointment)
    if request.method == "POST":
        try:
            reopen_room(by=seat)
        except RoomClosed:
            messages.warning(request, "The room’s time is over, so it stays closed.")
        return redirect(here)
    home = door_path(request, "today")
    bell = f"/office/{request.practice.slug}/bell/socket/"
    return room_page(
        request, seat, socket=f"{here}socket/", home=home, bell=bell, after=f"{here}after/"
    )


@open_to(Who.STAFF, survives_idle=True)
def room_after(request: OfficeRequest, appointment: uuid.UUID) -> HttpResponse:
    """What follows a call: attendance in one press, and each client's next session. With htmx, or
    as the room's page asks for it, only that. Whom it is not for is sent to the room."""
    seat = get_staff_seat_for(request.staff, appointment)
    if request.is_idle and not may_finish(seat):
        request.session.flush()
        return to_log_in(request, idle=True)
    standing = standing_of(seat)
    if not (request.htmx or standing.is_after_call):
        return redirect(door_path(request, "room", appointment=appointment))
    found, moment, tz = get_appointment_for(request.staff, appointment), now(), request.zone
    people = list(found.attendees.all())
    record_read(
        "appointment.viewed",
        by=request.account,
        client_uuids=[each.client.uuid for each in people],
        appointment=str(found.uuid),
    )
    # One that was moved out of its call is to come again.
    but = None if standing.closed == Closed.EARLY else found
    starts = next_starts_of(request.staff, [each.client for each in people], but=but, moment=moment)
    today = moment.astimezone(tz).date()
    context = {
        "appointment": found,
        "standing": standing,
        "home": door_path(request, "today"),
        "can_return": standing.closed is None,
        "can_reopen": standing.closed == Closed.ENDED and seat.window.is_open(moment),
        "closes": say_hour(seat.window.closes_at, tz),
        "marks": MARKS if attendance_choices(found.is_cancelled, found.starts_at <= moment) else [],
        "is_unmarked": all(each.attendance == Attendance.SCHEDULED for each in people),
        "people": [
            (
                each,
                f"{say_day(start.astimezone(tz).date(), today)}, {say_hour(start, tz)}"
                if (start := starts.get(each.client_id))
                else "",
            )
            for each in people
        ],
    }
    part = "office/after_call_part.html" if request.htmx else "office/after_call.html"
    return page(request, part, context)
