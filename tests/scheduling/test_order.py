"""A client's sessions are walked by one index, and its key follows the appointment."""

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from roost.core.time import now
from roost.practices.models import Practice
from roost.scheduling.models import Attendee
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
    moved = move_appointment(by=cast.tara, appointment=first, starts_at=now() + 3 * DAY)
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
    assert len(asked) == 4
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
    for n in range(5):
        make_appointment(
            cast.tara, cast.robin, service=cast.individual, starts_at=now() - (n + 1) * DAY
        )
    ahead = [
        make_appointment(
            cast.tara, cast.robin, service=cast.individual, starts_at=now() + (n + 1) * DAY
        )
        for n in range(future)
    ]
    first, newest = my_account_sessions(access, moment=now(), grace=timedelta(minutes=30))
    assert (first.appointment if first else None) == (ahead[0] if ahead else None)
    assert [row.appointment for row in newest][: len(ahead)] == list(reversed(ahead))[:7]
