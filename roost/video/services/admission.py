"""Coming to a room: waiting, being let in, declined or removed."""

from typing import Any

from django.db import transaction

from roost.core.push import push
from roost.video.enums import Closed, PersonState
from roost.video.errors import (
    CidTaken,
    NoSuchPerson,
    RoomClosed,
    RoomFull,
)
from roost.video.models import Presence
from roost.video.queries import (
    Seat,
    as_told,
    is_in,
    is_of,
    is_taken,
    is_waiting,
    person_group,
)
from roost.video.rules import (
    IN_ROOM,
    LEASE,
    ice_policy,
)
from roost.video.services.held import (
    LockedRoom,
    begin_waiting,
    record_about,
    record_act,
    ring,
    save_person,
    tell_room,
)


def enter_waiting_room(*, by: Seat, cid: str, name: str) -> Presence:
    """Somebody has passed the device check, or comes back to the page.

    `cid` is their page load; an older one of the same person is replaced at once. Returns their
    presence: waiting, or admitted when they need not wait. That is the therapist; whoever is still
    in the room, or lost the line a moment ago (a reload); and whoever was in it, if the therapist
    is there and with nobody else. What one account was admitted to is not open to another, which
    waits, and is refused while the first is there.
    Raises RoomClosed, CidTaken. Records room.waited or room.returned; the therapist is told.
    """
    with transaction.atomic():
        locked = LockedRoom(by)
        mine, moment = locked.mine, locked.moment
        inside = mine is not None and is_in(mine, moment) and not locked.ended
        locked.check_open(inside=inside)
        if locked.ended and by.is_therapist:
            raise RoomClosed(Closed.ENDED)
        if mine is not None and mine.state == PersonState.REMOVED:
            raise RoomClosed(Closed.REMOVED)
        if mine is not None and is_taken(mine, by, moment):
            raise RoomClosed(Closed.TAKEN)
        if any(p.cid == cid for p in locked.people if p is not mine):
            raise CidTaken
        if mine is None:
            mine = Presence(
                room=locked.room,
                attendee=by.attendee,
                staff_member=None if by.attendee else locked.appointment.therapist,
                state=PersonState.LEFT,
            )
        was = mine.state
        if not is_of(mine, by.account):
            # Nothing of what another log-in was let in to is theirs.
            mine.state, mine.admitted_at, mine.left_at = PersonState.LEFT, None, None
            inside = False
        mine.account = by.account
        same_page = mine.cid == cid
        goes_in = by.is_therapist or inside or locked.may_come_back(mine)
        old_cid = "" if same_page else mine.cid
        mine.cid = cid
        mine.display_name = name or mine.display_name or by.own_name
        if goes_in:
            mine.state = was if same_page and inside else PersonState.ADMITTED
            mine.admitted_at = mine.admitted_at or moment
        elif was != PersonState.WAITING or _has_lapsed(mine, moment):
            begin_waiting(mine, moment)
        mine.here_until = moment + LEASE
        mine.save()
        if not (same_page and mine.state == was):
            record_act("room.returned" if goes_in else "room.waited", by, locked.room)
        if old_cid:
            push(by.person_group, {"type": "room.replaced", "cid": cid})
        tell_room(
            locked.appointment,
            left=old_cid if was in IN_ROOM else "",
            reason="replaced" if was in IN_ROOM else "",
            comes_as=cid if goes_in else "",
        )
        ring(locked.appointment)
        return mine


def _has_lapsed(person: Presence, moment: Any) -> bool:
    return person.waiting_since is None or person.here_until is None or person.here_until < moment


def admit_person(*, by: Seat, cid: str) -> Presence:
    """The therapist lets in who waits under `cid`, or lets one back in that was removed.

    Raises NotAllowed, RoomClosed, NoSuchPerson, RoomFull. Records room.admitted.
    """
    with transaction.atomic():
        locked = LockedRoom(by)
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
            save_person(person, state=PersonState.LEFT, admitted_at=locked.moment)
        else:
            raise NoSuchPerson
        record_about(person, "room.admitted", by, locked.room)
        tell_room(locked.appointment)
        ring(locked.appointment)
        return person


def admit_everybody(*, by: Seat) -> list[Presence]:
    """The therapist lets in everybody who waits, longest first, as far as there is room.

    Returns whom. Raises NotAllowed, RoomClosed; RoomFull when there was no room for anybody.
    Records room.admitted for each.
    """
    with transaction.atomic():
        locked = LockedRoom(by)
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
            record_about(person, "room.admitted", by, locked.room)
            admitted.append(person)
        if waiting and not admitted:
            raise RoomFull
        tell_room(locked.appointment)
        ring(locked.appointment)
        return admitted


def _let_in(locked: LockedRoom, person: Presence) -> None:
    save_person(
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
            "people": [as_told(p, locked.moment) for p in locked.inside() if p is not person],
            "policy": ice_policy(locked.appointment.practice),
        },
    )


def decline_person(*, by: Seat, cid: str) -> Presence:
    """The therapist does not let in who waits, for now: they are told so, and may knock again.

    Raises NotAllowed, NoSuchPerson. Records room.declined.
    """
    with transaction.atomic():
        locked = LockedRoom(by)
        locked.check_therapist()
        person = locked.find(cid)
        if person.state != PersonState.WAITING:
            raise NoSuchPerson
        save_person(person, state=PersonState.LEFT, admitted_at=None, here_until=None)
        record_about(person, "room.declined", by, locked.room)
        group = person_group(locked.appointment, person.attendee_id)
        push(group, {"type": "room.declined", "cid": cid})
        tell_room(locked.appointment)
        ring(locked.appointment)
        return person


def remove_person(*, by: Seat, cid: str) -> Presence:
    """The therapist sends somebody out of the room or its waiting room. They cannot come back
    unless they are admitted again. Raises NotAllowed, NoSuchPerson. Records room.removed."""
    with transaction.atomic():
        locked = LockedRoom(by)
        locked.check_therapist()
        person = locked.find(cid)
        if person.state not in IN_ROOM | {PersonState.WAITING}:
            raise NoSuchPerson
        save_person(person, state=PersonState.REMOVED, admitted_at=None)
        record_about(person, "room.removed", by, locked.room)
        tell_room(locked.appointment, left=cid, reason="removed", urgent=True)
        ring(locked.appointment)
        return person
