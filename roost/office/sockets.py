"""The sockets behind the office door."""

import asyncio
from datetime import datetime
from typing import Any

from django.http import Http404
from django.template.loader import render_to_string
from django.urls import path

from roost.accounts.sockets import NOT_UNDERSTOOD, TOO_MUCH, SignedInConsumer
from roost.core.time import now
from roost.staff.models import StaffMember
from roost.staff.queries import staff_of
from roost.video import services
from roost.video.consumers import SOON, RoomConsumer, is_idle
from roost.video.messages import BadMessage, check
from roost.video.queries import Seat, bell_group, get_staff_seat_for, waiting_for


class OfficeRoom(RoomConsumer):
    """The therapist's page of a room."""

    def find_seat(self) -> Seat:
        staff = staff_of(self.account)
        if staff is None:
            raise Http404("Only staff have an office.")
        staff.account = self.account
        return get_staff_seat_for(staff, self.scope["url_route"]["kwargs"]["appointment"])


class BellConsumer(SignedInConsumer):
    """Tells a therapist's open office pages who waits, as soon as it changes.

    A page answers whom of those it shows, which is how the therapist has been told of them.
    It does not count as using the office: after the idle limit it still rings, without names.
    """

    # As many people as a page may say at once that it shows, by their uuids.
    most_characters = 4096

    async def enter(self) -> bool:
        self._timer: asyncio.TimerHandle | None = None
        self.staff: StaffMember | None = await self.in_practice(staff_of, self.account)
        if self.staff is None:
            return False
        await self.join(bell_group(self.staff))
        return True

    async def entered(self) -> None:
        await self._tell()

    async def heard(self, message: dict[str, Any]) -> None:
        try:
            kind = check(message)
        except BadMessage:
            return await self.close(NOT_UNDERSTOOD)
        if kind == "ping":
            await self.say(type="pong")
            return await self.join_again()
        if kind != "shown":
            return await self.close(NOT_UNDERSTOOD)
        if not self.may_ask():
            return await self.close(TOO_MUCH)
        await self.in_practice(self._note_told, message["ids"])

    def _note_told(self, ids: list[str]) -> None:
        staff = staff_of(self.account)
        # After the idle limit a page names nobody.
        if staff is not None and not is_idle(self):
            services.note_told(staff=staff, shown=ids)

    async def bell_rang(self, event: dict[str, Any]) -> None:
        self._tell_in(SOON)

    async def gone(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    async def _tell(self) -> None:
        # Whoever rings from here on may not be among those who are found: that rings again.
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        told, until = await self.in_practice(self._waiting)
        await self.say(type="waiting", **told)
        if until is not None and self._timer is None:
            self._tell_in(max((until - now()).total_seconds(), 0) + 0.5)

    def _tell_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.start, self._tell)

    def _waiting(self) -> tuple[dict[str, Any], datetime | None]:
        """What is told, and until when it holds by itself (when the first socket's lease ends)."""
        staff = staff_of(self.account)
        people = waiting_for(staff) if staff is not None else []
        idle = is_idle(self)
        context = {
            "waiting": people,
            "idle": idle,
            "moment": now(),
            "practice": self.practice,
            "request": _Door(self),
        }
        told = {
            "ids": [str(person.uuid) for person in people],
            "untold": [] if idle else [str(p.uuid) for p in people if p.told_at is None],
            "knock": render_to_string("office/knocks.html", context),
            "arrivals": "" if idle else render_to_string("office/arrivals.html", context),
        }
        leases = [person.here_until for person in people if person.here_until is not None]
        return told, min(leases, default=None)


class _Door:
    """As much of a request as the links in a fragment need."""

    def __init__(self, consumer: SignedInConsumer) -> None:
        self.door, self.practice = consumer.scope["door"], consumer.practice


routes: list[Any] = [
    path("office/<slug:practice>/room/<uuid:appointment>/socket/", OfficeRoom.as_asgi()),
    path("office/<slug:practice>/bell/socket/", BellConsumer.as_asgi()),
]
