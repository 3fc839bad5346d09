import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext

from roost.clients.enums import Relationship
from roost.clients.models import PortalAccess
from roost.practices.models import Practice
from roost.scheduling.models import Appointment, Attendee
from roost.scheduling.queries import (
    appointments_in_week,
    appointments_of_client,
    appointments_on,
    get_appointment_for,
    get_clients_for,
    get_service_for,
    get_therapist_for,
    history_for_access,
    next_appointment_of_client,
    next_for_access,
    upcoming_for_access,
    with_portal_access,
)
from roost.scheduling.services import cancel_appointment
from tests.support.cast import Cast, give, make_account, make_appointment, make_client

NOW = datetime(2026, 11, 24, 18, 56, tzinfo=UTC)
TORONTO = ZoneInfo("America/Toronto")
HOUR = timedelta(hours=1)


def sessions(rows: Iterable[Attendee]) -> list[Appointment]:
    return [row.appointment for row in rows]


def queries(read: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as caught:
        read()
    return len(caught)


def test_day_is_the_practices_day(cast: Cast, maple: Practice) -> None:
    late = datetime(2026, 11, 25, 4, 30, tzinfo=UTC)  # 11:30 pm on the 24th in Toronto
    early = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)  # 11:30 pm on the 23rd
    today = make_appointment(cast.tara, cast.casey, service=cast.individual, starts_at=late)
    make_appointment(cast.tara, cast.noor, service=cast.individual, starts_at=early)
    rows = appointments_on(cast.olivia, date(2026, 11, 24), TORONTO)
    assert list(rows) == [today]


def test_day_and_week_hold_what_the_actor_may_see(cast: Cast, maple: Practice) -> None:
    mine = make_appointment(cast.tara, cast.casey, service=cast.individual)
    theirs = make_appointment(cast.theo, cast.robin, service=cast.individual)
    day, monday = date(2026, 11, 24), date(2026, 11, 23)
    for read, when in ((appointments_on, day), (appointments_in_week, monday)):
        assert list(read(cast.olivia, when, TORONTO)) == [mine, theirs]
        assert list(read(cast.olivia, when, TORONTO, cast.theo)) == [theirs]
        assert list(read(cast.tara, when, TORONTO)) == [mine]
        assert list(read(cast.tara, when, TORONTO, cast.theo)) == []


def test_week_with_a_clock_change_has_seven_whole_days(cast: Cast, maple: Practice) -> None:
    sunday_night = datetime(2026, 11, 2, 4, 30, tzinfo=UTC)  # Sunday 1 November, 11:30 pm EST
    found = make_appointment(cast.tara, cast.casey, service=cast.individual, starts_at=sunday_night)
    assert list(appointments_in_week(cast.tara, date(2026, 10, 26), TORONTO)) == [found]


def test_appointment_of_a_colleague_does_not_exist(cast: Cast, maple: Practice) -> None:
    theirs = make_appointment(cast.theo, cast.robin, service=cast.individual)
    assert get_appointment_for(cast.adam, theirs.uuid) == theirs
    assert get_appointment_for(cast.theo, theirs.uuid) == theirs
    with pytest.raises(Http404):
        get_appointment_for(cast.tara, theirs.uuid)
    with pytest.raises(Http404):
        get_therapist_for(cast.tara, cast.theo.uuid)
    with pytest.raises(Http404):
        get_clients_for(cast.tara, [cast.casey.uuid, cast.robin.uuid])
    with pytest.raises(Http404):
        get_service_for(cast.tara, cast.individual.uuid)


def test_another_practice_does_not_exist(cast: Cast, other: Cast, maple: Practice) -> None:
    for read, theirs in (
        (get_therapist_for, other.tara.uuid),
        (get_service_for, other.individual.uuid),
        (get_appointment_for, uuid.uuid4()),
    ):
        with pytest.raises(Http404):
            read(cast.olivia, theirs)
    with pytest.raises(Http404):
        get_clients_for(cast.olivia, [other.casey.uuid])


def test_clients_come_in_the_order_asked_for(cast: Cast, maple: Practice) -> None:
    asked = [cast.remy.uuid, cast.casey.uuid, cast.remy.uuid]
    assert get_clients_for(cast.olivia, asked) == [cast.remy, cast.casey]


@pytest.mark.parametrize(
    ("relationship", "sees"),
    [
        (Relationship.SELF, ["alone", "together"]),
        (Relationship.PARENT, ["alone", "together"]),
        (Relationship.GUARDIAN, ["alone", "together"]),
        (Relationship.PARTNER, ["together"]),
        (Relationship.PAYER, []),
    ],
)
def test_what_a_relationship_opens(
    cast: Cast, maple: Practice, relationship: str, sees: list[str]
) -> None:
    """Parker is themself as Robin, and something else to Casey."""
    named = {
        "alone": make_appointment(cast.tara, cast.casey, service=cast.individual),
        "together": make_appointment(
            cast.tara, cast.casey, cast.robin, service=cast.family, starts_at=NOW + HOUR
        ),
        "without": make_appointment(
            cast.theo, cast.robin, service=cast.individual, starts_at=NOW + 3 * HOUR
        ),
    }
    access = give(cast.parker_account, cast.casey, relationship)
    expected = [named[name] for name in sees]
    assert sessions(upcoming_for_access(access)) == expected
    assert sessions(history_for_access(access)) == expected[::-1]


def test_partner_sees_nothing_through_a_child_or_after_the_end(cast: Cast, maple: Practice) -> None:
    """Both must be there: the partner in person, by an access that still holds."""
    make_appointment(cast.tara, cast.casey, cast.remy, service=cast.family)
    access = give(cast.parker_account, cast.casey, Relationship.PARTNER)
    assert sessions(history_for_access(access)) == []
    make_appointment(cast.tara, cast.casey, cast.robin, service=cast.family, starts_at=NOW + HOUR)
    assert history_for_access(access).count() == 1
    PortalAccess.objects.filter(account=cast.parker_account, client=cast.robin).update(ended_at=NOW)
    assert sessions(history_for_access(access)) == []


def test_ended_access_opens_nothing(cast: Cast, maple: Practice) -> None:
    make_appointment(cast.tara, cast.casey, service=cast.individual)
    access = PortalAccess.objects.get(account=cast.casey_account)
    assert history_for_access(access).count() == 1
    access.ended_at = NOW
    assert sessions(history_for_access(access)) == []


def test_upcoming_leaves_out_what_is_over_or_cancelled(cast: Cast, maple: Practice) -> None:
    access = PortalAccess.objects.get(account=cast.casey_account)
    over = make_appointment(
        cast.tara, cast.casey, service=cast.individual, starts_at=NOW - timedelta(minutes=60)
    )
    cancelled = make_appointment(
        cast.tara, cast.casey, service=cast.individual, starts_at=NOW + HOUR
    )
    cancel_appointment(by=cast.tara, appointment=cancelled)
    coming = make_appointment(
        cast.tara, cast.casey, service=cast.individual, starts_at=NOW + 2 * HOUR
    )
    assert sessions(upcoming_for_access(access)) == [coming]
    grace = timedelta(minutes=30)
    assert sessions(upcoming_for_access(access, grace=grace)) == [over, coming]
    assert set(sessions(history_for_access(access))) == {over, cancelled, coming}


def test_next_is_the_one_one_can_still_return_to(cast: Cast, maple: Practice) -> None:
    access = PortalAccess.objects.get(account=cast.casey_account)
    grace = timedelta(minutes=30)

    def next_one() -> Appointment | None:
        found = next_for_access(access, grace=grace)
        return found.appointment if found else None

    assert next_one() is None
    over = make_appointment(
        cast.tara, cast.casey, service=cast.individual, starts_at=NOW - timedelta(minutes=60)
    )
    assert next_one() == over
    make_appointment(
        cast.tara, cast.casey, service=cast.individual, starts_at=NOW + timedelta(days=7)
    )
    assert next_one() == over
    soon = make_appointment(
        cast.tara, cast.casey, service=cast.individual, starts_at=NOW + timedelta(minutes=10)
    )
    assert next_one() == soon


def test_next_of_a_client(cast: Cast, maple: Practice) -> None:
    make_appointment(cast.theo, cast.robin, service=cast.individual, starts_at=NOW + 5 * HOUR)
    childs = make_appointment(
        cast.theo, cast.remy, service=cast.individual, starts_at=NOW + 2 * HOUR
    )
    assert next_appointment_of_client(cast.remy) == childs
    assert next_appointment_of_client(cast.casey) is None


def test_history_by_year(cast: Cast, maple: Practice) -> None:
    access = PortalAccess.objects.get(account=cast.casey_account)
    old = make_appointment(
        cast.tara, cast.casey, service=cast.individual, starts_at=datetime(2025, 6, 1, tzinfo=UTC)
    )
    make_appointment(cast.tara, cast.casey, service=cast.individual)
    assert sessions(history_for_access(access, year=2025)) == [old]
    assert sessions(history_for_access(access, year=9999)) == []
    assert sessions(history_for_access(access, year=0)) == []


@pytest.mark.parametrize("relationship", [Relationship.PARENT, Relationship.PARTNER])
def test_portal_reads_take_the_same_queries_for_one_row_and_for_three(
    cast: Cast, maple: Practice, relationship: str
) -> None:
    access = give(cast.parker_account, cast.casey, relationship)

    def read() -> None:
        for row in upcoming_for_access(access):
            assert row.appointment.therapist.display_name and row.appointment.label

    def add(hours: int) -> None:
        make_appointment(
            cast.tara, cast.casey, cast.robin, service=cast.family, starts_at=NOW + hours * HOUR
        )

    add(1)
    one = queries(read)
    add(3)
    add(5)
    assert queries(read) == one == 1


def test_who_can_join_for_a_client(cast: Cast, maple: Practice) -> None:
    paid_for = make_client("Pat Paid", cast.tara)
    give(make_account("payer@client.example"), paid_for, Relationship.PAYER)
    people = [cast.casey.pk, cast.noor.pk, cast.remy.pk, paid_for.pk]
    assert with_portal_access(people) == {cast.casey.pk, cast.remy.pk}


def test_appointments_of_client_newest_first(cast: Cast, maple: Practice) -> None:
    first = make_appointment(cast.theo, cast.robin, cast.remy, service=cast.family)
    second = make_appointment(
        cast.theo, cast.remy, service=cast.individual, starts_at=NOW + 2 * HOUR
    )
    assert list(appointments_of_client(cast.remy)) == [second, first]
    assert list(appointments_of_client(cast.robin)) == [first]
