# ruff: noqa: E501 -- lines of JavaScript
"""What the room says of itself while something is wrong: it stands where it can be read, is true,
and goes away again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, Route, expect

from tests.journeys.test_family_call import SINKS
from tests.journeys.test_looks import AXE_SCRIPT, assert_looks_right
from tests.journeys.test_video_call import WATCH_VIEWS
from tests.support.browsers import (
    SLOW_CAMERA,
    assert_sees_and_hears,
    figures,
    launch,
    signed_in,
    wait_for,
)
from tests.support.rooms import Booked, book, expect_waits
from tests.support.server import Server, serving

pytestmark = [pytest.mark.one_database, pytest.mark.slow]

SLOW = 15_000
PHONE = {"width": 360, "height": 740}
TOLD = "Tara has been told you’re here"
UNTOLD = "You’re in the waiting room. Tara’s page will say so once it’s open."
CALL_US = "call the practice at 416 555 0142"

# What the browser is asked for, and whether it gives it: `window.refused` names kinds.
DEVICES = """
window.refused = [];
window.given = [];
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  if (window.refused.some((kind) => wanted[kind])) throw new DOMException("Permission denied", "NotAllowedError");
  await window.question;
  const stream = await open(wanted);
  window.given.push(...stream.getTracks());
  return stream;
};
"""
# How many lines the words of an element take.
LINES = """(box) => {
  const words = document.createRange();
  words.selectNodeContents(box);
  return new Set([...words.getClientRects()].map(({ top }) => Math.round(top))).size;
}"""
# The screen's wake lock, which a browser without a screen does not give.
AWAKE = """
window.awake = { asked: 0, held: 0 };
Object.defineProperty(navigator, "wakeLock", { value: { async request(what) {
  window.awake.asked += 1;
  window.awake.held += 1;
  const lock = { released: false, async release() { if (!lock.released) window.awake.held -= 1; lock.released = true; } };
  window.awake.lock = lock;
  return lock;
} } });
"""
# Each note of a chime, as the page plays it.
NOTES = """
window.notes = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...args) { window.notes += 1; return start.apply(this, args); };
"""
# What is asked for when the page is loaded again, and in any other room.
KEPT = """() => {
  const room = Object.keys(sessionStorage).find((key) => key.startsWith("room "));
  return [JSON.parse(sessionStorage[room]).microphone, JSON.parse(localStorage.devices).audio];
}"""
# Which loudspeakers sound is led to.
LED_TO = """
window.led = [];
const lead = HTMLMediaElement.prototype.setSinkId;
HTMLMediaElement.prototype.setSinkId = function (id) { window.led.push(id); return lead.call(this, id); };
"""
# Browsers let no page make a sound before a press on it; to one that is driven, all is a press.
NO_SOUND_BEFORE_A_PRESS = """
let isPressed = false;
addEventListener("pointerdown", () => { isPressed = true; }, true);
window.AudioContext = class extends AudioContext {
  constructor() { super(); addEventListener("pointerdown", () => this.dispatchEvent(new Event("statechange"))); }
  get state() { return isPressed ? super.state : "suspended"; }
};
"""


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


class Two:
    """A therapist's and a client's window on one session."""

    def __init__(self, browser: Browser, booked: Booked) -> None:
        self.booked = booked
        self.complaints: list[str] = []
        self.contexts = [
            signed_in(browser, booked.cookie("office")),
            signed_in(browser, booked.cookie("portal"), viewport=PHONE),
        ]
        for context in self.contexts:
            for script in (DEVICES, AWAKE, NOTES, AXE_SCRIPT):
                context.add_init_script(script)
        self.tara, self.casey = (context.new_page() for context in self.contexts)
        for page in (self.tara, self.casey):
            page.set_default_timeout(SLOW)
            page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def casey_waits(self, *, by: str = "Go to the waiting room") -> None:
        self.casey.goto(self.booked.portal_room())
        self.casey.get_by_role("button", name=by).click()
        expect_waits(self.casey)

    def nobody_waits(self) -> None:
        """Whoever waited in an earlier test has gone from her screen."""
        self.tara.goto(f"{self.booked.office}/clients/")
        expect(self.tara.locator(".knock")).to_have_count(0, timeout=30_000)

    def no_office_is_open(self) -> None:
        """Tara looks at the practice's other door."""
        self.tara.goto(f"{self.booked.portal}/log-in/")

    def tara_goes_in(self) -> None:
        self.tara.goto(self.booked.office_room)
        self.tara.get_by_role("button", name="Go into the room").click()

    def meet(self) -> None:
        self.casey_waits()
        self.tara_goes_in()
        self.tara.get_by_role("button", name="Admit").click()
        self.assert_meet()

    def assert_meet(self) -> None:
        assert_sees_and_hears(self.casey)
        assert_sees_and_hears(self.tara)


@pytest.fixture
def two(server: Server, chromium: Browser) -> Iterator[Two]:
    pair = Two(chromium, book(server))
    yield pair
    if server.process is None:
        server.start()
    for context in pair.contexts:
        context.close()
    assert pair.complaints == []


def said(page: Page) -> Any:
    """What is told to who does not see the page change."""
    return page.locator("#said")


def test_a_dropped_line_is_told_in_the_waiting_room_too(two: Two, server: Server) -> None:
    two.casey_waits()
    server.kill()
    told = two.casey.locator("#told")
    expect(told).to_have_text("Your line dropped and is being mended. There is nothing to do.")
    expect(
        two.casey.locator(".waiting-foot").get_by_text("Our number is 416 555 0142")
    ).to_be_visible()
    server.start()
    expect(told).to_have_text(UNTOLD, timeout=20_000)

    two.tara_goes_in()
    two.tara.get_by_role("button", name="Admit").click()
    two.assert_meet()
    remove = two.tara.get_by_role("button", name="Remove")
    place = remove.bounding_box()
    server.kill()
    dropped = two.casey.get_by_text("Your line dropped and is being mended. The call goes on")
    expect(dropped).to_contain_text(CALL_US)
    number = dropped.get_by_role("link", name="416 555 0142")
    expect(number).to_have_attribute("href", "tel:+1-416-555-0142")
    # Hers is the practice.
    expect(two.tara.get_by_text("Your line dropped")).not_to_contain_text("call the practice")

    # What cannot be done now is said, and is not done later by itself.
    undone = two.tara.get_by_text("Your line was down, so that was not done. Press again")
    two.tara.get_by_role("button", name="End session").click()
    two.tara.get_by_role("button", name="End it now").click()
    expect(undone).to_be_visible()
    # Whatever there is to say, it moves nothing from under a press.
    assert remove.bounding_box() == place
    server.start()
    for page in (two.casey, two.tara):
        expect(page.locator("#call-status")).to_have_text("", timeout=20_000)
    two.assert_meet()
    remove.click()
    expect(undone).to_have_count(0)
    expect(two.casey.get_by_role("heading", name="Tara has closed the room")).to_be_visible()


def test_who_leaves_while_the_line_is_down_has_left_once_it_is_back(
    two: Two, server: Server
) -> None:
    two.meet()
    server.kill()
    expect(two.casey.get_by_text("Your line dropped")).to_be_visible()
    two.casey.get_by_role("button", name="Leave").click()
    gone = two.casey.get_by_role("heading", name="You have left the session")
    expect(gone).to_be_visible()
    server.start()
    expect(two.tara.get_by_text("Nobody else is here yet")).to_be_visible(timeout=20_000)
    expect(gone).to_be_visible()
    # They have said it twice by now, and were in the call when they said it first.
    two.casey.evaluate(WATCH_VIEWS)
    two.casey.get_by_role("button", name="Return to session").click()
    two.assert_meet()
    assert two.casey.evaluate("window.__shown") == ["view-over", "view-call"]

    # Whoever has thought better of it meanwhile has not left.
    server.kill()
    expect(two.casey.get_by_text("Your line dropped")).to_be_visible()
    two.casey.get_by_role("button", name="Leave").click()
    two.casey.get_by_role("button", name="Return to session").click()
    server.start()
    two.assert_meet()


def test_a_client_reads_that_the_therapist_is_told_once_a_page_of_hers_has_shown_it(
    two: Two,
) -> None:
    tara, casey = two.tara, two.casey
    told = casey.locator("#told")
    two.nobody_waits()
    two.no_office_is_open()
    two.casey_waits()
    expect(told).to_have_text(UNTOLD)
    assert_looks_right(casey)
    # What stands below stays where it is, with one line of words as with two.
    heading = casey.get_by_role("heading", level=1)
    place, lines = heading.bounding_box(), told.evaluate(LINES)
    tara.goto(f"{two.booked.office}/clients/")
    expect(told).to_have_text(TOLD)
    assert (lines, told.evaluate(LINES)) == (2, 1)
    assert heading.bounding_box() == place
    two.no_office_is_open()
    casey.reload()
    expect_waits(casey)
    expect(told).to_have_text(TOLD)

    # Whoever waits anew is told of anew: by the room's own page too.
    casey.get_by_role("button", name="Leave the waiting room").click()
    casey.get_by_role("button", name="Return to session").click()
    expect(told).to_have_text(UNTOLD)
    tara.goto(two.booked.office_room)
    expect(told).to_have_text(TOLD)
    casey.get_by_role("button", name="Leave the waiting room").click()
    tara.get_by_role("button", name="Go into the room").click()
    casey.get_by_role("button", name="Return to session").click()
    expect(tara.get_by_role("button", name="Admit")).to_be_visible()
    expect(told).to_have_text(TOLD)


# What the open sockets of a page say from now on is lost, and they do not know it; new ones work.
DEAD_WITHOUT_KNOWING = """() => {
  const Socket = window.WebSocket, send = Socket.prototype.send, fresh = new WeakSet();
  window.WebSocket = class extends Socket { constructor(...a) { super(...a); fresh.add(this); } };
  Socket.prototype.send = function (text) { if (fresh.has(this)) send.call(this, text); };
}"""


def test_what_was_said_to_a_line_that_is_dead_without_knowing_is_told_soon(two: Two) -> None:
    """A phone that has changed networks: by itself the line is found out after up to 15 seconds."""
    two.casey_waits()
    two.tara_goes_in()
    two.tara.get_by_role("button", name="Admit").click()
    two.assert_meet()
    two.tara.evaluate(DEAD_WITHOUT_KNOWING)
    two.tara.get_by_role("button", name="Remove").click()
    unsure = two.tara.get_by_text("Your line dropped just then. If that was not done, press again.")
    expect(unsure).to_be_visible(timeout=15_000)
    # It is back by itself, and what is said now is done.
    expect(two.tara.locator("#call-status")).to_have_text("", timeout=10_000)
    two.assert_meet()
    two.tara.get_by_role("button", name="End session").click()
    two.tara.get_by_role("button", name="End it now").click()
    expect(two.casey.get_by_role("heading", name="Your session has ended")).to_be_visible()


def test_who_leaves_on_a_line_that_is_dead_without_knowing_has_left_all_the_same(two: Two) -> None:
    two.meet()
    two.casey.evaluate(DEAD_WITHOUT_KNOWING)
    two.casey.get_by_role("button", name="Leave").click()
    gone = two.casey.get_by_role("heading", name="You have left the session")
    expect(gone).to_be_visible()
    expect(two.tara.get_by_text("Nobody else is here yet")).to_be_visible(timeout=15_000)
    expect(two.tara.get_by_role("button", name="Remove")).not_to_be_visible()
    expect(gone).to_be_visible()
    two.casey.get_by_role("button", name="Return to session").click()
    two.assert_meet()


def test_a_microphone_that_is_refused_is_told_where_it_is_pressed(two: Two) -> None:
    two.casey_waits(by="Just listen")
    casey = two.casey
    casey.evaluate("window.refused = ['audio', 'video']")
    blocked = casey.get_by_text("The browser blocks your microphone")
    casey.locator("#view-waiting").get_by_role("button", name="Mute").click()
    expect(blocked).to_be_visible()
    expect(said(casey)).to_have_text("You can’t be heard: the microphone did not start")
    assert_looks_right(casey)
    casey.get_by_role("button", name="Go on without it").click()
    expect(blocked).to_have_count(0)
    expect(casey.locator("#waiting-title")).to_be_focused()

    two.tara_goes_in()
    two.tara.get_by_role("button", name="Admit").click()
    assert_sees_and_hears(casey)
    call = casey.locator("#view-call")
    call.get_by_role("button", name="Mute").click()
    expect(blocked).to_be_visible()
    expect(call).to_contain_text(CALL_US)
    call.get_by_role("button", name="Camera off").click()
    both = casey.get_by_text("The browser blocks your camera and microphone")
    expect(both).to_be_visible()
    expect(said(casey)).to_have_text("Your camera did not start")
    assert_looks_right(casey)
    casey.evaluate("window.refused = []")
    casey.get_by_role("button", name="Try again").focus()
    casey.keyboard.press("Enter")
    expect(both).to_have_count(0)
    expect(casey.locator("#call-title")).to_be_focused()
    two.assert_meet()


def test_what_is_allowed_after_the_end_is_switched_off_again(two: Two) -> None:
    two.casey_waits()
    casey = two.casey
    call = "document.querySelector('#view-waiting [data-do=camera]')"
    casey.evaluate(f"{call}.click()")
    casey.evaluate("void (window.question = new Promise((done) => { window.allow = done; }))")
    casey.evaluate(f"{call}.click()")
    casey.get_by_role("button", name="Leave the waiting room").click()
    expect(casey.get_by_role("heading", name="You have left the session")).to_be_visible()
    before = casey.evaluate("window.given.length")
    casey.evaluate("window.allow(); window.question = null")
    wait_for(lambda: casey.evaluate("window.given.length") > before)
    casey.wait_for_timeout(200)
    assert set(casey.evaluate("window.given.map((track) => track.readyState)")) == {"ended"}
    # Whoever comes back has them again.
    casey.get_by_role("button", name="Return to session").click()
    expect_waits(casey)
    wait_for(lambda: "live" in casey.evaluate("window.given.map((track) => track.readyState)"))


def test_the_screen_stays_on_from_the_waiting_room_to_the_end(two: Two) -> None:
    casey = two.casey
    casey.goto(two.booked.portal_room())
    expect(casey.get_by_role("button", name="Go to the waiting room")).to_be_enabled()
    assert casey.evaluate("window.awake.held") == 0
    casey.get_by_role("button", name="Go to the waiting room").click()
    wait_for(lambda: casey.evaluate("window.awake.held") == 1)
    # The browser takes it away with each look elsewhere.
    casey.evaluate("window.awake.lock.release()")
    casey.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    wait_for(lambda: casey.evaluate("window.awake.held") == 1)
    two.tara_goes_in()
    two.tara.get_by_role("button", name="Admit").click()
    two.assert_meet()
    assert casey.evaluate("window.awake") | {"lock": 0} == {"asked": 2, "held": 1, "lock": 0}
    casey.get_by_role("button", name="Leave").click()
    wait_for(lambda: casey.evaluate("window.awake.held") == 0)


def test_nothing_moves_from_under_a_press_when_somebody_knocks(two: Two) -> None:
    tara = two.tara
    two.nobody_waits()
    tara.goto(two.booked.office_room)
    enter = tara.get_by_role("button", name="Go into the room")
    place = enter.bounding_box()
    two.casey_waits()
    expect(tara.locator("#view-check").get_by_text("Casey is waiting")).to_be_visible()
    # To a hundredth of a pixel the browser may round it otherwise.
    assert enter.bounding_box() == pytest.approx(place, abs=0.1)

    two.casey.get_by_role("button", name="Leave the waiting room").click()
    two.nobody_waits()
    tara.goto(f"{two.booked.office}/today/")
    arrival = tara.get_by_role("heading", name="Casey Nguyen is in your waiting room")
    link = tara.locator("#main a").last
    link.hover()
    # Ready to be pressed: a press counts as one for a second.
    two.casey.goto(two.booked.portal_room())
    ready = two.casey.get_by_role("button", name="Go to the waiting room")
    ready.hover()
    tara.mouse.down()
    place = link.bounding_box()
    two.casey.mouse.down()
    two.casey.mouse.up()
    tara.wait_for_timeout(500)
    assert link.bounding_box() == place
    expect(arrival).not_to_be_visible()
    tara.mouse.move(0, 0)
    tara.mouse.up()
    expect(arrival).to_be_visible()


def test_a_loudspeaker_is_tried_before_and_devices_are_changed_while_waiting(two: Two) -> None:
    casey = two.casey
    casey.add_init_script(LED_TO)
    casey.goto(two.booked.portal_room())
    speaker, microphone, camera = (
        casey.get_by_role("combobox", name=name) for name in ("Speaker", "Microphone", "Camera")
    )
    speaker.select_option(label="Fake Audio Output 2")
    chosen = speaker.input_value()
    casey.evaluate("window.led = []")
    casey.get_by_role("button", name="Play").click()
    expect(casey.get_by_text("Three tones are playing. If you hear none, turn")).to_be_visible()
    wait_for(lambda: casey.evaluate("window.notes") == 3)
    assert casey.evaluate("window.led") == [chosen]

    casey.get_by_role("button", name="Go to the waiting room").click()
    expect_waits(casey)
    expect(microphone).to_have_count(0)
    gear = casey.get_by_role("button", name="Choose camera, microphone and speaker")
    gear.click()
    expect(gear).to_have_attribute("aria-expanded", "true")
    # Nothing of before is said here, and no “We can hear you”.
    expect(casey.locator("#play-words")).to_be_empty()
    expect(casey.locator("#level-words")).to_have_text("Your microphone works.", timeout=SLOW)
    expect(speaker).to_have_value(chosen)
    assert_looks_right(casey)
    microphone.select_option(label="Fake Audio Input 2")
    wait_for(lambda: bool(casey.evaluate("JSON.parse(localStorage.devices).audio")))
    mute = casey.locator("#view-waiting").get_by_role("button", name="Mute")
    mute.click()
    expect(casey.locator("#level-words")).to_have_text("You are muted.")
    mute.click()
    gear.click()
    expect(microphone).to_have_count(0)
    gear.click()

    two.tara_goes_in()
    two.tara.get_by_role("button", name="Admit").click()
    two.assert_meet()
    casey.get_by_role("button", name="More").click()
    expect(microphone.locator("option:checked")).to_have_text("Fake Audio Input 2")
    expect(camera).to_be_enabled()
    expect(speaker).to_have_value(chosen)
    assert casey.evaluate(SINKS) == [chosen]

    # What could not be had is not asked for after a reload either.
    kept = casey.evaluate(KEPT)
    casey.evaluate("window.refused = ['audio']")
    microphone.select_option(label="Fake Audio Input 1")
    expect(microphone.locator("option:checked")).to_have_text("Fake Audio Input 2")
    assert casey.evaluate(KEPT) == kept
    casey.evaluate("window.refused = []")

    # Waiting again, the list stands where it was opened for that.
    two.tara.get_by_role("button", name="End session").click()
    two.tara.get_by_role("button", name="End it now").click()
    casey.get_by_role("button", name="Back to the waiting room").click()
    expect_waits(casey)
    expect(gear).to_have_attribute("aria-expanded", "true")
    expect(
        casey.locator("#waiting-pickers").get_by_role("combobox", name="Microphone")
    ).to_be_visible()
    expect(microphone.locator("option:checked")).to_have_text("Fake Audio Input 2")


def test_the_way_back_stays_where_it_is_when_what_follows_arrives(two: Two) -> None:
    two.meet()
    slow = list[Route]()
    two.casey.route("**/after/", lambda route: slow.append(route))
    two.casey.get_by_role("button", name="Leave").click()
    back = two.casey.get_by_role("button", name="Return to session")
    expect(back).to_be_visible()
    place = back.bounding_box()
    wait_for(lambda: bool(two.casey.evaluate("1")) and bool(slow))  # Events come with an answer.
    slow[0].continue_()
    expect(two.casey.get_by_role("heading", name="Your next session")).to_be_visible()
    assert back.bounding_box() == place


def test_a_client_who_arrives_is_heard_and_seen_in_the_room(two: Two) -> None:
    tara, casey = two.tara, two.casey
    two.nobody_waits()
    tara.goto(two.booked.office_room)
    two.casey_waits()
    # In the device check, before she is in.
    knock = tara.locator("#view-check").get_by_role("link", name="Casey is waiting")
    expect(knock).to_be_visible()
    expect(tara).to_have_title("(1) Session – Maple Counselling")
    knock.click()
    expect(tara.get_by_role("button", name="Go into the room")).to_be_focused()
    tara.evaluate("history.replaceState(null, '', location.pathname)")
    casey.get_by_role("button", name="Leave the waiting room").click()
    expect(knock).to_have_count(0)
    tara.get_by_role("button", name="Go into the room").click()
    expect(tara.get_by_text("Nobody else is here yet")).to_be_visible()

    # In the room, where she may look at another window.
    before = tara.evaluate("window.notes")
    casey.get_by_role("button", name="Return to session").click()
    expect(tara).to_have_title("(1) Session – Maple Counselling")
    wait_for(lambda: tara.evaluate("window.notes") == before + 2)
    expect(tara.locator("#view-call .knock")).to_have_count(0)
    tara.get_by_role("button", name="Admit").click()
    two.assert_meet()
    expect(tara).to_have_title("Session – Maple Counselling")

    # With somebody in the call it is told without a sound, and opens beside the call.
    other = book(two.booked.server, clients=[("Noor", "Haddad", "noor@client.example")])
    context = signed_in(casey.context.browser, other.cookie("portal"))
    noor = context.new_page()
    noor.goto(other.portal_room())
    noor.get_by_role("button", name="Go to the waiting room").click()
    expect(tara.get_by_role("link", name="Noor is waiting")).to_be_visible()
    assert tara.evaluate("window.notes") == before + 2
    with tara.context.expect_page() as opened:
        tara.get_by_role("link", name="Noor is waiting").click()
    expect(opened.value.get_by_role("button", name="Go into the room")).to_be_enabled()
    two.assert_meet()
    context.close()


def test_the_knock_is_on_the_pages_around_a_call_too(two: Two) -> None:
    tara = two.tara
    banner = tara.get_by_role("banner")
    two.nobody_waits()
    tara.goto(f"{two.booked.office}/rehearse/")
    heading = tara.get_by_role("heading", name="Test camera and sound")
    place = heading.bounding_box()
    two.casey_waits()
    expect(banner.get_by_role("link", name="Casey is waiting")).to_be_visible()
    expect(tara).to_have_title("(1) Test camera and sound – Maple Counselling")
    assert heading.bounding_box() == place
    expect(two.casey.locator("#told")).to_have_text(TOLD)
    tara.emulate_media(reduced_motion="reduce")
    assert_looks_right(tara)

    # After the call it leads into the other room; nobody is told of twice in the device check.
    two.tara_goes_in()
    tara.get_by_role("button", name="Admit").click()
    two.assert_meet()
    tara.get_by_role("button", name="Leave").click()
    expect(tara.get_by_role("heading", name="You have left the session")).to_be_visible()
    other = book(two.booked.server, clients=[("Noor", "Haddad", "noor@client.example")])
    context = signed_in(two.casey.context.browser, other.cookie("portal"))
    noor = context.new_page()
    noor.goto(other.portal_room())
    noor.get_by_role("button", name="Go to the waiting room").click()
    knock = tara.get_by_role("link", name="Noor is waiting")
    expect(banner.locator(knock)).to_be_visible()
    expect(noor.locator("#told")).to_have_text(TOLD)
    tara.reload()
    expect(knock).to_be_visible()
    expect(knock).to_have_count(1)

    # The room that she has ended, and can open again.
    tara.get_by_role("button", name="Return to session").click()
    tara.get_by_role("button", name="End session").click()
    tara.get_by_role("button", name="End it now").click()
    expect(tara.get_by_role("heading", name="You ended this session")).to_be_visible()
    tara.reload()
    expect(tara.get_by_role("button", name="Re-open the room")).to_be_visible()
    expect(banner.locator(knock)).to_be_visible()
    context.close()


def test_after_a_call_the_knock_of_who_comes_back_leads_to_the_door(two: Two) -> None:
    two.meet()
    two.tara.get_by_role("button", name="Leave").click()
    expect(two.tara.get_by_role("heading", name="You have left the session")).to_be_visible()
    two.casey.locator("#view-call").get_by_role("button", name="Leave").click()
    two.casey.get_by_role("button", name="Return to session").click()
    expect_waits(two.casey)
    two.tara.get_by_role("link", name="Casey is waiting").click()
    check = two.tara.locator("#view-check")
    check.get_by_role("button", name="Return to session").click()
    two.assert_meet()


def test_who_knocks_is_heard_on_every_page_of_the_office(two: Two) -> None:
    tara, casey = two.tara, two.casey
    tara.add_init_script(NO_SOUND_BEFORE_A_PRESS)
    knock = tara.get_by_role("link", name="Casey is waiting")
    two.nobody_waits()
    two.casey_waits()
    expect(knock).to_be_visible()
    # The first press on the page allows the sound that is due.
    assert tara.evaluate("window.notes") == 0
    tara.get_by_role("heading", name="Clients", exact=True).click()
    wait_for(lambda: tara.evaluate("window.notes") == 2)
    casey.get_by_role("button", name="Leave the waiting room").click()
    expect(knock).to_have_count(0)
    casey.get_by_role("button", name="Return to session").click()
    wait_for(lambda: tara.evaluate("window.notes") == 4)
    tara.get_by_role("heading", name="Clients", exact=True).click()
    tara.wait_for_timeout(300)
    assert tara.evaluate("window.notes") == 4

    # Whoever has gone again by the first press is not rung for.
    casey.get_by_role("button", name="Leave the waiting room").click()
    expect(knock).to_have_count(0)
    tara.reload()
    casey.get_by_role("button", name="Return to session").click()
    expect(knock).to_be_visible()
    casey.get_by_role("button", name="Leave the waiting room").click()
    expect(knock).to_have_count(0)
    tara.get_by_role("heading", name="Clients", exact=True).click()
    tara.wait_for_timeout(300)
    assert tara.evaluate("window.notes") == 0


def test_a_wish_to_admit_that_found_nobody_does_not_stay(two: Two) -> None:
    tara, casey = two.tara, two.casey
    two.nobody_waits()
    two.casey_waits()
    asked = tara.get_by_role("link", name="Casey is waiting").get_attribute("href") or ""
    assert "#admit=" in asked
    casey.get_by_role("button", name="Leave the waiting room").click()
    expect(tara.get_by_role("link", name="Casey is waiting")).to_have_count(0, timeout=SLOW)
    tara.goto(f"{two.booked.server.origin}{asked}")
    tara.get_by_role("button", name="Go into the room").click()
    expect(tara.get_by_text("Nobody else is here yet")).to_be_visible()
    wait_for(lambda: tara.evaluate("location.hash") == "", seconds=30)
    casey.get_by_role("button", name="Return to session").click()
    expect(tara.get_by_role("button", name="Admit")).to_be_visible()
    tara.wait_for_timeout(1500)
    expect(tara.get_by_role("button", name="Admit")).to_be_visible()
    expect(casey.locator("#view-waiting")).to_be_visible()


# -- a camera that is slow, unanswered, or off ------------------------------------------------------


def test_who_leaves_the_browsers_question_unanswered_is_in_after_three_seconds(two: Two) -> None:
    casey = two.casey
    casey.add_init_script("window.question = new Promise((done) => { window.allow = done; });")
    two.casey_waits()
    two.tara_goes_in()
    two.tara.get_by_role("button", name="Admit").click()
    wait_for(lambda: figures(casey)["frames"] > 5, seconds=30)
    assert casey.evaluate("window.given.length") == 0
    expect(two.tara.get_by_text("Casey’s camera is off")).to_be_visible()
    # Answered late, it takes its place in the connection that is there.
    live = figures(casey)["live"]
    casey.evaluate("window.allow()")
    two.assert_meet()
    assert figures(casey)["live"] == live == 1


def test_a_camera_that_was_off_stays_off_after_audio_only(two: Two) -> None:
    tara = two.tara
    two.tara_goes_in()
    call = tara.locator("#view-call")
    camera = call.get_by_role("button", name="Camera off")
    audio_only = call.locator("[data-do=audioOnly][aria-pressed]").first
    expect(camera).to_have_attribute("aria-pressed", "false")
    camera.click()
    expect(camera).to_have_attribute("aria-pressed", "true")
    tara.keyboard.press("a")
    expect(audio_only).to_have_attribute("aria-pressed", "true")
    tara.reload()
    expect(call).to_be_visible()
    expect(audio_only).to_have_attribute("aria-pressed", "true")
    tara.keyboard.press("a")
    expect(said(tara)).to_have_text("Pictures are back")
    expect(camera).to_have_attribute("aria-pressed", "true")
    kinds = "window.given.filter((each) => each.readyState === 'live').map((each) => each.kind)"
    wait_for(lambda: tara.evaluate(kinds) == ["audio"], seconds=30)
    # One that was on comes back.
    camera.click()
    expect(camera).to_have_attribute("aria-pressed", "false")
    tara.keyboard.press("a")
    tara.reload()
    expect(audio_only).to_have_attribute("aria-pressed", "true")
    tara.keyboard.press("a")
    expect(camera).to_have_attribute("aria-pressed", "false")


def test_both_reload_with_one_slow_camera_and_make_one_connection(two: Two) -> None:
    two.meet()
    # The three seconds for a camera are long here, so that a slow machine has time enough.
    two.casey.add_init_script(
        "window.question = new Promise((done) => { window.allow = done; });"
        "const later = window.setTimeout;"
        "window.setTimeout = (act, ms, ...more) => later(act, ms === 3000 ? 60000 : ms, ...more);"
    )
    two.casey.evaluate("location.reload()")
    two.tara.reload()
    expect(two.tara.locator("#view-call")).to_be_visible()
    two.tara.wait_for_timeout(3000)
    two.casey.evaluate("window.allow()")
    two.assert_meet()
    # Who was slow has made one, whose offer went along with the joining.
    states = "window.__peers.map((each) => each.connectionState)"
    assert two.casey.evaluate(states) == ["connected"]
    # The other had one in reserve, which nobody was there to take.
    answered = "window.__peers.filter((each) => each.remoteDescription).length"
    assert two.tara.evaluate(answered) == figures(two.tara)["live"] == 1
