"""The room's page, and the pages that say why there is none."""

import gzip
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

import roost.video
from roost.accounts.models import SignIn
from roost.audit.models import AuditEvent
from roost.clients.enums import Relationship
from roost.core.time import now
from roost.practices.models import Practice
from roost.scheduling.enums import Mode
from roost.scheduling.models import Appointment
from roost.video import services
from roost.video.pages import SCRIPTS
from roost.video.queries import Seat
from roost.video.rules import PLACE_KEPT
from tests.support.cast import Cast, give, make_account, make_appointment
from tests.video.conftest import CASEYS_PAGE, TARAS_PAGE

Doors = Callable[..., Any]


def person_of(session: Appointment) -> dict[str, Any]:
    return {"appointment": session.uuid, "attendee": session.attendees.first().uuid}


def shift(minutes: float) -> None:
    start = now() - timedelta(minutes=minutes)
    Appointment.objects.update(starts_at=start, ends_at=start + timedelta(minutes=50))


def test_join_leads_to_the_room(cast: Cast, session: Appointment, portal: Doors) -> None:
    casey = portal(cast.casey_account)
    answer = casey.go("room", appointment=session.uuid)
    assert answer.status_code == 302
    assert answer.url == casey.path("room-person", **person_of(session))
    page = casey.get(answer.url)
    assert page.status_code == 200
    assert "How you look and sound" in page.content.decode()
    event = AuditEvent.objects.get(action="room.opened")
    assert (event.actor, event.client_uuid) == (cast.casey_account, cast.casey.uuid)


def test_only_the_rooms_page_may_use_the_camera(
    cast: Cast, session: Appointment, portal: Doors, office: Doors
) -> None:
    casey = portal(cast.casey_account)
    page = casey.go("room-person", **person_of(session))
    for rule in ("camera=(self)", "microphone=(self)"):
        assert rule in page.headers["Permissions-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    assert "camera=()" in casey.go("account").headers["Permissions-Policy"]
    room = office(cast.tara).go("room", appointment=session.uuid)
    assert "camera=(self)" in room.headers["Permissions-Policy"]


def test_the_rooms_page_is_sent_compressed(cast: Cast, session: Appointment, portal: Doors) -> None:
    casey = portal(cast.casey_account)
    path = casey.path("room-person", **person_of(session))
    page = casey.get(path, headers={"Accept-Encoding": "gzip"})
    assert page.headers["Content-Encoding"] == "gzip"
    assert len(page.content) < 6_000
    assert b"How you look and sound" in gzip.decompress(page.content)


def test_nothing_runs_inline(cast: Cast, session: Appointment, portal: Doors) -> None:
    html = portal(cast.casey_account).go("room-person", **person_of(session)).content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=", html)


def test_several_attendees_of_one_account_choose(cast: Cast, maple: Any, portal: Doors) -> None:
    family = make_appointment(cast.theo, cast.robin, cast.remy, service=cast.family)
    parker = portal(cast.parker_account)
    html = parker.go("room", appointment=family.uuid).content.decode()
    assert "Who is joining here?" in html
    for attendee in family.attendees.all():
        link = parker.path("room-person", appointment=family.uuid, attendee=attendee.uuid)
        assert link in html
        assert parker.get(link).status_code == 200


def test_the_device_check_says_who_joins_here_and_lets_choose(
    cast: Cast, session: Appointment, portal: Doors
) -> None:
    family = make_appointment(cast.theo, cast.robin, cast.remy, service=cast.family)
    parker = portal(cast.parker_account)
    robin, remy = family.attendees.order_by("pk")
    html = parker.go("room-person", **person_of(family)).content.decode()
    for attendee in (robin, remy):
        link = parker.path("room-person", appointment=family.uuid, attendee=attendee.uuid)
        current = ' aria-current="true"' if attendee == robin else ""
        assert f'<a href="{link}"{current}>' in html
    assert "Both of us" in html
    assert 'value="Robin"' in html
    assert 'value="Robin and Remy"' not in html
    path = parker.path("room-person", **person_of(family))
    html = parker.get(f"{path}?together=1").content.decode()
    assert f'<a href="{path}?together=1" aria-current="true">' in html
    assert 'value="Robin and Remy"' in html
    # Whoever comes alone is asked nothing, whatever the address says.
    casey = portal(cast.casey_account)
    path = casey.path("room-person", **person_of(session))
    html = casey.get(f"{path}?together=1").content.decode()
    assert "Who is joining here?" not in html
    assert 'value="Casey"' in html


def test_wrong_people_find_no_room(
    cast: Cast, session: Appointment, portal: Doors, office: Doors
) -> None:
    payer = make_account("payer@client.example")
    give(payer, cast.casey, Relationship.PAYER)
    for account in (cast.parker_account, payer):
        visitor = portal(account)
        assert visitor.go("room", appointment=session.uuid).status_code == 404
        assert visitor.go("room-person", **person_of(session)).status_code == 404
    for colleague in (cast.olivia, cast.adam, cast.theo):
        visitor = office(colleague)
        assert visitor.go("room", appointment=session.uuid).status_code == 404
        assert visitor.send("room", appointment=session.uuid).status_code == 404
    for visitor in (portal(), office()):
        answer = visitor.go("room", appointment=session.uuid)
        assert answer.status_code == 302
        assert "/log-in/?next=" in answer.url


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(-60, "The room opens"), (90, "The room is closed")],
    ids=["early", "late"],
)
def test_outside_the_window_the_page_says_when(
    cast: Cast, session: Appointment, portal: Doors, office: Doors, minutes: int, words: str
) -> None:
    shift(minutes)
    for page in (
        portal(cast.casey_account).go("room-person", **person_of(session)),
        office(cast.tara).go("room", appointment=session.uuid),
    ):
        assert page.status_code == 200
        assert words in page.content.decode()
        assert "camera=()" in page.headers["Permissions-Policy"]
        assert 'id="view-check"' not in page.content.decode()


@pytest.mark.parametrize(("days", "said"), [(0.5, "is to"), (20, "is on ")], ids=["soon", "later"])
def test_a_day_is_named_as_within_a_sentence(
    cast: Cast, session: Appointment, portal: Doors, days: float, said: str
) -> None:
    shift(-days * 24 * 60)
    page = portal(cast.casey_account).go("room-person", **person_of(session)).content.decode()
    assert f"Your session with {cast.tara.display_name} {said}" in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"cancelled_at": now()}, "This session was cancelled"),
        ({"mode": Mode.PHONE}, "This session has no video room"),
    ],
    ids=["cancelled", "by phone"],
)
def test_a_session_without_a_room_says_so(
    cast: Cast, session: Appointment, portal: Doors, fields: dict[str, Any], words: str
) -> None:
    Appointment.objects.update(**fields)
    page = portal(cast.casey_account).go("room-person", **person_of(session))
    assert words in page.content.decode()


def test_who_stepped_out_returns(
    cast: Cast, session: Appointment, portal: Doors, casey_seat: Seat, in_call: Callable[[], None]
) -> None:
    casey = portal(cast.casey_account)
    first = casey.go("room-person", **person_of(session)).content.decode()
    assert "Go to the waiting room" in first
    assert "Nobody sees or hears you until Tara lets you in." in first
    in_call()
    services.leave_room(by=casey_seat, cid=CASEYS_PAGE)
    later = casey.go("room-person", **person_of(session)).content.decode()
    assert "Return to session" in later
    assert "Go to the waiting room" not in later
    # They may be seen as soon as they go back in.
    assert "Nobody sees or hears you until you go back in." in later


def drawn(page: Any) -> str:
    """Which of the room's views is in sight before any script runs."""
    html = page.content.decode()
    (view,) = re.findall(r'<section [^>]*id="view-(\w+)"(?![^>]* hidden)', html)
    assert ("Taking you back in" in html) == (view == "call")
    assert bool(re.search(r'id="masthead" hidden', html)) == (view == "call")
    return str(view)


def test_a_page_is_drawn_as_the_call_only_for_who_has_a_place_in_it(
    cast: Cast,
    session: Appointment,
    portal: Doors,
    office: Doors,
    casey_seat: Seat,
    tara_seat: Seat,
    in_call: Callable[[], None],
) -> None:
    def look() -> tuple[str, str]:
        casey = portal(cast.casey_account).go("room-person", **person_of(session))
        return drawn(casey), drawn(office(cast.tara).go("room", appointment=session.uuid))

    assert look() == ("check", "check")
    services.enter_waiting_room(by=casey_seat, cid=CASEYS_PAGE, name="Casey")
    assert look() == ("check", "check")
    in_call()
    assert look() == ("call", "call")
    services.note_lost(by=casey_seat, cid=CASEYS_PAGE)
    assert look() == ("call", "call")
    with time_machine.travel(now() + PLACE_KEPT + timedelta(minutes=1), tick=False):
        services.note_here(by=tara_seat, cid=TARAS_PAGE)
        # Their place is free again, and they may have to wait.
        assert look() == ("check", "call")
    services.leave_room(by=casey_seat, cid=CASEYS_PAGE)
    assert look() == ("check", "call")


@pytest.mark.parametrize(("phone", "words"), [("+14165550142", ""), ("", "Write to us."), ("", "")])
def test_a_call_that_does_not_start_says_whom_to_call_if_there_is_anybody(
    cast: Cast,
    session: Appointment,
    portal: Doors,
    office: Doors,
    in_call: Callable[[], None],
    phone: str,
    words: str,
) -> None:
    Practice.objects.update(phone=phone, fallback_words=words)
    in_call()
    casey = portal(cast.casey_account)
    html = casey.go("room-person", **person_of(session)).content.decode()
    news = html.partition('class="call-news"')[2]
    assert "This page has not started" in news
    assert f'<a href="{casey.path("account")}">My Account</a>' in news
    said = 'class="call-status too-old"' in html
    assert said == bool(phone or words)
    assert not said or (words or "416 555 0142") in news
    # A therapist is not told her own number.
    room = office(cast.tara).go("room", appointment=session.uuid).content.decode()
    assert 'class="call-status too-old"' not in room


def test_who_has_another_log_in_returns_to_nothing(
    cast: Cast, session: Appointment, portal: Doors, casey_seat: Seat, in_call: Callable[[], None]
) -> None:
    """They wait to be let in, whoever was in the call as the same client."""
    in_call()
    services.leave_room(by=casey_seat, cid=CASEYS_PAGE)
    alex = make_account("alex@client.example")
    give(alex, cast.casey, Relationship.PARENT)
    page = portal(alex).go("room-person", **person_of(session)).content.decode()
    assert "Go to the waiting room" in page
    assert "Nobody sees or hears you until Tara lets you in." in page


def test_the_therapist_opens_an_ended_room_again(
    cast: Cast, session: Appointment, office: Doors, tara_seat: Seat, in_call: Callable[[], None]
) -> None:
    in_call()
    services.end_room(by=tara_seat)
    tara = office(cast.tara)
    assert "Re-open the room" in tara.go("room", appointment=session.uuid).content.decode()
    assert tara.send("room", appointment=session.uuid).status_code == 302
    assert "Go into the room" in tara.go("room", appointment=session.uuid).content.decode()
    services.end_room(by=tara_seat)
    shift(85)
    assert "Re-open" not in tara.go("room", appointment=session.uuid).content.decode()


def idle_for(minutes: int) -> None:
    SignIn.objects.update(used_at=now() - timedelta(minutes=minutes))


def test_the_idle_limit_spares_who_is_admitted(
    cast: Cast,
    session: Appointment,
    portal: Doors,
    office: Doors,
    in_call: Callable[[], None],
    tara_seat: Seat,
) -> None:
    casey, tara = portal(cast.casey_account), office(cast.tara)
    in_call()
    idle_for(90)
    assert casey.go("room-person", **person_of(session)).status_code == 200
    assert tara.go("room", appointment=session.uuid).status_code == 200
    services.remove_person(by=tara_seat, cid=CASEYS_PAGE)
    answer = casey.go("room-person", **person_of(session))
    assert answer.status_code == 302
    assert "idle=1" in answer.url
    # Signed out for good, not only turned away.
    assert not SignIn.objects.filter(account=cast.casey_account).exists()


def test_the_idle_limit_holds_in_the_waiting_room(
    cast: Cast, session: Appointment, portal: Doors, casey_seat: Seat
) -> None:
    casey = portal(cast.casey_account)
    services.enter_waiting_room(by=casey_seat, cid=CASEYS_PAGE, name="Casey")
    idle_for(61)
    assert casey.go("room-person", **person_of(session)).status_code == 302


def test_every_office_page_says_who_waits(
    cast: Cast, session: Appointment, office: Doors, casey_seat: Seat
) -> None:
    tara, theo = office(cast.tara), office(cast.theo)
    for name in ("clients", "rehearse"):
        assert "is waiting" not in tara.go(name).content.decode()
    services.enter_waiting_room(by=casey_seat, cid=CASEYS_PAGE, name="<b>Casey</b>")
    for name in ("clients", "rehearse"):
        html = tara.go(name).content.decode()
        assert "Casey is waiting" in html
        assert tara.path("room", appointment=session.uuid) in html
        assert "is waiting" not in theo.go(name).content.decode()


def test_no_page_of_a_client_says_who_waits(
    cast: Cast, session: Appointment, portal: Doors, casey_seat: Seat
) -> None:
    services.enter_waiting_room(by=casey_seat, cid=CASEYS_PAGE, name="Casey")
    casey = portal(cast.casey_account)
    for page in (casey.go("rehearse"), casey.go("room-person", **person_of(session))):
        html = page.content.decode()
        assert page.status_code == 200
        assert "is waiting" not in html and "/bell/" not in html and "knock.js" not in html


def test_a_name_with_markup_stays_text(
    cast: Cast, session: Appointment, portal: Doors, office: Doors
) -> None:
    cast.casey.preferred_name = "<script>alert(1)</script>"
    cast.casey.save(update_fields=["preferred_name"])
    html = portal(cast.casey_account).go("room-person", **person_of(session)).content.decode()
    assert "&lt;script&gt;alert(1)" in html
    assert "<script>alert(1)" not in html


def test_all_of_the_rooms_script_is_asked_for_at_once() -> None:
    """Whatever room.js imports, and what that imports, is named in the page."""
    folder = Path(roost.video.__file__).parent / "static" / "video"
    wanted, found = ["room.js"], set[str]()
    while wanted:
        name = wanted.pop()
        imports = re.findall(
            r'^import .* from "\./([\w-]+\.js)";', (folder / name).read_text(), re.M
        )
        wanted += [each for each in imports if each not in found]
        found |= set(imports)
    assert {f"video/{name}" for name in found} == set(SCRIPTS)


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("individual", "Session"),
        ("couple", "Couples session"),
        ("family", "Family session"),
        ("group", "Group session"),
    ],
)
def test_the_room_is_called_by_who_takes_part(
    cast: Cast, session: Appointment, portal: Doors, office: Doors, kind: str, title: str
) -> None:
    session.service.type = kind
    session.service.save(update_fields=["type"])
    html = portal(cast.casey_account).go("room-person", **person_of(session)).content.decode()
    assert f"<title>{title} with Tara Okafor –" in html
    assert f"Your {title.lower()} with Tara Okafor" in html
    html = office(cast.tara).go("room", appointment=session.uuid).content.decode()
    assert f"<title>{title} –" in html
