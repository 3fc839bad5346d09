"""Who is in the call: joining, being lost and back, leaving."""

from dataclasses import dataclass

from django.db import transaction

from roost.core.push import push
from roost.core.time import now
from roost.video.enums import PersonState
from roost.video.errors import NotAdmitted
from roost.video.models import Presence
from roost.video.queries import Seat, is_in, is_page_of
from roost.video.rules import (
    GRACE,
    IN_ROOM,
    LEASE,
)
from roost.video.services.ending import end_locked
from roost.video.services.held import (
    LockedRoom,
    begin_waiting,
    record_act,
    ring,
    save_person,
    tell_room,
)


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
        locked = LockedRoom(by)
        mine = locked.own(cid)
        if mine.state not in IN_ROOM or locked.ended:
            raise NotAdmitted
        locked.check_open(inside=True)
        was = mine.state
        save_person(mine, state=PersonState.CONNECTED, here_until=locked.moment + LEASE)
        others = [p for p in locked.inside() if p is not mine]
        callers = [p for p in others if p.state != PersonState.ADMITTED]
        offer_to = callers[0].cid if offer is not None and callers else ""
        if was != PersonState.CONNECTED:
            action = "room.joined" if was == PersonState.ADMITTED else "room.regained"
            record_act(action, by, locked.room)
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
    waits goes on waiting. One who was away for long, lost or not, and may not walk in on those who
    are there now, waits to be let in again. Returns the presence, or None if another page speaks
    for the person. Records room.regained or room.waited, where that changes their state."""
    with transaction.atomic():
        locked = LockedRoom(by)
        mine = locked.mine
        if mine is None or not _answers_for(mine, by, cid):
            return None
        was, moment = mine.state, locked.moment
        lapsed = mine.here_until is None or mine.here_until < moment
        stays = by.is_therapist or is_in(mine, moment) or locked.may_come_back(mine)
        if was == PersonState.LOST and stays:
            mine.state = PersonState.CONNECTED
            record_act("room.regained", by, locked.room)
        elif was in IN_ROOM and not stays:
            begin_waiting(mine, moment)
            record_act("room.waited", by, locked.room)
        save_person(
            mine,
            account=by.account,
            state=mine.state,
            waiting_since=mine.waiting_since,
            told_at=mine.told_at,
            left_at=mine.left_at,
            here_until=moment + LEASE,
        )
        waits = mine.state == PersonState.WAITING
        if lapsed or waits or was == PersonState.LOST:
            moved = cid if waits and was in IN_ROOM else ""
            tell_room(locked.appointment, left=moved, reason="waits" if moved else "")
        if waits:
            ring(locked.appointment)
        return mine


def _answers_for(mine: Presence, by: Seat, cid: str) -> bool:
    return is_page_of(mine, by, cid) and mine.state in IN_ROOM | {PersonState.WAITING}


def note_here(*, by: Seat, cid: str) -> bool:
    """A ping: the socket still answers for its person, also if they had been given up meanwhile.
    Returns whether nothing else has changed for them. Records what note_regained does, for one
    that was lost."""
    moment = now()
    renewed = Presence.objects.filter(
        room__appointment=by.appointment,
        room__appointment__cancelled_at=None,
        attendee=by.attendee,
        cid=cid,
        account=by.account,
        state__in=[PersonState.WAITING, PersonState.ADMITTED, PersonState.CONNECTED],
        here_until__gt=moment,
    ).update(here_until=moment + LEASE)
    if not renewed:
        note_regained(by=by, cid=cid)
    return bool(renewed)


def note_lost(*, by: Seat, cid: str, server_stops: bool = False) -> bool:
    """A socket has ended without a word. Who was connected is lost, unless it is the server itself
    that goes away (ADR 0027); who waited is expected back for a few seconds. Returns False if
    another page speaks for the person, or nothing has changed. Records room.lost."""
    with transaction.atomic():
        locked = LockedRoom(by)
        mine = locked.mine
        if mine is None or not _answers_for(mine, by, cid):
            return False
        connected = mine.state == PersonState.CONNECTED
        if connected and server_stops:
            return False
        state = PersonState.LOST if connected else mine.state
        save_person(mine, state=state, here_until=locked.moment + GRACE)
        if connected:
            record_act("room.lost", by, locked.room)
            tell_room(locked.appointment, left=cid, reason="lost")
        return True


def leave_room(*, by: Seat, cid: str) -> None:
    """Somebody leaves; they may return while the room is open. When the therapist leaves after
    the window, the session ends. Raises NotAdmitted. Records room.left."""
    with transaction.atomic():
        locked = LockedRoom(by)
        mine = locked.own(cid)
        if mine.state not in IN_ROOM | {PersonState.WAITING}:
            return
        save_person(mine, state=PersonState.LEFT, here_until=None)
        record_act("room.left", by, locked.room)
        tell_room(locked.appointment, left=cid, reason="left")
        ring(locked.appointment)
        if by.is_therapist and locked.moment >= locked.window.closes_at:
            end_locked(locked)
