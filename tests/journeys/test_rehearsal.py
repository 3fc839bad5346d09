"""Days before a session somebody tries camera and sound, and is told what does not work; and with
half of it, or nothing, they can still be in the call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, Route, expect

from tests.support.browsers import (
    FLAGS,
    SLOW_CAMERA,
    assert_sees_and_hears,
    figures,
    launch,
    signed_in,
    wait_for,
)
from tests.support.relay import LOOPBACK_PEERS, relaying
from tests.support.rooms import Booked, book, expect_waits
from tests.support.server import Server, serving

pytestmark = [pytest.mark.one_database, pytest.mark.slow]

SLOW = 45_000

# getUserMedia as it is where something is wrong with `kinds`; `window.mended` puts it right.
BROKEN = """([kinds, name, message]) => {
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) =>
    !window.mended && kinds.some((kind) => wanted[kind])
      ? Promise.reject(new DOMException(message, name)) : real(wanted);
}"""
# A microphone that hears nothing until `window.speak` is called.
MUTE_MICROPHONE = """
const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  const stream = await real(wanted);
  const context = new AudioContext(), out = context.createMediaStreamDestination();
  const voice = new OscillatorNode(context), volume = new GainNode(context, { gain: 0 });
  voice.connect(volume).connect(out);
  voice.start();
  window.speak = () => { volume.gain.value = 1; };
  return new MediaStream([...stream.getVideoTracks(), ...out.stream.getAudioTracks()]);
};
"""
# The way each connection went, kept as it closes.
WATCH_WAYS = """
window.__ways = [];
const close = RTCPeerConnection.prototype.close;
const stats = RTCPeerConnection.prototype.getStats;
RTCPeerConnection.prototype.getStats = async function (...args) {
  const reports = await stats.apply(this, args);
  for (const r of reports.values()) {
    if (r.type !== "transport" || !r.selectedCandidatePairId) continue;
    const pair = reports.get(r.selectedCandidatePairId);
    window.__ways.push([
      reports.get(pair.localCandidateId).candidateType,
      reports.get(pair.remoteCandidateId).candidateType,
    ]);
  }
  return reports;
};
"""
KEPT = """
import json
from roost.core.tenancy import across_practices
from roost.video.models import DeviceCheck
with across_practices():
    check = DeviceCheck.objects.filter(account__email="casey@client.example").first()
names = ("camera", "microphone", "speaker", "connection")
print(json.dumps({name: getattr(check, name) for name in names} if check else {}))
"""


def kept(server: Server) -> dict[str, str]:
    """What Casey's last rehearsal found."""
    return dict(json.loads(server.run(KEPT)))


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


class Window:
    """One person's window, whose errors are heard."""

    def __init__(self, browser: Browser, booked: Booked, door: str, **options: Any) -> None:
        self.context = signed_in(browser, booked.cookie(door), **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(SLOW)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def break_devices(self, *kinds: str, name: str, message: str = "") -> None:
        wrong = json.dumps([list(kinds), name, message])
        self.context.add_init_script(f"({BROKEN})({wrong})")

    def close(self) -> None:
        self.context.close()
        assert self.complaints == []


@pytest.fixture
def booked(server: Server) -> Booked:
    return book(server)


@pytest.fixture
def casey(chromium: Browser, booked: Booked) -> Iterator[Window]:
    window = Window(chromium, booked, "portal")
    yield window
    window.close()


@pytest.fixture
def tara(chromium: Browser, booked: Booked) -> Iterator[Window]:
    window = Window(chromium, booked, "office")
    yield window
    window.close()


def start(page: Page, booked: Booked) -> None:
    page.goto(f"{booked.portal}/rehearse/")
    page.get_by_role("button", name="Start the test").click()


def result(page: Page) -> Any:
    return page.locator("#result h2")


def notices(page: Page) -> Any:
    return page.locator("#troubles .flash")


def test_it_can_be_started_once_a_press_is_heard(casey: Window, booked: Booked) -> None:
    """On a slow line the page is there before its script: a press would be lost."""
    held: list[Route] = []
    casey.page.route("**/rehearse.*js", lambda route: held.append(route))
    casey.page.goto(f"{booked.portal}/rehearse/", wait_until="commit")
    start = casey.page.get_by_role("button", name="Start the test")
    expect(start).to_be_disabled()
    wait_for(lambda: bool(casey.page.evaluate("1") and held))
    held[0].continue_()
    expect(start).to_be_enabled()
    expect(casey.page.locator(".too-old")).to_have_count(0)


def test_a_page_that_does_not_start_says_what_it_may_be(casey: Window, booked: Booked) -> None:
    casey.page.route("**/rehearse.*js", lambda route: route.abort())
    casey.page.goto(f"{booked.portal}/rehearse/")
    words = casey.page.get_by_role("alert").get_by_text("your browser may be too old")
    expect(words).to_be_visible(timeout=20_000)


def test_everything_works_and_the_therapist_sees_it(
    casey: Window, tara: Window, booked: Booked, server: Server
) -> None:
    page = casey.page
    page.goto(f"{booked.portal}/my-account/")
    page.get_by_role("link", name="Test camera and sound").click()
    page.get_by_role("button", name="Start the test").click()
    expect(page.get_by_label("Camera", exact=True)).to_contain_text("fake_device", timeout=SLOW)
    expect(result(page)).to_have_text("One thing is left", timeout=SLOW)
    expect(page.get_by_text("We can hear you.")).to_be_visible()
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Yes").click()
    expect(result(page)).to_have_text("Camera and sound work")
    expect(page.get_by_text("You are ready for today, ")).to_be_visible()
    expect(page.get_by_text("The rest shows when the session starts")).to_be_visible()
    expect(page.get_by_text("Tara can see how it went.")).to_be_visible(timeout=SLOW)
    works = dict.fromkeys(("camera", "microphone", "speaker", "connection"), "works")
    wait_for(lambda: kept(server) == works, seconds=30, saying="Not all was kept.")
    expect(notices(page)).to_have_count(0)
    # The room is open by now.
    expect(page.get_by_role("link", name="Join")).to_be_visible()

    tara.page.goto(f"{booked.office}/today/")
    expect(tara.page.get_by_text("Camera and sound checked today, ").first).to_be_visible()


def test_what_was_found_is_kept_of_who_leaves_at_once(
    casey: Window, booked: Booked, server: Server
) -> None:
    page = casey.page
    start(page, booked)
    expect(result(page)).to_have_text("One thing is left", timeout=SLOW)
    expect(page.get_by_text("Tara can see how it went.")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Play").click()
    # Sooner than the page sends it of itself.
    page.evaluate("document.getElementById('heard-no').click(); location.href = '/'")
    wait_for(lambda: kept(server).get("speaker") == "unheard", seconds=30)


def test_a_connection_that_was_not_tried_is_not_told_as_one_that_fails(
    casey: Window, booked: Booked, server: Server
) -> None:
    page, asked = casey.page, list[str]()

    def lend(route: Route) -> None:
        asked.append(route.request.url)
        # The first time too much has been asked for; later there is nothing but the network.
        if len(asked) == 1:
            return route.fulfill(status=429, body="Wait.")
        route.fulfill(json={"ice": []})

    page.route("**/lent", lend)
    page.goto(f"{booked.portal}/rehearse/")
    page.evaluate("Object.assign(document.getElementById('main').dataset, "
                  "{ relay: '1', relayFrom: '/lent' })")  # fmt: skip
    page.get_by_role("button", name="Start the test").click()
    expect(page.get_by_text("The connection could not be tried")).to_be_visible(timeout=SLOW)
    works = {"camera": "works", "microphone": "works", "speaker": "", "connection": ""}
    wait_for(lambda: kept(server) == works, seconds=30, saying="Not what was found.")

    # What is lent once does for another camera, and for trying again.
    for _ in range(2):
        page.get_by_label("Camera", exact=True).dispatch_event("change")
        expect(page.get_by_text("Sending your picture and sound")).to_be_visible()
        expect(page.get_by_text("Your browser can send and receive")).to_be_visible(timeout=SLOW)
    assert len(asked) == 2
    wait_for(lambda: kept(server) == works | {"connection": "works"}, seconds=30)


def test_it_is_all_done_by_keyboard(casey: Window, booked: Booked, server: Server) -> None:
    page = casey.page
    page.goto(f"{booked.portal}/rehearse/")

    def tab_to(role: str, name: str) -> None:
        wanted = page.get_by_role(role, name=name, exact=True)  # type: ignore[arg-type]
        for _ in range(15):
            page.keyboard.press("Tab")
            if wanted.evaluate("each => each === document.activeElement"):
                return
        raise AssertionError(f"The keyboard does not reach {name}.")

    tab_to("button", "Start the test")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="How you look and sound")).to_be_focused()
    expect(result(page)).to_have_text("One thing is left", timeout=SLOW)
    tab_to("combobox", "Camera")
    tab_to("combobox", "Microphone")
    tab_to("button", "Play")
    page.keyboard.press("Enter")
    tab_to("button", "No")
    page.keyboard.press("Enter")
    expect(result(page)).to_have_text("Not everything works yet")
    expect(page.get_by_text("Turn the volume up")).to_be_visible()
    wait_for(lambda: kept(server).get("speaker") == "unheard", seconds=30)


@pytest.mark.parametrize(
    ("error", "cause", "words"),
    [
        ("NotAllowedError", "denied", "The browser blocks your camera and microphone."),
        ("NotFoundError", "missing", "We can’t find a camera and microphone."),
        ("NotReadableError", "in-use", "Another program is using the camera and microphone."),
    ],
)
def test_what_is_wrong_with_both_is_said_once_and_mended(
    casey: Window, booked: Booked, server: Server, error: str, cause: str, words: str
) -> None:
    casey.break_devices("audio", "video", name=error)
    page = casey.page
    start(page, booked)
    expect(notices(page)).to_have_count(1)
    expect(notices(page)).to_contain_text(words)
    expect(notices(page)).to_contain_text("You can join and just listen")
    expect(result(page)).to_have_text("Not everything works yet")
    # Even so, the line is tried.
    expect(page.get_by_text("Your browser can send and receive.")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("Tara can see how it went.")).to_be_visible(timeout=SLOW)
    wait_for(lambda: kept(server).get("connection") == "works", seconds=30)
    assert kept(server) == {
        "camera": cause, "microphone": cause, "speaker": "", "connection": "works",
    }  # fmt: skip

    page.evaluate("window.mended = true")
    page.get_by_role("button", name="Try again").click()
    expect(result(page)).to_have_text("One thing is left", timeout=SLOW)
    expect(notices(page)).to_have_count(0)


def test_a_camera_alone_is_said_alone(
    casey: Window, tara: Window, booked: Booked, server: Server
) -> None:
    casey.break_devices("video", name="NotReadableError")
    page = casey.page
    start(page, booked)
    expect(notices(page)).to_have_count(1)
    expect(notices(page)).to_contain_text("Another program is using the camera.")
    expect(notices(page)).to_contain_text("You can join with audio only")
    expect(page.get_by_text("Tara can see how it went.")).to_be_visible(timeout=SLOW)
    wait_for(lambda: kept(server).get("microphone") == "works", seconds=30)
    tara.page.goto(f"{booked.office}/today/")
    words = "Had trouble with the camera (in use by another program) today, "
    expect(tara.page.get_by_text(words).first).to_be_visible()


def test_different_causes_are_told_apart(casey: Window, booked: Booked) -> None:
    casey.break_devices("video", name="NotFoundError")
    casey.break_devices("audio", name="NotAllowedError")
    start(casey.page, booked)
    expect(notices(casey.page)).to_have_count(2)
    expect(notices(casey.page).nth(0)).to_contain_text("We can’t find a camera.")
    expect(notices(casey.page).nth(1)).to_contain_text("The browser blocks your microphone.")


def test_a_page_without_https_says_where_to_open_it(casey: Window, booked: Booked) -> None:
    casey.context.add_init_script(
        "Object.defineProperty(window, 'isSecureContext', {value: false})"
    )
    start(casey.page, booked)
    expect(notices(casey.page)).to_have_count(1)
    expect(notices(casey.page)).to_contain_text("No camera and microphone without https.")
    expect(notices(casey.page)).to_contain_text(f"Open it at {booked.server.origin}")


def test_a_real_refusal_is_understood(playwright: Playwright, booked: Booked) -> None:
    """What Chromium itself says when somebody has blocked the page."""
    flags = [flag for flag in FLAGS if "use-fake-ui" not in flag]
    browser = playwright.chromium.launch(
        executable_path="/usr/bin/chromium", args=[*flags, "--deny-permission-prompts"]
    )
    casey = Window(browser, booked, "portal")
    start(casey.page, booked)
    expect(notices(casey.page)).to_have_count(1, timeout=SLOW)
    expect(notices(casey.page)).to_contain_text("The browser blocks your camera and microphone.")
    expect(notices(casey.page)).to_contain_text("switch Camera and Microphone on")
    casey.close()
    browser.close()


def test_a_microphone_that_hears_nothing_is_no_microphone_that_works(
    casey: Window, booked: Booked
) -> None:
    casey.context.add_init_script(MUTE_MICROPHONE)
    page = casey.page
    start(page, booked)
    expect(notices(page)).to_contain_text("We can’t hear your microphone.", timeout=SLOW)
    page.evaluate("window.speak()")
    expect(notices(page)).to_have_count(0, timeout=SLOW)
    expect(result(page)).to_have_text("One thing is left", timeout=SLOW)


def test_another_microphone_is_tried_and_opened_in_the_session(
    casey: Window, booked: Booked
) -> None:
    page = casey.page
    start(page, booked)
    expect(result(page)).to_have_text("One thing is left", timeout=SLOW)
    picker = page.get_by_label("Microphone", exact=True)
    picker.select_option(label="Fake Audio Input 2")
    wait_for(lambda: bool(page.evaluate("JSON.parse(localStorage.devices ?? '{}').audio")))
    expect(picker.locator("option:checked")).to_have_text("Fake Audio Input 2")
    speaker = page.get_by_role("combobox", name="Speaker")
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Yes").click()
    expect(result(page)).to_have_text("Camera and sound work", timeout=SLOW)
    # Of another loudspeaker nothing is known yet.
    speaker.select_option(label="Fake Audio Output 2")
    expect(page.get_by_text("Do you hear it?")).to_be_hidden()
    expect(result(page)).to_have_text("One thing is left")
    heard_from = speaker.input_value()
    expect(result(page)).to_have_text("One thing is left", timeout=SLOW)
    page.goto(booked.portal_room())
    chosen = page.locator("#pick-microphone option:checked")
    expect(chosen).to_have_text("Fake Audio Input 2", timeout=SLOW)
    expect(speaker).to_have_value(heard_from)
    # What is not plugged in any more is not waited for.
    page.evaluate("localStorage.devices = JSON.stringify({ audio: 'gone', video: 'gone' })")
    page.reload()
    expect(chosen).to_have_text("Fake Default Audio Input", timeout=SLOW)
    expect(notices(page)).to_have_count(0)


def test_a_device_that_cannot_be_taken_instead_leaves_the_one_there_was(
    casey: Window, booked: Booked
) -> None:
    page = casey.page
    start(page, booked)
    expect(result(page)).to_have_text("One thing is left", timeout=SLOW)
    page.evaluate(f"({BROKEN})({json.dumps([['audio'], 'NotReadableError', ''])})")
    page.get_by_label("Microphone", exact=True).select_option(label="Fake Audio Input 2")
    expect(notices(page)).to_contain_text("Another program is using the microphone.", timeout=SLOW)
    page.get_by_role("button", name="Try again").click()
    expect(notices(page)).to_have_count(0, timeout=SLOW)
    expect(result(page)).to_have_text("One thing is left", timeout=SLOW)


def test_the_page_is_light(casey: Window, booked: Booked) -> None:
    received: dict[str, float] = {}
    devtools = casey.context.new_cdp_session(casey.page)
    devtools.send("Network.enable")
    devtools.on(
        "Network.loadingFinished",
        lambda event: received.update({event["requestId"]: event["encodedDataLength"]}),
    )
    start(casey.page, booked)
    expect(result(casey.page)).to_have_text("One thing is left", timeout=SLOW)
    assert 30_000 < sum(received.values()) <= 80 * 1024


def test_the_relay_is_what_is_tried_where_there_is_one(
    chromium: Browser, tmp_path: Path, database: dict[str, str]
) -> None:
    with relaying(tmp_path / "relay", more=LOOPBACK_PEERS) as relay:
        told = relay.settings | {"ROOST_TURN_URL": relay.urls["udp"]}
        with serving(tmp_path / "roost", **told, **database) as server:
            booked = book(server)
            casey = Window(chromium, booked, "portal")
            casey.context.add_init_script(WATCH_WAYS)
            page = casey.page
            start(page, booked)
            words = page.get_by_text("went out to the practice’s relay and came back")
            expect(words).to_be_visible(timeout=SLOW)
            ways = page.evaluate("window.__ways")
            assert ways
            assert all(way == ["relay", "relay"] for way in ways)
            page.get_by_role("button", name="Play").click()
            page.get_by_role("button", name="Yes").click()
            expect(result(page)).to_have_text("Everything works")
            casey.close()


def test_a_relay_that_does_not_answer_is_said_to_be_blocked(
    chromium: Browser, tmp_path: Path, database: dict[str, str]
) -> None:
    told = {"ROOST_TURN_URL": "turn:127.0.0.1:9", "ROOST_TURN_SECRET": "x" * 40}
    with serving(tmp_path / "roost", **told, **database) as server:
        booked = book(server)
        casey = Window(chromium, booked, "portal")
        start(casey.page, booked)
        expect(notices(casey.page)).to_contain_text(
            "Nothing came back from the relay.", timeout=SLOW
        )
        wait_for(lambda: kept(server).get("connection") == "blocked", seconds=30)
        casey.close()


# Into the call with half of it


def go_in(casey: Window, tara: Window, booked: Booked, button: str) -> None:
    casey.page.goto(booked.portal_room())
    expect(notices(casey.page)).to_have_count(1)
    casey.page.get_by_role("button", name=button).click()
    expect_waits(casey.page)
    tara.page.goto(booked.office_room)
    tara.page.get_by_role("button", name="Go into the room").click()
    tara.page.get_by_role("button", name="Admit").click()


@pytest.mark.parametrize("again", [False, True])
def test_with_audio_only_one_is_heard_and_not_seen(
    casey: Window, tara: Window, booked: Booked, again: bool
) -> None:
    casey.break_devices("video", name="NotAllowedError", message="Permission denied")
    go_in(casey, tara, booked, "With audio only")
    assert_sees_and_hears(casey.page, seconds=40)
    if again:
        casey.page.reload()
        assert_sees_and_hears(casey.page, seconds=40)
    expect(tara.page.get_by_text("Casey’s camera is off")).to_be_visible(timeout=SLOW)
    before = figures(tara.page)
    wait_for(lambda: figures(tara.page)["audio"] > before["audio"], seconds=30)
    assert figures(tara.page)["frames"] == before["frames"]


def test_just_listening_one_hears_and_is_not_heard(
    casey: Window, tara: Window, booked: Booked
) -> None:
    casey.break_devices("audio", "video", name="NotFoundError")
    go_in(casey, tara, booked, "Just listen")
    assert_sees_and_hears(casey.page, seconds=40)
    expect(tara.page.get_by_text("Casey’s camera is off")).to_be_visible(timeout=SLOW)
    expect(tara.page.get_by_text("Casey, muted")).to_be_visible()
    tara.page.wait_for_timeout(2000)
    assert figures(tara.page)["audio"] == 0
    assert figures(tara.page)["frames"] == 0
