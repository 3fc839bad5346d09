"""What follows a call: for the client what comes next, for the therapist the attendance."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from roost.accounts.models import Account, SignIn
from roost.audit.models import AuditEvent
from roost.clients.enums import Relationship
from roost.core.time import now, say_day, say_hour, say_hours, say_relative_day, zone
from roost.practices.models import Practice
from roost.scheduling.enums import Attendance
from roost.scheduling.models import Appointment, Attendee
from roost.scheduling.services import cancel_appointment, move_appointment
from roost.video import services
from roost.video.enums import PersonState
from roost.video.models import Presence
from roost.video.queries import Seat
from tests.support.cast import Cast, give, make_account, make_appointment
from tests.video.conftest import CASEYS_PAGE, TARAS_PAGE

Doors = Callable[..., Any]
PART = {"HTTP_HX_REQUEST": "true"}


def person_of(session: Appointment) -> dict[str, Any]:
    return {"appointment": session.uuid, "attendee": session.attendees.first().uuid}


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, answer
    words = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", words)


def idle_for(minutes: int) -> None:
    SignIn.objects.update(used_at=now() - timedelta(minutes=minutes))


def shift(minutes: float) -> None:
    start = now() - timedelta(minutes=minutes)
    Appointment.objects.update(starts_at=start, ends_at=start + timedelta(minutes=50))


@pytest.fixture
def after_call(
    in_call: Callable[[], None], tara_seat: Seat, casey_seat: Seat
) -> Callable[[], None]:
    """A call that has been, and that both have left."""

    def come_and_go() -> None:
        in_call()
        services.leave_room(by=casey_seat, cid=CASEYS_PAGE)
        services.leave_room(by=tara_seat, cid=TARAS_PAGE)

    return come_and_go


# The client


def test_whose_place_another_log_in_has_is_not_told_that_the_session_has_ended(
    cast: Cast, session: Appointment, portal: Doors, in_call: Callable[[], None]
) -> None:
    in_call()
    alex = make_account("alex@client.example")
    give(alex, cast.casey, Relationship.PARENT)
    Presence.objects.filter(attendee__isnull=False).update(account=alex)
    said = text_of(portal(cast.casey_account).go("room-after", **person_of(session)))
    assert "Somebody is in the session in your place" in said
    assert "ended" not in said


def test_the_client_reads_when_the_next_session_is_by_their_own_clock(
    cast: Cast, session: Appointment, portal: Doors, after_call: Callable[[], None]
) -> None:
    after_call()
    Account.objects.filter(pk=cast.casey_account.pk).update(zone_name="America/Vancouver")
    start = now() + timedelta(days=7)
    make_appointment(cast.theo, cast.casey, service=cast.individual, starts_at=start)
    later = start + timedelta(days=7)
    make_appointment(cast.tara, cast.casey, service=cast.individual, starts_at=later)
    Practice.objects.update(after_call_words="Breathe.\n<b>Rest</b> a while.")
    casey, tz = portal(cast.casey_account), zone("America/Vancouver")
    answer = casey.go("room-after", **person_of(session))
    said = text_of(answer)
    assert "You have left the session" in said
    assert "Return to session" in said
    day = say_relative_day(start.astimezone(tz).date(), now().astimezone(tz).date())
    hours = say_hours(start, start + timedelta(minutes=50), tz, zone_name=True)
    assert f"Your next session {day}, {hours} with Theo Lang, on video" in said
    assert "Breathe.<br>&lt;b&gt;Rest&lt;/b&gt; a while." in answer.content.decode()
    assert "If video does not work, call us, and we go on by phone." in said
    event = AuditEvent.objects.get(action="appointment.viewed")
    assert (event.actor, event.client_uuid) == (cast.casey_account, cast.casey.uuid)


def test_a_session_that_was_moved_out_of_its_call_is_the_next_one_at_both_doors(
    cast: Cast,
    session: Appointment,
    portal: Doors,
    office: Doors,
    after_call: Callable[[], None],
) -> None:
    after_call()
    start = now() + timedelta(days=2)
    move_appointment(by=cast.tara, appointment=session, starts_at=start)
    tz = zone("America/Toronto")
    on, today = (each.astimezone(tz).date() for each in (start, now()))
    casey, tara = portal(cast.casey_account), office(cast.tara)
    said = text_of(casey.get(casey.path("room-after", **person_of(session)), **PART))
    assert f"Your next session {say_relative_day(on, today)}, " in said
    ids = {"appointment": session.uuid}
    said = text_of(tara.get(tara.path("room-after", **ids), **PART))
    assert f"Next session: {say_day(on, today)}" in said


def test_whose_place_has_lapsed_is_thanked_as_well(
    cast: Cast, session: Appointment, portal: Doors, in_call: Callable[[], None], casey_seat: Seat
) -> None:
    """Their line was away for long, and they wait to be let in again as the session ends."""
    in_call()
    Practice.objects.update(after_call_words="Thank you for coming.")
    services.note_lost(by=casey_seat, cid=CASEYS_PAGE)
    Presence.objects.update(here_until=now() - timedelta(minutes=3))
    back = services.note_regained(by=casey_seat, cid=CASEYS_PAGE)
    assert back is not None and back.state == PersonState.WAITING
    casey, ids = portal(cast.casey_account), person_of(session)
    assert "Thank you for coming." in text_of(casey.get(casey.path("room-after", **ids), **PART))
    assert casey.go("room-after", **ids).status_code == 200


@pytest.mark.parametrize("is_moved", [True, False], ids=["moved", "cancelled"])
def test_nobody_is_thanked_for_a_session_that_is_moved_or_cancelled_in_its_call(
    cast: Cast, session: Appointment, portal: Doors, after_call: Callable[[], None], is_moved: bool
) -> None:
    after_call()
    Practice.objects.update(after_call_words="Thank you for coming.")
    casey, ids = portal(cast.casey_account), person_of(session)
    said = text_of(casey.get(casey.path("room-after", **ids), **PART))
    assert "Thank you for coming." in said
    if is_moved:
        move_appointment(by=cast.tara, appointment=session, starts_at=now() + timedelta(days=2))
    else:
        cancel_appointment(by=cast.tara, appointment=session)
    said = text_of(casey.get(casey.path("room-after", **ids), **PART))
    assert "Your next session" in said
    assert "Thank you for coming." not in said


def test_the_part_for_the_rooms_page_is_only_what_follows(
    cast: Cast, session: Appointment, portal: Doors, after_call: Callable[[], None]
) -> None:
    after_call()
    Practice.objects.update(after_call_words="")
    casey = portal(cast.casey_account)
    answer = casey.get(casey.path("room-after", **person_of(session)), **PART)
    assert text_of(answer).strip() == "Your next session None is booked yet."
    assert "<html" not in answer.content.decode()


def test_once_the_room_is_over_the_rooms_own_address_says_what_follows(
    cast: Cast,
    session: Appointment,
    portal: Doors,
    office: Doors,
    after_call: Callable[[], None],
) -> None:
    after_call()
    shift(81)
    casey, tara = portal(cast.casey_account), office(cast.tara)
    for visitor, ids in ((casey, person_of(session)), (tara, {"appointment": session.uuid})):
        after = visitor.path("room-after", **ids)
        room = visitor.go("room-person" if visitor is casey else "room", **ids)
        assert (room.status_code, room.url) == (302, after)
        said = text_of(visitor.get(after))
        assert "session has ended" in said
        assert "Return to session" not in said
        assert "Re-open" not in said


def test_an_ended_session_leads_back_to_the_waiting_room(
    cast: Cast,
    session: Appointment,
    portal: Doors,
    office: Doors,
    in_call: Callable[[], None],
    tara_seat: Seat,
) -> None:
    in_call()
    services.end_room(by=tara_seat)
    said = text_of(portal(cast.casey_account).go("room-after", **person_of(session)))
    assert "Your session has ended" in said
    assert "Back to the waiting room" in said
    said = text_of(office(cast.tara).go("room-after", appointment=session.uuid))
    assert "You ended this session" in said
    assert "Re-open the room" in said


def test_who_has_not_been_in_the_call_is_sent_to_the_room(
    cast: Cast, session: Appointment, portal: Doors, office: Doors, casey_seat: Seat
) -> None:
    services.enter_waiting_room(by=casey_seat, cid=CASEYS_PAGE, name="Casey")
    services.leave_room(by=casey_seat, cid=CASEYS_PAGE)
    casey, tara = portal(cast.casey_account), office(cast.tara)
    answer = casey.go("room-after", **person_of(session))
    assert (answer.status_code, answer.url) == (
        302,
        casey.path("room-person", **person_of(session)),
    )
    answer = tara.go("room-after", appointment=session.uuid)
    assert (answer.status_code, answer.url) == (302, tara.path("room", appointment=session.uuid))


@pytest.mark.parametrize("change", ["cancelled", "moved"])
def test_of_a_session_that_was_cancelled_or_moved_the_room_says_so(
    cast: Cast,
    session: Appointment,
    portal: Doors,
    office: Doors,
    after_call: Callable[[], None],
    change: str,
) -> None:
    after_call()
    if change == "cancelled":
        cancel_appointment(by=cast.tara, appointment=session)
        words = "This session was cancelled"
    else:
        move_appointment(by=cast.tara, appointment=session, starts_at=now() + timedelta(days=2))
        words = "The room opens later"
    casey, tara = portal(cast.casey_account), office(cast.tara)
    for visitor, room, ids in (
        (casey, "room-person", person_of(session)),
        (tara, "room", {"appointment": session.uuid}),
    ):
        answer = visitor.go("room-after", **ids)
        assert (answer.status_code, answer.url) == (302, visitor.path(room, **ids))
        assert words in text_of(visitor.go(room, **ids))


def test_a_parent_reads_of_each_child_by_name(cast: Cast, maple: Any, portal: Doors) -> None:
    family = make_appointment(cast.theo, cast.robin, cast.remy, service=cast.family)
    start = now() + timedelta(days=7)
    make_appointment(cast.theo, cast.remy, service=cast.individual, starts_at=start)
    parker = portal(cast.parker_account)
    said = text_of(parker.get(parker.path("room-after", **person_of(family)), **PART))
    assert "Robin’s next session None is booked yet." in said
    assert re.search(r"Remy’s next session \w+ \d+ \w+, .* with Theo Lang, on video", said)


def test_of_others_at_the_session_nothing_is_said(cast: Cast, maple: Any, portal: Doors) -> None:
    together = make_appointment(cast.tara, cast.casey, cast.noor, service=cast.family)
    start = now() + timedelta(days=7)
    make_appointment(cast.tara, cast.noor, service=cast.individual, starts_at=start)
    casey = portal(cast.casey_account)
    said = text_of(casey.get(casey.path("room-after", **person_of(together)), **PART))
    assert "Noor" not in said
    assert "Your next session None is booked yet." in said


# The therapist


def test_attendance_in_one_press_and_back(
    cast: Cast, session: Appointment, office: Doors, after_call: Callable[[], None]
) -> None:
    after_call()
    start = now() + timedelta(days=7)
    make_appointment(cast.tara, cast.casey, service=cast.individual, starts_at=start)
    # Not hers to see.
    make_appointment(
        cast.theo, cast.casey, service=cast.individual, starts_at=start - timedelta(days=1)
    )
    tara, after = office(cast.tara), {"appointment": session.uuid}
    said, tz = text_of(tara.go("room-after", **after)), cast.practice.zone
    local = start.astimezone(tz)
    day = say_day(local.date(), now().astimezone(tz).date())
    assert "Casey Nguyen Not marked yet Attended Casey Nguyen No show Casey Nguyen" in said
    assert f"Next session: {day}, {say_hour(start, tz)}" in said
    assert "Everybody attended" not in said
    attendee = session.attendees.get()
    answer = tara.send(
        "attendance",
        {"attendance": "attended", "attendee": str(attendee.uuid), "from": "call"},
        **after,
    )
    assert answer.url == tara.path("room-after", **after)
    page = tara.get(answer.url)
    assert "Casey Nguyen: attended. Undo" in text_of(page)
    attendee.refresh_from_db()
    assert attendee.attendance == Attendance.ATTENDED
    fields = dict(re.findall(r'name="(was|from)" value="([^"]*)"', page.content.decode()))
    assert fields["from"] == "call"
    answer = tara.send("attendance", fields, **after)
    assert answer.url == tara.path("room-after", **after)
    attendee.refresh_from_db()
    assert attendee.attendance == Attendance.SCHEDULED


def test_each_of_a_couple_and_everybody(cast: Cast, maple: Any, office: Doors) -> None:
    couple = make_appointment(cast.tara, cast.casey, cast.noor, service=cast.family)
    tara, after = office(cast.tara), {"appointment": couple.uuid}
    part = tara.path("room-after", **after)
    said = text_of(tara.get(part, **PART))
    for words in ("Everybody attended", "No show Casey Nguyen", "No show Noor Haddad"):
        assert words in said
    noor = couple.attendees.get(client=cast.noor)
    tara.send(
        "attendance", {"attendance": "no_show", "attendee": noor.uuid, "from": "call"}, **after
    )
    said = text_of(tara.get(part, **PART))
    assert "Noor Haddad No show No next session is booked." in said
    assert "No show Casey Nguyen" in said
    # It would take back what has just been said of Noor.
    assert "Everybody attended" not in said
    couple.attendees.update(attendance="scheduled")
    tara.send("attendance", {"attendance": "attended", "from": "call"}, **after)
    assert set(couple.attendees.values_list("attendance", flat=True)) == {"attended"}


def test_before_the_session_has_begun_nothing_is_marked(
    cast: Cast, session: Appointment, office: Doors, after_call: Callable[[], None]
) -> None:
    after_call()
    shift(-5)
    said = text_of(office(cast.tara).go("room-after", appointment=session.uuid))
    assert "Attendance can be marked once the session has begun." in said
    assert "No show" not in said


@pytest.mark.parametrize("many", [1, 3])
def test_the_page_asks_the_same_of_the_database_for_one_and_for_three(
    cast: Cast, maple: Any, office: Doors, many: int, django_assert_num_queries: Any
) -> None:
    people = [cast.casey, cast.noor, cast.robin][:many]
    group = make_appointment(cast.tara, *people, service=cast.family)
    for person in people:
        start = now() + timedelta(days=7)
        make_appointment(cast.tara, person, service=cast.individual, starts_at=start)
    tara = office(cast.tara)
    path = tara.path("room-after", appointment=group.uuid)
    tara.get(path, **PART)
    with django_assert_num_queries(11):
        tara.get(path, **PART)


# After a long call the sign-in has long been idle


@pytest.mark.parametrize("ended", [False, True], ids=["left", "ended"])
def test_right_after_a_call_nobody_has_to_log_in_first(
    cast: Cast,
    session: Appointment,
    portal: Doors,
    office: Doors,
    in_call: Callable[[], None],
    tara_seat: Seat,
    casey_seat: Seat,
    ended: bool,
) -> None:
    casey, tara = portal(cast.casey_account), office(cast.tara)
    in_call()
    if ended:
        services.end_room(by=tara_seat)
    else:
        services.leave_room(by=casey_seat, cid=CASEYS_PAGE)
        services.leave_room(by=tara_seat, cid=TARAS_PAGE)
    idle_for(90)
    assert casey.go("room-after", **person_of(session)).status_code == 200
    assert tara.go("room-after", appointment=session.uuid).status_code == 200
    answer = tara.send(
        "attendance", {"attendance": "attended", "from": "call"}, appointment=session.uuid
    )
    assert answer.url == tara.path("room-after", appointment=session.uuid)
    assert session.attendees.get().attendance == Attendance.ATTENDED
    # Nothing else, and not for long.
    assert "idle=1" in tara.go("today").url
    tara = office(cast.tara)
    Presence.objects.update(left_at=now() - timedelta(minutes=16))
    idle_for(90)
    for answer in (
        casey.go("room-after", **person_of(session)),
        tara.go("room-after", appointment=session.uuid),
    ):
        assert "idle=1" in answer.url


def test_an_idle_sign_in_marks_no_session_that_was_not_just_held(
    cast: Cast, session: Appointment, office: Doors, after_call: Callable[[], None]
) -> None:
    after_call()
    other = make_appointment(cast.theo, cast.robin, service=cast.individual)
    for member, found in ((cast.tara, other), (cast.olivia, session), (cast.theo, other)):
        visitor = office(member)
        idle_for(90)
        answer = visitor.send("attendance", {"attendance": "attended"}, appointment=found.uuid)
        assert answer.status_code == 302
        assert "idle=1" in answer.url
    assert set(Attendee.objects.values_list("attendance", flat=True)) == {"scheduled"}


def test_who_was_removed_is_left_nothing(
    cast: Cast,
    session: Appointment,
    portal: Doors,
    in_call: Callable[[], None],
    tara_seat: Seat,
) -> None:
    casey = portal(cast.casey_account)
    in_call()
    services.remove_person(by=tara_seat, cid=CASEYS_PAGE)
    idle_for(90)
    assert "idle=1" in casey.go("room-after", **person_of(session)).url


# Settings → Video


def test_the_words_are_set_cleaned_and_written_down(cast: Cast, maple: Any, office: Doors) -> None:
    olivia = office(cast.olivia)
    html = olivia.go("video").content.decode()
    assert "Thank you for coming." in html
    good = {
        "relay_only": "no",
        "after_call_words": "Thank you.\r\n\r\nSee you\u202e soon.",
        "fallback_words": "Tara calls you.",
    }
    assert olivia.send("video", good).status_code == 302
    practice = Practice.objects.get(pk=cast.practice.pk)
    assert practice.after_call_words == "Thank you.\n\nSee you soon."
    assert practice.fallback_words == "Tara calls you."
    event = AuditEvent.objects.get(action="video_settings.changed")
    assert event.details == {"fields": ["after_call_words", "fallback_words"]}
    for name, most in (("after_call_words", 600), ("fallback_words", 300)):
        answer = olivia.send("video", {**good, name: "x" * (most + 1)})
        assert answer.status_code == 422
        assert "x" * (most + 1) in answer.content.decode()
    assert olivia.send("video", {"relay_only": "no"}).status_code == 302
    practice.refresh_from_db()
    assert (practice.after_call_words, practice.fallback_words) == ("", "")


def test_where_nothing_helps_the_phone_and_what_was_agreed_stand(
    cast: Cast, session: Appointment, portal: Doors, office: Doors
) -> None:
    Practice.objects.update(fallback_words="We go on by phone.")
    casey, path = portal(cast.casey_account), person_of(session)
    said = text_of(casey.go("room-person", **path))
    # In the check, in the waiting room, in the call, at the end.
    assert said.count("We go on by phone. Our number is 416 555 0142") == 4
    Practice.objects.update(fallback_words="")
    said = text_of(casey.go("room-person", **path))
    assert said.count("If nothing helps, call 416 555 0142") == 4
    Practice.objects.update(phone="")
    html = casey.go("room-person", **path).content.decode()
    assert "tel:" not in html
