"""A call that is hard to lose: what phones, networks, servers and databases do to it, and how it
gets well again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.journeys.test_video_call import Two, frames_grow
from tests.support.browsers import figures, launch, wait_for
from tests.support.pgcluster import running_cluster
from tests.support.rooms import book
from tests.support.server import Server, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database: dict[str, str]) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("roost")
    with serving(folder, **database) as running:
        yield running


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    # A camera for each: two windows that share one would hold it to one size.
    browser = launch(playwright, "--use-fake-device-for-media-stream=device-count=3")
    yield browser
    browser.close()


@pytest.fixture
def two(server: Server, chromium: Browser) -> Iterator[Two]:
    pair = Two(chromium, book(server))
    yield pair
    pair.close()
    assert pair.complaints == []


# -- the picture ---------------------------------------------------------------------------------

# How tall the frames are that came of late, by what the browser itself decoded.
HEIGHT = """async () => {
  for (const pc of window.__peers) {
    if (pc.connectionState !== "connected") continue;
    for (const r of (await pc.getStats()).values()) {
      if (r.type === "inbound-rtp" && r.kind === "video") return r.frameHeight ?? 0;
    }
  }
  return 0;
}"""
# A machine that is as idle as a practice's, however busy the test's own is; or as strained.
CLAIM = """const real = RTCPeerConnection.prototype.getStats;
window.__limit = "none";
RTCPeerConnection.prototype.getStats = async function (...args) {
  const reports = new Map(await real.apply(this, args));
  for (const [id, report] of reports) {
    if (report.type !== "outbound-rtp" || report.kind !== "video") continue;
    reports.set(id, { ...report, qualityLimitationReason: window.__limit });
  }
  return reports;
};"""


def height(page: Page) -> int:
    return int(page.evaluate(HEIGHT))


@pytest.mark.whole_machine
@pytest.mark.one_database
def test_the_picture_rises_to_720_lines_and_falls_back_where_it_is_too_much(two: Two) -> None:
    two.casey.add_init_script(CLAIM)
    two.casey_waits(camera=2)
    two.tara_comes()
    assert 0 < height(two.tara) <= 480
    wait_for(lambda: height(two.tara) == 720, seconds=60, saying=f"{height(two.tara)} lines")
    two.assert_meet()
    assert height(two.tara) == 720
    two.casey.evaluate("window.__limit = 'cpu'")
    wait_for(lambda: 0 < height(two.tara) <= 480, seconds=40, saying=f"{height(two.tara)} lines")
    two.assert_meet()


# -- coming back to the page ---------------------------------------------------------------------

TRACKS = "document.querySelector('#self video').srcObject.getTracks()"
# What a phone does to camera and microphone: it ends them, or lets them bring nothing for a while.
END = f"{TRACKS}.forEach((each) => {{ each.stop(); each.dispatchEvent(new Event('ended')); }})"
MUTE = f"""{TRACKS}.forEach((each) => {{
  each.enabled = false;
  Object.defineProperty(each, "muted", {{ value: true, configurable: true }});
  each.dispatchEvent(new Event("mute"));
}})"""
UNMUTE = f"""{TRACKS}.forEach((each) => {{
  each.enabled = true;
  delete each.muted;
  each.dispatchEvent(new Event("unmute"));
}})"""
HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def is_still(page: Page) -> bool:
    before = figures(page)["frames"]
    page.wait_for_timeout(1000)
    return bool(figures(page)["frames"] == before)


@pytest.mark.one_database
@pytest.mark.parametrize("stop", [END, MUTE], ids=["ended", "muted"])
def test_what_a_phone_has_stopped_comes_back_at_one_press(two: Two, stop: str) -> None:
    two.casey.set_viewport_size({"width": 390, "height": 844})
    two.meet()
    resume = two.casey.get_by_role("button", name="Tap to resume")
    expect(resume).not_to_be_visible()
    two.casey.evaluate(stop)
    expect(resume).to_be_visible()
    box = resume.bounding_box()
    assert box is not None
    assert (box["width"], box["height"] >= 48) == (390 - 32, True)
    expect(two.tara.get_by_text("Casey’s device has paused the camera")).to_be_visible()
    expect(two.tara.get_by_text("Casey, muted")).to_be_visible()
    if stop == END:
        wait_for(lambda: is_still(two.tara), seconds=20)
    resume.click()
    two.assert_meet()
    expect(resume).not_to_be_visible()
    expect(two.tara.get_by_text("Casey’s device has paused the camera")).not_to_be_visible()
    expect(two.tara.get_by_text("Casey, muted")).not_to_be_visible()


@pytest.mark.one_database
def test_what_comes_back_by_itself_asks_for_no_press(two: Two) -> None:
    two.meet()
    resume = two.casey.get_by_role("button", name="Tap to resume")
    # For a moment, and for as long as the page is out of sight.
    two.casey.evaluate(MUTE)
    two.casey.wait_for_timeout(500)
    two.casey.evaluate(UNMUTE)
    two.casey.wait_for_timeout(2000)
    expect(resume).not_to_be_visible()
    two.casey.evaluate(HIDE, True)
    two.casey.evaluate(MUTE)
    two.casey.wait_for_timeout(2500)
    expect(resume).not_to_be_visible()
    expect(two.tara.get_by_text("Casey’s device has paused the camera")).to_be_visible()
    two.casey.evaluate(HIDE, False)
    two.casey.evaluate(UNMUTE)
    expect(two.tara.get_by_text("Casey’s device has paused the camera")).not_to_be_visible()
    expect(resume).not_to_be_visible()
    two.assert_meet()
    # But not where it stays away.
    two.casey.evaluate(HIDE, True)
    two.casey.evaluate(MUTE)
    two.casey.wait_for_timeout(2000)
    two.casey.evaluate(HIDE, False)
    expect(resume).to_be_visible()


@pytest.mark.one_database
def test_a_camera_that_is_still_held_is_said_and_can_be_tried_again(two: Two) -> None:
    two.meet()
    resume = two.casey.get_by_role("button", name="Tap to resume")
    two.casey.evaluate(
        """() => {
          window.real = navigator.mediaDevices.getUserMedia;
          navigator.mediaDevices.getUserMedia = () =>
            Promise.reject(new DOMException("held", "NotReadableError"));
        }"""
    )
    two.casey.evaluate(END)
    resume.click()
    held = two.casey.get_by_text("Your camera or microphone is still held by something else")
    expect(held).to_be_visible()
    expect(resume).to_be_visible()
    two.casey.evaluate("() => { navigator.mediaDevices.getUserMedia = window.real; }")
    resume.click()
    two.assert_meet()
    expect(resume).not_to_be_visible()
    expect(held).not_to_be_visible()


@pytest.mark.one_database
def test_in_the_waiting_room_it_comes_back_too(two: Two) -> None:
    two.casey_waits()
    two.casey.evaluate(END.replace("#self", "#waiting-preview"))
    two.casey.get_by_role("button", name="Tap to resume").click()
    two.tara_comes()


@pytest.mark.one_database
def test_a_page_that_slept_or_was_kept_aside_is_in_the_call_again(two: Two) -> None:
    two.meet()
    devtools = two.contexts[1].new_cdp_session(two.casey)
    devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    two.tara.wait_for_timeout(4000)
    devtools.send("Page.setWebLifecycleState", {"state": "active"})
    two.assert_meet()
    # As a browser shows a page that it had kept aside (bfcache): all its lines are gone.
    with two.casey.expect_navigation():
        two.casey.evaluate(
            "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
        )
    two.assert_meet()


def words_of(page: Page) -> list[str]:
    page.get_by_role("button", name="Safety", exact=True).click()
    expect(page.locator("#safety-list li")).to_have_count(4)
    words = page.locator("#safety-list li").all_inner_texts()
    page.get_by_role("button", name="Close safety words").click()
    return words


# -- another network -----------------------------------------------------------------------------

UFRAGS = """() => window.__peers.filter((pc) => pc.connectionState === "connected")
  .map((pc) => /a=ice-ufrag:(\\S+)/.exec(pc.localDescription.sdp)[1])"""


@pytest.mark.one_database
def test_on_another_network_line_and_way_are_made_anew_at_once(two: Two) -> None:
    two.meet()
    before = two.casey.evaluate(UFRAGS)
    made = two.casey.evaluate("window.__peers.length")
    two.contexts[1].set_offline(True)
    two.casey.wait_for_timeout(300)
    with two.casey.expect_websocket(timeout=5000):
        two.contexts[1].set_offline(False)
    wait_for(lambda: two.casey.evaluate(UFRAGS) not in ([], before), seconds=5)
    two.assert_meet()
    # The same connection, by a way that was looked for anew.
    assert two.casey.evaluate("window.__peers.length") == made
    assert len(two.casey.evaluate(UFRAGS)) == len(before) == 1
    expect(two.casey.get_by_text("Your line dropped")).not_to_be_visible()


@pytest.mark.one_database
def test_both_look_for_another_way_at_the_same_moment(two: Two) -> None:
    two.meet()
    pages = (two.casey, two.tara)
    for _ in range(3):
        before = [page.evaluate(UFRAGS) for page in pages]
        made = [page.evaluate("window.__peers.length") for page in pages]
        # Each offers before it has heard the other's offer.
        at = two.tara.evaluate("Date.now() + 700")
        for page in pages:
            page.evaluate(
                """(at) => setTimeout(() => dispatchEvent(new Event("online")), at - Date.now())""",
                at,
            )
        for page, old in zip(pages, before, strict=True):
            wait_for(lambda page=page, old=old: page.evaluate(UFRAGS) not in ([], old))  # type: ignore[misc]
        two.assert_meet()
        assert [page.evaluate("window.__peers.length") for page in pages] == made
    assert words_of(two.casey) == words_of(two.tara)


# -- the server, and what it stands on -----------------------------------------------------------


# Kept by the page, since a test looks too seldom: the longest time without a new frame, in ms.
WATCH_FRAMES = """() => {
  window.__gap = 0;
  let frames = -1, at = performance.now();
  const look = async () => {
    let now = 0;
    for (const pc of window.__peers) {
      if (pc.connectionState === "closed") continue;
      for (const r of (await pc.getStats()).values()) {
        if (r.type === "inbound-rtp" && r.kind === "video") now += r.framesDecoded ?? 0;
      }
    }
    if (now > frames) { frames = now; at = performance.now(); }
    window.__gap = Math.max(window.__gap, performance.now() - at);
    setTimeout(look, 100);
  };
  look();
}"""
GAP = 3000


@pytest.mark.one_database
def test_a_server_that_dies_twenty_times_never_stops_the_call(two: Two, server: Server) -> None:
    two.meet()
    pages = (two.casey, two.tara)
    words = words_of(two.casey)
    assert words == words_of(two.tara)
    made = [page.evaluate("window.__peers.length") for page in pages]
    for page in pages:
        page.evaluate(WATCH_FRAMES)
    for number in range(20):
        before = [figures(page)["frames"] for page in pages]
        server.kill()
        two.casey.wait_for_timeout(300)
        server.start()
        # Some deaths come before the line is back from the one before.
        if number % 2:
            for page in pages:
                expect(page.get_by_text("Your line dropped")).not_to_be_visible(timeout=10_000)
        after = [figures(page)["frames"] for page in pages]
        assert all(new > old for new, old in zip(after, before, strict=True)), (before, after)
    for page in pages:
        expect(page.get_by_text("Your line dropped")).not_to_be_visible(timeout=10_000)
        assert page.evaluate("window.__gap") < GAP
    two.assert_meet()
    assert [page.evaluate("window.__peers.length") for page in pages] == made
    assert words_of(two.casey) == words_of(two.tara) == words
    two.casey.get_by_role("button", name="Leave").click()
    expect(two.casey.get_by_role("heading", name="You have left the session")).to_be_visible()
    expect(two.tara.get_by_text("Nobody else is here yet")).to_be_visible()


def line_is_back(two: Two) -> None:
    for page in (two.casey, two.tara):
        expect(page.get_by_text("Your line dropped")).not_to_be_visible(timeout=20_000)


@pytest.mark.whole_machine
def test_a_database_that_starts_again_ends_nothing(
    chromium: Browser, tmp_path: Path, database: dict[str, str]
) -> None:
    if not database:
        pytest.skip("SQLite has no server that could start again.")
    # A cluster of its own: others lean on the one that the tests run beside.
    with running_cluster() as cluster:
        server = Server(tmp_path / "roost", ROOST_DATABASE_URL=cluster.url)
        # All its tables are made first.
        two = Two(chromium, book(server.start(seconds=120)))
        try:
            two.meet()
            words = words_of(two.casey)
            for _ in range(2):
                cluster.stop()
                # Each page asks at its next ping; the call goes on.
                assert frames_grow(two.casey, seconds=11)
                assert frames_grow(two.tara)
                cluster.start()
                line_is_back(two)
                two.assert_meet()
            assert words_of(two.casey) == words_of(two.tara) == words
            # Whoever comes back while it is away is in once it is there.
            cluster.stop()
            two.casey.evaluate("dispatchEvent(new Event('online'))")
            expect(two.casey.get_by_text("Your line dropped")).to_be_visible()
            cluster.start()
            line_is_back(two)
            # No thread of the server fails by a connection of before.
            answers = [two.contexts[1].request.get(two.booked.portal_room()) for _ in range(12)]
            assert {answer.status for answer in answers} == {200}
            two.casey.reload()
            two.assert_meet()
        finally:
            two.close()
            server.stop()
        assert two.complaints == []


def test_a_database_that_is_locked_for_a_while_ends_nothing(
    two: Two, server: Server, database: dict[str, str]
) -> None:
    if database:
        pytest.skip("PostgreSQL locks no whole database.")
    two.meet()
    lock = sqlite3.connect(server.data_dir / "roost.sqlite3", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    # Coming back has to be written down, and that waits. Picture and sound do not.
    two.casey.evaluate("dispatchEvent(new Event('online'))")
    expect(two.casey.get_by_text("Your line dropped")).to_be_visible()
    assert frames_grow(two.casey, seconds=4)
    assert frames_grow(two.tara)
    expect(two.casey.get_by_text("Your line dropped")).to_be_visible()
    lock.execute("ROLLBACK")
    lock.close()
    line_is_back(two)
    two.assert_meet()
