"""Reads of rooms: who may sit where, who is there, and who waits for whom."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import BigAutoField, F, QuerySet, UUIDField
from django.http import Http404

from roost.accounts.models import Account
from roost.clients.queries import all_access_held_by, opens
from roost.core.prepared import Prepared, Slot
from roost.core.time import now, zone
from roost.practices.models import Practice
from roost.scheduling.models import Appointment, Attendee
from roost.scheduling.queries import is_open_to
from roost.staff.models import StaffMember
from roost.video.enums import Closed, PersonState, RoomState
from roost.video.models import Presence
from roost.video.rules import (
    AFTERWARDS,
    IN_ROOM,
    Window,
    is_here,
    join_window,
    keeps_place,
    room_state,
    why_closed,
)
from roost.video.turn import ice_servers


@dataclass(frozen=True)
class Seat:
    """A place at an appointment: who acts in its room, and as whom. Without an attendee it is
    the therapist's."""

    account: Account
    appointment: Appointment
    attendee: Attendee | None = None

    @property
    def is_therapist(self) -> bool:
        return self.attendee is None

    @property
    def practice(self) -> Practice:
        return self.appointment.practice

    @property
    def window(self) -> Window:
        return join_window(self.appointment, self.practice)

    @property
    def zone(self) -> ZoneInfo:
        """The zone that times are said in to this seat's person."""
        if self.attendee is not None and self.account.zone_name:
            return zone(self.account.zone_name)
        return self.practice.zone

    @property
    def client_uuid(self) -> uuid.UUID | None:
        """Whose data an act from this seat concerns, or None for the therapist's own."""
        return self.attendee.client.uuid if self.attendee else None

    @property
    def own_name(self) -> str:
        """The name that stands in the device check until another one is typed."""
        if self.attendee is None:
            return self.appointment.therapist.display_name
        return self.attendee.client.calling_name

    @property
    def room_group(self) -> str:
        """The group of everybody's sockets in this room."""
        return room_group(self.appointment)

    @property
    def person_group(self) -> str:
        """The group of this person's sockets in this room."""
        return person_group(self.appointment, self.attendee.pk if self.attendee else None)


def person_group(appointment: Appointment, attendee_id: int | None) -> str:
    """The group of one person's sockets; without an attendee, of the therapist's."""
    return f"{room_group(appointment)}.{attendee_id or 'therapist'}"


def room_group(appointment: Appointment | int) -> str:
    """The group of everybody's sockets in an appointment's room."""
    return f"room.{appointment if isinstance(appointment, int) else appointment.pk}"


def bell_group(staff: StaffMember | int) -> str:
    """The group of a therapist's open office pages."""
    return f"bell.{staff if isinstance(staff, int) else staff.pk}"


# What every page and every message of a room asks for.
_appointments = Prepared(
    lambda: Appointment.objects.select_related("practice", "therapist", "service").filter(
        uuid=Slot("uuid", UUIDField())
    )
)
_attendees = Prepared(
    lambda: Attendee.objects.select_related("client").filter(
        appointment=Slot("appointment", BigAutoField())
    )
)
_people = Prepared(lambda: people_of(Slot("appointment", BigAutoField())))  # type: ignore[arg-type]


def get_appointment(appointment_uuid: uuid.UUID) -> Appointment:
    """An appointment, for whoever may know of it. Raises Http404."""
    for appointment in _appointments(uuid=appointment_uuid):
        return appointment
    raise Http404("There is no such session.")


def get_staff_seat_for(staff: StaffMember, appointment_uuid: uuid.UUID) -> Seat:
    """The therapist's own seat. Raises Http404 for everybody else, owners included."""
    appointment = get_appointment(appointment_uuid)
    if appointment.therapist_id != staff.pk or not staff.is_active:
        raise Http404("There is no such session.")
    return Seat(staff.account, appointment)


def seats_for(account: Account, appointment_uuid: uuid.UUID) -> list[Seat]:
    """The seats an account may take at an appointment, by its access to the attendees.

    Raises Http404 when there is none.
    """
    appointment = get_appointment(appointment_uuid)
    by_client = {each.client_id: each for each in _attendees(appointment=appointment.pk)}
    seats = []
    for access in all_access_held_by(account):
        attendee = by_client.get(access.client_id)
        if attendee is not None and opens(access).join and is_open_to(access, attendee):
            attendee.appointment = appointment
            seats.append(Seat(account, appointment, attendee))
    if not seats:
        raise Http404("There is no such session.")
    return seats


def get_seat_for(account: Account, appointment_uuid: uuid.UUID, attendee_uuid: uuid.UUID) -> Seat:
    """One attendee's seat. Raises Http404 unless the account may join as that attendee."""
    return find_seat(seats_for(account, appointment_uuid), attendee_uuid)


def find_seat(seats: list[Seat], attendee_uuid: uuid.UUID) -> Seat:
    """The one of some seats that is an attendee's. Raises Http404 where there is none."""
    for seat in seats:
        if seat.attendee is not None and seat.attendee.uuid == attendee_uuid:
            return seat
    raise Http404("There is no such session.")


def names_together(seats: Sequence[Seat]) -> str:
    """What people at one screen are called: "Robin and Remy", "Robin, Remy and Kim"."""
    *most, last = [seat.own_name for seat in seats]
    return f"{', '.join(most)} and {last}" if most else last


@dataclass(frozen=True)
class Standing:
    """How it stands with one seat at one moment: everything a page or a socket tells its person.

    `closed` is why they cannot be here, or None. `room` is the room's state. `others` are the
    people they may know of: nobody before they are admitted; for the therapist also who waits.
    """

    seat: Seat
    moment: datetime
    room: RoomState
    ended: bool
    closed: Closed | None
    person: Presence | None
    others: list[Presence] = field(default_factory=list)

    @property
    def state(self) -> str:
        """The person's state, or "" when they have not come yet."""
        return self.person.state if self.person else ""

    @property
    def is_inside(self) -> bool:
        """Whether they have been admitted and have not left since."""
        return _is_inside(self.seat, self.person, self.ended) and self.closed is None

    @property
    def keeps_place(self) -> bool:
        """Whether they are inside and have been there a moment ago, as at a reload: then nothing
        stands between them and the call."""
        return self.is_inside and self.person is not None and is_in(self.person, self.moment)

    @property
    def has_been_in(self) -> bool:
        """Whether they have been in the call, or are."""
        return self.person is not None and (
            self.person.left_at is not None or self.person.state in IN_ROOM
        )

    @property
    def may_return(self) -> bool:
        """Whether they have been admitted, and the session has not ended for them since."""
        return self.person is not None and may_return(self.person, self.seat.account)

    @property
    def still_stands(self) -> bool:
        """Whether the session is the one that was: not cancelled or moved, or taken off video."""
        return self.closed not in {Closed.CANCELLED, Closed.EARLY, Closed.NOT_VIDEO}

    @property
    def is_after_call(self) -> bool:
        """Whether what follows a call is what there is to say: they have been in it, and the
        session still stands."""
        return self.has_been_in and self.still_stands

    def speaks_under(self, cid: str) -> bool:
        """Whether the page load `cid`, of this seat's account, is the one that speaks for the
        person. Others in the room know a cid; it opens nothing to them."""
        person = self.person
        return person is not None and is_page_of(person, self.seat, cid)

    def why_out(self, cid: str) -> str:
        """Why the page `cid` is out of the room or its waiting room without having gone by itself:
        "ended" or "declined". Else "": also when the session was opened again since."""
        person = self.person
        if person is None or person.state != PersonState.LEFT or not self.speaks_under(cid):
            return ""
        if self.ended:
            return "ended"
        return "declined" if person.admitted_at is None and person.here_until is None else ""

    def ice(self) -> list[dict[str, Any]]:
        """Relay credentials, for somebody inside only."""
        if not self.is_inside or self.person is None:
            return []
        return ice_servers(self.person.uuid.hex, self.moment)


def people_of(appointment: Appointment) -> QuerySet[Presence]:
    """Everybody who has been in an appointment's room, the therapist first."""
    people: QuerySet[Presence] = Presence.objects.filter(room__appointment=appointment)
    return people.select_related("room", "attendee__client", "staff_member").order_by(
        F("attendee_id").asc(nulls_first=True), "pk"
    )


def all_people_of(appointment: Appointment) -> list[Presence]:
    """`people_of` for every look at a room: all of them, in a read that is prepared."""
    return _people(appointment=appointment.pk)


def is_of(person: Presence, account: Account) -> bool:
    """Whether it is from this account that somebody is, or was, in a room: what one log-in was
    admitted to is not open to another, which waits to be let in."""
    return person.account_id in (None, account.pk)


def is_page_of(person: Presence, seat: Seat, cid: str) -> bool:
    """Whether a page load speaks for a person, and is of the seat's account."""
    return bool(cid) and person.cid == cid and is_of(person, seat.account)


def is_taken(person: Presence, seat: Seat, moment: datetime) -> bool:
    """Whether somebody with another account is here as the person of this seat."""
    if is_of(person, seat.account):
        return False
    return is_in(person, moment) or is_waiting(person, moment)


def is_in(person: Presence, moment: datetime) -> bool:
    """Whether somebody has been admitted, and is there or only just lost the line."""
    return keeps_place(person.state, person.here_until, moment)


def as_told(person: Presence, moment: datetime) -> dict[str, str]:
    """What others in the room are told of somebody. A server that died cannot have noted who was
    lost with it."""
    silent = person.here_until is None or person.here_until < moment
    is_lost = person.state == PersonState.CONNECTED and silent
    return {
        "cid": person.cid,
        "name": person.display_name,
        "role": "client" if person.attendee_id else "therapist",
        "state": PersonState.LOST.value if is_lost else person.state,
    }


def is_seat_of(person: Presence, seat: Seat) -> bool:
    """Whether a presence is this seat's."""
    if seat.attendee is None:
        return person.staff_member_id == seat.appointment.therapist_id
    return person.attendee_id == seat.attendee.pk


def therapist_is_in(people: list[Presence], appointment: Appointment, moment: datetime) -> bool:
    """Whether the appointment's therapist has her place in the call, which keeps it going. It may
    be the server that was away."""
    return any(
        person.staff_member_id == appointment.therapist_id and is_in(person, moment)
        for person in people
    )


def therapist_is_here(people: list[Presence], appointment: Appointment, moment: datetime) -> bool:
    """Whether the appointment's therapist is in the room, and was heard of a short while ago."""
    return any(
        person.staff_member_id == appointment.therapist_id
        and is_here(person.state, person.here_until, moment)
        for person in people
    )


def standing_of(seat: Seat) -> Standing:
    """How it stands with a seat now."""
    moment = now()
    people = all_people_of(seat.appointment)
    mine = next((person for person in people if is_seat_of(person, seat)), None)
    ended = bool(people) and people[0].room.ended_at is not None
    therapist_in = therapist_is_in(people, seat.appointment, moment)
    inside = _is_inside(seat, mine, ended)
    closed = why_closed(
        seat.appointment, seat.window, moment, inside=inside, therapist_in=therapist_in
    )
    if closed is None and mine is not None and mine.state == PersonState.REMOVED:
        closed = Closed.REMOVED
    if closed is None and mine is not None and is_taken(mine, seat, moment):
        closed = Closed.TAKEN
    if closed is None and ended and seat.is_therapist:
        closed = Closed.ENDED
    others = [p for p in people if p is not mine and _may_know_of(seat, p, moment)]
    return Standing(
        seat=seat,
        moment=moment,
        room=room_state(seat.window, moment, ended=ended, therapist_in=therapist_in),
        ended=ended,
        closed=closed,
        person=mine,
        others=others if inside and closed is None else [],
    )


def _is_inside(seat: Seat, person: Presence | None, ended: bool) -> bool:
    return person is not None and (
        person.state in IN_ROOM and not ended and is_of(person, seat.account)
    )


def _may_know_of(seat: Seat, person: Presence, moment: datetime) -> bool:
    if person.state in IN_ROOM:
        return is_in(person, moment)
    if not seat.is_therapist:
        return False
    return person.state == PersonState.REMOVED or is_waiting(person, moment)


def is_waiting(person: Presence, moment: datetime) -> bool:
    """Whether somebody waits, at a page that still answers."""
    return (
        person.state == PersonState.WAITING
        and person.here_until is not None
        and person.here_until > moment
    )


def waiting_for(staff: StaffMember) -> list[Presence]:
    """Who waits for a therapist now, in all her rooms, longest first. One query."""
    moment = now()
    rows = (
        Presence.objects.filter(
            state=PersonState.WAITING,
            here_until__gt=moment,
            room__appointment__therapist=staff,
            room__appointment__cancelled_at=None,
        )
        .select_related("attendee__client", "room__appointment__practice")
        .order_by("waiting_since", "pk")
    )
    return [row for row in rows if _window_of(row).is_open(moment)]


def _window_of(person: Presence) -> Window:
    appointment = person.room.appointment
    return join_window(appointment, appointment.practice)


def may_return(person: Presence, account: Account) -> bool:
    """Whether somebody was admitted from this account, and the therapist has neither ended the
    session since nor removed them. Whether the room is open is asked elsewhere."""
    return is_of(person, account) and person.admitted_at is not None


def has_stepped_out(attendee: Attendee, account: Account) -> bool:
    """Whether an attendee has been in the session from this account and may return to it, while
    the room is open."""
    people = Presence.objects.filter(attendee=attendee)
    person = people.select_related("room__appointment__practice").first()
    if person is None or not may_return(person, account) or person.room.appointment.is_cancelled:
        return False
    return _window_of(person).is_open(now())


def may_finish(seat: Seat) -> bool:
    """Whether the person is in the call or has only just left it, so that what follows it (the
    attendance, the next session) asks for no log-in, whatever the idle limit."""
    standing = standing_of(seat)
    left_at = standing.person.left_at if standing.person else None
    just_now = left_at is not None and standing.moment < left_at + AFTERWARDS
    return standing.is_inside or (just_now and standing.closed != Closed.REMOVED)


def has_just_held(staff: StaffMember, appointment_uuid: uuid.UUID) -> bool:
    """Whether it is this therapist's session, and `may_finish` is true of them."""
    try:
        return may_finish(get_staff_seat_for(staff, appointment_uuid))
    except Http404:
        return False


def is_admitted(seat: Seat) -> bool:
    """Whether the person is in the room, so that the idle limit does not end their sign-in."""
    return standing_of(seat).is_inside
