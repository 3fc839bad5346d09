"""The sockets behind the portal door."""

from typing import Any

from django.urls import path

from roost.video.consumers import RoomConsumer
from roost.video.queries import Seat, get_seat_for


class PortalRoom(RoomConsumer):
    """An attendee's page of a room."""

    def find_seat(self) -> Seat:
        ids = self.scope["url_route"]["kwargs"]
        return get_seat_for(self.account, ids["appointment"], ids["attendee"])


routes: list[Any] = [
    path(
        "portal/<slug:practice>/room/<uuid:appointment>/<uuid:attendee>/socket/",
        PortalRoom.as_asgi(),
    ),
]
