"""Couples and families: each is admitted alone, up to four in a call."""

from typing import Any

import pytest

from roost.audit.models import AuditEvent
from roost.core.time import now
from roost.scheduling.models import Appointment
from roost.video import services
from roost.video.errors import NoSuchPerson, NotAdmitted, NotAllowed, RoomClosed, RoomFull
from roost.video.models import Presence
from roost.video.queries import Seat, seats_for, standing_of, waiting_for
from roost.video.rules import LEASE
from tests.support.cast import Cast, give, make_account, make_appointment
from tests.video.conftest import TARAS_PAGE


class Family:
    """A session of Tara's with four clients, each behind an account of their own."""

    def __init__(self, cast: Cast) -> None:
        people = (cast.casey, cast.noor, cast.robin, cast.remy)
        self.session = make_appointment(cast.tara, *people, service=cast.family)
        self.tara = Seat(cast.tara.account, self.session)
        self.seats = []
        for client in people:
            account = make_account(f"{client.first_name.lower()}@family.example")
            give(account, client)
            self.seats += seats_for(account, self.session.uuid)

    @staticmethod
    def cid(number: int) -> str:
        return f"page-load-of-person-{number}"

    def start(self) -> None:
        services.enter_waiting_room(by=self.tara, cid=TARAS_PAGE, name="Tara")
        services.note_connected(by=self.tara, cid=TARAS_PAGE)

    def wait(self, *numbers: int) -> None:
        for number in numbers:
            services.enter_waiting_room(by=self.seats[number], cid=self.cid(number), name="")

    def admit(self, *numbers: int) -> None:
        for number in numbers:
            services.admit_person(by=self.tara, cid=self.cid(number))

    def states(self) -> list[str]:
        return [standing_of(seat).state for seat in self.seats]


@pytest.fixture
def family(cast: Cast, maple: Any) -> Family:
    return Family(cast)


def test_each_is_admitted_alone_and_hears_of_those_inside_only(family: Family) -> None:
    family.start()
    family.wait(0, 1, 2)
    for seat in family.seats[:3]:
        assert standing_of(seat).others == []
    family.admit(0)
    assert [p.display_name for p in standing_of(family.seats[0]).others] == ["Tara"]
    family.admit(1)
    assert [p.display_name for p in standing_of(family.seats[0]).others] == ["Tara", "Noor"]
    assert [p.display_name for p in standing_of(family.seats[1]).others] == ["Tara", "Casey"]
    # Robin waits still: nobody but the therapist knows, and Robin knows of nobody.
    assert standing_of(family.seats[2]).others == []
    assert [p.display_name for p in standing_of(family.tara).others] == ["Casey", "Noor", "Robin"]


def test_admit_all_lets_in_who_waits_longest_first(family: Family) -> None:
    family.start()
    family.wait(1, 0)
    Presence.objects.filter(attendee=family.seats[0].attendee).update(here_until=now() - LEASE)
    family.wait(2)
    assert [p.display_name for p in services.admit_everybody(by=family.tara)] == ["Noor", "Robin"]
    # Whose page does not answer any more is not let in unseen.
    assert family.states() == ["waiting", "admitted", "admitted", ""]
    admitted = AuditEvent.objects.filter(action="room.admitted")
    assert {event.client_uuid for event in admitted} == {
        family.seats[1].client_uuid,
        family.seats[2].client_uuid,
    }
    assert services.admit_everybody(by=family.tara) == []


def test_a_fifth_is_refused_and_goes_on_waiting(family: Family) -> None:
    family.start()
    family.wait(0, 1, 2, 3)
    assert len(services.admit_everybody(by=family.tara)) == 3
    assert family.states() == ["admitted", "admitted", "admitted", "waiting"]
    with pytest.raises(RoomFull):
        family.admit(3)
    with pytest.raises(RoomFull):
        services.admit_everybody(by=family.tara)
    with pytest.raises(NotAdmitted):
        services.note_connected(by=family.seats[3], cid=family.cid(3))
    assert family.states()[3] == "waiting"
    services.leave_room(by=family.seats[0], cid=family.cid(0))
    family.admit(3)
    assert family.states() == ["left", "admitted", "admitted", "admitted"]


def test_the_therapists_place_is_kept_free(family: Family) -> None:
    family.start()
    services.leave_room(by=family.tara, cid=TARAS_PAGE)
    family.wait(0, 1, 2, 3)
    family.admit(0, 1, 2)
    with pytest.raises(RoomFull):
        family.admit(3)
    family.start()
    assert Presence.objects.filter(state__in=["admitted", "connected"]).count() == 4


def test_who_is_declined_may_knock_again(family: Family, cast: Cast) -> None:
    family.start()
    family.wait(0, 1)
    services.decline_person(by=family.tara, cid=family.cid(0))
    assert family.states()[:2] == ["left", "waiting"]
    assert [p.display_name for p in waiting_for(cast.tara)] == ["Noor"]
    event = AuditEvent.objects.get(action="room.declined")
    assert (event.actor, event.client_uuid) == (cast.tara.account, family.seats[0].client_uuid)
    with pytest.raises(NotAdmitted):
        services.note_connected(by=family.seats[0], cid=family.cid(0))
    assert services.note_regained(by=family.seats[0], cid=family.cid(0)) is None
    family.wait(0)
    assert family.states()[0] == "waiting"


def test_only_who_waits_can_be_declined_and_only_by_the_therapist(family: Family) -> None:
    family.start()
    family.wait(0, 1)
    family.admit(0)
    for cid in (family.cid(0), family.cid(3), TARAS_PAGE):
        with pytest.raises(NoSuchPerson):
            services.decline_person(by=family.tara, cid=cid)
    for seat in family.seats[:2]:
        with pytest.raises(NotAllowed):
            services.decline_person(by=seat, cid=family.cid(1))
        with pytest.raises(NotAllowed):
            services.admit_everybody(by=seat)
    assert family.states()[:2] == ["admitted", "waiting"]


def test_nobody_is_admitted_to_a_room_that_has_ended(family: Family) -> None:
    family.start()
    family.wait(0)
    services.end_room(by=family.tara)
    with pytest.raises(RoomClosed):
        services.admit_everybody(by=family.tara)
    services.reopen_room(by=family.tara)
    Appointment.objects.update(cancelled_at=now())
    with pytest.raises(RoomClosed):
        services.admit_everybody(by=family.tara)
    assert family.states()[0] == "waiting"


def test_two_children_of_one_account_do_not_throw_each_other_out(cast: Cast, maple: Any) -> None:
    session = make_appointment(cast.theo, cast.robin, cast.remy, service=cast.family)
    robin, remy = seats_for(cast.parker_account, session.uuid)
    theo = Seat(cast.theo.account, session)
    services.enter_waiting_room(by=theo, cid=TARAS_PAGE, name="Theo")
    for number, seat in enumerate((robin, remy)):
        services.enter_waiting_room(by=seat, cid=Family.cid(number), name="")
        services.admit_person(by=theo, cid=Family.cid(number))
        services.note_connected(by=seat, cid=Family.cid(number))
    assert [standing_of(seat).state for seat in (robin, remy)] == ["connected", "connected"]
    services.remove_person(by=theo, cid=Family.cid(0))
    assert [standing_of(seat).state for seat in (robin, remy)] == ["removed", "connected"]
