"""The day, the week, and booking, moving and cancelling, as staff meet them."""

import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from roost.audit.models import AuditEvent
from roost.clients.models import Client
from roost.core.tenancy import scope
from roost.scheduling.enums import Attendance, Mode
from roost.scheduling.models import Appointment, Attendee, Service
from roost.staff.models import StaffMember
from roost.video.enums import PersonState
from roost.video.models import Presence, VideoRoom
from tests.support.cast import Cast, make_appointment, make_client
from tests.support.doors import Visitor

NOW = datetime(2026, 11, 24, 18, 56, tzinfo=UTC)  # Tuesday, 1:56 pm in Toronto
HOUR = timedelta(hours=1)
Office = Callable[[StaffMember | None], Visitor]


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def words(response: Any) -> str:
    """What a page says, without its markup."""
    html = re.sub(r"<(script|style|head)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)))


def rows(response: Any) -> list[str]:
    """The rows of a page's table, in words."""
    found = re.findall(r"<tr\b.*?</tr>", response.content.decode(), flags=re.S)[1:]
    return [unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row))).strip() for row in found]


def field_of(response: Any, name: str) -> str:
    found = re.search(rf'<input[^>]*name="{name}"[^>]*>', response.content.decode())
    assert found, f"no field {name}"
    value = re.search(r'value="([^"]*)"', found[0])
    return unescape(value[1]) if value else ""


def booking(cast: Cast, **changes: Any) -> dict[str, Any]:
    return {
        "form_key": str(uuid.uuid4()),
        "clients": [str(cast.casey.uuid)],
        "therapist": str(cast.tara.uuid),
        "service": str(cast.individual.uuid),
        "mode": "video",
        "day": "2026-11-25",
        "hour": "14:00",
        "do": "book",
        **changes,
    }


# The day


def test_office_begins_with_today(office: Office, tara: StaffMember) -> None:
    answer = office(tara).go("home")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/office/maple/today/"


def test_day_shows_sessions_free_time_and_now(cast: Cast, office: Office) -> None:
    for hours, client in ((-5, cast.casey), (-3, cast.noor), (0.25, cast.casey), (3, cast.noor)):
        make_appointment(
            cast.tara,
            client,
            service=cast.individual,
            starts_at=NOW.replace(minute=0) + hours * HOUR,
            mode=Mode.PHONE if hours == 3 else Mode.VIDEO,
        )
    Attendee.objects.order_by("pk")[:1].get()
    done = Attendee.objects.order_by("pk").first()
    assert done is not None
    done.attendance = Attendance.ATTENDED
    done.save(update_fields=["attendance"])
    page = office(cast.tara).go("today")
    assert "Tuesday 24 November" in words(page)
    assert rows(page) == [
        "8:00 – 8:50 Casey Nguyen Individual, 50 min Video Attended"
        " Receipt for the session of Casey Nguyen",
        "9:00 am – 10:00 am free".replace("9:00 am – 10:00 am", "9:00 – 10:00 am"),
        "10:00 – 10:50 Noor Haddad Individual, 50 min Video Scheduled"
        " Attended Noor Haddad No show Noor Haddad Late cancel Noor Haddad",
        "11:00 am – 1:15 pm free",
        "1:15 – 2:05 Casey Nguyen Individual, 50 min Video Scheduled Open room for Casey Nguyen",
        "Now 1:56 pm",
        "2:15 – 4:00 pm free",
        "4:00 – 4:50 Noor Haddad Individual, 50 min Phone Scheduled"
        " Change the session of Noor Haddad",
    ]
    assert "Sessions 4 Free between 5 h" in words(page)


def test_a_session_behind_us_leads_on(cast: Cast, office: Office) -> None:
    """To its receipt where somebody came, else to what was marked; a cancelled one has neither."""
    made = [
        make_appointment(cast.tara, cast.casey, service=cast.individual, starts_at=NOW - n * HOUR)
        for n in (6, 4, 2)
    ]
    for row, attendance in zip(made, ("attended", "no_show", "cancelled"), strict=True):
        row.attendees.update(attendance=attendance)
    Appointment.objects.filter(pk=made[2].pk).update(cancelled_at=NOW - 3 * HOUR)
    page = office(cast.tara).go("today")
    assert [row.partition("min Video ")[2] for row in rows(page) if "Casey" in row] == [
        "Attended Receipt for the session of Casey Nguyen",
        "No show Change the session of Casey Nguyen",
        "Cancelled",
    ]
    text = page.content.decode()
    assert text.count(f"/sessions/{made[0].uuid}/#money") == 1
    assert text.count(f"/sessions/{made[1].uuid}/#money") == 1


def test_day_offers_access_to_who_has_none(cast: Cast, office: Office) -> None:
    make_appointment(cast.tara, cast.noor, service=cast.individual, starts_at=NOW + HOUR)
    page = office(cast.tara).go("today")
    assert rows(page)[-1] == (
        "2:56 – 3:46 Noor Haddad Individual, 50 min Video No portal access"
        " Give access to Noor Haddad"
    )
    assert f"/office/maple/clients/{cast.noor.uuid}/account/" in page.content.decode()


def test_day_says_who_waits(cast: Cast, office: Office) -> None:
    appointment = make_appointment(
        cast.tara, cast.casey, service=cast.individual, starts_at=NOW + timedelta(minutes=4)
    )
    room = VideoRoom.objects.create(appointment=appointment)
    presence = Presence.objects.create(
        room=room,
        attendee=appointment.attendees.get(),
        cid="a",
        state=PersonState.WAITING,
        waiting_since=NOW - timedelta(minutes=2),
        here_until=NOW + timedelta(seconds=30),
    )
    page = office(cast.tara).go("today")
    assert "Casey Nguyen is in your waiting room" in words(page)
    assert rows(page)[-1] == (
        "2:00 – 2:50 Casey Nguyen arrived 1:54 pm Individual, 50 min Video"
        " Waiting, 2 min Admit Casey Nguyen"
    )
    assert f"/room/{appointment.uuid}/#admit={presence.uuid}" in page.content.decode()
    owner = office(cast.olivia).go("today", {"whose": cast.tara.uuid})
    assert "Casey Nguyen" in words(owner)
    assert "waiting room" not in words(owner) and "Open room" not in words(owner)


def test_day_without_sessions_says_what_to_do(cast: Cast, office: Office) -> None:
    page = office(cast.tara).go("today", {"day": "2026-11-29"})
    assert "Nothing is booked on Sunday 29 November" in words(page)
    assert "Book a session" in words(page)


def test_therapist_sees_own_day_only(cast: Cast, office: Office) -> None:
    make_appointment(cast.theo, cast.robin, service=cast.individual, starts_at=NOW + HOUR)
    assert "Robin Parker" in words(office(cast.theo).go("today"))
    page = office(cast.tara).go("today")
    assert "Robin Parker" not in words(page)
    assert 'name="whose"' not in page.content.decode()
    for whose in (cast.theo.uuid, cast.olivia.uuid, uuid.uuid4(), "nobody", "everyone"):
        assert office(cast.tara).go("today", {"whose": whose}).status_code == 404
        assert office(cast.tara).go("sessions", {"whose": whose}).status_code == 404


def test_owner_chooses_whose_day(cast: Cast, office: Office) -> None:
    make_appointment(cast.theo, cast.robin, service=cast.individual, starts_at=NOW + HOUR)
    make_appointment(cast.tara, cast.casey, service=cast.individual, starts_at=NOW + HOUR)
    everybody = office(cast.olivia).go("today")
    assert "Robin Parker" in words(everybody) and "Casey Nguyen" in words(everybody)
    assert "with Theo Lang" in words(everybody)
    one = office(cast.adam).go("today", {"whose": cast.theo.uuid})
    assert "Robin Parker" in words(one) and "Casey Nguyen" not in words(one)


@pytest.mark.parametrize(
    "day", ["x", "2026-02-30", "0001-01-01", "9999-12-31", "-1", "2026-11-24\r\nX: y", "\x00"]
)
def test_day_that_does_not_exist(cast: Cast, office: Office, day: str) -> None:
    for route in ("today", "sessions", "book"):
        assert office(cast.tara).go(route, {"day": day}).status_code == 404


def test_reading_a_day_names_the_clients_shown(cast: Cast, office: Office) -> None:
    make_appointment(cast.tara, cast.casey, service=cast.individual, starts_at=NOW + HOUR)
    make_appointment(cast.tara, cast.noor, service=cast.individual, starts_at=NOW + 2 * HOUR)
    for route in ("today", "sessions"):
        AuditEvent.objects.all()._raw_delete("default")
        office(cast.tara).go(route)
        (event,) = AuditEvent.objects.filter(action="schedule.viewed")
        assert event.actor == cast.tara.account
        assert event.details == {"clients": [str(cast.casey.uuid), str(cast.noor.uuid)]}


@pytest.mark.parametrize("route", ["today", "sessions"])
@pytest.mark.parametrize("name", ["tara", "olivia"])
def test_lists_take_the_same_queries_for_one_row_and_for_three(
    cast: Cast, office: Office, route: str, name: str
) -> None:
    def add(hours: int, client: Client) -> None:
        make_appointment(cast.tara, client, service=cast.individual, starts_at=NOW + hours * HOUR)

    def count() -> int:
        visitor = office(getattr(cast, name))
        with CaptureQueriesContext(connection) as caught:
            page = visitor.go(route)
        assert "Casey Nguyen" in words(page)
        return len(caught)

    add(1, cast.casey)
    one = count()
    add(2, cast.noor)
    add(3, make_client("Third Person", cast.tara))
    assert count() == one


def test_week_stands_day_by_day(cast: Cast, office: Office) -> None:
    make_appointment(cast.tara, cast.casey, service=cast.individual, starts_at=NOW + 24 * HOUR)
    page = words(office(cast.tara).go("sessions"))
    assert "Week of 23 November" in page
    assert re.search(r"Wednesday 25 November 1:56 – 2:46 Casey Nguyen Individual, 50 min", page)
    assert page.count("Nothing booked") == 6
    empty = words(office(cast.tara).go("sessions", {"day": "2026-12-20"}))
    assert "Week of 14 December" in empty
    assert "Nothing is booked this week" in empty and "Book a session" in empty


# Booking


def test_book_from_the_record(cast: Cast, office: Office) -> None:
    visitor = office(cast.tara)
    page = visitor.go("book", {"client": cast.casey.uuid})
    assert "Casey Nguyen" in words(page)
    assert "Therapist" in words(page)
    key = field_of(page, "form_key")
    answer = visitor.send("book", booking(cast, form_key=key))
    assert answer.status_code == 302
    appointment = Appointment.objects.get()
    assert appointment.starts_at == datetime(2026, 11, 25, 19, 0, tzinfo=UTC)
    assert appointment.booked_by == cast.tara
    assert answer.headers["Location"] == "/office/maple/today/?day=2026-11-25"
    shown = visitor.get(answer.headers["Location"])
    assert (
        "Casey Nguyen: booked for Wednesday 25 November, 2:00 – 2:50 pm EST, with Tara Okafor."
    ) in words(shown)
    again = visitor.send("book", booking(cast, form_key=key, hour="16:00"))
    assert Appointment.objects.get().starts_at == appointment.starts_at
    assert "nothing is booked twice" in words(visitor.get(again.headers["Location"]))


def test_search_for_people_keeps_what_was_typed(cast: Cast, office: Office) -> None:
    """Without a script: Find is a step of the same form."""
    visitor = office(cast.tara)
    sent = booking(cast, do="find", q="had", hour="15:20", mode="phone", day="nonsense")
    page = visitor.send("book", sent)
    assert page.status_code == 200
    html = page.content.decode()
    assert "Noor Haddad" in html and "Casey Nguyen" in html
    assert re.search(rf'value="{cast.casey.uuid}" checked', html)
    assert re.search(rf'value="{cast.noor.uuid}">', html)
    assert field_of(page, "hour") == "15:20"
    assert field_of(page, "form_key") == sent["form_key"]
    assert 'value="phone"' in html and "field-error" not in html
    assert Appointment.objects.count() == 0
    # Enter in the search field, too.
    assert "Noor Haddad" in words(visitor.send("book", booking(cast, do="", q="noor")))


def test_search_by_link_and_as_a_fragment(cast: Cast, office: Office) -> None:
    visitor = office(cast.tara)
    assert "Noor Haddad" in words(visitor.go("book", {"q": "noor"}))
    path = visitor.path("book")
    part = visitor.get(
        path,
        {"q": "noor", "clients": cast.casey.uuid},
        headers={"HX-Request": "true", "HX-Target": "people"},
    )
    html = part.content.decode()
    assert "<html" not in html
    assert f'value="{cast.casey.uuid}" checked' in html and "Noor Haddad" in html
    assert {
        str(cast.casey.uuid),
        str(cast.noor.uuid),
    } == set(AuditEvent.objects.filter(action="clients.searched").latest("pk").details["clients"])
    none = visitor.get(path, {"q": "robin"}, headers={"HX-Request": "true", "HX-Target": "people"})
    assert "None of your clients matches “robin”" in unescape(none.content.decode())


def test_day_beside_the_form_names_no_client(cast: Cast, office: Office) -> None:
    make_appointment(cast.tara, cast.noor, service=cast.individual, starts_at=NOW + 24 * HOUR)
    part = office(cast.tara).get(
        "/office/maple/sessions/book/",
        {"day": "2026-11-25", "therapist": cast.tara.uuid},
        headers={"HX-Request": "true", "HX-Target": "their-day"},
    )
    assert "1:56 – 2:46 pm" in unescape(part.content.decode())
    assert "Noor" not in part.content.decode()


def test_taken_time_is_refused_with_the_neighbours(cast: Cast, office: Office) -> None:
    visitor = office(cast.tara)
    visitor.send("book", booking(cast))
    page = visitor.send("book", booking(cast, clients=[str(cast.noor.uuid)], hour="14:20"))
    assert page.status_code == 422
    said = (
        "Tara Okafor has another session from 2:00 pm to 2:50 pm. "
        "Nearest free starts for 50 minutes: 1:10 pm or 2:50 pm."
    )
    assert words(page).count(said) == 2
    assert (field_of(page, "day"), field_of(page, "hour")) == ("2026-11-25", "14:20")
    assert Appointment.objects.count() == 1


def test_clocks_that_go_back_are_asked_about(cast: Cast, office: Office) -> None:
    visitor = office(cast.tara)
    sent = booking(cast, day="2027-11-07", hour="01:30")
    page = visitor.send("book", sent)
    assert page.status_code == 422
    assert "The first 1:30 am (EDT)" in words(page) and "The second 1:30 am (EST)" in words(page)
    assert field_of(page, "hour") == "01:30"
    assert visitor.send("book", {**sent, "which": "1"}).status_code == 302
    assert Appointment.objects.get().starts_at == datetime(2027, 11, 7, 6, 30, tzinfo=UTC)


def test_clocks_that_go_forward_are_explained(cast: Cast, office: Office) -> None:
    page = office(cast.tara).send("book", booking(cast, day="2027-03-14", hour="02:30"))
    assert page.status_code == 422
    assert "the clocks go forward from 2:00 am to 3:00 am" in words(page)
    assert Appointment.objects.count() == 0


def test_family_is_booked_together(cast: Cast, office: Office) -> None:
    people = [str(cast.robin.uuid), str(cast.remy.uuid)]
    sent = booking(
        cast, clients=people, therapist=str(cast.theo.uuid), service=str(cast.family.uuid)
    )
    assert office(cast.theo).send("book", sent).status_code == 302
    assert [a.client for a in Appointment.objects.get().attendees.all()] == [cast.robin, cast.remy]


def test_therapist_cannot_book_a_colleagues_client_or_calendar(cast: Cast, office: Office) -> None:
    visitor = office(cast.tara)
    assert visitor.go("book", {"client": cast.robin.uuid}).status_code == 404
    answer = visitor.send("book", booking(cast, clients=[str(cast.robin.uuid)]))
    assert answer.status_code == 404
    answer = visitor.send("book", booking(cast, therapist=str(cast.theo.uuid)))
    assert answer.status_code == 422
    assert Appointment.objects.count() == 0
    refused = AuditEvent.objects.filter(action="access.refused", actor=cast.tara.account)
    assert refused.count() == 2


def test_ids_of_another_practice_do_not_exist(cast: Cast, other: Cast, office: Office) -> None:
    with scope(other.practice.pk):
        theirs = make_appointment(other.tara, other.casey, service=other.individual)
    visitor = office(cast.olivia)
    for route in ("appointment", "move", "cancel"):
        assert visitor.go(route, appointment=theirs.uuid).status_code == 404
    for route in ("move", "cancel"):
        assert visitor.send(route, appointment=theirs.uuid).status_code == 404
    assert visitor.go("service", service=other.individual.uuid).status_code == 404
    assert visitor.go("today", {"whose": other.tara.uuid}).status_code == 404
    assert visitor.go("book", {"client": other.casey.uuid}).status_code == 404
    for name, value in (("therapist", other.tara.uuid), ("service", other.individual.uuid)):
        assert visitor.send("book", booking(cast, **{name: str(value)})).status_code == 422
    assert visitor.send("book", booking(cast, clients=[str(other.casey.uuid)])).status_code == 404
    with scope(other.practice.pk):
        theirs.refresh_from_db()
        assert theirs.cancelled_at is None
    assert Appointment.objects.count() == 0


def test_booking_without_services_or_clients_says_what_to_do(cast: Cast, office: Office) -> None:
    Service.objects.update(is_active=False)
    assert "No service can be booked yet" in words(office(cast.tara).go("book"))
    assert "Add a service" in words(office(cast.olivia).go("book"))
    newcomer = StaffMember.objects.create(
        account=cast.casey_account, role="therapist", display_name="New Comer"
    )
    page = office(newcomer).go("book")
    assert "There is nobody to book yet" in words(page) and "Add Client" in words(page)


HOSTILE = [
    "",
    "x" * 60_000,
    "<script>alert(1)</script>",
    "\u202etfel",
    "a\r\nb: c",
    "\x00",
    "9" * 5000,
    "00000000-0000-0000-0000-00000000000g",
]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "name",
    ["form_key", "clients", "therapist", "service", "mode", "day", "hour", "which", "q", "do"],
)
def test_hostile_booking_answers_in_words(
    cast: Cast, office: Office, name: str, value: str
) -> None:
    page = office(cast.tara).send("book", booking(cast, **{name: value}))
    assert page.status_code in (200, 302, 422)
    html = page.content.decode()
    assert "<script>alert" not in html
    if page.status_code == 422:
        assert 'class="summary"' in html
        if name != "hour":
            assert field_of(page, "hour") == "14:00"
        if name not in ("clients",):
            assert f'value="{cast.casey.uuid}" checked' in html


@pytest.mark.parametrize("name", ["client", "therapist", "service", "mode", "hour", "whose"])
def test_hostile_links_answer_in_words(cast: Cast, office: Office, name: str) -> None:
    visitor = office(cast.olivia)
    for value in HOSTILE:
        for route in ("today", "sessions", "book"):
            page = visitor.go(route, {name: value[:3000]})
            assert page.status_code in (200, 404)
            assert "<script>alert" not in page.content.decode()


def test_names_with_markup_are_text_everywhere(cast: Cast, office: Office) -> None:
    Client.objects.filter(pk=cast.casey.pk).update(
        first_name="<img src=x>", preferred_name="<b>Cas</b>"
    )
    appointment = make_appointment(
        cast.tara, cast.casey, service=cast.individual, starts_at=NOW + HOUR
    )
    visitor = office(cast.tara)
    pages = [visitor.go("today"), visitor.go("sessions"), visitor.go("book", {"q": "nguyen"})]
    pages += [
        visitor.go(route, appointment=appointment.uuid)
        for route in ("appointment", "move", "cancel")
    ]
    for page in pages:
        html = page.content.decode()
        assert "&lt;img src=x&gt;" in html
        assert "<img src=x>" not in html and "<b>Cas</b>" not in html


# One session


def test_session_shows_what_can_be_done(cast: Cast, office: Office) -> None:
    appointment = make_appointment(
        cast.tara, cast.noor, service=cast.individual, starts_at=NOW + HOUR
    )
    page = words(office(cast.tara).go("appointment", appointment=appointment.uuid))
    for word in ("Noor Haddad", "Move", "Cancel session", "No portal access", "Give access"):
        assert word in page
    event = AuditEvent.objects.get(action="appointment.viewed")
    assert event.client_uuid == cast.noor.uuid


def test_therapist_sees_no_session_of_a_colleague(cast: Cast, office: Office) -> None:
    appointment = make_appointment(
        cast.theo, cast.robin, service=cast.individual, starts_at=NOW + HOUR
    )
    visitor = office(cast.tara)
    for route in ("appointment", "move", "cancel"):
        assert visitor.go(route, appointment=appointment.uuid).status_code == 404
    for route in ("move", "cancel"):
        assert visitor.send(route, appointment=appointment.uuid).status_code == 404
    appointment.refresh_from_db()
    assert appointment.cancelled_at is None
    assert AuditEvent.objects.filter(action="access.refused").count() == 5


def test_move_by_the_form(cast: Cast, office: Office) -> None:
    appointment = make_appointment(
        cast.tara, cast.casey, service=cast.individual, starts_at=NOW + HOUR
    )
    visitor = office(cast.tara)
    page = visitor.go("move", appointment=appointment.uuid)
    assert (field_of(page, "day"), field_of(page, "hour")) == ("2026-11-24", "14:56")
    sent = {"seen": field_of(page, "seen"), "day": "2026-11-26", "hour": "09:00"}
    answer = visitor.send("move", sent, appointment=appointment.uuid)
    assert answer.status_code == 302
    appointment.refresh_from_db()
    assert appointment.starts_at == datetime(2026, 11, 26, 14, 0, tzinfo=UTC)
    said = words(visitor.get(answer.headers["Location"]))
    assert "Moved to Thursday 26 November, 9:00 – 9:50 am EST, with Tara Okafor." in said


def test_second_mover_is_told_and_may_insist(cast: Cast, office: Office) -> None:
    appointment = make_appointment(
        cast.tara, cast.casey, service=cast.individual, starts_at=NOW + HOUR
    )
    hers, his = office(cast.tara), office(cast.adam)
    seen = field_of(hers.go("move", appointment=appointment.uuid), "seen")
    sent = {"seen": seen, "day": "2026-11-26", "hour": "09:00"}
    his.send("move", {**sent, "hour": "11:00"}, appointment=appointment.uuid)
    page = hers.send("move", sent, appointment=appointment.uuid)
    assert page.status_code == 422
    assert (
        "Somebody else has moved this session to Thursday 26 November, 11:00 – 11:50 am."
        in words(page)
    )
    sent["seen"] = field_of(page, "seen")
    assert hers.send("move", sent, appointment=appointment.uuid).status_code == 302
    appointment.refresh_from_db()
    assert appointment.starts_at == datetime(2026, 11, 26, 14, 0, tzinfo=UTC)


def test_move_to_where_it_is_leaves_its_ended_room_alone(cast: Cast, office: Office) -> None:
    appointment = make_appointment(cast.tara, cast.casey, service=cast.individual, starts_at=NOW)
    room = VideoRoom.objects.create(appointment=appointment, ended_at=NOW)
    visitor, where = office(cast.tara), {"appointment": appointment.uuid}
    page = visitor.go("move", **where)
    sent = {name: field_of(page, name) for name in ("seen", "day", "hour")}
    said = words(visitor.get(visitor.send("move", sent, **where).headers["Location"]))
    assert "It is on Tuesday 24 November, 1:56 – 2:46 pm EST" in said
    assert "Moved to" not in said
    room.refresh_from_db()
    assert room.ended_at == NOW
    assert visitor.send("move", {**sent, "hour": "15:00"}, **where).status_code == 302
    room.refresh_from_db()
    assert room.ended_at is None


def test_move_of_a_cancelled_session_is_no_move(cast: Cast, office: Office) -> None:
    appointment = make_appointment(
        cast.tara, cast.casey, service=cast.individual, starts_at=NOW + HOUR
    )
    hers, where = office(cast.tara), {"appointment": appointment.uuid}
    page = hers.go("move", **where)
    sent = {name: field_of(page, name) for name in ("seen", "day", "hour")}
    office(cast.adam).send("cancel", **where)
    for hour in (sent["hour"], "16:00"):
        answer = hers.send("move", {**sent, "hour": hour}, **where)
        assert answer.headers["Location"] == hers.path("appointment", **where)
        said = words(hers.get(answer.headers["Location"]))
        assert "This session has been cancelled. Book a new one instead." in said
        assert "Moved to" not in said


@pytest.mark.parametrize("name", ["seen", "day", "hour", "which"])
def test_hostile_move_answers_in_words(cast: Cast, office: Office, name: str) -> None:
    appointment = make_appointment(
        cast.tara, cast.casey, service=cast.individual, starts_at=NOW + HOUR
    )
    visitor = office(cast.tara)
    for value in HOSTILE:
        sent = {"seen": "", "day": "2026-11-26", "hour": "09:00", name: value}
        page = visitor.send("move", sent, appointment=appointment.uuid)
        assert page.status_code in (302, 422)
        if page.status_code == 422:
            assert 'class="summary"' in page.content.decode()


def test_cancel_asks_and_then_frees_the_time(cast: Cast, office: Office) -> None:
    appointment = make_appointment(
        cast.tara, cast.casey, service=cast.individual, starts_at=NOW + HOUR
    )
    visitor = office(cast.tara)
    assert "Cancel this session?" in words(visitor.go("cancel", appointment=appointment.uuid))
    appointment.refresh_from_db()
    assert appointment.cancelled_at is None
    answer = visitor.send("cancel", appointment=appointment.uuid)
    shown = words(visitor.get(answer.headers["Location"]))
    assert "The session at 2:56 pm is cancelled. Its time is free again." in shown
    assert "Cancelled" in shown and "Book again" in shown
    # What is history can be neither moved nor cancelled once more.
    for route in ("move", "cancel"):
        assert visitor.go(route, appointment=appointment.uuid).status_code == 302
    sent = {"day": "2026-11-26", "hour": "09:00"}
    page = visitor.send("move", sent, appointment=appointment.uuid)
    assert page.status_code == 302
    assert visitor.send("book", booking(cast, day="2026-11-24", hour="14:56")).status_code == 302


def test_who_cancels_a_moved_session_is_told_and_may_insist(cast: Cast, office: Office) -> None:
    appointment = make_appointment(
        cast.tara, cast.casey, service=cast.individual, starts_at=NOW + HOUR
    )
    hers, where = office(cast.tara), {"appointment": appointment.uuid}
    seen = {"seen": field_of(hers.go("cancel", **where), "seen")}
    moved = {**seen, "day": "2026-11-26", "hour": "11:00"}
    assert office(cast.adam).send("move", moved, **where).status_code == 302
    page = hers.send("cancel", seen, **where)
    assert page.status_code == 422
    told = "Somebody else has moved this session to Thursday 26 November, 11:00 – 11:50 am."
    assert f"{told} If it is to be cancelled all the same, press Cancel session again." in (
        words(page)
    )
    appointment.refresh_from_db()
    assert appointment.cancelled_at is None
    assert "Thursday 26 November, 11:00 – 11:50 am EST Individual" in words(page)
    answer = hers.send("cancel", {"seen": field_of(page, "seen")}, **where)
    assert "The session at 11:00 am is cancelled" in words(hers.get(answer.headers["Location"]))
    appointment.refresh_from_db()
    assert appointment.cancelled_at == NOW


def test_hostile_cancel_answers_in_words(cast: Cast, office: Office) -> None:
    appointment = make_appointment(
        cast.tara, cast.casey, service=cast.individual, starts_at=NOW + HOUR
    )
    for value in filter(None, HOSTILE):
        page = office(cast.tara).send("cancel", {"seen": value}, appointment=appointment.uuid)
        assert page.status_code == 422
        assert "This page is out of date" in words(page)
    appointment.refresh_from_db()
    assert appointment.cancelled_at is None


def test_cancelled_session_puts_people_out_of_its_room(cast: Cast, office: Office) -> None:
    appointment = make_appointment(cast.tara, cast.casey, service=cast.individual, starts_at=NOW)
    room = VideoRoom.objects.create(appointment=appointment)
    presence = Presence.objects.create(
        room=room,
        attendee=appointment.attendees.get(),
        cid="a",
        state=PersonState.WAITING,
        waiting_since=NOW,
        here_until=NOW + timedelta(seconds=30),
    )
    office(cast.tara).send("cancel", appointment=appointment.uuid)
    presence.refresh_from_db()
    assert presence.state == PersonState.LEFT
