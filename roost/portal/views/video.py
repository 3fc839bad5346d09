"""The client's way into the room."""

import uuid

from django.http import HttpResponse
from django.shortcuts import redirect

from roost.accounts.doors import door_path, to_log_in
from roost.audit.services import record_read
from roost.core.pages import page
from roost.staff.http import DoorRequest
from roost.staff.permissions import Who, open_to
from roost.video.pages import room_page
from roost.video.queries import find_seat, is_admitted, seats_for


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
        request, seat, socket=f"{here}socket/", home=_home(request), seats=seats, together=together
    )


def _home(request: DoorRequest) -> str:
    return door_path(request, "account")
