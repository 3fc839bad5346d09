"""A call comes to its end: by itself once the window is over, and by leaving; and what follows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.journeys.test_video_call import Two
from tests.support.browsers import SLOW_CAMERA, launch
from tests.support.rooms import Booked, book
from tests.support.server import Server, serving

pytestmark = pytest.mark.slow

IN_SCOPE = """
import sys
from datetime import timedelta
from roost.core.tenancy import scope
from roost.core.time import now
from roost.practices.models import Practice
from roost.scheduling.models import Appointment, Attendee
with scope(Practice.objects.get(slug="maple").pk):
    this = Appointment.objects.get(uuid=sys.argv[1])
"""
# So that the window of 50 minutes and 30 after ends in so many seconds.
END_IN = (
    IN_SCOPE
    + """
    start = now() + timedelta(seconds=float(sys.argv[2])) - timedelta(minutes=80)
    Appointment.objects.filter(pk=this.pk).update(
        starts_at=start, ends_at=start + timedelta(minutes=50)
    )
"""
)
BOOK_NEXT = (
    IN_SCOPE
    + """
    start = (now() + timedelta(days=9)).replace(hour=19, minute=0)
    coming = Appointment.objects.create(
        therapist=this.therapist, service=this.service, mode="video", starts_at=start,
        ends_at=start + timedelta(minutes=50), booked_by=this.therapist,
    )
    for each in this.attendees.all():
        Attendee.objects.create(appointment=coming, client=each.client)
"""
)
AN_HOUR = 3600


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database: dict[str, str]) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("roost")
    with serving(folder, **database) as running:
        yield running


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright, SLOW_CAMERA)
    yield browser
    browser.close()


@pytest.fixture
def two(server: Server, chromium: Browser) -> Iterator[Two]:
    pair = Two(chromium, book(server))
    yield pair
    pair.close()
    assert pair.complaints == []


def run(booked: Booked, code: str, *arguments: str) -> None:
    booked.server.run(code, booked.appointment, *arguments)


def says(page: Page, words: str, *, seconds: float) -> None:
    expect(page.get_by_role("status").get_by_text(re.compile(words))).to_be_visible(
        timeout=seconds * 1000
    )


HOUR = r"\d+:\d\d (am|pm)"


@pytest.mark.one_database
def test_the_window_ends_with_a_warning_and_the_call_an_hour_later(two: Two) -> None:
    run(two.booked, BOOK_NEXT)
    two.meet()
    # A browser's own clock is not asked: this one's is a day behind.
    two.casey.evaluate("{ const real = Date.now; Date.now = () => real() - 864e5; }")

    run(two.booked, END_IN, "40")
    says(two.casey, f"The room closes at {HOUR}. There’s no hurry: this call can go", seconds=20)
    says(two.tara, f"The room closes to newcomers at {HOUR}. This call can go on", seconds=20)
    says(two.casey, f"This call can go on while Tara is in it, until {HOUR}", seconds=60)
    says(two.tara, f"The room is closed to newcomers.* until {HOUR}", seconds=20)
    two.assert_meet()
    # Whoever is in may reload; a server that comes back knows the time.
    two.casey.reload()
    two.booked.server.restart()
    two.assert_meet()
    says(two.casey, "This call can go on while Tara is in it", seconds=20)

    run(two.booked, END_IN, str(40 - AN_HOUR))
    for page in (two.casey, two.tara):
        says(page, f"This call ends at {HOUR}: the room’s time is over then.", seconds=20)
    expect(two.casey.get_by_role("heading", name="Your session has ended")).to_be_visible(
        timeout=60_000
    )
    expect(two.casey.get_by_text("so it closed by itself")).to_be_visible()
    expect(two.casey.get_by_role("button", name="Return to session")).not_to_be_visible()
    assert_says_what_follows(two.casey)
    expect(two.tara.get_by_role("heading", name="The session has ended")).to_be_visible(
        timeout=20_000
    )
    expect(two.tara.get_by_role("button", name="No show Casey Nguyen")).to_be_visible()
    # The address of the room says the same from now on.
    two.casey.reload()
    expect(two.casey.get_by_role("heading", name="Your session has ended")).to_be_visible()
    assert_says_what_follows(two.casey)


def assert_says_what_follows(page: Page) -> None:
    expect(page.get_by_role("heading", name="Your next session")).to_be_visible()
    expect(page.get_by_text("with Tara Okafor, on video")).to_be_visible()
    expect(page.get_by_text("Thank you for coming.")).to_be_visible()
    expect(page.get_by_role("link", name="416 555 0142").last).to_be_visible()
    expect(page.get_by_role("main").get_by_role("link", name="Go to My Account")).to_be_visible()


@pytest.mark.one_database
def test_who_leaves_reads_what_follows_and_the_attendance_is_one_press(two: Two) -> None:
    run(two.booked, BOOK_NEXT)
    two.meet()
    two.casey.get_by_role("button", name="Leave").click()
    expect(two.casey.get_by_role("heading", name="You have left the session")).to_be_visible()
    assert_says_what_follows(two.casey)
    two.casey.get_by_role("button", name="Return to session").click()
    two.assert_meet()

    two.tara.get_by_role("button", name="End session").click()
    two.tara.get_by_role("button", name="End it now").click()
    expect(two.tara.get_by_role("heading", name="You ended this session")).to_be_visible()
    expect(two.casey.get_by_role("heading", name="Your session has ended")).to_be_visible()
    assert_says_what_follows(two.casey)

    expect(two.tara.get_by_text("Next session: ")).to_be_visible()
    two.tara.get_by_role("button", name="Attended Casey Nguyen").click()
    expect(two.tara.get_by_text("Casey Nguyen: attended.")).to_be_visible()
    expect(two.tara.get_by_text("Next session: ")).to_be_visible()
    two.tara.get_by_role("button", name="Undo").click()
    expect(two.tara.get_by_text("Casey Nguyen: not decided.")).to_be_visible()
    two.tara.get_by_role("button", name="No show Casey Nguyen").click()
    expect(two.tara.get_by_text("Casey Nguyen: a no show.")).to_be_visible()
    # And the way back into the room is still there.
    two.tara.get_by_role("button", name="Re-open the room").click()
    two.tara_goes_in()
    two.casey.get_by_role("button", name="Back to the waiting room").click()
    two.tara.get_by_role("button", name="Admit").click()
    two.assert_meet()


@pytest.mark.one_database
def test_a_browser_that_is_too_old_is_told_whom_to_call(server: Server, chromium: Browser) -> None:
    booked = book(server)
    context = chromium.new_context()
    context.add_cookies([booked.cookie("portal")])  # type: ignore[list-item]
    context.add_init_script("delete window.RTCPeerConnection")
    page = context.new_page()
    page.goto(booked.portal_room())
    expect(page.get_by_role("alert").get_by_text("your browser may be too old")).to_be_visible(
        timeout=20_000
    )
    expect(page.get_by_text("If video does not work, call us").first).to_be_visible()
    expect(page.get_by_role("link", name="416 555 0142").first).to_be_visible()
    context.close()


@pytest.mark.one_database
def test_a_session_that_is_cancelled_in_the_call_ends_with_words_on_both_sides(two: Two) -> None:
    two.meet()
    run(
        two.booked,
        IN_SCOPE
        + """
    from roost.video.services import close_room_of
    Appointment.objects.filter(pk=this.pk).update(cancelled_at=now())
    close_room_of(this, by=this.therapist.account)
""",
    )
    for page in (two.casey, two.tara):
        # By the next ping: another process has no way to reach the browsers sooner without Redis.
        expect(page.get_by_role("heading", name="This session was cancelled")).to_be_visible(
            timeout=20_000
        )
        expect(page.get_by_text("Its room is closed.")).to_be_visible()
