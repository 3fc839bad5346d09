"""What happens in rooms. Each act is one transaction with its audit event, and is pushed to the
sockets once it has been committed. Nothing here, or anywhere, keeps SDP or ICE candidates."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Model

from roost.accounts.models import Account
from roost.audit.services import record
from roost.clients.models import Client
from roost.core.push import push
from roost.core.time import now
from roost.scheduling.models import Appointment
from roost.video.enums import Closed, PersonState
from roost.video.errors import (
    CidTaken,
    NoSuchPerson,
    NotAdmitted,
    NotAllowed,
    RoomClosed,
    RoomFull,
)
from roost.video.models import Presence, VideoRoom
from roost.video.queries import (
    Seat,
    as_told,
    bell_group,
    is_seat_of,
    is_waiting,
    people_of,
    person_group,
    room_group,
    therapist_is_in,
)
from roost.video.rules import (
    GRACE,
    IN_ROOM,
    LEASE,
    MOST_PEOPLE,
    Window,
    ice_policy,
    join_window,
    why_closed,
)


class _Locked:
    """A room and its people, held until the transaction ends."""

    def __init__(self, seat: Seat) -> None:
        self.seat, self.moment = seat, now()
        self.appointment = seat.appointment
        # Read again: it may have been cancelled or moved since the seat was looked up.
        self.was_of = self.appointment.therapist_id
        self.appointment.refresh_from_db(
            fields=["starts_at", "ends_at", "cancelled_at", "mode", "therapist_id"]
        )
        rooms = VideoRoom.objects.select_for_update()
        room = rooms.filter(appointment=self.appointment).first()
        if room is None:
            VideoRoom.objects.get_or_create(appointment=self.appointment)
            room = rooms.get(appointment=self.appointment)
        self.room: VideoRoom = room
        self.people = list(people_of(self.appointment))
        self.mine = next((p for p in self.people if is_seat_of(p, seat)), None)

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
        return [p for p in self.people if p.state in IN_ROOM]

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
        if self.mine is None or not cid or self.mine.cid != cid:
            raise NotAdmitted
        return self.mine


def _save(person: Presence, **values: Any) -> None:
    for name, value in values.items():
        setattr(person, name, value)
    person.save(update_fields=[*values, "changed_at"])


def _record(action: str, seat: Seat, subject: Model, **details: Any) -> None:
    record(
        action,
        by=seat.account,
        subject=subject,
        client_uuid=seat.client_uuid,
        appointment=str(seat.appointment.uuid),
        **details,
    )


def _tell_room(
    appointment: Appointment | int, *, left: str = "", reason: str = "", urgent: bool = False
) -> None:
    """Let every page of the room look how it stands; at once when somebody may have lost a right,
    before anything else is said to them."""
    event = {"type": "room.changed", "left": left, "reason": reason, "urgent": urgent}
    push(room_group(appointment), event)


def _ring(appointment: Appointment) -> None:
    push(bell_group(appointment.therapist_id), {"type": "bell.rang"})


def enter_waiting_room(*, by: Seat, cid: str, name: str) -> Presence:
    """Somebody has passed the device check, or comes back to the page.

    `cid` is their page load; an older one of the same person is replaced at once. Returns their
    presence: waiting, or admitted when they need not wait. That is the therapist; whoever is still
    in the room (a reload); and whoever stepped out, if the therapist is there and with nobody else.
    Raises RoomClosed, CidTaken. Records room.waited or room.returned; the therapist is told.
    """
    with transaction.atomic():
        locked = _Locked(by)
        mine, moment = locked.mine, locked.moment
        inside = mine is not None and mine.state in IN_ROOM and not locked.ended
        locked.check_open(inside=inside)
        if locked.ended and by.is_therapist:
            raise RoomClosed(Closed.ENDED)
        if mine is not None and mine.state == PersonState.REMOVED:
            raise RoomClosed(Closed.REMOVED)
        if any(p.cid == cid for p in locked.people if p is not mine):
            raise CidTaken
        if mine is None:
            mine = Presence(
                room=locked.room,
                attendee=by.attendee,
                staff_member=None if by.attendee else locked.appointment.therapist,
                state=PersonState.LEFT,
            )
        same_page = mine.cid == cid
        was = mine.state
        goes_in = by.is_therapist or inside or _may_return(locked, mine)
        old_cid = "" if same_page else mine.cid
        mine.cid, mine.here_until = cid, moment + LEASE
        mine.display_name = name or mine.display_name or by.own_name
        if goes_in:
            mine.state = was if same_page and inside else PersonState.ADMITTED
            mine.admitted_at = mine.admitted_at or moment
        elif was != PersonState.WAITING or _has_lapsed(mine, moment):
            mine.state, mine.waiting_since = PersonState.WAITING, moment
        mine.save()
        if not (same_page and mine.state == was):
            _record("room.returned" if goes_in else "room.waited", by, locked.room)
        if old_cid:
            push(by.person_group, {"type": "room.replaced", "cid": cid})
        _tell_room(
            locked.appointment, left=old_cid if inside else "", reason="replaced" if inside else ""
        )
        _ring(locked.appointment)
        return mine


def _has_lapsed(person: Presence, moment: Any) -> bool:
    return person.waiting_since is None or person.here_until is None or person.here_until < moment


def _may_return(locked: _Locked, mine: Presence) -> bool:
    """Whether somebody who stepped out goes straight back in."""
    if mine.admitted_at is None or mine.state != PersonState.LEFT or locked.ended:
        return False
    others = [p for p in locked.inside() if p.staff_member_id is None and p.pk != mine.pk]
    return locked.therapist_in and not others


def admit_person(*, by: Seat, cid: str) -> Presence:
    """The therapist lets in who waits under `cid`, or lets one back in that was removed.

    Raises NotAllowed, RoomClosed, NoSuchPerson, RoomFull. Records room.admitted.
    """
    with transaction.atomic():
        locked = _Locked(by)
        locked.check_therapist()
        locked.check_open(inside=False)
        if locked.ended:
            raise RoomClosed(Closed.ENDED)
        person = locked.find(cid)
        if person.state == PersonState.WAITING:
            if locked.is_full():
                raise RoomFull
            _let_in(locked, person)
        elif person.state == PersonState.REMOVED:
            _save(person, state=PersonState.LEFT, admitted_at=locked.moment)
        else:
            raise NoSuchPerson
        _record_about(person, "room.admitted", by, locked.room)
        _tell_room(locked.appointment)
        _ring(locked.appointment)
        return person


def admit_everybody(*, by: Seat) -> list[Presence]:
    """The therapist lets in everybody who waits, longest first, as far as there is room.

    Returns whom. Raises NotAllowed, RoomClosed; RoomFull when there was no room for anybody.
    Records room.admitted for each.
    """
    with transaction.atomic():
        locked = _Locked(by)
        locked.check_therapist()
        locked.check_open(inside=False)
        if locked.ended:
            raise RoomClosed(Closed.ENDED)
        waiting = [p for p in locked.people if is_waiting(p, locked.moment)]
        waiting.sort(key=lambda person: (person.waiting_since or locked.moment, person.pk))
        admitted = []
        for person in waiting:
            if locked.is_full():
                break
            _let_in(locked, person)
            _record_about(person, "room.admitted", by, locked.room)
            admitted.append(person)
        if waiting and not admitted:
            raise RoomFull
        _tell_room(locked.appointment)
        _ring(locked.appointment)
        return admitted


def _let_in(locked: _Locked, person: Presence) -> None:
    _save(
        person,
        state=PersonState.ADMITTED,
        admitted_at=locked.moment,
        here_until=locked.moment + LEASE,
    )
    # First of all, since somebody is waiting for it.
    push(
        person_group(locked.appointment, person.attendee_id),
        {
            "type": "room.admitted",
            "cid": person.cid,
            "person": person.uuid.hex,
            "people": [as_told(p) for p in locked.inside() if p is not person],
            "policy": ice_policy(locked.appointment.practice),
        },
    )


def decline_person(*, by: Seat, cid: str) -> Presence:
    """The therapist does not let in who waits, for now: they are told so, and may knock again.

    Raises NotAllowed, NoSuchPerson. Records room.declined.
    """
    with transaction.atomic():
        locked = _Locked(by)
        locked.check_therapist()
        person = locked.find(cid)
        if person.state != PersonState.WAITING:
            raise NoSuchPerson
        _save(person, state=PersonState.LEFT, admitted_at=None, here_until=None)
        _record_about(person, "room.declined", by, locked.room)
        group = person_group(locked.appointment, person.attendee_id)
        push(group, {"type": "room.declined", "cid": cid})
        _tell_room(locked.appointment)
        _ring(locked.appointment)
        return person


def _record_about(person: Presence, action: str, by: Seat, room: VideoRoom) -> None:
    record(
        action,
        by=by.account,
        subject=room,
        client_uuid=person.attendee.client.uuid if person.attendee else None,
        appointment=str(by.appointment.uuid),
    )


def remove_person(*, by: Seat, cid: str) -> Presence:
    """The therapist sends somebody out of the room or its waiting room. They cannot come back
    unless they are admitted again. Raises NotAllowed, NoSuchPerson. Records room.removed."""
    with transaction.atomic():
        locked = _Locked(by)
        locked.check_therapist()
        person = locked.find(cid)
        if person.state not in IN_ROOM | {PersonState.WAITING}:
            raise NoSuchPerson
        _save(person, state=PersonState.REMOVED, admitted_at=None)
        _record_about(person, "room.removed", by, locked.room)
        _tell_room(locked.appointment, left=cid, reason="removed", urgent=True)
        _ring(locked.appointment)
        return person


@dataclass(frozen=True)
class Joined:
    """What came of joining: the own presence, who else is in the room, and the cid of the one
    who got the offer ("" when there was none, or nobody to take it)."""

    person: Presence
    others: list[Presence]
    offered: str


def note_connected(*, by: Seat, cid: str, offer: dict[str, str] | None = None) -> Joined:
    """An admitted person joins the call, or their socket is back.

    `offer` is passed on to the one person it is meant for, and kept nowhere. Raises NotAdmitted,
    RoomClosed. Records room.joined or, for a lost one, room.regained.
    """
    with transaction.atomic():
        locked = _Locked(by)
        mine = locked.own(cid)
        if mine.state not in IN_ROOM or locked.ended:
            raise NotAdmitted
        locked.check_open(inside=True)
        was = mine.state
        _save(mine, state=PersonState.CONNECTED, here_until=locked.moment + LEASE)
        others = [p for p in locked.inside() if p is not mine]
        callers = [p for p in others if p.state != PersonState.ADMITTED]
        offer_to = callers[0].cid if offer is not None and callers else ""
        if was != PersonState.CONNECTED:
            action = "room.joined" if was == PersonState.ADMITTED else "room.regained"
            _record(action, by, locked.room)
        push(
            by.room_group,
            {
                "type": "room.joined",
                "cid": cid,
                "name": mine.display_name,
                "role": "therapist" if by.is_therapist else "client",
                "offer_to": offer_to,
                "offer": offer if offer_to else None,
            },
        )
        return Joined(mine, others, offer_to)


def note_regained(*, by: Seat, cid: str) -> Presence | None:
    """A socket is back under the cid it had: whoever was lost is connected again, and whoever
    waits goes on waiting. Returns the presence, or None if another page speaks for the person.
    Records room.regained for one that was lost."""
    with transaction.atomic():
        locked = _Locked(by)
        mine = locked.mine
        if mine is None or mine.cid != cid or mine.state not in IN_ROOM | {PersonState.WAITING}:
            return None
        lost = mine.state == PersonState.LOST and not locked.ended
        waited = mine.state == PersonState.WAITING
        state = PersonState.CONNECTED if lost else mine.state
        _save(mine, state=state, here_until=locked.moment + LEASE)
        if lost:
            _record("room.regained", by, locked.room)
            _tell_room(locked.appointment)
        if waited:
            _tell_room(locked.appointment)
            _ring(locked.appointment)
        return mine


def note_here(*, by: Seat, cid: str) -> None:
    """A ping: the socket still answers for its person. Nothing is recorded."""
    Presence.objects.filter(
        room__appointment=by.appointment,
        attendee=by.attendee,
        cid=cid,
        state__in=[*IN_ROOM, PersonState.WAITING],
    ).update(here_until=now() + LEASE)


def note_lost(*, by: Seat, cid: str) -> bool:
    """A socket has ended without a word. Who was connected is lost, who waited is expected back
    for a few seconds. Returns False if another page speaks for the person. Records room.lost."""
    with transaction.atomic():
        locked = _Locked(by)
        mine = locked.mine
        if mine is None or mine.cid != cid or mine.state not in IN_ROOM | {PersonState.WAITING}:
            return False
        connected = mine.state == PersonState.CONNECTED
        state = PersonState.LOST if connected else mine.state
        _save(mine, state=state, here_until=locked.moment + GRACE)
        if connected:
            _record("room.lost", by, locked.room)
            _tell_room(locked.appointment, left=cid, reason="lost")
        return True


def leave_room(*, by: Seat, cid: str) -> None:
    """Somebody leaves; they may return while the room is open. When the therapist leaves after
    the window, the session ends. Raises NotAdmitted. Records room.left."""
    with transaction.atomic():
        locked = _Locked(by)
        mine = locked.own(cid)
        if mine.state not in IN_ROOM | {PersonState.WAITING}:
            return
        _save(mine, state=PersonState.LEFT, here_until=None)
        _record("room.left", by, locked.room)
        _tell_room(locked.appointment, left=cid, reason="left")
        _ring(locked.appointment)
        if by.is_therapist and locked.moment >= locked.window.closes_at:
            _end(locked)


def end_room(*, by: Seat) -> None:
    """The therapist ends the session for everybody; who is in the call leaves it, who waits goes
    on waiting. Raises NotAllowed. Records room.ended."""
    with transaction.atomic():
        locked = _Locked(by)
        locked.check_therapist()
        if not locked.ended:
            _end(locked)


def _end(locked: _Locked) -> None:
    locked.room.ended_at = locked.moment
    locked.room.save(update_fields=["ended_at"])
    _clear(locked.people)
    _record("room.ended", locked.seat, locked.room)
    push(locked.seat.room_group, {"type": "room.ended"})


def _clear(people: Iterable[Presence]) -> None:
    """Nobody is in the room any more, and nobody may return without being admitted again."""
    for person in people:
        if person.state in IN_ROOM:
            _save(person, state=PersonState.LEFT, admitted_at=None)
        elif person.admitted_at is not None:
            _save(person, admitted_at=None)


def reopen_room(*, by: Seat) -> None:
    """The therapist opens an ended room again while its window lasts. Raises NotAllowed,
    RoomClosed. Records room.reopened."""
    with transaction.atomic():
        locked = _Locked(by)
        locked.check_therapist()
        locked.check_open(inside=False)
        if not locked.ended:
            return
        locked.room.ended_at = None
        locked.room.save(update_fields=["ended_at"])
        _record("room.reopened", by, locked.room)
        _tell_room(locked.appointment)


def close_room_of(appointment: Appointment, *, by: Account) -> None:
    """An appointment has been cancelled, moved, or given to another therapist: who is in its room
    and no longer belongs there is told and put out. Call it inside the act's transaction, or after.
    Records room.closed if somebody was there.
    """
    with transaction.atomic():
        room = VideoRoom.objects.filter(appointment=appointment).first()
        if room is None:
            return
        fresh = Appointment.objects.select_related("practice").get(pk=appointment.pk)
        people = [p for p in people_of(fresh) if p.state in IN_ROOM | {PersonState.WAITING}]
        for person in people:
            # The cancellation, the window or the therapist decides; sockets look for themselves.
            _clear_if_shut(person, fresh)
        if people:
            record("room.closed", by=by, subject=room, appointment=str(fresh.uuid))
        _tell_room(fresh, urgent=True)
        _ring(fresh)


def _clear_if_shut(person: Presence, appointment: Appointment) -> None:
    window = join_window(appointment, appointment.practice)
    shut = why_closed(appointment, window, now(), inside=False, therapist_in=False)
    moved_on = person.staff_member_id not in (None, appointment.therapist_id)
    if shut is not None or moved_on:
        _save(person, state=PersonState.LEFT, admitted_at=None, here_until=None)


def recheck_rooms_of(client: Client) -> None:
    """Somebody's portal access to a client has ended or changed: every socket in the client's
    rooms looks again whether it may be there, once the open transaction has been committed."""
    rooms = Presence.objects.filter(
        attendee__client=client, state__in=[*IN_ROOM, PersonState.WAITING]
    ).values_list("room__appointment_id", flat=True)
    for appointment_id in set(rooms):
        _tell_room(appointment_id, urgent=True)
