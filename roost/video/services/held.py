"""A room held while something happens in it, and what every act does: save, record, tell."""

from datetime import datetime
from typing import Any

from django.db.models import BigAutoField, Model

from roost.audit.services import record
from roost.core.prepared import Prepared, Slot
from roost.core.push import push
from roost.core.time import now
from roost.scheduling.models import Appointment
from roost.video.enums import PersonState
from roost.video.errors import (
    NoSuchPerson,
    NotAdmitted,
    NotAllowed,
    RoomClosed,
)
from roost.video.models import Presence, VideoRoom
from roost.video.queries import (
    Seat,
    all_people_of,
    bell_group,
    get_appointment,
    is_in,
    is_page_of,
    is_seat_of,
    person_group,
    room_group,
    therapist_is_here,
    therapist_is_in,
)
from roost.video.rules import (
    IN_ROOM,
    MOST_PEOPLE,
    Window,
    join_window,
    why_closed,
)

_locked_rooms = Prepared(
    lambda: VideoRoom.objects.select_for_update().filter(
        appointment=Slot("appointment", BigAutoField())
    )
)


class LockedRoom:
    """A room and its people, held until the transaction ends."""

    def __init__(self, seat: Seat) -> None:
        self.seat, self.moment = seat, now()
        self.appointment = seat.appointment
        self.room = self._lock()
        # Read again: it may have been cancelled or moved since the seat was looked up.
        self.was_of = self.appointment.therapist_id
        fresh = get_appointment(self.appointment.uuid)
        for name in ("starts_at", "ends_at", "cancelled_at", "mode", "therapist"):
            setattr(self.appointment, name, getattr(fresh, name))
        self.people = all_people_of(self.appointment)
        self.mine = next((p for p in self.people if is_seat_of(p, seat)), None)

    def _lock(self) -> VideoRoom:
        found = _locked_rooms(appointment=self.appointment.pk)
        if not found:
            VideoRoom.objects.get_or_create(appointment=self.appointment)
            found = _locked_rooms(appointment=self.appointment.pk)
        return found[0]

    @property
    def ended(self) -> bool:
        return self.room.ended_at is not None

    @property
    def therapist_in(self) -> bool:
        return therapist_is_in(self.people, self.appointment, self.moment)

    @property
    def window(self) -> Window:
        return join_window(self.appointment, self.appointment.practice)

    def check_open(self, *, inside: bool) -> None:
        """Raise RoomClosed unless somebody can be here now. `inside`: they are in the room."""
        closed = why_closed(
            self.appointment,
            self.window,
            self.moment,
            inside=inside and not self.ended,
            therapist_in=self.therapist_in,
        )
        if closed is not None:
            raise RoomClosed(closed)

    def check_therapist(self) -> None:
        """Raise NotAllowed unless the seat is still that of the appointment's therapist."""
        if not self.seat.is_therapist or self.appointment.therapist_id != self.was_of:
            raise NotAllowed

    def inside(self) -> list[Presence]:
        """Who is in the room, without those whose place has lapsed."""
        return [p for p in self.people if is_in(p, self.moment)]

    def is_full(self) -> bool:
        """Whether nobody else can be let in: one place is the therapist's, there or not."""
        clients = [p for p in self.inside() if p.attendee_id is not None]
        return len(clients) >= MOST_PEOPLE - 1

    def find(self, cid: str) -> Presence:
        """Another person by cid. Raises NoSuchPerson."""
        for person in self.people:
            if person.cid == cid and person is not self.mine:
                return person
        raise NoSuchPerson

    def own(self, cid: str) -> Presence:
        """The seat's person, if `cid` speaks for them. Raises NotAdmitted."""
        if self.mine is None or not is_page_of(self.mine, self.seat, cid):
            raise NotAdmitted
        return self.mine

    def may_come_back(self, person: Presence) -> bool:
        """Whether somebody who was admitted, and has stepped out or lost the line for long, goes
        straight back in: the therapist is there, and with nobody else."""
        if person.admitted_at is None or person.state == PersonState.REMOVED or self.ended:
            return False
        others = [p for p in self.inside() if p.staff_member_id is None and p.pk != person.pk]
        is_here = therapist_is_here(self.people, self.appointment, self.moment)
        return is_here and not others


def begin_waiting(person: Presence, moment: datetime) -> None:
    """Somebody waits from now on; not saved yet. Who was in the call has left it when they were
    last heard of."""
    if person.state in {PersonState.CONNECTED, PersonState.LOST}:
        person.left_at = min(person.here_until or moment, moment)
    person.state, person.waiting_since, person.told_at = PersonState.WAITING, moment, None


def save_person(person: Presence, **values: Any) -> None:
    """Change somebody's row; that they have left the call is noted by itself."""
    if person.state in IN_ROOM and values.get("state") == PersonState.LEFT:
        values["left_at"] = now()
    for name, value in values.items():
        setattr(person, name, value)
    person.save(update_fields=[*values, "changed_at"])


def record_act(action: str, seat: Seat, subject: Model, **details: Any) -> None:
    record(
        action,
        by=seat.account,
        subject=subject,
        client_uuid=seat.client_uuid,
        appointment=str(seat.appointment.uuid),
        **details,
    )


def record_about(person: Presence, action: str, by: Seat, room: VideoRoom) -> None:
    record(
        action,
        by=by.account,
        subject=room,
        client_uuid=person.attendee.client.uuid if person.attendee else None,
        appointment=str(by.appointment.uuid),
    )


def tell_room(
    appointment: Appointment | int,
    *,
    left: str = "",
    reason: str = "",
    comes_as: str = "",
    urgent: bool = False,
) -> None:
    """Let every page of the room look how it stands; at once when somebody may have lost a right,
    before anything else is said to them. `comes_as` is the page load in which whoever left under
    `left` is about to be back."""
    event = {
        "type": "room.changed",
        "left": left,
        "reason": reason,
        "comes_as": comes_as,
        "urgent": urgent,
    }
    push(room_group(appointment), event)


def tell_person(appointment: Appointment, person: Presence) -> None:
    """Let the pages of one person look at once how it stands."""
    event = {"type": "room.changed", "left": "", "reason": "", "urgent": True}
    push(person_group(appointment, person.attendee_id), event)


def ring(appointment: Appointment) -> None:
    push(bell_group(appointment.therapist_id), {"type": "bell.rang"})
