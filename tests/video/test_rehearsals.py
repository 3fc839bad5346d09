"""Trying camera and sound: who may, what is kept, and what the therapist is told of it."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext

from roost.accounts.limits import REHEARSALS_PER_ACCOUNT, TooMany
from roost.accounts.models import Account
from roost.audit.models import AuditEvent
from roost.clients.enums import Relationship
from roost.core.time import now, say_hour
from roost.scheduling.enums import Mode
from roost.scheduling.models import Appointment
from roost.video import services
from roost.video.enums import Found
from roost.video.errors import NotAFinding
from roost.video.models import DeviceCheck
from roost.video.queries import Seat
from roost.video.rehearsals import (
    can_rehearse,
    checks_of,
    keep_check,
    lend_relay,
    next_video_session,
)
from roost.video.rules import CHECK_COUNTS_FOR, say_check
from tests.support.cast import Cast, give, make_account, make_appointment
from tests.video.conftest import CASEYS_PAGE

Doors = Callable[..., Any]
ALL_WORK = dict.fromkeys(("camera", "microphone", "speaker", "connection"), "works")
SECRET = "a-relay-secret-of-more-than-32-characters"


def found(**parts: str) -> dict[str, str]:
    return {**ALL_WORK, **parts}


def in_days(cast: Cast, days: float, *clients: Any, **more: Any) -> Appointment:
    """A session of Tara's on video, so many days from now."""
    row = make_appointment(cast.tara, *(clients or (cast.casey,)), service=cast.individual)
    start = now() + timedelta(days=days)
    values = {"starts_at": start, "ends_at": start + timedelta(minutes=50), **more}
    Appointment.objects.filter(pk=row.pk).update(**values)
    row.attendees.update(starts_at=start)
    row.refresh_from_db()
    return row


# Words


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({}, "Camera and sound checked"),
        ({"speaker": ""}, "Camera and microphone checked"),
        ({"microphone": "denied"}, "Had trouble with the microphone (blocked in the browser)"),
        ({"speaker": "unheard"}, "Had trouble with the sound (not heard)"),
        (
            {"camera": "in-use", "microphone": "in-use"},
            "Had trouble with the camera and the microphone (in use by another program)",
        ),
        (
            {"camera": "missing", "microphone": "silent", "connection": "blocked"},
            "Had trouble with the camera, the microphone and the connection",
        ),
    ],
)
def test_a_check_in_words(parts: dict[str, str], words: str) -> None:
    assert say_check(found(**parts)) == words


# What is kept


def test_the_last_check_is_kept_with_what_does_not_work(cast: Cast, maple: Any) -> None:
    keep_check(by=cast.casey_account, found=found(microphone="denied"))
    kept = DeviceCheck.objects.get()
    assert (kept.account, kept.camera, kept.microphone) == (cast.casey_account, "works", "denied")
    assert abs(kept.checked_at - now()) < timedelta(seconds=10)
    event = AuditEvent.objects.get(action="rehearsal.checked")
    assert (event.actor, event.subject_uuid) == (cast.casey_account, kept.uuid)
    assert event.details == {"troubles": ["microphone"]}

    keep_check(by=cast.casey_account, found=ALL_WORK)
    again = DeviceCheck.objects.get()
    assert (again.uuid, again.microphone) == (kept.uuid, "works")
    assert AuditEvent.objects.filter(action="rehearsal.checked").count() == 2


@pytest.mark.parametrize(
    "bad",
    [{}, dict.fromkeys(ALL_WORK, ""), found(camera="FaceTime HD"), found(speaker="works ")],
)
def test_nothing_else_is_kept(cast: Cast, maple: Any, bad: dict[str, str]) -> None:
    with pytest.raises(NotAFinding):
        keep_check(by=cast.casey_account, found=bad)
    assert not DeviceCheck.objects.exists()
    assert not AuditEvent.objects.filter(action="rehearsal.checked").exists()


# Whose check it is


def test_a_check_stands_for_whoever_joins_in_the_clients_place(cast: Cast, maple: Any) -> None:
    keep_check(by=cast.parker_account, found=ALL_WORK)
    told = checks_of([cast.robin.pk, cast.remy.pk, cast.casey.pk], now())
    assert {client: check.account for client, check in told.items()} == {
        cast.robin.pk: cast.parker_account,
        cast.remy.pk: cast.parker_account,
    }


def test_payers_partners_and_ended_access_say_nothing_of_a_client(cast: Cast, maple: Any) -> None:
    for name, relationship in (("payer", Relationship.PAYER), ("partner", Relationship.PARTNER)):
        account = make_account(f"{name}@client.example")
        give(account, cast.casey, relationship)
        keep_check(by=account, found=ALL_WORK)
    former = make_account("former@client.example")
    access = give(former, cast.casey, Relationship.GUARDIAN)
    keep_check(by=former, found=ALL_WORK)
    assert checks_of([cast.casey.pk], now())[cast.casey.pk].account == former
    access.ended_at = now()
    access.save(update_fields=["ended_at"])
    assert checks_of([cast.casey.pk], now()) == {}


def test_the_newest_of_several_counts_and_an_old_one_does_not(cast: Cast, maple: Any) -> None:
    mother = make_account("mother@client.example")
    give(mother, cast.casey, Relationship.PARENT)
    keep_check(by=mother, found=ALL_WORK)
    keep_check(by=cast.casey_account, found=found(camera="missing"))
    moment = now()
    assert checks_of([cast.casey.pk], moment)[cast.casey.pk].camera == "missing"
    old = moment - CHECK_COUNTS_FOR - timedelta(minutes=1)
    DeviceCheck.objects.filter(account=cast.casey_account).update(checked_at=old)
    assert checks_of([cast.casey.pk], moment)[cast.casey.pk].camera == "works"
    DeviceCheck.objects.update(checked_at=old)
    assert checks_of([cast.casey.pk], moment) == {}


# Who may, and for which session


def test_whoever_may_join_somebodys_sessions_may_rehearse(cast: Cast, maple: Any) -> None:
    account = make_account("new@client.example")
    assert not can_rehearse(account)
    access = give(account, cast.casey, Relationship.PAYER)
    assert not can_rehearse(account)
    for relationship in ("self", "parent", "guardian", "partner"):
        access.relationship = relationship
        access.save(update_fields=["relationship"])
        assert can_rehearse(account)
    access.ended_at = now()
    access.save(update_fields=["ended_at"])
    assert not can_rehearse(account)


def test_the_next_session_is_the_next_on_video_that_the_reader_may_join(
    cast: Cast, maple: Any
) -> None:
    assert next_video_session(cast.casey_account) is None
    in_days(cast, 1, mode=Mode.PHONE)
    in_days(cast, 2, cancelled_at=now())
    in_days(cast, -1)
    wanted = in_days(cast, 5)
    in_days(cast, 9)
    mine = next_video_session(cast.casey_account)
    assert mine is not None
    assert mine.appointment == wanted
    partner = make_account("partner@client.example")
    give(partner, cast.casey, Relationship.PARTNER)
    assert next_video_session(partner) is None


# The page


def test_the_card_of_a_session_on_video_leads_there(cast: Cast, maple: Any, portal: Doors) -> None:
    row = in_days(cast, 5)
    casey = portal(cast.casey_account)
    link = f'href="{casey.path("rehearse")}"'
    html = casey.go("account").content.decode()
    assert link in html
    assert "Test camera and sound" in html
    row.mode = Mode.PHONE
    row.save(update_fields=["mode"])
    html = casey.go("account").content.decode()
    assert "By phone" in html
    assert link not in html


def test_the_device_check_of_a_room_leads_there(
    cast: Cast, session: Appointment, portal: Doors, office: Doors
) -> None:
    seat = {"appointment": session.uuid, "attendee": session.attendees.get().uuid}
    for visitor, page in (
        (casey := portal(cast.casey_account), casey.go("room-person", **seat)),
        (tara := office(cast.tara), tara.go("room", appointment=session.uuid)),
    ):
        assert f'href="{visitor.path("rehearse")}"' in page.content.decode()


def test_the_page_says_what_one_gets_ready_for(cast: Cast, maple: Any, portal: Doors) -> None:
    row = in_days(cast, 5)
    page = portal(cast.casey_account).go("rehearse")
    html = page.content.decode()
    hour = say_hour(row.starts_at, maple.zone)
    day = row.starts_at.astimezone(maple.zone)
    assert f"You are ready for {day:%A} {day.day} {day:%B}" in html
    assert f", {hour}." in html
    assert "Tara is told whether it worked" in html
    for rule in ("camera=(self)", "microphone=(self)"):
        assert rule in page.headers["Permissions-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    event = AuditEvent.objects.get(action="rehearsal.opened")
    assert (event.actor, event.client_uuid) == (cast.casey_account, cast.casey.uuid)
    assert event.details == {"appointment": str(row.uuid)}


def test_join_stands_there_once_the_room_is_open(cast: Cast, maple: Any, portal: Doors) -> None:
    row = in_days(cast, 5)
    casey = portal(cast.casey_account)
    link = f'href="{casey.path("room", appointment=row.uuid)}"'
    assert link not in casey.go("rehearse").content.decode()
    start = now() + timedelta(minutes=10)
    Appointment.objects.update(starts_at=start, ends_at=start + timedelta(minutes=50))
    row.attendees.update(starts_at=start)
    assert link in casey.go("rehearse").content.decode()


def test_without_a_session_the_page_is_there_and_names_nobody(
    cast: Cast, maple: Any, portal: Doors, office: Doors
) -> None:
    html = portal(cast.casey_account).go("rehearse").content.decode()
    assert "You are ready for a session on video." in html
    assert "The practice is told whether it worked" in html
    assert office(cast.tara).go("rehearse").status_code == 200
    assert not AuditEvent.objects.filter(action="rehearsal.opened").exists()


def test_a_result_is_kept_by_a_post(cast: Cast, maple: Any, portal: Doors, office: Doors) -> None:
    for visitor in (portal(cast.casey_account), office(cast.tara)):
        answer = visitor.send("rehearse", found(camera="missing"))
        assert (answer.status_code, answer.json()) == (200, {"kept": True})
        assert DeviceCheck.objects.get(account=visitor.account).camera == "missing"
    answer = portal(cast.casey_account).send("rehearse", {"camera": "no finding"})
    assert answer.status_code == 422
    assert "nothing was kept" in answer.content.decode()


def test_the_page_says_how_the_readers_own_last_test_went(
    cast: Cast, maple: Any, portal: Doors
) -> None:
    casey = portal(cast.casey_account)
    check(cast.parker_account, now(), camera=Found.DENIED)
    assert "Your last test" not in casey.go("rehearse").content.decode()
    moment = now()
    check(cast.casey_account, moment, camera=Found.IN_USE)
    words = f"(in use by another program) today, {say_hour(moment, maple.zone)}."
    html = casey.go("rehearse").content.decode()
    assert f"Your last test: Had trouble with the camera {words}" in html


def test_therapists_find_it_on_their_day(cast: Cast, maple: Any, office: Doors) -> None:
    make_appointment(cast.tara, cast.casey, service=cast.individual)
    tara = office(cast.tara)
    assert f'href="{tara.path("rehearse")}"' in tara.go("today").content.decode()


# The relay


@pytest.fixture
def relay(settings: Any) -> None:
    settings.ROOST_TURN_URL, settings.ROOST_TURN_SECRET = "turn:relay.example:3478", SECRET


def test_a_rehearsal_is_lent_the_relay_for_two_minutes(
    cast: Cast, maple: Any, portal: Doors, relay: None
) -> None:
    answer = portal(cast.casey_account).send("rehearse-relay")
    assert answer.headers["Cache-Control"] == "no-store"
    [ice] = answer.json()["ice"]
    assert ice["urls"] == ["turn:relay.example:3478"]
    expires, _, identity = ice["username"].partition(":")
    left = datetime.fromtimestamp(int(expires)).astimezone() - now()
    assert timedelta(minutes=1, seconds=50) < left <= timedelta(minutes=2)
    # The relay's log does not say whose call it was.
    assert len(identity) == 32
    assert identity not in (cast.casey_account.uuid.hex, cast.casey.uuid.hex)
    digest = hmac.new(SECRET.encode(), ice["username"].encode(), hashlib.sha1).digest()
    assert ice["credential"] == base64.b64encode(digest).decode()
    assert AuditEvent.objects.get(action="rehearsal.begun").actor == cast.casey_account


def test_the_page_itself_holds_no_credentials(
    cast: Cast, maple: Any, portal: Doors, relay: None
) -> None:
    html = portal(cast.casey_account).go("rehearse").content.decode()
    assert 'data-relay="1"' in html
    assert "relay.example" not in html


def test_without_a_relay_nothing_is_lent(cast: Cast, maple: Any, portal: Doors) -> None:
    assert portal(cast.casey_account).send("rehearse-relay").json() == {"ice": []}


def test_the_relay_is_lent_a_few_times_only(
    cast: Cast, maple: Any, portal: Doors, relay: None
) -> None:
    casey, robin = portal(cast.casey_account), portal(cast.parker_account)
    for _ in range(REHEARSALS_PER_ACCOUNT.most):
        assert casey.send("rehearse-relay").status_code == 200
    answer = casey.send("rehearse-relay")
    assert answer.status_code == 429
    assert "Too many tries" in answer.content.decode()
    assert "relay.example" not in answer.content.decode()
    assert robin.send("rehearse-relay").status_code == 200
    begun = AuditEvent.objects.filter(action="rehearsal.begun", actor=cast.casey_account)
    assert begun.count() == REHEARSALS_PER_ACCOUNT.most
    with pytest.raises(TooMany):
        lend_relay(by=cast.casey_account)


def test_where_it_was_tried_too_often_a_therapist_still_sees_who_waits(
    cast: Cast, maple: Any, office: Doors, casey_seat: Seat, relay: None
) -> None:
    tara = office(cast.tara)
    for _ in range(REHEARSALS_PER_ACCOUNT.most + 1):
        answer = tara.send("rehearse-relay")
    assert "is waiting" not in answer.content.decode()
    services.enter_waiting_room(by=casey_seat, cid=CASEYS_PAGE, name="Casey")
    answer = tara.send("rehearse-relay")
    assert (answer.status_code, "Casey is waiting" in answer.content.decode()) == (429, True)


# The therapist's day


def check(account: Account, at: datetime, **parts: str) -> None:
    keep_check(by=account, found=found(**parts))
    DeviceCheck.objects.filter(account=account).update(checked_at=at)


def test_the_day_says_how_the_clients_check_went(cast: Cast, maple: Any, office: Doors) -> None:
    row = in_days(cast, 2)
    day = {"day": row.starts_at.astimezone(maple.zone).date().isoformat()}
    tara, moment = office(cast.tara), now()
    assert "checked" not in tara.go("today", day).content.decode()
    check(cast.casey_account, moment)
    words = f"Camera and sound checked today, {say_hour(moment, maple.zone)}"
    assert words in tara.go("today", day).content.decode()
    check(cast.casey_account, moment - timedelta(days=1), microphone="denied")
    html = tara.go("today", day).content.decode()
    assert "Had trouble with the microphone (blocked in the browser) yesterday, " in html
    assert words not in html


@pytest.mark.parametrize("what", [{"mode": Mode.PHONE}, {"cancelled_at": now()}])
def test_only_a_session_on_video_to_come_says_it(
    cast: Cast, maple: Any, office: Doors, what: dict[str, Any]
) -> None:
    row = in_days(cast, 2)
    day = {"day": row.starts_at.astimezone(maple.zone).date().isoformat()}
    check(cast.casey_account, now())
    tara = office(cast.tara)
    assert "Camera and sound checked" in tara.go("today", day).content.decode()
    Appointment.objects.filter(pk=row.pk).update(**what)
    html = tara.go("today", day).content.decode()
    assert "Casey Nguyen" in html
    assert "Camera and sound checked" not in html


def test_of_several_clients_each_is_named(cast: Cast, maple: Any, office: Doors) -> None:
    row = in_days(cast, 2, cast.robin, cast.remy)
    Appointment.objects.filter(pk=row.pk).update(therapist=cast.theo)
    day = {"day": row.starts_at.astimezone(maple.zone).date().isoformat()}
    remy = make_account("remy@client.example")
    give(remy, cast.remy)
    check(cast.parker_account, now() - timedelta(hours=1))
    check(remy, now(), camera=Found.MISSING)
    html = office(cast.theo).go("today", day).content.decode()
    assert f"{cast.robin.calling_name}: Camera and sound checked" in html
    assert f"{cast.remy.calling_name}: Had trouble with the camera (none found)" in html


def test_the_checks_of_a_day_take_the_same_queries_however_many(
    cast: Cast, maple: Any, office: Doors
) -> None:
    from django.db import connection

    tara = office(cast.tara)
    row = in_days(cast, 2)
    check(cast.casey_account, now())
    day = {"day": row.starts_at.astimezone(maple.zone).date().isoformat()}
    tara.go("today", day)
    with CaptureQueriesContext(connection) as one:
        assert tara.go("today", day).content.decode().count("sound checked") == 1
    for hours in (1, 2):
        start = row.starts_at + timedelta(hours=hours)
        if start.astimezone(maple.zone).date() != row.starts_at.astimezone(maple.zone).date():
            start = row.starts_at - timedelta(hours=hours)
        more = in_days(cast, 2)
        Appointment.objects.filter(pk=more.pk).update(
            starts_at=start, ends_at=start + timedelta(minutes=50)
        )
    with CaptureQueriesContext(connection) as three:
        assert tara.go("today", day).content.decode().count("sound checked") == 3
    assert len(three) == len(one)
