import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from roost.audit.models import AuditEvent
from roost.clients.models import Client
from roost.core.models import Submission
from roost.core.tenancy import scope
from roost.practices.models import Practice
from roost.scheduling import errors
from roost.scheduling.enums import Attendance, Mode, ServiceType
from roost.scheduling.models import Appointment, Attendee, Service
from roost.scheduling.services import (
    add_service,
    archive_service,
    book_appointment,
    cancel_appointment,
    edit_service,
    move_appointment,
    restore_service,
)
from roost.staff.models import StaffMember
from tests.support.cast import Cast, make_appointment, make_client

TWO_PM = datetime(2026, 11, 25, 19, 0, tzinfo=UTC)


def book(cast: Cast, **changes: Any) -> Appointment:
    values: dict[str, Any] = {
        "by": cast.tara,
        "key": uuid.uuid4(),
        "therapist": cast.tara,
        "clients": [cast.casey],
        "service": cast.individual,
        "starts_at": TWO_PM,
        "mode": Mode.VIDEO,
    }
    return book_appointment(**(values | changes))[0]


def events(action: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action=action).order_by("pk"))


def test_book_makes_an_appointment_as_long_as_the_service(cast: Cast, maple: Practice) -> None:
    appointment = book(cast)
    assert (appointment.starts_at, appointment.ends_at) == (TWO_PM, TWO_PM + timedelta(minutes=50))
    assert appointment.booked_by == cast.tara
    assert appointment.label == "Individual, 50 min"
    attendee = Attendee.objects.get(appointment=appointment)
    assert (attendee.client, attendee.attendance) == (cast.casey, Attendance.SCHEDULED)


def test_book_records_one_event_for_each_client(cast: Cast, maple: Practice) -> None:
    appointment = book(
        cast,
        by=cast.theo,
        therapist=cast.theo,
        clients=[cast.robin, cast.remy, cast.robin],
        service=cast.family,
    )
    found = events("appointment.booked")
    assert [event.client_uuid for event in found] == [cast.robin.uuid, cast.remy.uuid]
    assert {event.subject_uuid for event in found} == {appointment.uuid}
    assert {event.actor for event in found} == {cast.theo.account}
    assert appointment.attendees.count() == 2


def test_book_sent_twice_makes_one(cast: Cast, maple: Practice) -> None:
    key = uuid.uuid4()
    first = book(cast, key=key)
    again, new = book_appointment(
        by=cast.tara,
        key=key,
        therapist=cast.tara,
        clients=[cast.casey],
        service=cast.individual,
        starts_at=TWO_PM,
        mode=Mode.VIDEO,
    )
    assert (again, new) == (first, False)
    assert Appointment.objects.count() == 1
    assert len(events("appointment.booked")) == 1


@pytest.mark.parametrize("minutes", [-49, -1, 0, 1, 49])
def test_overlap_is_refused_and_leaves_nothing(cast: Cast, maple: Practice, minutes: int) -> None:
    book(cast)
    with pytest.raises(errors.SlotTaken):
        book(cast, clients=[cast.noor], starts_at=TWO_PM + timedelta(minutes=minutes))
    assert Appointment.objects.count() == 1
    assert Attendee.objects.count() == 1
    assert Submission.objects.count() == 1
    assert len(events("appointment.booked")) == 1


@pytest.mark.parametrize("minutes", [-50, 50])
def test_back_to_back_is_accepted(cast: Cast, maple: Practice, minutes: int) -> None:
    book(cast)
    book(cast, clients=[cast.noor], starts_at=TWO_PM + timedelta(minutes=minutes))
    assert Appointment.objects.count() == 2


def test_session_inside_a_longer_one_is_refused(cast: Cast, maple: Practice) -> None:
    book(cast, by=cast.theo, therapist=cast.theo, clients=[cast.robin, cast.remy],
         service=cast.family)  # fmt: skip
    with pytest.raises(errors.SlotTaken):
        book(cast, by=cast.theo, therapist=cast.theo, clients=[cast.robin],
             starts_at=TWO_PM + timedelta(minutes=15))  # fmt: skip


def test_refusal_names_the_free_neighbours(cast: Cast, maple: Practice) -> None:
    book(cast)
    with pytest.raises(errors.SlotTaken) as caught:
        book(cast, clients=[cast.noor], starts_at=TWO_PM + timedelta(minutes=20))
    assert str(caught.value) == (
        "Tara Okafor has another session from 2:00 pm to 2:50 pm. "
        "Nearest free starts for 50 minutes: 1:10 pm or 2:50 pm."
    )
    assert caught.value.before == TWO_PM - timedelta(minutes=50)
    assert caught.value.after == TWO_PM + timedelta(minutes=50)
    assert "Casey" not in str(caught.value)


def test_refusal_says_when_the_day_is_full(cast: Cast, maple: Practice) -> None:
    make_appointment(
        cast.tara, cast.casey, service=cast.individual,
        starts_at=TWO_PM - timedelta(hours=7), minutes=14 * 60,
    )  # fmt: skip
    with pytest.raises(errors.SlotTaken, match="That day has no free 50 minutes left"):
        book(cast, clients=[cast.noor])


def test_two_therapists_may_have_the_same_time(cast: Cast, maple: Practice) -> None:
    book(cast)
    book(cast, by=cast.theo, therapist=cast.theo, clients=[cast.robin])
    assert Appointment.objects.count() == 2


def test_cancelled_time_is_free_again(cast: Cast, maple: Practice) -> None:
    cancel_appointment(by=cast.tara, appointment=book(cast))
    book(cast, clients=[cast.noor])
    assert Appointment.objects.filter(cancelled_at=None).count() == 1


def test_therapist_books_own_calendar_and_own_clients_only(cast: Cast, maple: Practice) -> None:
    with pytest.raises(errors.NotTheirCalendar):
        book(cast, therapist=cast.theo)
    with pytest.raises(errors.NotTheirClient):
        book(cast, clients=[cast.robin])
    assert Appointment.objects.count() == 0


def test_client_of_another_practice_is_refused(cast: Cast, other: Cast, maple: Practice) -> None:
    with pytest.raises(errors.NotTheirClient):
        book(cast, by=cast.olivia, clients=[other.casey])


def test_owner_books_anybody_who_then_is_the_therapists_own(cast: Cast, maple: Practice) -> None:
    book(cast, by=cast.olivia, therapist=cast.theo)
    assert cast.casey.therapists.filter(pk=cast.theo.pk).exists()
    assert [event.client_uuid for event in events("client.assigned")] == [cast.casey.uuid]
    book(cast, by=cast.adam, therapist=cast.theo, starts_at=TWO_PM + timedelta(hours=1))
    assert len(events("client.assigned")) == 1


def test_wrong_number_of_people_is_refused(cast: Cast, maple: Practice) -> None:
    with pytest.raises(errors.WrongNumberOfClients, match="for one person"):
        book(cast, clients=[cast.casey, cast.noor])
    with pytest.raises(errors.WrongNumberOfClients, match="two people or more"):
        book(cast, service=cast.family)
    with pytest.raises(errors.WrongNumberOfClients, match="Choose who"):
        book(cast, clients=[])


def test_archived_client_and_service_are_refused(cast: Cast, maple: Practice) -> None:
    archive_service(by=cast.olivia, service=cast.individual)
    with pytest.raises(errors.ServiceArchived):
        book(cast)
    restore_service(by=cast.olivia, service=cast.individual)
    Client.objects.filter(pk=cast.casey.pk).update(archived_at=TWO_PM)
    with pytest.raises(errors.ClientArchived, match="Casey Nguyen’s record is archived"):
        book(cast)


def test_who_sees_no_clients_gets_no_bookings(cast: Cast, maple: Practice) -> None:
    with pytest.raises(errors.SeesNoClients, match="Adam Arsenault"):
        book(cast, by=cast.olivia, therapist=cast.adam)


@pytest.mark.parametrize("days", [-740, 740])
def test_days_out_of_reach_are_refused(cast: Cast, maple: Practice, days: int) -> None:
    with pytest.raises(errors.DayOutOfRange):
        book(cast, starts_at=TWO_PM + timedelta(days=days))


def test_unknown_mode_is_refused(cast: Cast, maple: Practice) -> None:
    with pytest.raises(errors.UnknownMode):
        book(cast, mode="pigeon")


def test_move_keeps_people_mode_and_length(cast: Cast, maple: Practice) -> None:
    appointment = book(cast, mode=Mode.PHONE)
    edit_service(
        by=cast.olivia, service=cast.individual, name="Individual", type="individual",
        duration_minutes=80,
    )  # fmt: skip
    later = TWO_PM + timedelta(days=1, hours=1)
    moved, is_moved = move_appointment(by=cast.tara, appointment=appointment, starts_at=later)
    assert is_moved
    assert (moved.starts_at, moved.ends_at) == (later, later + timedelta(minutes=50))
    assert moved.mode == Mode.PHONE
    assert [a.client for a in moved.attendees.all()] == [cast.casey]
    (event,) = events("appointment.moved")
    assert (event.client_uuid, event.subject_uuid) == (cast.casey.uuid, appointment.uuid)
    assert event.details == {"fields": ["starts_at", "ends_at"]}


def test_move_into_its_own_time_is_accepted(cast: Cast, maple: Practice) -> None:
    appointment = book(cast)
    moved, _ = move_appointment(
        by=cast.tara, appointment=appointment, starts_at=TWO_PM + timedelta(minutes=20)
    )
    assert moved.starts_at == TWO_PM + timedelta(minutes=20)


def test_move_onto_another_session_is_refused(cast: Cast, maple: Practice) -> None:
    appointment = book(cast)
    book(cast, clients=[cast.noor], starts_at=TWO_PM + timedelta(hours=2))
    with pytest.raises(errors.SlotTaken) as caught:
        move_appointment(
            by=cast.tara, appointment=appointment, starts_at=TWO_PM + timedelta(hours=2)
        )
    # Its own old time counts as free.
    assert caught.value.before == TWO_PM + timedelta(minutes=70)
    appointment.refresh_from_db()
    assert appointment.starts_at == TWO_PM
    assert events("appointment.moved") == []


def test_move_to_where_it_is_changes_nothing(cast: Cast, maple: Practice) -> None:
    appointment = book(cast)
    assert not move_appointment(by=cast.tara, appointment=appointment, starts_at=TWO_PM)[1]
    assert events("appointment.moved") == []


def test_second_mover_is_told_where_it_went(cast: Cast, maple: Practice) -> None:
    appointment = book(cast)
    move_appointment(
        by=cast.adam, appointment=appointment, starts_at=TWO_PM + timedelta(hours=1), seen_at=TWO_PM
    )
    with pytest.raises(errors.ChangedMeanwhile, match="Wednesday 25 November, 3:00 – 3:50 pm"):
        move_appointment(
            by=cast.tara,
            appointment=appointment,
            starts_at=TWO_PM + timedelta(hours=2),
            seen_at=TWO_PM,
        )


def test_who_cancels_what_was_moved_meanwhile_is_told_where_it_went(
    cast: Cast, maple: Practice
) -> None:
    appointment, later = book(cast), TWO_PM + timedelta(hours=1)
    move_appointment(by=cast.adam, appointment=appointment, starts_at=later, seen_at=TWO_PM)
    with pytest.raises(errors.ChangedMeanwhile, match="Wednesday 25 November, 3:00 – 3:50 pm"):
        cancel_appointment(by=cast.tara, appointment=appointment, seen_at=TWO_PM)
    appointment.refresh_from_db()
    assert not appointment.is_cancelled
    assert events("appointment.cancelled") == []
    for _ in range(2):
        assert cancel_appointment(by=cast.tara, appointment=appointment, seen_at=later).is_cancelled


def test_cancel_marks_its_people(cast: Cast, maple: Practice) -> None:
    appointment = book(
        cast, by=cast.theo, therapist=cast.theo, clients=[cast.robin, cast.remy],
        service=cast.family,
    )  # fmt: skip
    cancel_appointment(by=cast.olivia, appointment=appointment)
    cancel_appointment(by=cast.olivia, appointment=appointment)
    appointment.refresh_from_db()
    assert appointment.is_cancelled
    assert {a.attendance for a in appointment.attendees.all()} == {Attendance.CANCELLED}
    found = events("appointment.cancelled")
    assert {event.client_uuid for event in found} == {cast.robin.uuid, cast.remy.uuid}
    assert len(found) == 2


def test_cancelled_session_cannot_be_moved(cast: Cast, maple: Practice) -> None:
    appointment = cancel_appointment(by=cast.tara, appointment=book(cast))
    for hours in (0, 1):
        with pytest.raises(errors.IsCancelled):
            move_appointment(
                by=cast.tara, appointment=appointment, starts_at=TWO_PM + timedelta(hours=hours)
            )


def test_session_that_took_place_stays(cast: Cast, maple: Practice) -> None:
    appointment = book(cast)
    Attendee.objects.filter(appointment=appointment).update(attendance=Attendance.ATTENDED)
    with pytest.raises(errors.HasHappened):
        cancel_appointment(by=cast.tara, appointment=appointment)
    with pytest.raises(errors.HasHappened):
        move_appointment(
            by=cast.tara, appointment=appointment, starts_at=TWO_PM + timedelta(hours=1)
        )


def test_therapist_moves_and_cancels_in_own_calendar_only(cast: Cast, maple: Practice) -> None:
    appointment = book(cast)
    with pytest.raises(errors.NotTheirCalendar):
        cancel_appointment(by=cast.theo, appointment=appointment)
    with pytest.raises(errors.NotTheirCalendar):
        move_appointment(
            by=cast.theo, appointment=appointment, starts_at=TWO_PM + timedelta(hours=1)
        )


def new_service(olivia: StaffMember, **changes: Any) -> Service:
    values = {"name": "Couple", "type": ServiceType.COUPLE, "duration_minutes": 80}
    return add_service(by=olivia, key=uuid.uuid4(), **(values | changes))[0]


def test_add_service_records_it(maple: Practice, olivia: StaffMember) -> None:
    service = new_service(olivia)
    assert service.label == "Couple, 80 min"
    (event,) = events("service.added")
    assert (event.actor, event.subject_uuid) == (olivia.account, service.uuid)


def test_service_that_looks_the_same_is_refused(maple: Practice, olivia: StaffMember) -> None:
    service = new_service(olivia)
    with pytest.raises(errors.DuplicateService, match="“couple, 80 min” already"):
        new_service(olivia, name="couple")
    other = new_service(olivia, duration_minutes=50)
    with pytest.raises(errors.DuplicateService):
        edit_service(by=olivia, service=other, name="Couple", type="couple", duration_minutes=80)
    archive_service(by=olivia, service=service)
    new_service(olivia)
    with pytest.raises(errors.DuplicateService):
        restore_service(by=olivia, service=service)
    service.refresh_from_db()
    assert not service.is_active


@pytest.mark.parametrize("minutes", [-1, 0, 4, 481, 10**9])
def test_impossible_duration_is_refused(maple: Practice, olivia: StaffMember, minutes: int) -> None:
    with pytest.raises(errors.BadDuration):
        new_service(olivia, duration_minutes=minutes)


def test_same_service_at_two_practices(cast: Cast, other: Cast) -> None:
    with scope(cast.practice.pk):
        new_service(cast.olivia)
    with scope(other.practice.pk):
        new_service(other.olivia)


def test_edit_without_a_change_records_nothing(cast: Cast, maple: Practice) -> None:
    assert edit_service(
        by=cast.olivia, service=cast.individual, name="Individual", type="individual",
        duration_minutes=50,
    ) == []  # fmt: skip
    assert events("service.changed") == []


def test_client_of_nobody_is_booked_by_no_therapist(cast: Cast, maple: Practice) -> None:
    stranger = make_client("Sam Stranger")
    with pytest.raises(errors.NotTheirClient):
        book(cast, clients=[stranger])
