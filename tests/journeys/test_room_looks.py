"""Every state of a room, from both sides: what every page must be (test_looks), and on a phone that
lies on its side nothing past an edge, and all that is pressed in reach without scrolling."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, ViewportSize

from tests.journeys.test_looks import assert_fits, assert_looks_right
from tests.support.browsers import SLOW_CAMERA, launch
from tests.support.room_looks import SCENES, walk_through
from tests.support.server import Server, serving

pytestmark = [pytest.mark.looks, pytest.mark.slow]

# These are calls, which a small machine carries one after another.
CALLS = {"two", "family", "endings", "closing"}
STATES = [
    pytest.param(scene, marks=pytest.mark.xdist_group("rooms") if scene in CALLS else ())
    for scene in SCENES
]

ON_ITS_SIDE: ViewportSize = {"width": 844, "height": 390}

# What has to be in reach: the one way in, all that is pressed while waiting and in a call. Whoever
# has the list of devices open while waiting scrolls, and closes it where it was opened.
OUT_OF_REACH = """() => {
  scrollTo(0, 0);
  return [...document.querySelectorAll(
    ".check-go .button, #view-waiting:has(#waiting-pickers[hidden]) :is(button, .waiting-foot a), [data-do=choose], .controls button, .dialog[open] button, #resume"
  )].filter((each) => {
    if (!each.checkVisibility()) return false;
    const box = each.getBoundingClientRect();
    return box.top < -1 || box.left < -1 || box.bottom > innerHeight + 1 || box.right > innerWidth + 1;
  }).map((each) => each.getAttribute("aria-label") ?? each.innerText);
}"""  # noqa: E501 -- lines of JavaScript

# The least height of a picture in a call, and words on a picture that something lies upon.
PICTURES = """() => Math.min(
  ...[...document.querySelectorAll("#stage .tile")].filter((each) => each.checkVisibility())
    .map((each) => each.clientHeight))"""
COVERED = """() => {
  const own = document.querySelector("#stage .self");
  if (!own?.checkVisibility()) return [];
  const over = own.getBoundingClientRect();
  return [...document.querySelectorAll("#stage .tile:not(.self) .tile-note p")].filter((each) => {
    if (!each.checkVisibility() || !each.textContent) return false;
    const range = document.createRange();
    range.selectNodeContents(each);
    return [...range.getClientRects()].some((box) => box.right > over.left && box.left < over.right
      && box.bottom > over.top && box.top < over.bottom);
  }).map((each) => each.textContent);
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("roost")
    with serving(folder) as running:
        yield running


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright, SLOW_CAMERA)
    yield browser
    browser.close()


def assert_lies_down(page: Page) -> None:
    """A phone on its side shows all that is pressed, and nothing is cut off; nor are words, however
    it is held."""
    assert page.evaluate(COVERED) == []
    page.set_viewport_size(ON_ITS_SIDE)
    assert_fits(page)
    assert page.evaluate(OUT_OF_REACH) == []
    if page.locator("#view-call").is_visible():
        assert page.evaluate(PICTURES) > 70
        assert page.evaluate(COVERED) == []


@pytest.mark.parametrize("scene", STATES)
def test_every_state_of_a_room_looks_right(server: Server, chromium: Browser, scene: str) -> None:
    complaints: list[str] = []

    def prepare(context: BrowserContext) -> None:
        context.add_init_script(AXE_SCRIPT)
        context.on("weberror", lambda error: complaints.append(str(error.error)))

    seen = []
    for state, page in walk_through(chromium, server, scenes=[scene], prepare=prepare):
        try:
            assert_looks_right(page)
            assert_lies_down(page)
        except AssertionError as error:
            raise AssertionError(f"{state}: {error}") from error
        seen.append(state)
    assert len(set(seen)) == len(seen) >= 6
    assert complaints == []
