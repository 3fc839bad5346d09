"""How the connection to one other person is looked for, when it does not come about: the page's own
module on a real connection that nobody answers, and on a clock that the tests move."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Page, Playwright

from tests.support.browsers import launch
from tests.support.modules import module_page, run

# A browser of its own, and no database.
pytestmark = [pytest.mark.journey, pytest.mark.looks]

# Each try asks for relays afresh before anything else, and in the same moment.
LOOK = """
const { Peer } = await import("/peer.js");
window.tries = [];
const outgoing = { stream: new MediaStream(), tracks: {}, about: () => ({}) };
const ice = (afresh) => { if (afresh) tries.push(Date.now()); return {}; };
window.peer = new Peer({ outgoing, ice, send() {}, changed() {}, isLineUp: () => true });
peer.bind(OWN, "m");
await peer.offer();
return Date.now();
"""


@pytest.fixture(scope="module")
def page(playwright: Playwright) -> Iterator[Page]:
    browser = launch(playwright)
    page = module_page(browser)
    page.clock.install()
    page.clock.pause_at("2100-01-01T10:00:00")
    yield page
    browser.close()


def tried_within(page: Page, seconds: int) -> list[float]:
    """How many seconds each try came after the one before, within so many."""
    start = run(page, "tries.length = 0; return Date.now();")
    for _ in range(0, seconds * 2, 3):
        page.clock.run_for(1500)
        # An offer is made in the browser's own time.
        run(page, "await peer.hear({ candidate: null });")
    times = [start, *run(page, "return tries;")]
    return [(after - before) / 1000 for before, after in pairwise(times)]


@pytest.mark.parametrize(("own", "later"), [("z", 0), ("a", 1.5)], ids=["impolite", "polite"])
def test_a_connection_is_given_more_time_with_each_try(page: Page, own: str, later: float) -> None:
    run(page, LOOK.replace("OWN", f"'{own}'"))
    waits = [6, 6, 6, 9, 12, 15, 18, 21, 24, 24, 24]
    assert tried_within(page, 195)[:9] == [each + later for each in waits[:9]]
    assert set(tried_within(page, 80)[1:]) == {24 + later}
    # Who has a new line may be on another network: it is looked for as eagerly as at first.
    run(page, "peer.lineIsBack();")
    assert tried_within(page, 30)[:3] == [6 + later] * 3
    run(page, "peer.close();")
    assert tried_within(page, 60) == []
