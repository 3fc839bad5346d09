"""Two people meet on video, in real browsers on a real server, and nothing keeps them apart."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, TimeoutError, expect

from bench.calls import calling
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

pytestmark = pytest.mark.slow

# Which views of the room have been shown since then, in turn; from the beginning of a page on, its
# first one, too.
WATCH_VIEWS = """
window.__shown = [];
const look = () => {
  const view = document.querySelector("[id^=view-]:not([hidden])")?.id;
  if (view && view !== window.__shown.at(-1)) window.__shown.push(view);
};
if (document.documentElement) look();
new MutationObserver(look).observe(document, {
  subtree: true, childList: true, attributes: true, attributeFilter: ["hidden"] });
"""

# How wide each frame of the other's picture was.
WATCH_WIDTHS = """
window.__widths = [];
new MutationObserver(() => {
  for (const video of document.querySelectorAll("#stage .tile:not(.self) video")) {
    if (video.__watched) continue;
    video.__watched = true;
    const look = (_, { width }) => {
      window.__widths.push(width);
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  }
}).observe(document, { childList: true, subtree: true });
"""


# How often the stage was said to be empty, and what stood on the other's picture.
WATCH_STAGE = """() => {
  window.__empty = 0;
  window.__notes = [];
  new MutationObserver(() => {
    if (!document.getElementById("stage-empty").hidden) window.__empty += 1;
    const note = document.querySelector("#stage .tile:not(.self) .tile-note p");
    window.__notes.push(note?.textContent);
  }).observe(document.getElementById("stage"), {
    subtree: true, childList: true, attributes: true, characterData: true,
  });
}"""
NEVER_JOINS = """
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (text) { if (JSON.parse(text).type !== "join") send.call(this, text); };
"""  # noqa: E501 -- a line of JavaScript


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

    def __init__(self, browser: Browser, booked: Booked, **options: object) -> None:
        self.booked = booked
        self.complaints: list[str] = []
        self.contexts = [
            signed_in(browser, booked.cookie("office"), **options),
            signed_in(browser, booked.cookie("portal"), **options),
        ]
        self.tara, self.casey = (context.new_page() for context in self.contexts)
        for page in (self.tara, self.casey):
            page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def close(self) -> None:
        for context in self.contexts:
            context.close()

    def casey_waits(self, *, camera: int | None = None) -> None:
        self.casey.goto(self.booked.portal_room())
        if camera is not None:
            self.casey.get_by_label("Camera", exact=True).select_option(index=camera)
        self.casey.get_by_role("button", name="Go to the waiting room").click()
        expect_waits(self.casey)

    def tara_goes_in(self) -> None:
        self.tara.get_by_role("button", name="Go into the room").click()

    def meet(self) -> None:
        """Casey waits, Tara goes in and admits: the call is on."""
        self.casey_waits()
        self.tara_comes()

    def tara_comes(self) -> None:
        self.tara.goto(self.booked.office_room)
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
    pair.close()
    assert pair.complaints == []


def frames_grow(page: Page, *, seconds: float = 2) -> bool:
    before = figures(page)["frames"]
    page.wait_for_timeout(seconds * 1000)
    return bool(figures(page)["frames"] > before + 2)


def test_they_meet_and_a_dead_server_does_not_part_them(two: Two, server: Server) -> None:
    two.tara.goto(f"{two.booked.office}/clients/")
    two.casey_waits()
    # No media leaves before admission: the waiting room knows nobody.
    assert figures(two.casey)["sent"] == 0

    # Tara is told on whatever page of the office she is.
    knock = two.tara.get_by_role("link", name="Casey is waiting")
    expect(knock).to_be_visible(timeout=5000)
    expect(two.tara).to_have_title("(1) Clients – Maple Counselling")
    knock.click()
    two.tara_goes_in()
    two.assert_meet()

    server.kill()
    assert frames_grow(two.casey)
    assert frames_grow(two.tara)
    expect(two.casey.get_by_text("Your line dropped and is being mended")).to_be_visible()

    server.start()
    up = time.monotonic()
    for page in (two.casey, two.tara):
        expect(page.get_by_text("Your line dropped")).not_to_be_visible(timeout=10_000)
    assert time.monotonic() - up < 10
    two.assert_meet()

    two.casey.add_init_script(WATCH_VIEWS)
    two.casey.reload()
    two.assert_meet()
    # Whoever is in the call sees neither device check nor waiting room on the way back into it.
    assert two.casey.evaluate("window.__shown") == ["view-call"]

    two.casey.get_by_role("button", name="Leave").click()
    expect(two.casey.get_by_role("heading", name="You have left the session")).to_be_visible()
    expect(two.tara.get_by_text("Nobody else is here yet")).to_be_visible()
    two.casey.get_by_role("button", name="Return to session").click()
    two.assert_meet()
    assert two.casey.evaluate("window.__shown") == ["view-call", "view-over", "view-call"]


@pytest.mark.one_database
def test_who_left_returns_from_another_page(two: Two) -> None:
    two.meet()
    two.casey.get_by_role("button", name="Leave").click()
    two.casey.goto(two.booked.portal_room())
    two.casey.get_by_role("button", name="Return to session").click()
    two.assert_meet()


@pytest.mark.one_database
def test_the_therapist_reloads_and_both_reload_at_once(two: Two) -> None:
    two.meet()
    two.tara.reload()
    two.assert_meet()
    two.casey.evaluate("location.reload()")
    two.tara.reload()
    two.assert_meet()


@pytest.mark.one_database
def test_who_loads_the_page_again_keeps_their_place_on_the_stage(two: Two) -> None:
    two.meet()
    for mine, other, name in ((two.tara, two.casey, "Casey"), (two.casey, two.tara, "Tara Okafor")):
        mine.evaluate(WATCH_STAGE)
        other.reload()
        two.assert_meet()
        assert mine.evaluate("window.__empty") == 0
        assert f"{name} is coming back" in mine.evaluate("window.__notes")
        expect(mine.locator("#stage .tile:not(.self)")).to_have_count(1)


@pytest.mark.one_database
def test_who_loads_the_page_again_is_in_the_call_from_the_first_sight_on(two: Two) -> None:
    """No device check flashes past them; and nothing seems to work that does not yet."""
    two.meet()
    for page in (two.casey, two.tara):
        page.route("**/video/room.*.js", lambda route: route.abort())
        page.reload()
        expect(page.get_by_text("Taking you back in")).to_be_visible()
        expect(page.get_by_role("heading", name="How you look and sound")).to_be_hidden()
        expect(page.locator("#masthead")).to_be_hidden()
        # It looks as ever, and nobody can press it in vain.
        leave = page.get_by_role("button", name="Leave")
        expect(leave).to_be_visible()
        with pytest.raises(TimeoutError):
            leave.click(timeout=1000)
        # It does not start. That is said as in the device check, and with whom to call.
        expect(page.get_by_role("alert").get_by_text("This page has not started")).to_be_visible(
            timeout=20_000
        )
        page.unroute("**/video/room.*.js")
    expect(two.casey.get_by_role("link", name="416 555 0142").first).to_be_visible()
    for page in (two.casey, two.tara):
        page.reload()
    two.assert_meet()
    for page in (two.casey, two.tara):
        assert page.locator(".too-old").count() == 0
        page.get_by_role("button", name="Mute").click()


@pytest.mark.one_database
def test_another_tab_of_somebody_in_the_call_begins_with_the_device_check(two: Two) -> None:
    two.meet()
    second = two.contexts[1].new_page()
    second.goto(two.booked.portal_room())
    expect(second.get_by_role("heading", name="How you look and sound")).to_be_visible()
    expect(second.get_by_text("Taking you back in")).to_be_hidden()
    expect(second.locator("#masthead")).to_be_visible()
    assert frames_grow(two.casey)
    second.get_by_role("button", name="Return to session").click()
    assert_sees_and_hears(second)
    second.get_by_role("button", name="Mute").click()


@pytest.mark.one_database
def test_who_was_coming_back_and_has_not_leaves_no_picture_behind(two: Two) -> None:
    two.meet()
    two.casey.add_init_script(NEVER_JOINS)
    two.casey.reload()
    expect(two.tara.get_by_text("Casey is coming back")).to_be_visible(timeout=20_000)
    two.casey.goto("about:blank")
    expect(two.tara.locator("#stage-empty")).to_be_visible(timeout=20_000)
    expect(two.tara.locator("#stage .tile:not(.self)")).to_have_count(0)


@pytest.mark.one_database
def test_a_picture_begins_small_and_is_whole_soon_after(two: Two) -> None:
    for page in (two.tara, two.casey):
        page.add_init_script(WATCH_WIDTHS)
    two.meet()
    for page in (two.tara, two.casey):
        wait_for(
            lambda page=page: page.evaluate("window.__widths.at(-1)") >= 640,
            saying=f"Still small: {page.evaluate('window.__widths.slice(-5)')}",
        )
        assert page.evaluate("window.__widths[0]") == 320


@pytest.mark.one_database
def test_the_server_dies_while_the_client_reloads(two: Two, server: Server) -> None:
    two.meet()
    server.kill()
    server.start()
    two.casey.reload()
    two.assert_meet()


def test_the_therapist_ends_and_opens_again(two: Two) -> None:
    two.meet()
    two.tara.get_by_role("button", name="End session").click()
    two.tara.get_by_role("button", name="End it now").click()
    expect(two.tara.get_by_role("heading", name="You ended this session")).to_be_visible()
    expect(two.casey.get_by_role("heading", name="Your session has ended")).to_be_visible()
    two.casey.get_by_role("button", name="Back to the waiting room").click()
    expect_waits(two.casey)

    two.tara.get_by_role("button", name="Re-open the room").click()
    two.tara_goes_in()
    # Whoever was in the call waits again, until admitted again.
    assert figures(two.casey)["sent"] == 0
    two.tara.get_by_role("button", name="Admit").click()
    two.assert_meet()


@pytest.mark.one_database
def test_who_is_removed_cannot_come_back_until_let_in(two: Two) -> None:
    two.meet()
    two.tara.get_by_role("button", name="Remove").click()
    closed = two.casey.get_by_role("heading", name="Tara has closed the room for you")
    expect(closed).to_be_visible()
    two.casey.goto(two.booked.portal_room())
    expect(closed).to_be_visible()
    expect(two.casey.get_by_role("button", name="Go to the waiting room")).to_have_count(0)

    two.tara.get_by_role("button", name="Let back in").click()
    expect(two.tara.get_by_role("button", name="Let back in")).to_have_count(0)
    two.casey.reload()
    two.casey.get_by_role("button", name="Return to session").click()
    two.assert_meet()


@pytest.mark.one_database
def test_a_second_window_takes_over(two: Two) -> None:
    two.meet()
    second = two.contexts[1].new_page()
    second.goto(two.booked.portal_room())
    second.get_by_role("button", name="Return to session").click()
    assert_sees_and_hears(second)
    assert_sees_and_hears(two.tara)
    expect(
        two.casey.get_by_role("heading", name="You are in this session in another window")
    ).to_be_visible()


@pytest.mark.one_database
def test_mute_and_camera_are_told_to_the_other(two: Two) -> None:
    two.meet()
    two.casey.get_by_role("button", name="Camera off").click()
    expect(two.tara.get_by_text("Casey’s camera is off")).to_be_visible()
    two.casey.get_by_role("button", name="Mute").click()
    expect(two.tara.get_by_text("Casey, muted")).to_be_visible()
    before = figures(two.tara)
    two.casey.get_by_role("button", name="Camera off").click()
    two.casey.get_by_role("button", name="Mute").click()
    expect(two.tara.get_by_text("Casey’s camera is off")).not_to_be_visible()
    wait_for(lambda: figures(two.tara)["frames"] > before["frames"] + 5)
    two.assert_meet()


@pytest.mark.one_database
def test_without_a_camera_one_joins_by_voice(two: Two) -> None:
    two.casey.add_init_script(
        """const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = (wanted) => wanted.video
          ? Promise.reject(new DOMException("none", "NotFoundError")) : real(wanted);"""
    )
    two.casey.goto(two.booked.portal_room())
    expect(two.casey.get_by_text("We can’t find a camera")).to_be_visible()
    two.casey.get_by_role("button", name="With audio only").click()
    two.tara.goto(two.booked.office_room)
    two.tara_goes_in()
    two.tara.get_by_role("button", name="Admit").click()
    assert_sees_and_hears(two.casey)
    expect(two.tara.get_by_text("Casey’s camera is off")).to_be_visible()
    start = figures(two.tara)["audio"]
    wait_for(lambda: figures(two.tara)["audio"] > start)


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("NotAllowedError", "The browser blocks your camera and microphone"),
        ("NotFoundError", "We can’t find a camera and microphone"),
        ("NotReadableError", "Another program is using the camera and microphone"),
    ],
)
def test_each_trouble_is_told_apart_and_one_can_just_listen(
    two: Two, error: str, words: str
) -> None:
    two.casey.add_init_script(
        f"""navigator.mediaDevices.getUserMedia = () =>
        Promise.reject(new DOMException("no", "{error}"));"""
    )
    two.casey.goto(two.booked.portal_room())
    expect(two.casey.get_by_text(words)).to_be_visible()
    two.casey.get_by_role("button", name="Just listen").click()
    two.tara.goto(two.booked.office_room)
    two.tara_goes_in()
    two.tara.get_by_role("button", name="Admit").click()
    assert_sees_and_hears(two.casey)


@pytest.mark.one_database
def test_the_whole_way_by_keyboard(two: Two) -> None:
    two.casey.goto(two.booked.portal_room())
    two.casey.get_by_label("Your name in the session").focus()
    two.casey.keyboard.press("Enter")
    expect_waits(two.casey)
    two.tara.goto(two.booked.office_room)
    two.tara.get_by_label("Your name in the session").focus()
    two.tara.keyboard.press("Enter")
    two.tara.get_by_role("button", name="Admit").focus()
    two.tara.keyboard.press("Enter")
    two.assert_meet()
    two.casey.get_by_role("button", name="Leave").focus()
    two.casey.keyboard.press("Space")
    expect(two.casey.get_by_role("heading", name="You have left the session")).to_be_focused()


@pytest.mark.one_database
def test_what_a_call_takes_can_be_measured(server: Server, chromium: Browser) -> None:
    """`make bench-video` finds the pages as they are: each measure sees both pictures come."""
    with calling(chromium, server) as call:
        for milliseconds in (call.join(), call.reload(), call.come_back()):
            assert milliseconds > 0
