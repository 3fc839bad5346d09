"""Firefox and Chromium meet on video, whichever side has which, and nothing keeps them apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright

from tests.support.browsers import (
    FAKE_SCREEN,
    SLOW_CAMERA,
    assert_sees_and_hears,
    assert_sees_and_hears_all,
    figures,
    launch,
    wait_for,
)
from tests.support.firefox import Firefox, firefox
from tests.support.relay import LOOPBACK_PEERS, relaying
from tests.support.rooms import Booked, book
from tests.support.server import Server, serving
from tests.support.windows import (
    ChromiumWindow,
    Window,
    expect_no_text,
    expect_text,
    expect_waits,
)

pytestmark = [pytest.mark.one_database, pytest.mark.slow]


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


@pytest.fixture(scope="module")
def fox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with firefox(tmp_path_factory.mktemp("firefox")) as running:
        yield running


FAMILY = [
    ("Casey", "Nguyen", "casey@client.example"),
    ("Noor", "Haddad", "noor@client.example"),
    ("Robin", "Parker", "robin@client.example"),
]
READ = '[...document.querySelectorAll("#safety-list li")].map((word) => word.textContent)'


def words_of(windows: Iterable[Window]) -> list[list[str]]:
    """The safety words that each of some people reads."""
    found = list[list[str]]()
    for window in windows:
        window.press("Safety")
        wait_for(lambda: len(window.evaluate(READ)) == 4, saying="There are no words.")  # noqa: B023
        found.append(window.evaluate(READ))
        window.press("Close safety words")
    return found


class Pair:
    """A therapist's and a client's window on one session, one of them in Firefox."""

    def __init__(self, booked: Booked, chromium: Browser, fox: Firefox, in_firefox: str) -> None:
        self.booked = booked
        self.in_firefox = in_firefox

        def window(door: str) -> Any:
            cookie = booked.cookie(door)
            if door == in_firefox:
                return fox.window(cookie, FAKE_SCREEN)
            return ChromiumWindow(chromium, cookie, FAKE_SCREEN)

        self.tara: Window = window("office")
        self.casey: Window = window("portal")

    @property
    def both(self) -> tuple[Window, Window]:
        return self.tara, self.casey

    @property
    def fox(self) -> Window:
        return self.tara if self.in_firefox == "office" else self.casey

    def meet(self) -> None:
        """Casey waits, Tara goes in and admits: the call is on."""
        self.casey.goto(self.booked.portal_room())
        self.casey.press("Go to the waiting room")
        expect_waits(self.casey)
        # No media leaves before admission.
        assert figures(self.casey)["sent"] == 0
        self.tara.goto(self.booked.office_room)
        self.tara.press("Go into the room")
        self.tara.press("Admit Casey Nguyen")
        self.assert_meet()

    def assert_meet(self) -> None:
        for window in self.both:
            assert_sees_and_hears(window, plain=window is not self.fox)


BOTH_WAYS = {"params": ["portal", "office"], "ids": ["client-in-firefox", "therapist-in-firefox"]}


@pytest.fixture(**BOTH_WAYS)
def pair(
    request: pytest.FixtureRequest, server: Server, chromium: Browser, fox: Firefox
) -> Iterator[Pair]:
    two = Pair(book(server), chromium, fox, request.param)
    yield two
    for window in two.both:
        window.close()
    assert [window.complaints for window in two.both] == [[], []]


def test_they_meet_and_a_dead_server_does_not_part_them(pair: Pair, server: Server) -> None:
    pair.meet()
    tara_reads, casey_reads = words_of(pair.both)
    assert tara_reads == casey_reads

    server.kill()
    for window in pair.both:
        expect_text(window, "Your line dropped and is being mended")
        before = figures(window)["frames"]
        wait_for(lambda: figures(window)["frames"] > before + 20, saying="It stands still.")  # noqa: B023
    server.start()
    for window in pair.both:
        expect_no_text(window, "Your line dropped")
    pair.assert_meet()


def test_who_is_in_firefox_loads_the_page_again(pair: Pair) -> None:
    pair.meet()
    pair.fox.reload()
    pair.assert_meet()
    tara_reads, casey_reads = words_of(pair.both)
    assert tara_reads == casey_reads


def test_mute_and_camera_are_told_to_the_other(pair: Pair) -> None:
    pair.meet()
    for window, other, name in (
        (pair.casey, pair.tara, "Casey"),
        (pair.tara, pair.casey, "Tara Okafor"),
    ):
        window.press("Camera off")
        expect_text(other, f"{name}’s camera is off")
        window.press("Mute")
        expect_text(other, f"{name}, muted")
        window.press("Camera off")
        window.press("Mute")
        expect_no_text(other, f"{name}’s camera is off")
        expect_no_text(other, f"{name}, muted")
    pair.assert_meet()


def test_what_is_offered_beside_the_call_works_in_either(pair: Pair) -> None:
    pair.meet()
    for window in pair.both:
        # A loudspeaker can be chosen only where the browser names some.
        window.press("More")
        names_some = window.evaluate(
            """navigator.mediaDevices.enumerateDevices().then((all) =>
              all.some((each) => each.kind === "audiooutput" && each.deviceId))"""
        )
        wait_for(lambda: window.has("Speaker", "combobox") == names_some)  # noqa: B023
        window.press("Full screen")
        wait_for(lambda: window.evaluate("document.fullscreenElement?.id") == "main")  # noqa: B023
        window.press("Full screen")
        wait_for(lambda: window.evaluate("document.fullscreenElement") is None)  # noqa: B023
        window.press("Picture in picture")
        wait_for(lambda: window.evaluate("Boolean(document.pictureInPictureElement)"))  # noqa: B023
        window.press("Picture in picture")
        wait_for(lambda: not window.evaluate("Boolean(document.pictureInPictureElement)"))  # noqa: B023
        window.press("Close this panel")
    pair.assert_meet()


def test_a_screen_is_shown_and_pictures_rest(pair: Pair) -> None:
    pair.meet()
    names = {pair.tara: "Tara Okafor", pair.casey: "Casey"}
    for window, other in ((pair.casey, pair.tara), (pair.tara, pair.casey)):
        window.press("More")
        window.press("Share your screen")
        expect_text(window, "Everybody in the call sees your screen.")
        wide = """() => document.querySelector(".tile-screen video")?.videoWidth > 700"""
        wait_for(lambda: other.evaluate(wide), seconds=60, saying="No screen is seen.")  # noqa: B023
        window.press("Stop sharing")
        window.press("Close this panel")
        wait_for(lambda: not other.evaluate("document.querySelectorAll('.tile-screen').length"))  # noqa: B023

        window.press("Audio only")
        expect_text(other, f"{names[window]} is on audio only")
        sound = figures(other)["audio"]
        wait_for(lambda: figures(other)["audio"] > sound, seconds=30)  # noqa: B023
        window.press("Audio only")
        expect_no_text(other, f"{names[window]} is on audio only")
        pair.assert_meet()


@pytest.mark.whole_machine
def test_three_and_then_four_meet_in_both(server: Server, chromium: Browser, fox: Firefox) -> None:
    """Each is connected with each; Casey is in Firefox, comes back to it, and is there when another
    is let in."""
    booked = book(server, clients=FAMILY)
    casey = fox.window(booked.cookie("portal", 0), FAKE_SCREEN)
    tara, noor, robin = (
        ChromiumWindow(chromium, cookie, FAKE_SCREEN)
        for cookie in (booked.cookie("office"), *(booked.cookie("portal", n) for n in (1, 2)))
    )

    def knock(number: int, window: Window) -> None:
        window.goto(booked.portal_room(number))
        window.press("Go to the waiting room")
        expect_waits(window)

    people: list[Window] = [tara, casey, noor]
    knock(0, casey)
    knock(1, noor)
    tara.goto(booked.office_room)
    tara.press("Go into the room")
    for name in ("Casey Nguyen", "Noor Haddad"):
        tara.press(f"Admit {name}")
    for window in people:
        assert_sees_and_hears_all(window, 2, plain=window is not casey)
    casey.reload()
    for window in people:
        assert_sees_and_hears_all(window, 2, plain=window is not casey)
    knock(2, robin)
    assert figures(robin)["sent"] == 0
    tara.press("Admit Robin Parker")
    people.append(robin)
    for window in people:
        assert_sees_and_hears_all(window, 3, plain=window is not casey)
    first, *others = words_of(people)
    assert others == [first] * 3
    for window in people:
        window.close()
    assert [window.complaints for window in people] == [[], [], [], []]


@pytest.fixture(**BOTH_WAYS)
def relayed(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    database: dict[str, str],
    chromium: Browser,
    fox: Firefox,
) -> Iterator[Pair]:
    """A practice that sends every call through its relay."""
    with relaying(tmp_path / "relay", more=LOOPBACK_PEERS) as relay:
        # Neither browser knows the test's certificate, so TLS is left out.
        told = relay.settings | {"ROOST_TURN_URL": relay.urls["udp"]}
        with serving(tmp_path / "roost", **told, **database) as server:
            # A practice of its own: on PostgreSQL the database is the module's.
            two = Pair(book(server, slug=f"relay-{request.param}"), chromium, fox, request.param)
            server.run(
                "from roost.practices.models import Practice\n"
                f"Practice.objects.filter(slug='{two.booked.slug}').update(relay_only=True)"
            )
            yield two
            for window in two.both:
                window.close()
            assert [window.complaints for window in two.both] == [[], []]


def test_they_meet_through_the_relay_alone(relayed: Pair) -> None:
    relayed.meet()
    for window in relayed.both:
        assert set(figures(window)["kinds"]) == {"relay"}
    relayed.fox.reload()
    relayed.assert_meet()
    for window in relayed.both:
        assert set(figures(window)["kinds"]) == {"relay"}


def test_the_client_leaves_and_returns_and_the_therapist_ends(pair: Pair) -> None:
    pair.meet()
    pair.casey.press("Leave")
    expect_text(pair.casey, "You have left the session")
    expect_text(pair.tara, "Nobody else is here yet")
    pair.casey.press("Return to session")
    pair.assert_meet()
    pair.tara.press("End session")
    pair.tara.press("End it now")
    expect_text(pair.casey, "Your session has ended")
    expect_text(pair.tara, "You ended this session")


@pytest.fixture
def strict_fox(tmp_path: Path) -> Iterator[Firefox]:
    """A Firefox that blocks camera and microphone, and plays no sound unasked."""
    blocked = {f"permissions__default__{what}": 2 for what in ("camera", "microphone")}
    with firefox(
        tmp_path,
        media__navigator__permission__disabled=False,
        media__autoplay__default=1,
        **blocked,
    ) as running:
        yield running


@pytest.fixture
def heard_fox(tmp_path: Path) -> Iterator[Firefox]:
    """A Firefox with a loudspeaker, also where there is none: without one it works on no sound."""
    with firefox(tmp_path, media__cubeb__force_mock_context=True) as running:
        yield running


def test_firefox_rehearses(server: Server, heard_fox: Firefox) -> None:
    booked = book(server)
    casey = heard_fox.window(booked.cookie("portal"))
    casey.goto(f"{booked.portal}/rehearse/")
    casey.press("Start the test")
    expect_text(casey, "One thing is left", seconds=45)
    expect_text(casey, "We can hear you.")
    casey.press("Play")
    casey.press("Yes")
    expect_text(casey, "Camera and sound work")
    expect_text(casey, "Tara can see how it went.")
    casey.close()
    assert casey.complaints == []


@pytest.fixture
def deaf_fox(tmp_path: Path) -> Iterator[Firefox]:
    """A Firefox that finds no loudspeaker, also where there is one."""
    with firefox(tmp_path, media__cubeb__backend="none") as running:
        yield running


def test_without_a_loudspeaker_the_microphone_is_not_blamed(
    server: Server, deaf_fox: Firefox
) -> None:
    booked = book(server)
    casey = deaf_fox.window(booked.cookie("portal"))
    casey.goto(f"{booked.portal}/rehearse/")
    casey.press("Start the test")
    expect_text(casey, "We can’t find a loudspeaker. Plug in or switch on", seconds=45)
    expect_text(casey, "There is trouble with the sound.")
    expect_no_text(casey, "We can’t hear your microphone.")
    casey.close()
    assert casey.complaints == []


def test_who_blocked_the_camera_reads_what_to_press_in_firefox_and_can_listen(
    server: Server, chromium: Browser, strict_fox: Firefox
) -> None:
    booked = book(server)
    casey = strict_fox.window(booked.cookie("portal"))
    tara = ChromiumWindow(chromium, booked.cookie("office"))
    casey.goto(booked.portal_room())
    expect_text(casey, "The browser blocks your camera and microphone.")
    expect_text(
        casey,
        "If a crossed-out sign stands at the left of the address, press it, and take the block away"
        " with its ×. Then press Try again."
        " You can join and just listen all the same.",
    )
    # Still so, and said again.
    casey.press("Try again")
    expect_text(casey, "The browser blocks your camera and microphone.")
    casey.press("Just listen")
    expect_waits(casey)
    tara.goto(booked.office_room)
    tara.press("Go into the room")
    tara.press("Admit Casey Nguyen")
    assert_sees_and_hears(casey)

    # Nobody has pressed anything on the page that is loaded now.
    casey.reload()
    casey.press("Press to hear")
    assert_sees_and_hears(casey)
    assert not casey.has("Press to hear")
    for window in (casey, tara):
        window.close()
    assert [window.complaints for window in (casey, tara)] == [[], []]


def test_by_keyboard_in_firefox(server: Server, fox: Firefox) -> None:
    """Firefox has its own ideas of where the focus goes once a button is no longer there."""
    booked = book(server)
    tara, casey = (fox.window(booked.cookie(door)) for door in ("office", "portal"))
    here = """(() => {
      const here = document.activeElement;
      return (here.ariaLabel ?? here.innerText).trim();
    })()"""

    def stands_on(window: Window, name: str) -> None:
        try:
            wait_for(lambda: window.evaluate(here) == name, seconds=20)
        except AssertionError:
            raise AssertionError(f"Not on {name}, but on {window.evaluate(here)}.") from None

    def tab_to(window: Window, name: str) -> None:
        # Whoever goes past the end of the page is in the browser's own bars, and stays there.
        wait_for(lambda: window.has(name), seconds=20, saying=f"There is no {name}.")
        for _ in range(40):
            window.key("Tab")
            if window.evaluate(here) == name:
                return
        raise AssertionError(f"The keyboard does not reach {name}.")

    casey.goto(booked.portal_room())
    tab_to(casey, "Go to the waiting room")
    casey.key("Enter")
    stands_on(casey, "Take a breath. You’re here.")
    tara.goto(booked.office_room)
    tab_to(tara, "Go into the room")
    tara.key("Enter")
    stands_on(tara, "Casey Nguyen")
    tab_to(tara, "Admit Casey Nguyen")
    tara.key("Enter")
    stands_on(tara, "Casey Nguyen")
    stands_on(casey, "Tara Okafor")
    tara.key("m")
    expect_text(casey, "Tara Okafor, muted")
    tara.key("w")
    stands_on(tara, "Safety words")
    tara.key("Escape")
    stands_on(tara, "Safety")
    tab_to(casey, "Leave")
    casey.key("Enter")
    stands_on(casey, "You have left the session")
    for window in (tara, casey):
        window.close()
    assert [window.complaints for window in (tara, casey)] == [[], []]
