"""How a call's end is told: the modules without page or server, driven in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright, Route

import roost.video
from tests.support.browsers import launch

pytestmark = [pytest.mark.journey, pytest.mark.looks]

SCRIPTS = Path(roost.video.__file__).parent / "static" / "video"
PLACE = "http://words.example/"
TIME = {"closes": "3:20 pm", "lasts": "4:20 pm"}


@pytest.fixture(scope="module")
def page(playwright: Playwright) -> Iterator[Page]:
    def answer(route: Route) -> None:
        name = route.request.url.removeprefix(PLACE)
        if name:
            text = (SCRIPTS / name).read_text()
            return route.fulfill(body=text, content_type="text/javascript; charset=utf-8")
        route.fulfill(body="<!doctype html><p id='box'></p>", content_type="text/html")

    browser = launch(playwright)
    page = browser.new_page()
    page.clock.install()
    page.route(f"{PLACE}**", answer)
    page.goto(PLACE)
    yield page
    browser.close()


@pytest.mark.parametrize(
    ("phase", "client", "therapist"),
    [
        ("open", "", ""),
        (
            "closing",
            "The room closes at 3:20 pm. There’s no hurry: this call can go on while Tara is in it,"
            " until 4:20 pm.",
            "The room closes to newcomers at 3:20 pm. This call can go on while you are in it,"
            " until 4:20 pm.",
        ),
        (
            "overtime",
            "This call can go on while Tara is in it, until 4:20 pm. Whoever leaves now can’t come"
            " back.",
            "The room is closed to newcomers, and whoever leaves now can’t come back. This call can"
            " go on until 4:20 pm.",
        ),
        (
            "ending",
            "This call ends at 4:20 pm: the room’s time is over then.",
            "This call ends at 4:20 pm: the room’s time is over then.",
        ),
    ],
)
def test_each_phase_is_said_to_both_sides(
    page: Page, phase: str, client: str, therapist: str
) -> None:
    said = page.evaluate(
        """async (told) => {
          const { Closing } = await import("/ending.js");
          const box = document.getElementById("box");
          return [false, true].map((isTherapist) => {
            const closing = new Closing({ box, closes: "1:00 pm", first: "Tara", isTherapist });
            closing.hear({ type: "joined" });
            const before = [closing.until, closing.isOpen];
            closing.hear(isTherapist ? { type: "time", ...told } : { type: "state", time: told });
            return [before, box.textContent, closing.until, closing.isOpen];
          });
        }""",
        {"phase": phase, **TIME},
    )
    is_open = phase in ("open", "closing")
    assert said == [[["1:00 pm", True], words, "3:20 pm", is_open] for words in (client, therapist)]


@pytest.mark.parametrize(
    ("reason", "facts", "title", "words"),
    [
        ("left", {"open": True}, "You have left the session",
         "The room stays open until 3:20 pm. Come and go as you need."),
        ("left", {"open": False}, "You have left the session", ""),
        ("ended", {"open": True}, "Your session has ended",
         "If Tara opens the room again, you can come back until 3:20 pm."),
        ("ended", {"open": False}, "Your session has ended", ""),
        ("ended", {"open": False, "isTherapist": True}, "You ended this session",
         "The room’s time is over."),
        ("over", {"open": False}, "Your session has ended",
         "The room’s time is over, so it closed by itself."),
        ("over", {"open": False, "isTherapist": True}, "The session has ended",
         "The room’s time is over, so it closed by itself."),
        ("late", {"open": False}, "The room is closed", "It was open until 3:20 pm."),
    ],
)  # fmt: skip
def test_no_way_back_is_promised_where_there_is_none(
    page: Page, reason: str, facts: dict[str, Any], title: str, words: str
) -> None:
    said = page.evaluate(
        "async ([reason, facts]) => (await import('/ending.js')).endingFor(reason, facts)",
        [reason, {"first": "Tara", "isTherapist": False, "until": "3:20 pm", **facts}],
    )
    assert (said["title"], said["words"]) == (title, words)


def test_what_was_agreed_stands_once_a_line_has_not_come_about_for_a_while(page: Page) -> None:
    page.evaluate(
        """async () => {
          const { watchFallback } = await import("/quality.js");
          window.box = document.getElementById("box");
          box.hidden = true;
          window.peers = new Map([["tara", { isConnected: false }]]);
          window.told = [];
          watchFallback({ peers, box, changed: () => told.push(!box.hidden) });
        }"""
    )

    def is_shown(after: int) -> bool:
        page.clock.run_for(after * 1000)
        return not page.evaluate("box.hidden")

    assert not is_shown(14)
    assert is_shown(6)
    page.evaluate("peers.get('tara').isConnected = true")
    assert not is_shown(2)
    # Each time anew, and for each person.
    page.evaluate("peers.get('tara').isConnected = false; peers.set('noor', { isConnected: true })")
    assert not is_shown(12)
    assert is_shown(8)
    page.evaluate("peers.delete('tara')")
    assert not is_shown(2)
    # The page is told of each, and of nothing else.
    assert page.evaluate("told") == [True, False, True, False]
