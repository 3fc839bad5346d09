"""The whole call by keyboard alone: nobody here has a pointer, and nobody is ever lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, expect

from tests.support.browsers import (
    FAKE_SCREEN,
    SLOW_CAMERA,
    WATCH_PEERS,
    assert_sees_and_hears,
    launch,
    wait_for,
)
from tests.support.rooms import Booked, book
from tests.support.server import Server, serving

pytestmark = [pytest.mark.one_database, pytest.mark.slow]

SLOW = 45_000
PASSWORD = "a long enough passphrase"
# What a pointer does is written down, to show that none was used.
WATCH_POINTERS = """
window.__pointed = 0;
addEventListener("pointerdown", () => { window.__pointed += 1; }, true);
"""
# Where the focus is: its name, whether it can be seen, and whether something lies over it.
FOCUS = """() => {
  const here = document.activeElement;
  if (here === document.body) return { name: "", lost: true };
  const name = (here.ariaLabel ?? here.labels?.[0]?.innerText ?? here.innerText ?? "").replace(/\\s+/g, " ").trim();
  const marked = [here, here.closest(".choice, .check, label")].filter(Boolean).some((each) => {
    const style = getComputedStyle(each);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  });
  const box = here.getBoundingClientRect();
  const top = document.elementFromPoint(
    Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 1),
    Math.min(Math.max(box.top + box.height / 2, 1), innerHeight - 1),
  );
  const seen = box.width > 0 && box.bottom > 0 && box.top < innerHeight && (here.contains(top) || top?.contains(here));
  return { name, lost: false, marked, seen, tag: here.localName };
}"""  # noqa: E501 -- lines of JavaScript


class Hands:
    """Somebody at a keyboard, in a window of their own."""

    def __init__(self, browser: Browser, booked: Booked) -> None:
        self.booked = booked
        self.context = browser.new_context()
        for script in (WATCH_PEERS, WATCH_POINTERS, FAKE_SCREEN):
            self.context.add_init_script(script)
        self.page = self.context.new_page()
        self.page.set_default_timeout(SLOW)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def focus(self) -> dict[str, Any]:
        return dict(self.page.evaluate(FOCUS))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def tab_to(self, name: str, *, back: bool = False) -> list[str]:
        """Tab until the focus is on what has this name: all that was passed. The focus can be seen
        all the way, and nothing lies over it. Raises AssertionError if it is not reached."""
        passed = list[str]()
        for _ in range(60):
            self.press("Shift+Tab" if back else "Tab")
            here = self.focus()
            if here["lost"]:
                passed.append("")
                continue
            assert here["marked"], f"The focus on {here} cannot be seen."
            assert here["seen"], f"Something lies over {here}."
            passed.append(here["name"])
            if here["name"] == name:
                return passed
        raise AssertionError(f"The keyboard does not reach “{name}”: {passed}")

    def do(self, name: str, key: str = "Enter", **how: bool) -> None:
        self.tab_to(name, **how)
        self.press(key)

    def stands_on(self, heading: str) -> None:
        """A view has changed, and the focus is on its heading."""
        found = self.page.get_by_role("heading", name=heading, exact=True)
        expect(found).to_be_focused(timeout=SLOW)

    def log_in(self, address: str, email: str) -> None:
        self.page.goto(address)
        self.tab_to("Email")
        self.page.keyboard.type(email)
        self.tab_to("Password")
        self.page.keyboard.type(PASSWORD)
        self.press("Enter")

    def hears(self, words: str) -> None:
        """A live region says so."""
        spoken = self.page.locator("[role=status], [role=alert], [aria-live=polite]")
        expect(spoken.filter(has_text=words).first).to_be_attached(timeout=SLOW)

    def close(self) -> None:
        pointed = 0 if self.page.url == "about:blank" else self.page.evaluate("window.__pointed")
        self.context.close()
        assert self.complaints == []
        assert pointed == 0


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


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """Two browsers with cameras make a small machine slow."""
    expect.set_options(timeout=SLOW)
    yield
    expect.set_options(timeout=5000)


@pytest.fixture
def booked(server: Server) -> Booked:
    return book(server)


@pytest.fixture
def casey(chromium: Browser, booked: Booked) -> Iterator[Hands]:
    hands = Hands(chromium, booked)
    yield hands
    hands.close()


@pytest.fixture
def tara(chromium: Browser, booked: Booked) -> Iterator[Hands]:
    hands = Hands(chromium, booked)
    yield hands
    hands.close()


def test_the_whole_call(casey: Hands, tara: Hands, booked: Booked) -> None:
    # Both log in; the first stop of every page skips what all pages share.
    tara.log_in(f"{booked.office}/", "tara@maple.example")
    expect(tara.page.get_by_role("navigation", name="Office")).to_be_visible()
    casey.log_in(f"{booked.portal}/", "casey@client.example")
    expect(casey.page.get_by_role("heading", name="Hello, Casey")).to_be_visible()
    assert casey.tab_to("Skip to the page") == ["Skip to the page"]
    casey.press("Enter")
    assert casey.tab_to("Join")[0] != "Maple Counselling"
    casey.press("Enter")

    # The device check, in the order in which it is read.
    expect(casey.page.get_by_role("heading", name="How you look and sound")).to_be_visible()
    expect(casey.page.get_by_label("Camera", exact=True)).to_be_enabled()
    passed = casey.tab_to("Go to the waiting room")
    assert passed[-8:] == [
        "Mute your microphone",
        "Turn your camera off",
        "Your name in the session",
        "Camera",
        "Microphone",
        "Speaker",
        "Play",
        "Go to the waiting room",
    ]
    # Letters are letters while something is typed.
    casey.tab_to("Your name in the session", back=True)
    casey.press("ControlOrMeta+a")
    casey.page.keyboard.type("Mavis Vamp")
    expect(casey.page.get_by_label("Your name in the session")).to_have_value("Mavis Vamp")
    muted = casey.page.get_by_role("button", name="Mute your microphone")
    expect(muted).to_have_attribute("aria-pressed", "false")
    casey.press("Enter")
    casey.stands_on("Take a breath. You’re here.")
    casey.hears("Tara has been told you’re here")
    gear = "Choose camera, microphone and speaker"
    assert casey.tab_to("Leave the waiting room")[:3] == [
        "Mute your microphone",
        "Turn your camera off",
        gear,
    ]
    casey.tab_to(gear, back=True)
    casey.press("Enter")
    assert casey.tab_to("Play") == ["Camera", "Microphone", "Speaker", "Play"]
    casey.tab_to(gear, back=True)
    casey.press("Enter")
    expect(casey.page.get_by_role("button", name="Play")).to_have_count(0)

    # The therapist hears who waits, and lets them in from her day.
    tara.hears("Casey is waiting")
    tara.do("Admit")
    expect(tara.page.get_by_role("heading", name="How you look and sound")).to_be_visible()
    tara.do("Go into the room")
    tara.stands_on("Casey Nguyen")
    casey.stands_on("Tara Okafor")
    for hands in (casey, tara):
        assert_sees_and_hears(hands.page)

    # Buttons, and keys for the same.
    tara.do("Mute", back=True)
    expect(casey.page.get_by_text("Tara Okafor, muted")).to_be_visible()
    tara.hears("You are muted")
    tara.press("m")
    expect(casey.page.get_by_text("Tara Okafor, muted")).not_to_be_visible()
    tara.do("Camera off", key="Space")
    expect(casey.page.get_by_text("Tara Okafor’s camera is off")).to_be_visible()
    tara.press("v")
    expect(casey.page.get_by_text("Tara Okafor’s camera is off")).not_to_be_visible()

    # A screen is shown, and taken back with the button that then goes away.
    tara.press("s")
    tara.hears("Everybody in the call sees your screen")
    expect(casey.page.locator(".tile-screen")).to_be_visible()
    tara.do("Stop sharing", back=True)
    expect(casey.page.locator(".tile-screen")).to_have_count(0)
    tara.stands_on("Casey Nguyen")

    # Safety words: the same on both sides, and back to where one was.
    for hands in (tara, casey):
        hands.do("Safety")
        hands.stands_on("Safety words")
        expect(hands.page.locator("#safety-list li")).to_have_count(4)
    words = [hands.page.locator("#safety-list li").all_inner_texts() for hands in (tara, casey)]
    assert words[0] == words[1]
    tara.press("Escape")
    assert tara.focus()["name"] == "Safety"
    casey.do("Close safety words")
    assert casey.focus()["name"] == "Safety"

    for key, element in (("f", "fullscreenElement"), ("p", "pictureInPictureElement")):
        for there in (True, False):
            tara.press(key)
            now = f"Boolean(document.{element}) === {str(there).lower()}"
            wait_for(lambda what=now: bool(tara.page.evaluate(what)), seconds=30)  # type: ignore[misc]
    assert tara.focus()["name"] == "Safety"

    # The client leaves, returns, and reads how it ended.
    casey.do("Leave")
    casey.stands_on("You have left the session")
    tara.hears("Mavis Vamp has left.")
    casey.do("Return to session")
    casey.stands_on("Tara Okafor")
    for hands in (casey, tara):
        assert_sees_and_hears(hands.page)
    tara.do("End session")
    expect(tara.page.get_by_role("dialog")).to_be_visible()
    assert tara.tab_to("Go on") == ["Go on"]
    tara.press("Enter")
    assert tara.focus()["name"] == "End session"
    tara.press("Enter")
    tara.do("End it now", back=True)
    tara.stands_on("You ended this session")
    casey.stands_on("Your session has ended")

    # Opened again, Casey waits again; the focus does not fall on what would throw them out.
    casey.do("Back to the waiting room")
    casey.stands_on("Take a breath. You’re here.")
    tara.do("Re-open the room")
    expect(tara.page.get_by_role("heading", name="How you look and sound")).to_be_visible()
    tara.do("Go into the room")
    tara.stands_on("Casey Nguyen")
    tara.hears("is waiting")
    tara.do("Admit Casey Nguyen (as Mavis Vamp)")
    casey.stands_on("Tara Okafor")
    expect(tara.page.get_by_role("button", name="Remove Casey Nguyen")).to_be_visible()
    tara.stands_on("Casey Nguyen")
    assert tara.tab_to("Leave") == [
        "Remove Casey Nguyen (as Mavis Vamp)",
        "Mute",
        "Camera off",
        "Audio only",
        "Safety",
        "More",
        "End session",
        "Leave",
    ]
    tara.do("End session", back=True)
    tara.do("End it now")
    casey.stands_on("Your session has ended")
    casey.do("Go to My Account")
    expect(casey.page.get_by_role("heading", name="Hello, Casey")).to_be_visible()


def signed_in_hands(chromium: Browser, booked: Booked, door: str, number: int = 0) -> Hands:
    hands = Hands(chromium, booked)
    hands.context.add_cookies([booked.cookie(door, number)])  # type: ignore[list-item]
    return hands


def test_keys_are_let_alone_with_modifiers_in_lists_in_dialogs_and_once_they_are_off(
    casey: Hands, chromium: Browser, booked: Booked
) -> None:
    tara = signed_in_hands(chromium, booked, "office")
    tara.page.goto(booked.office_room)
    tara.do("Go into the room")
    tara.stands_on("Casey Nguyen")
    mute = tara.page.get_by_role("button", name="Mute")

    def nothing_is_muted() -> None:
        tara.page.wait_for_timeout(300)
        expect(mute).to_have_attribute("aria-pressed", "false")

    tara.press("Control+m", "Alt+m", "Meta+m")
    nothing_is_muted()
    tara.do("More")
    tara.tab_to("Microphone")
    tara.press("m")
    nothing_is_muted()
    tara.do("End session")
    expect(tara.page.get_by_role("dialog")).to_be_visible()
    tara.press("m", "Escape")
    nothing_is_muted()
    tara.press("m")
    expect(mute).to_have_attribute("aria-pressed", "true")
    tara.press("m")
    expect(mute).to_have_attribute("aria-pressed", "false")

    # Off, also after the page is loaded again (WCAG 2.1.4).
    tara.do("Use these keys", key="Space", back=True)
    tara.press("m")
    nothing_is_muted()
    tara.page.reload()
    tara.stands_on("Casey Nguyen")
    tara.press("m")
    nothing_is_muted()
    tara.close()


def test_the_focus_stays_with_whoever_it_is_on_while_others_come(
    server: Server, chromium: Browser
) -> None:
    both = [("Casey", "Nguyen", "casey@client.example"), ("Noor", "Haddad", "noor@client.example")]
    booked = book(server, clients=both)
    tara = signed_in_hands(chromium, booked, "office")
    casey, noor = (signed_in_hands(chromium, booked, "portal", number) for number in (0, 1))
    tara.page.goto(f"{booked.office}/clients/")
    casey.page.goto(booked.portal_room(0))
    casey.do("Go to the waiting room")
    tara.hears("Casey is waiting")
    is_hers = re.compile(r"^Casey is waiting")
    expect(tara.page.get_by_role("link", name=is_hers)).to_be_visible()
    tara.tab_to(tara.page.get_by_role("link", name=is_hers).inner_text().replace("\n", " ").strip())
    noor.page.goto(booked.portal_room(1))
    noor.do("Go to the waiting room")
    tara.hears("Noor is waiting")
    assert is_hers.match(tara.focus()["name"]), tara.focus()

    # All are admitted, and the button that did it goes away.
    tara.page.goto(booked.office_room)
    tara.do("Go into the room")
    tara.do("Admit all")
    expect(tara.page.get_by_role("button", name="Remove Noor Haddad")).to_be_visible()
    expect(tara.page.get_by_role("button", name="Admit all")).to_be_hidden()
    tara.stands_on("Casey Nguyen, Noor Haddad")
    for hands in (casey, noor, tara):
        hands.close()


def test_the_focus_is_not_lost_when_a_trouble_is_mended_or_sound_is_let_in(
    casey: Hands, tara: Hands, booked: Booked
) -> None:
    casey.context.add_cookies([booked.cookie("portal")])  # type: ignore[list-item]
    casey.page.add_init_script(
        """const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = (wanted) => window.mended ? real(wanted)
          : Promise.reject(new DOMException("no", "NotReadableError"));
        const play = HTMLMediaElement.prototype.play;
        HTMLMediaElement.prototype.play = function () {
          return this.localName === "video" || window.pressed ? play.call(this)
            : Promise.reject(new DOMException("no", "NotAllowedError"));
        };
        // What is refused does not begin by its `autoplay` either.
        const paused = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "paused");
        Object.defineProperty(HTMLMediaElement.prototype, "paused", {
          get() {
            return (this.localName === "audio" && !window.pressed) || paused.get.call(this);
          },
        });"""
    )
    casey.page.goto(booked.portal_room())
    casey.hears("Another program is using the camera and microphone.")
    casey.tab_to("Try again")
    casey.page.evaluate("window.mended = true")
    casey.press("Enter")
    expect(casey.page.get_by_role("button", name="Try again")).to_have_count(0)
    casey.stands_on("How you look and sound")

    casey.do("Go to the waiting room")
    tara.context.add_cookies([booked.cookie("office")])  # type: ignore[list-item]
    tara.page.goto(booked.office_room)
    tara.do("Go into the room")
    tara.do("Admit Casey Nguyen")
    casey.stands_on("Tara Okafor")
    casey.hears("The browser plays no sound yet. The button Press to hear lets it.")
    # It lies over the end of a panel, and what has the focus comes out from under it.
    casey.press("?")
    casey.stands_on("More")
    casey.tab_to("Use these keys")
    casey.press("Escape")
    casey.tab_to("Press to hear", back=True)
    casey.page.evaluate("window.pressed = true")
    casey.press("Enter")
    expect(casey.page.get_by_role("button", name="Press to hear")).to_be_hidden()
    casey.stands_on("Tara Okafor")


# A phone: no full screen, no picture in picture, no screen to share, no loudspeaker to choose.
PHONE = """
for (const name of ["fullscreenEnabled", "pictureInPictureEnabled"]) {
  Object.defineProperty(Document.prototype, name, { value: undefined });
}
delete Element.prototype.requestFullscreen;
delete HTMLVideoElement.prototype.requestPictureInPicture;
delete HTMLMediaElement.prototype.setSinkId;
delete MediaDevices.prototype.getDisplayMedia;
delete navigator.mediaDevices.getDisplayMedia;
"""


def test_what_a_browser_cannot_do_is_not_offered_and_its_key_does_nothing(
    casey: Hands, tara: Hands, booked: Booked
) -> None:
    for hands, door in ((casey, "portal"), (tara, "office")):
        hands.context.add_cookies([booked.cookie(door)])  # type: ignore[list-item]
    casey.page.add_init_script(PHONE)
    casey.page.goto(booked.portal_room())
    casey.do("Go to the waiting room")
    tara.page.goto(booked.office_room)
    tara.do("Go into the room")
    tara.do("Admit Casey Nguyen")
    keys = """[...document.querySelectorAll(".keys kbd")]
      .filter((key) => key.offsetParent).map((key) => key.innerText)"""
    for hands, can in ((tara, True), (casey, False)):
        assert_sees_and_hears(hands.page)
        hands.press("?")
        hands.stands_on("More")
        for name in ("Share your screen", "Full screen", "Picture in picture"):
            expect(hands.page.get_by_role("button", name=name)).to_have_count(1 if can else 0)
        every = ["M", "V", "A", "W", "S", "H", "F", "P", "?", "Esc"]
        assert hands.page.evaluate(keys) == [
            each for each in every if can or each not in ("S", "F", "P")
        ]
    expect(casey.page.get_by_role("button", name="Play")).to_be_visible()
    expect(casey.page.get_by_role("combobox", name="Speaker")).to_have_count(0)
    casey.press("s", "f", "p")
    assert_sees_and_hears(casey.page)
    assert_sees_and_hears(tara.page)
