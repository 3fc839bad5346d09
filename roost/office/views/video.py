"""The therapist's way into the room."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from roost.accounts.doors import door_path, to_log_in
from roost.staff.http import OfficeRequest
from roost.staff.permissions import Who, open_to
from roost.video.errors import RoomClosed
from roost.video.pages import room_page
from roost.video.queries import get_staff_seat_for, is_admitted
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
    return room_page(request, seat, socket=f"{here}socket/", home=home, bell=bell)
