"""How a session ends, opens again, or closes because its appointment has changed."""

from collections.abc import Iterable

from django.db import transaction
from django.http import Http404

from roost.accounts.models import Account
from roost.audit.services import record
from roost.clients.models import Client
from roost.core.push import push
from roost.core.time import now
from roost.scheduling.models import Appointment
from roost.video.enums import PersonState, RoomState
from roost.video.models import Presence, VideoRoom
from roost.video.queries import (
    Seat,
    get_seat_for,
    people_of,
)
from roost.video.rules import (
    IN_ROOM,
    join_window,
    room_state,
    why_closed,
)
from roost.video.services.held import (
    LockedRoom,
    record_act,
    ring,
    save_person,
    tell_room,
)


def end_room(*, by: Seat) -> None:
    """The therapist ends the session for everybody; who is in the call leaves it, who waits goes
    on waiting. Raises NotAllowed. Records room.ended."""
    with transaction.atomic():
        locked = LockedRoom(by)
        locked.check_therapist()
        if not locked.ended:
            end_locked(locked)


def end_locked(locked: LockedRoom) -> None:
    _shut(locked)
    record_act("room.ended", locked.seat, locked.room)
    push(locked.seat.room_group, {"type": "room.ended"})


def _shut(locked: LockedRoom) -> None:
    locked.room.ended_at = locked.moment
    locked.room.save(update_fields=["ended_at"])
    _clear(locked.people)


def end_by_time(*, at: Seat) -> None:
    """A call has come to the end of its time, or its therapist has not come back after the window:
    nobody is in the room any more. Whichever socket notices first calls it; while the call may go
    on it does nothing. Records room.ended, by nobody."""
    with transaction.atomic():
        locked = LockedRoom(at)
        state = room_state(
            locked.window, locked.moment, ended=False, therapist_in=locked.therapist_in
        )
        if locked.ended or state != RoomState.ENDED or not locked.inside():
            return
        _shut(locked)
        record("room.ended", subject=locked.room, appointment=str(locked.appointment.uuid))
        tell_room(locked.appointment, urgent=True)


def _clear(people: Iterable[Presence]) -> None:
    """Nobody is in the room any more, and nobody may return without being admitted again."""
    for person in people:
        if person.state in IN_ROOM:
            save_person(person, state=PersonState.LEFT, admitted_at=None)
        elif person.admitted_at is not None:
            save_person(person, admitted_at=None)


def reopen_room(*, by: Seat) -> None:
    """The therapist opens an ended room again while its window lasts. Raises NotAllowed,
    RoomClosed. Records room.reopened."""
    with transaction.atomic():
        locked = LockedRoom(by)
        locked.check_therapist()
        locked.check_open(inside=False)
        if not locked.ended:
            return
        locked.room.ended_at = None
        locked.room.save(update_fields=["ended_at"])
        record_act("room.reopened", by, locked.room)
        tell_room(locked.appointment)


def close_room_of(appointment: Appointment, *, by: Account) -> None:
    """An appointment has been cancelled, moved, or given to another therapist: who is in its room
    and no longer belongs there is told and put out, and what was decided of the others holds no
    more. Call it inside the act's transaction, or after. Records room.closed if somebody was there.
    """
    with transaction.atomic():
        room = VideoRoom.objects.select_for_update().filter(appointment=appointment).first()
        if room is None:
            return
        if room.ended_at is not None:
            room.ended_at = None
            room.save(update_fields=["ended_at"])
        fresh = Appointment.objects.select_related("practice").get(pk=appointment.pk)
        people = []
        for person in people_of(fresh):
            if person.state in IN_ROOM | {PersonState.WAITING}:
                # The cancellation, the window or the therapist decides; sockets look by themselves.
                _clear_if_shut(person, fresh)
                people.append(person)
            elif person.state == PersonState.REMOVED or person.admitted_at is not None:
                save_person(person, state=PersonState.LEFT, admitted_at=None)
        if people:
            record("room.closed", by=by, subject=room, appointment=str(fresh.uuid))
        tell_room(fresh, urgent=True)
        ring(fresh)


def _clear_if_shut(person: Presence, appointment: Appointment) -> None:
    window = join_window(appointment, appointment.practice)
    shut = why_closed(appointment, window, now(), inside=False, therapist_in=False)
    moved_on = person.staff_member_id not in (None, appointment.therapist_id)
    if shut is not None or moved_on:
        save_person(person, state=PersonState.LEFT, admitted_at=None, here_until=None)


def recheck_rooms_of(client: Client) -> None:
    """Somebody's portal access to a client has ended or changed: whoever is in a room by it leaves,
    with an open socket or without, and the others hang up. Every socket in the client's rooms looks
    again whether it may be there, once the open transaction has been committed."""
    people = Presence.objects.filter(
        attendee__client=client, state__in=[*IN_ROOM, PersonState.WAITING]
    ).select_related("account", "attendee", "room__appointment")
    for person in people:
        gone = person.cid if not _may_still_sit(person) else ""
        if gone:
            save_person(person, state=PersonState.LEFT, admitted_at=None, here_until=None)
        tell_room(person.room.appointment, left=gone, reason="left" if gone else "", urgent=True)


def _may_still_sit(person: Presence) -> bool:
    if person.account is None or person.attendee is None:
        return True
    try:
        get_seat_for(person.account, person.room.appointment.uuid, person.attendee.uuid)
    except Http404:
        return False
    return True
