"""The complete history: one person's, by year, what is to come told apart from what was."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from roost.accounts.models import Account
from roost.audit.models import AuditEvent
from roost.clients.enums import Relationship
from roost.clients.models import Client
from roost.core.time import now
from roost.portal.session_rows import SessionRow
from roost.scheduling.enums import Attendance
from roost.scheduling.models import Appointment, Attendee
from tests.support.cast import Cast, give, make_account, make_appointment
from tests.support.doors import Visitor

Door = Callable[..., Visitor]
DAY = timedelta(days=1)


def text_of(answer: Any) -> str:
    """What a page says, its tags and spaces taken out."""
    return " ".join(re.sub(r"<[^>]+>|&nbsp;", " ", answer.content.decode()).split())


def held(cast: Cast, client: Client, starts_at: datetime, **values: Any) -> Appointment:
    """A session of one client, whose attendance says `attendance` if it is given."""
    attendance = values.pop("attendance", None)
    therapist = cast.theo if client in (cast.robin, cast.remy) else cast.tara
    appointment = make_appointment(
        therapist, client, service=cast.individual, starts_at=starts_at, **values
    )
    if attendance:
        Attendee.objects.filter(appointment=appointment).update(attendance=attendance)
    return appointment


def many(cast: Cast, client: Client, number: int) -> None:
    """So many sessions, one a day, half of them still to come."""
    first = now() - DAY * (number // 2) - timedelta(hours=2)
    rows = Appointment.objects.bulk_create(
        Appointment(
            therapist=cast.tara, service=cast.individual, mode="video",
            starts_at=first + DAY * n, ends_at=first + DAY * n + timedelta(minutes=50),
        )
        for n in range(number)
    )  # fmt: skip
    Attendee.objects.bulk_create(
        Attendee(appointment=row, client=client, starts_at=row.starts_at) for row in rows
    )


def ids(rows: list[SessionRow]) -> list[int]:
    return [row.mine.appointment_id for row in rows]


def test_what_is_to_come_is_first_soonest_first_and_then_what_was(
    portal: Door, cast: Cast, casey: Client, casey_account: Account
) -> None:
    moment = now()
    last_year = held(cast, casey, moment - 400 * DAY)
    yesterday = held(cast, casey, moment - DAY, attendance=Attendance.ATTENDED)
    going_on = held(cast, casey, moment - timedelta(minutes=10))
    tomorrow = held(cast, casey, moment + DAY)
    next_month = held(cast, casey, moment + 30 * DAY)
    page = portal(casey_account).go("sessions", client=casey.uuid)
    assert ids(page.context["coming"]) == [going_on.pk, tomorrow.pk, next_month.pk]
    assert ids(page.context["was"]) == [yesterday.pk, last_year.pk]
    words = text_of(page)
    assert words.index("Upcoming") < words.index("Going on now") < words.index("Past")
    assert words.index("Past") < words.index("Attended") < words.index("Not marked yet")


def test_attendance_is_said_in_words(
    portal: Door, cast: Cast, casey: Client, casey_account: Account
) -> None:
    marks = [Attendance.ATTENDED, Attendance.NO_SHOW, Attendance.CANCELLED, Attendance.LATE_CANCEL]
    for number, mark in enumerate(marks):
        held(cast, casey, now() - (number + 1) * DAY, attendance=mark)
    held(cast, casey, now() - 9 * DAY)
    soon = held(cast, casey, now() + DAY, attendance=Attendance.CANCELLED)
    page = portal(casey_account).go("sessions", client=casey.uuid).content.decode()
    badges = re.findall(r'<span class="badge[^"]*">([^<]+)</span>', page)
    assert soon.pk
    assert badges == [
        "Cancelled", "Attended", "No show", "Cancelled", "Late cancel", "Not marked yet",
    ]  # fmt: skip


def test_the_histories_of_robin_and_remy_are_never_mixed(
    portal: Door, cast: Cast, robin: Client, remy: Client, parker_account: Account
) -> None:
    moment = now()
    rows = {
        client.pk: [held(cast, client, moment + n * DAY + h).pk for n in (-400, -2, 3)]
        for client, h in ((robin, timedelta()), (remy, timedelta(hours=2)))
    }
    family = make_appointment(
        cast.theo, robin, remy, service=cast.family, starts_at=moment - 5 * DAY
    )
    Attendee.objects.filter(appointment=family, client=robin).update(attendance="attended")
    Attendee.objects.filter(appointment=family, client=remy).update(attendance="no_show")
    # All of it is there to be mixed: the account may see either person's.
    assert Attendee.objects.filter(client__in=[robin, remy]).count() == 8
    visitor = portal(parker_account)
    years = {str(moment.year), str((moment - 400 * DAY).year), ""}
    for client, mark, wrong in ((robin, "Attended", "No show"), (remy, "No show", "Attended")):
        seen: set[int] = set()
        for year in years:
            page = visitor.go("sessions", {"year": year}, client=client.uuid)
            assert {row.mine.client_id for row in page.context["sessions"]} == {client.pk}
            seen |= set(ids(page.context["sessions"]))
            assert wrong not in text_of(page)
        assert seen == {*rows[client.pk], family.pk}
        assert mark in text_of(visitor.go("sessions", client=client.uuid))


def test_the_switcher_names_everybody_whose_sessions_open_and_keeps_the_year(
    portal: Door, cast: Cast, robin: Client, remy: Client, parker_account: Account
) -> None:
    give(parker_account, cast.noor, Relationship.PAYER)
    held(cast, remy, now() - DAY)
    visitor = portal(parker_account)
    page = visitor.go("sessions", {"year": "2025"}, client=remy.uuid)
    switcher = page.content.decode().partition('class="persons"')[2].partition("</nav>")[0]
    found = re.findall(r'href="([^"]+)"(?: aria-current="(\w+)")?', switcher)
    assert found == [
        (visitor.path("sessions", client=robin.uuid) + "?year=2025", ""),
        (visitor.path("sessions", client=remy.uuid) + "?year=2025", "page"),
    ]
    assert "There is no session in 2025." in text_of(page)
    assert "Noor" not in switcher
    event = AuditEvent.objects.get(action="client.viewed")
    assert event.client_uuid == remy.uuid
    assert event.details == {"part": "sessions", "others": [str(robin.uuid)]}


def test_somebody_with_one_person_has_no_switcher(
    portal: Door, casey: Client, casey_account: Account
) -> None:
    page = portal(casey_account).go("sessions", client=casey.uuid)
    assert 'class="persons"' not in page.content.decode()
    assert "Sessions show up here once they are booked." in text_of(page)


def test_a_year_is_one_of_the_readers_zone(
    portal: Door, cast: Cast, casey: Client, casey_account: Account
) -> None:
    # 10 pm on New Year's Eve in Toronto is New Year's Day in Berlin.
    eve = held(cast, casey, datetime(2025, 1, 1, 3, tzinfo=UTC))
    held(cast, casey, datetime(2023, 6, 1, 15, tzinfo=UTC))
    for zone, years in (("America/Toronto", (2024, 2023)), ("Europe/Berlin", (2025, 2023))):
        Account.objects.filter(pk=casey_account.pk).update(zone_name=zone)
        visitor = portal(casey_account)
        page = visitor.go("sessions", client=casey.uuid)
        assert [(y.year, y.sessions) for y in page.context["years"]] == [(y, 1) for y in years]
        assert page.context["all_years"] == 2
        page = visitor.go("sessions", {"year": str(years[0])}, client=casey.uuid)
        assert ids(page.context["sessions"]) == [eve.pk]


@pytest.mark.parametrize("year", ["", "abc", "202", "20244", "0000", "9999", "²⁰²⁴", "-1"])
def test_a_year_that_is_none_shows_all(
    portal: Door, cast: Cast, casey: Client, casey_account: Account, year: str
) -> None:
    held(cast, casey, now() - DAY)
    page = portal(casey_account).go("sessions", {"year": year}, client=casey.uuid)
    assert len(page.context["sessions"]) == 1


def test_every_session_is_on_one_page_and_on_one_only(
    portal: Door, cast: Cast, casey: Client, casey_account: Account
) -> None:
    many(cast, casey, 120)
    visitor, seen = portal(casey_account), []
    for number in (1, 2, 3):
        page = visitor.go("sessions", {"page": str(number)}, client=casey.uuid)
        seen += ids(page.context["sessions"])
        heads = re.findall(r"<h2[^>]*>([^<]+)<", page.content.decode())
        assert heads == {1: ["Upcoming"], 2: ["Upcoming", "Past"], 3: ["Past"]}[number]
        assert "of 120 sessions" in text_of(page)
    moment = now()
    rows = list(Attendee.objects.select_related("appointment").order_by("starts_at"))
    coming = [row for row in rows if row.appointment.ends_at > moment]
    was = [row for row in reversed(rows) if row.appointment.ends_at <= moment]
    assert len(coming) > 50
    assert seen == [row.appointment_id for row in coming + was]


def test_a_partner_pages_through_shared_sessions_only(
    portal: Door, cast: Cast, casey: Client, noor: Client
) -> None:
    account = make_account("tied@client.example")
    give(account, casey, Relationship.PARTNER)
    give(account, noor)
    many(cast, casey, 20)
    shared = make_appointment(
        cast.tara, casey, noor, service=cast.family, starts_at=now() - 40 * DAY
    )
    page = portal(account).go("sessions", client=casey.uuid)
    assert ids(page.context["sessions"]) == [shared.pk]
    assert [y.sessions for y in page.context["years"]] == [1]


def test_five_hundred_sessions_ask_as_much_as_five(
    portal: Door, cast: Cast, casey: Client, casey_account: Account
) -> None:
    visitor = portal(casey_account)
    asked: dict[str, list[int]] = {"": [], str(now().year): []}
    for more in (6, 500):
        Attendee.objects.all().delete()
        Appointment.objects.all().delete()
        many(cast, casey, more)
        for year, counts in asked.items():
            visitor.go("sessions", {"year": year}, client=casey.uuid)
            with CaptureQueriesContext(connection) as seen:
                page = visitor.go("sessions", {"year": year}, client=casey.uuid)
            counts.append(len(seen))
            assert page.context["coming"]
    # A page that is full of what is to come does not ask for what was.
    assert all(few - 1 <= lots <= few for few, lots in asked.values())
    assert max(asked[""]) < 20


def _plan(sql: str) -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            return "\n".join(row[3] for row in cursor.fetchall())
        # A small table is read as a whole for less; what is asked is whether it could be otherwise.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(row[0] for row in cursor.fetchall())


def test_the_whole_page_reads_one_persons_index_and_sorts_nothing(
    portal: Door, cast: Cast, casey: Client, casey_account: Account
) -> None:
    many(cast, casey, 60)
    many(cast, cast.noor, 2000)
    if connection.vendor == "postgresql":
        # As its autovacuum does; SQLite has to find the index without.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    visitor = portal(casey_account)
    for query in ({}, {"page": "2"}, {"year": str(now().year)}):
        with CaptureQueriesContext(connection) as asked:
            assert visitor.go("sessions", query, client=casey.uuid).status_code == 200
        read = [q["sql"] for q in asked.captured_queries if "scheduling_attendee" in q["sql"]]
        assert len(read) >= 5
        for sql in read:
            plan = _plan(sql)
            # What is only counted may go by the person alone.
            assert re.search("attendee_by_time|attendee_client_id", plan), f"{sql}\n{plan}"
            assert "ORDER BY" not in sql or "attendee_by_time" in plan, plan
            assert "TEMP B-TREE" not in plan and "Sort" not in plan, plan
            assert "SCAN scheduling" not in plan and "Seq Scan on scheduling" not in plan, plan
