# ruff: noqa: E501 -- lines of JavaScript
"""Couples and families meet on video: each from a place of their own, admitted one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.journeys.test_looks import AXE_SCRIPT, DESK, assert_fits, assert_looks_right
from tests.support.browsers import (
    FAKE_SCREEN,
    SLOW_CAMERA,
    assert_sees_and_hears_all,
    figures,
    launch,
    signed_in,
    wait_for,
)
from tests.support.rooms import Booked, book, expect_waits
from tests.support.server import Server, serving

# What the database does for couples and families, tests/video/test_families.py asks of both.
pytestmark = [pytest.mark.one_database, pytest.mark.slow]

# Several browsers in one call want the whole machine.
SLOW = 60_000
# Where the sound of each other person comes out.
SINKS = "[...document.querySelectorAll('#stage .tile:not(.self) audio')].map((each) => each.sinkId)"
PEOPLE = [
    ("Casey", "Nguyen", "casey@client.example"),
    ("Noor", "Haddad", "noor@client.example"),
    ("Robin", "Parker", "robin@client.example"),
    ("Remy", "Parker", "remy@client.example"),
]


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


class Meeting:
    """A therapist's window and one for each client on one session."""

    def __init__(self, browser: Browser, booked: Booked, **options: Any) -> None:
        self.booked = booked
        self.complaints: list[str] = []
        self.contexts = [signed_in(browser, booked.cookie("office"), **options)]
        for number in range(len(booked.people)):
            self.contexts.append(signed_in(browser, booked.cookie("portal", number), **options))
        self.tara, *self.people = (context.new_page() for context in self.contexts)
        for page in (self.tara, *self.people):
            page.set_default_timeout(SLOW)
            page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def close(self) -> None:
        for context in self.contexts:
            context.close()

    def wait(self, *numbers: int) -> None:
        for number in numbers:
            page = self.people[number]
            page.goto(self.booked.portal_room(number))
            page.get_by_role("button", name="Go to the waiting room").click()
            expect_waits(page)

    def tara_goes_in(self) -> None:
        self.tara.goto(self.booked.office_room)
        self.tara.get_by_role("button", name="Go into the room").click()

    def assert_all_meet(self, *numbers: int) -> None:
        here = [self.tara, *(self.people[number] for number in numbers)]
        for page in here:
            assert_sees_and_hears_all(page, len(numbers))


@pytest.fixture
def meet(chromium: Browser, server: Server) -> Iterator[Any]:
    open_: list[Meeting] = []

    def make(people: int, **options: Any) -> Meeting:
        open_.append(Meeting(chromium, book(server, clients=PEOPLE[:people]), **options))
        return open_[-1]

    yield make
    for meeting in open_:
        meeting.close()
        assert meeting.complaints == []


def words_of(page: Page) -> list[str]:
    page.get_by_role("button", name="Safety", exact=True).click()
    expect(page.locator("#safety-list li")).to_have_count(4, timeout=SLOW)
    words = page.locator("#safety-list li").all_inner_texts()
    page.get_by_role("button", name="Close safety words").click()
    return words


def test_a_couple_is_admitted_one_by_one_and_all_three_meet(meet: Any) -> None:
    three = meet(2)
    casey, noor, tara = *three.people, three.tara
    three.wait(0, 1)
    three.tara_goes_in()
    tara.get_by_role("button", name="Admit Casey Nguyen").click()
    three.assert_all_meet(0)
    # Noor waits still, and has sent nothing, and knows of nobody.
    assert figures(noor)["sent"] == 0
    assert "Casey" not in noor.content()
    assert len(set(map(tuple, (words_of(casey), words_of(tara))))) == 1
    two_words = words_of(casey)
    tara.get_by_role("button", name="Admit Noor Haddad").click()
    three.assert_all_meet(0, 1)
    expect(casey.locator(".tile-caption", has_text="Noor")).to_be_visible()
    three_words = [words_of(page) for page in (tara, casey, noor)]
    assert three_words[0] == three_words[1] == three_words[2] != two_words

    noor.reload()
    three.assert_all_meet(0, 1)

    tara.get_by_role("button", name="Remove Casey Nguyen").click()
    closed = casey.get_by_role("heading", name="Tara has closed the room for you")
    expect(closed).to_be_visible(timeout=SLOW)
    three.assert_all_meet(1)
    casey.reload()
    expect(closed).to_be_visible(timeout=SLOW)
    expect(casey.get_by_role("button", name="Go to the waiting room")).to_have_count(0)


@pytest.mark.whole_machine
def test_four_meet_and_a_fifth_is_kept_waiting_in_words(meet: Any) -> None:
    four = meet(4)
    tara = four.tara
    four.wait(0, 1, 2)
    four.tara_goes_in()
    tara.get_by_role("button", name="Admit all").click()
    four.assert_all_meet(0, 1, 2)
    assert len({tuple(words_of(page)) for page in (tara, *four.people[:3])}) == 1
    four.wait(3)
    full = tara.get_by_text("Four people are in the call, and it carries no more")
    expect(full).to_be_visible(timeout=SLOW)
    # The words stand there by what the page knows; pressed all the same, the server refuses.
    tara.evaluate("document.getElementById('full').hidden = true")
    tara.get_by_role("button", name="Admit Remy Parker").click()
    expect(full).to_be_visible()
    tara.wait_for_timeout(1000)
    expect(tara.get_by_role("button", name="Admit Remy Parker")).to_be_visible()
    expect_waits(four.people[3])
    assert figures(four.people[3])["sent"] == 0
    four.people[0].get_by_role("button", name="Leave").click()
    expect(full).not_to_be_visible(timeout=SLOW)
    tara.get_by_role("button", name="Admit Remy Parker").click()
    four.assert_all_meet(1, 2, 3)


def test_who_is_declined_reads_kind_words_and_may_knock_again(meet: Any) -> None:
    two = meet(1)
    casey, tara = two.people[0], two.tara
    two.wait(0)
    two.tara_goes_in()
    tara.get_by_role("button", name="Decline Casey Nguyen").click()
    tara.get_by_role("button", name="Not now").click()
    expect(casey.get_by_role("heading", name="Tara can’t let you in just now")).to_be_visible(
        timeout=SLOW
    )
    expect(tara.get_by_role("button", name="Decline")).to_have_count(0, timeout=SLOW)
    casey.get_by_role("button", name="Knock again").click()
    tara.get_by_role("button", name="Decline Casey Nguyen").click()
    tara.get_by_role("button", name="Let them wait").click()
    tara.get_by_role("button", name="Admit Casey Nguyen").click()
    two.assert_all_meet(0)


def test_two_children_of_one_account_come_from_two_places(
    server: Server, chromium: Browser
) -> None:
    young = [("Robin", "Young", "young@client.example"), ("Remy", "Young", "young@client.example")]
    family = Meeting(chromium, book(server, clients=young, relationship="parent"))
    robin, remy = family.people
    try:
        robin.goto(family.booked.portal_room(0))
        who = robin.get_by_role("navigation", name="Who is joining here?")
        expect(who.get_by_role("link", name="Robin", exact=True)).to_have_attribute(
            "aria-current", "true"
        )
        remy.goto(family.booked.portal_room(0))
        remy.get_by_role("link", name="Remy", exact=True).click()
        expect(remy.get_by_label("Your name in the session")).to_have_value("Remy")
        for page in (robin, remy):
            page.get_by_role("button", name="Go to the waiting room").click()
            expect_waits(page)
        family.tara_goes_in()
        family.tara.get_by_role("button", name="Admit all").click()
        family.assert_all_meet(0, 1)
    finally:
        family.close()
    assert family.complaints == []


def test_what_can_be_done_in_a_call(meet: Any) -> None:
    two = meet(1)
    casey, tara = two.people[0], two.tara
    tara.add_init_script(FAKE_SCREEN)
    two.wait(0)
    two.tara_goes_in()
    tara.get_by_role("button", name="Admit Casey Nguyen").click()
    two.assert_all_meet(0)
    expect(tara.locator("#timer")).to_contain_text("minutes left", timeout=SLOW)
    expect(casey.get_by_text("line is good").first).to_be_visible(timeout=SLOW)

    # A screen instead of the camera, by key; the browser's or the page's own button ends it.
    tara.keyboard.press("s")
    expect(tara.get_by_text("Everybody in the call sees your screen").first).to_be_visible()
    expect(casey.locator(".tile-screen")).to_be_visible(timeout=SLOW)
    wide = "() => document.querySelector('.tile-screen video').videoWidth > 700"
    wait_for(lambda: bool(casey.evaluate(wide)), seconds=60)
    tara.get_by_role("button", name="Stop sharing").first.click()
    expect(casey.locator(".tile-screen")).to_have_count(0, timeout=SLOW)
    two.assert_all_meet(0)

    # Audio only stops pictures both ways, and one more press brings them back.
    casey.get_by_role("button", name="Audio only").click()
    expect(tara.get_by_text("Casey is on audio only")).to_be_visible(timeout=SLOW)
    expect(casey.get_by_text("Audio only: pictures rest")).to_be_visible()
    frames = wait_until_still(casey)
    sound = figures(casey)["audio"]
    wait_for(lambda: figures(casey)["audio"] > sound, seconds=30)
    assert figures(casey)["frames"] == frames
    casey.get_by_role("button", name="Audio only").click()
    two.assert_all_meet(0)

    # Another camera and microphone, in the middle of the call.
    casey.get_by_role("button", name="More").click()
    before = casey.evaluate(
        "() => document.querySelector('#self video').srcObject.getTracks().map(t => t.id)"
    )
    for label in ("Camera", "Microphone"):
        picker = casey.get_by_role("combobox", name=label)
        choices = picker.locator("option")
        expect(choices.last).to_have_text(re.compile("fake", re.I), timeout=SLOW)
        picker.select_option(index=choices.count() - 1, force=True)
        picker.dispatch_event("change")
    after = "() => document.querySelector('#self video').srcObject.getTracks().map(t => t.id)"
    wait_for(lambda: not set(before) & set(casey.evaluate(after)), seconds=30)
    casey.get_by_role("button", name="Hide your own picture").click()
    expect(casey.locator("#self")).not_to_be_visible()
    casey.keyboard.press("Escape")
    expect(casey.get_by_role("heading", name="More")).not_to_be_visible()
    two.assert_all_meet(0)

    # Another loudspeaker, which is the one after a reload, too.
    casey.get_by_role("button", name="More").click()
    speaker = casey.get_by_role("combobox", name="Speaker")
    speaker.select_option(label="Fake Audio Output 2")
    chosen = speaker.input_value()
    casey.keyboard.press("Escape")
    assert chosen
    wait_for(lambda: casey.evaluate(SINKS) == [chosen], seconds=10)
    casey.reload()
    two.assert_all_meet(0)
    wait_for(lambda: casey.evaluate(SINKS) == [chosen], seconds=10)
    casey.get_by_role("button", name="More").click()
    expect(speaker).to_have_value(chosen)
    casey.keyboard.press("Escape")

    # Each thing by its key; and none by accident once keys are off.
    casey.keyboard.press("m")
    expect(tara.get_by_text("Casey, muted")).to_be_visible(timeout=SLOW)
    casey.keyboard.press("m")
    casey.keyboard.press("v")
    expect(tara.get_by_text("Casey’s camera is off")).to_be_visible(timeout=SLOW)
    casey.keyboard.press("v")
    casey.keyboard.press("h")
    expect(casey.locator("#self")).to_be_visible()
    casey.keyboard.press("w")
    expect(casey.get_by_role("heading", name="Safety words")).to_be_focused()
    casey.keyboard.press("?")
    expect(casey.get_by_role("heading", name="More")).to_be_focused()
    casey.get_by_label("Use these keys").uncheck()
    casey.keyboard.press("h")
    expect(casey.locator("#self")).to_be_visible()
    casey.keyboard.press("Escape")
    expect(casey.get_by_role("button", name="More")).to_be_focused()
    two.assert_all_meet(0)


def test_full_screen_picture_in_picture_and_who_remembers(meet: Any) -> None:
    two = meet(1)
    casey = two.people[0]
    two.wait(0)
    two.tara_goes_in()
    two.tara.get_by_role("button", name="Admit Casey Nguyen").click()
    two.assert_all_meet(0)
    for key, element in (("f", "fullscreenElement"), ("p", "pictureInPictureElement")):
        casey.keyboard.press(key)
        wait_for(lambda what=element: bool(casey.evaluate(f"!!document.{what}")), seconds=30)
        casey.keyboard.press(key)
        wait_for(lambda what=element: not casey.evaluate(f"!!document.{what}"), seconds=30)
    # What was chosen holds through a reload: no own picture, none of the others', and no keys.
    casey.keyboard.press("h")
    casey.keyboard.press("a")
    expect(two.tara.get_by_text("Casey is on audio only")).to_be_visible(timeout=SLOW)
    casey.get_by_role("button", name="More").click()
    casey.get_by_label("Use these keys").uncheck()
    casey.reload()
    expect(two.tara.get_by_text("Casey is on audio only")).to_be_visible(timeout=SLOW)
    expect(casey.get_by_text("Audio only: pictures rest")).to_be_visible(timeout=SLOW)
    expect(casey.locator("#self")).not_to_be_visible()
    casey.keyboard.press("m")
    expect(casey.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "false")


def wait_until_still(page: Page) -> int:
    """Wait until no frame comes any more; how many have come."""
    last = -1

    def is_still() -> bool:
        nonlocal last
        page.wait_for_timeout(1500)
        last, before = figures(page)["frames"], last
        return last == before

    wait_for(is_still, seconds=60)
    return last


LOSE = """const real = RTCPeerConnection.prototype.getStats;
window.__loss = 0;
RTCPeerConnection.prototype.getStats = async function (...args) {
  const reports = new Map(await real.apply(this, args));
  if (!window.__loss) return reports;
  for (const [id, report] of reports) {
    if (report.type === "remote-inbound-rtp") reports.set(id, { ...report, fractionLost: window.__loss });
  }
  return reports;
};"""


@pytest.mark.whole_machine
def test_a_line_that_loses_loses_its_picture_and_never_its_sound(meet: Any) -> None:
    two = meet(1)
    casey, tara = two.people[0], two.tara
    casey.add_init_script(LOSE)
    two.wait(0)
    two.tara_goes_in()
    tara.get_by_role("button", name="Admit Casey Nguyen").click()
    two.assert_all_meet(0)
    casey.evaluate("window.__loss = 0.2")
    light = casey.locator(".light-bad")
    expect(light).to_have_attribute(
        "title", "Line is weak: a lot gets lost on the way.", timeout=SLOW
    )
    expect(casey.get_by_text("so Tara Okafor sees you smaller for now")).to_be_visible(timeout=SLOW)
    gone = tara.get_by_text("The line to Casey is too weak for a picture just now")
    expect(gone).to_be_visible(timeout=SLOW)
    wait_until_still(tara)
    sound = figures(tara)["audio"]
    wait_for(lambda: figures(tara)["audio"] > sound, seconds=30)
    # Tara's own picture goes on: her line says nothing of loss.
    assert_sees_and_hears_all(casey, 1)
    casey.evaluate("window.__loss = 0")
    expect(gone).not_to_be_visible(timeout=SLOW)
    two.assert_all_meet(0)


@pytest.mark.whole_machine
def test_each_state_looks_right_with_three_and_four(meet: Any) -> None:
    four = meet(3, reduced_motion="reduce", viewport=DESK)
    tara, casey, noor, robin = four.tara, *four.people
    for context in four.contexts:
        context.add_init_script(AXE_SCRIPT)
    four.wait(0, 1)
    four.tara_goes_in()
    expect(tara.get_by_role("button", name="Admit all")).to_be_visible(timeout=SLOW)
    assert_looks_right(tara)
    tara.get_by_role("button", name="Decline Casey Nguyen").click()
    assert_looks_right(tara)
    tara.get_by_role("button", name="Not now").click()
    expect(casey.get_by_role("button", name="Knock again")).to_be_visible(timeout=SLOW)
    assert_looks_right(casey)
    casey.get_by_role("button", name="Knock again").click()
    tara.get_by_role("button", name="Admit all").click()
    four.assert_all_meet(0, 1)
    for page in (tara, noor):
        assert_looks_right(page)
        assert_lies_down(page)
    tara.set_viewport_size(DESK)
    four.wait(2)
    tara.get_by_role("button", name="Admit Robin Parker").click()
    four.assert_all_meet(0, 1, 2)
    for page in (tara, robin):
        assert_looks_right(page)
        assert_lies_down(page)
    robin.get_by_role("button", name="Safety", exact=True).click()
    assert_lies_down(robin)
    robin.get_by_role("button", name="Audio only").click()
    assert_looks_right(robin)


def assert_lies_down(page: Page) -> None:
    """A phone on its side: nothing is cut off, and every control is in view."""
    page.set_viewport_size({"width": 844, "height": 390})
    assert_fits(page)
    below = """() => [...document.querySelectorAll(".controls button")].filter((each) => {
      const box = each.getBoundingClientRect();
      return box.bottom > innerHeight + 1 || box.right > innerWidth + 1 || box.height < 44;
    }).map((each) => each.innerText)"""
    assert page.evaluate(below) == []
    pictures = "() => Math.min(...[...document.querySelectorAll('#stage .tile')].map((each) => each.clientHeight))"
    assert page.evaluate(pictures) > 80


@pytest.mark.parametrize("door", ["portal", "office"])
def test_the_rooms_page_is_light(server: Server, chromium: Browser, door: str) -> None:
    """All that comes over the line on a first visit of the room, with its headers: for a client
    from the link into the waiting room with nothing kept from before; a therapist has been at
    Today."""
    booked = book(server)
    context = signed_in(chromium, booked.cookie(door))
    page = context.new_page()
    page.set_default_timeout(SLOW)
    if door == "office":
        page.goto(f"{booked.office}/today/", wait_until="networkidle")
    received: dict[str, float] = {}
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.on(
        "Network.loadingFinished",
        lambda event: received.update({event["requestId"]: event["encodedDataLength"]}),
    )
    page.goto(booked.portal_room() if door == "portal" else booked.office_room)
    expect(page.get_by_label("Camera", exact=True)).to_contain_text("fake", timeout=SLOW)
    page.get_by_role("button", name="Go ").click()
    expect(page.locator("#view-waiting:visible, #view-call:visible")).to_be_visible(timeout=SLOW)
    page.wait_for_load_state("networkidle")
    context.close()
    assert 30_000 < sum(received.values()) <= 80 * 1024
