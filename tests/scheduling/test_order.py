"""A client's sessions are walked by one index, and its key follows the appointment."""

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from roost.clients.enums import Relationship
from roost.core.time import now
from roost.practices.models import Practice
from roost.scheduling.models import Appointment, Attendee
from roost.scheduling.queries import history_for_access, my_account_sessions, next_for_access
from roost.scheduling.services import move_appointment
from tests.support.cast import Cast, give, make_account, make_appointment

DAY = timedelta(days=1)


def keys() -> list[tuple[Any, Any]]:
    return list(Attendee.objects.values_list("starts_at", "appointment__starts_at"))


def test_the_key_is_the_appointments_and_moves_with_it(cast: Cast, maple: Practice) -> None:
    first = make_appointment(
        cast.tara, cast.casey, cast.robin, service=cast.family, starts_at=now() + DAY
    )
    assert {first.starts_at} == {own for own, _ in keys()}
    moved, _ = move_appointment(by=cast.tara, appointment=first, starts_at=now() + 3 * DAY)
    assert moved.starts_at != first.starts_at
    assert keys() == [(moved.starts_at, moved.starts_at)] * 2


def test_the_migration_gives_every_old_row_its_key(cast: Cast, maple: Practice) -> None:
    rows = [
        make_appointment(cast.tara, cast.casey, service=cast.individual, starts_at=now() + n * DAY)
        for n in (3, 1, 2)
    ]
    Attendee.objects.update(starts_at=now() - 900 * DAY)
    migration = import_module("roost.scheduling.migrations.0003_attendee_starts_at")
    migration.copy_starts(apps, None)
    assert sorted(own for own, _ in keys()) == sorted(row.starts_at for row in rows)
    assert all(own == true for own, true in keys())


def test_my_account_reads_the_index_and_sorts_nothing(cast: Cast, maple: Practice) -> None:
    access = give(make_account(email="robin@client.example"), cast.robin)
    for n in range(20):
        make_appointment(
            cast.tara, cast.robin, service=cast.individual, starts_at=now() + (n - 10) * DAY
        )
    moment = now()
    with CaptureQueriesContext(connection) as asked:
        my_account_sessions(access, moment=moment, grace=timedelta(minutes=30))
        next_for_access(access, moment=moment)
        list(history_for_access(access, year=moment.year)[:50])
    assert len(asked) == 5
    for query in asked.captured_queries:
        plan = _plan(query["sql"])
        assert "attendee_by_time" in plan, plan
        assert "TEMP B-TREE" not in plan and "Sort" not in plan, plan


def _plan(sql: str) -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            return "\n".join(row[3] for row in cursor.fetchall())
        # On a table of a page or two any plan is as good: say that sorting and scanning are not.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(row[0] for row in cursor.fetchall())


@pytest.mark.parametrize("future", [0, 3, 20])
def test_what_comes_first_does_not_depend_on_how_much_is_ahead(
    cast: Cast, maple: Practice, future: int
) -> None:
    access = give(make_account(email="robin@client.example"), cast.robin)
    past = [
        make_appointment(
            cast.tara, cast.robin, service=cast.individual, starts_at=now() - (n + 1) * DAY
        )
        for n in range(7)
    ]
    ahead = [
        make_appointment(
            cast.tara, cast.robin, service=cast.individual, starts_at=now() + (n + 1) * DAY
        )
        for n in range(future)
    ]
    with CaptureQueriesContext(connection) as asked:
        first, rows, more = my_account_sessions(access, moment=now(), grace=timedelta(minutes=30))
    assert (first.appointment if first else None) == (ahead[0] if ahead else None)
    shown = [row.appointment for row in rows]
    coming = {0: 0, 3: 3, 20: 3}[future]
    assert shown == ahead[:coming] + past[: 6 - coming]
    assert more
    assert len(asked) == (3 if future == 20 else 1)


def test_my_account_is_filled_with_what_is_to_come_where_little_was(
    cast: Cast, maple: Practice
) -> None:
    access = give(make_account(email="robin@client.example"), cast.robin)
    rows = [
        make_appointment(cast.tara, cast.robin, service=cast.individual, starts_at=now() + n * DAY)
        for n in range(-1, 12)
        if n
    ]
    _, shown, more = my_account_sessions(access, moment=now(), grace=timedelta(minutes=30))
    assert [row.appointment for row in shown] == [*rows[1:6], rows[0]]
    assert more


def test_a_session_behind_many_cancelled_ones_is_still_put_first(
    cast: Cast, maple: Practice
) -> None:
    access = give(make_account(email="robin@client.example"), cast.robin)
    for n in range(1, 9):
        row = make_appointment(
            cast.tara, cast.robin, service=cast.individual, starts_at=now() + n * DAY
        )
        Appointment.objects.filter(pk=row.pk).update(cancelled_at=now())
    kept = make_appointment(
        cast.tara, cast.robin, service=cast.individual, starts_at=now() + 9 * DAY
    )
    first, _, _ = my_account_sessions(access, moment=now(), grace=timedelta(minutes=30))
    assert first is not None and first.appointment == kept


def test_a_partner_sees_the_same_order_of_what_is_shared(cast: Cast, maple: Practice) -> None:
    account = make_account(email="both@client.example")
    give(account, cast.noor)
    access = give(account, cast.casey, Relationship.PARTNER)
    alone = make_appointment(
        cast.tara, cast.casey, service=cast.individual, starts_at=now() + 5 * timedelta(hours=1)
    )
    shared = [
        make_appointment(
            cast.tara, cast.casey, cast.noor, service=cast.family, starts_at=now() + n * DAY
        )
        for n in range(-5, 12)
        if n
    ]
    first, rows, more = my_account_sessions(access, moment=now(), grace=timedelta(minutes=30))
    assert first is not None and first.appointment == shared[5] != alone
    assert [row.appointment for row in rows] == [*shared[5:8], *reversed(shared[2:5])]
    assert more
