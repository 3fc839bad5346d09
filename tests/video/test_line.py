"""How the room's socket comes back: the page's own modules in a real browser, on a socket and a
clock that the tests make."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Playwright

from tests.support.browsers import launch
from tests.support.modules import module_page, run

# A browser of its own, and no database.
pytestmark = [pytest.mark.journey, pytest.mark.looks]

# Sockets that do what a test says, and the line on them. `wait` lets the browser's own time pass.
STAGE = """
window.wait = (ms) => new Promise((done) => setTimeout(done, ms));
window.sockets = [];
window.WebSocket = class extends EventTarget {
  static OPEN = 1;
  readyState = 0;
  said = [];
  constructor(url) { super(); this.url = url; sockets.push(this); }
  send(text) { this.said.push(JSON.parse(text).type); }
  close(code = 1000) {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }
  open() { this.readyState = 1; this.dispatchEvent(new Event("open")); }
  hear(message) {
    this.dispatchEvent(Object.assign(new Event("message"), { data: JSON.stringify(message) }));
  }
};
window.newLine = async () => {
  window.last?.close();
  sockets.length = 0;
  const { Line } = await import("/line.js");
  window.changes = [];
  const changed = (...what) => changes.push(what);
  const line = window.last = new Line("/socket/", { heard() {}, changed });
  sockets[0].open();
  return line;
};
"""


@pytest.fixture(scope="module")
def page(playwright: Playwright) -> Iterator[Page]:
    browser = launch(playwright)
    page = module_page(browser)
    page.add_script_tag(content=STAGE)
    yield page
    browser.close()


def test_on_another_network_it_opens_anew_at_once_and_gives_the_old_one_up(page: Page) -> None:
    code = """const line = await newLine();
    line.reopen();
    return [sockets.length, sockets[0].readyState, changes.map(([state]) => state), line.isUp];"""
    # Not after a back-off: in the same moment.
    assert run(page, code) == [2, 3, ["up", "down"], False]


def test_it_does_not_wait_out_its_back_off_on_another_network(page: Page) -> None:
    code = """const line = await newLine();
    sockets[0].close(1006);
    for (let each = 1; each < 5; each += 1) {
      while (sockets.length <= each) await wait(20);
      sockets[each].close(1006);
    }
    // It would try again after two seconds or so.
    await wait(300);
    const before = sockets.length;
    line.reopen();
    const after = sockets.length;
    sockets.at(-1).open();
    await wait(2800);
    return [before, after, sockets.length];"""
    assert run(page, code) == [5, 6, 6]


def test_a_socket_that_is_dead_without_knowing_is_found_out_soon(page: Page) -> None:
    code = """const line = await newLine();
    line.check();
    await wait(500);
    const early = sockets.length;
    const start = performance.now();
    while (sockets.length < 2) await wait(20);
    return [sockets[0].said, early, performance.now() - start];"""
    said, early, took = run(page, code)
    assert (said, early) == (["ping"], 1)
    # A second more, and the first step of the back-off; by itself it takes up to fifteen.
    assert took < 3000


def test_one_that_does_not_open_is_given_up_after_a_while(page: Page) -> None:
    code = """const line = await newLine();
    line.reopen();
    const start = performance.now();
    while (sockets.length < 3) await wait(50);
    return [sockets[1].readyState, performance.now() - start];"""
    state, took = run(page, code)
    assert state == 3
    assert 7500 < took < 10_000


def test_what_is_asked_again_meanwhile_does_not_put_its_end_off(page: Page) -> None:
    code = """const line = await newLine();
    const start = performance.now();
    line.sayAndCheck({ type: "end" });
    for (let each = 0; each < 4; each += 1) { await wait(1000); line.sayAndCheck({ type: "end" }); }
    while (sockets.length < 2) await wait(20);
    return performance.now() - start;"""
    # Half a second until it is asked, five until it is given up, and the first back-off.
    assert run(page, code) < 7500


def test_an_answer_to_an_earlier_question_answers_no_later_one(page: Page) -> None:
    code = """const line = await newLine();
    line.check();
    line.check();
    sockets[0].hear({ type: "pong" });
    const early = changes.map(([state]) => state);
    sockets[0].hear({ type: "pong" });
    return [early, changes.map(([state]) => state)];"""
    assert run(page, code) == [["up"], ["up", "alive"]]


def test_a_socket_that_answers_is_kept(page: Page) -> None:
    code = """const line = await newLine();
    line.check();
    sockets[0].hear({ type: "pong" });
    await wait(2200);
    return [sockets.length, line.isUp];"""
    assert run(page, code) == [1, True]


def test_one_that_waits_to_try_again_does_so_when_somebody_looks(page: Page) -> None:
    code = """const line = await newLine();
    sockets[0].close(1006);
    line.check();
    return sockets.length;"""
    assert run(page, code) == 2


def test_what_is_over_stays_over(page: Page) -> None:
    code = """const line = await newLine();
    sockets[0].close(4409);
    line.check();
    line.reopen();
    await wait(600);
    return [sockets.length, changes];"""
    assert run(page, code) == [1, [["up"], ["over", 4409]]]


def moves(page: Page, events: str) -> int:
    """How often a change of network is noticed."""
    code = """const connection = Object.assign(new EventTarget(), { type: "wifi", downlink: 10 });
    Object.defineProperty(navigator, "connection", { value: connection, configurable: true });
    const { watchNetwork } = await import("/browser.js");
    let moves = 0;
    watchNetwork(() => { moves += 1; });
    const change = (what) => {
      Object.assign(connection, what);
      connection.dispatchEvent(new Event("change"));
    };
    EVENTS
    await wait(300);
    return moves;"""
    return int(run(page, code.replace("EVENTS", events)))


def test_another_network_is_noticed_once_however_it_shows(page: Page) -> None:
    assert moves(page, "dispatchEvent(new Event('online'));") == 1
    assert moves(page, "change({ type: 'cellular' });") == 1
    both = "change({ type: 'none' }); change({ type: 'wifi' }); dispatchEvent(new Event('online'));"
    assert moves(page, both) == 1
    # No network at all, and the same one at another speed, are none.
    assert moves(page, "change({ type: 'none' });") == 0
    assert moves(page, "change({ downlink: 2 });") == 0
