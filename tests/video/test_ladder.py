"""What is sent over a line, by how it does: the page's own rules in a real browser, on samples that
the tests make up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright

from tests.support.browsers import launch
from tests.support.modules import module_page, run

# A browser of its own, and no database.
pytestmark = [pytest.mark.journey, pytest.mark.looks]

GOOD = {"loss": 0, "isRoomy": True, "isPair": True}
BAD = {"loss": 0.1, "isRoomy": False, "isPair": True}
BEST, USUAL, FEWER_BITS, SMALLER, STOPPED = -1, 0, 1, 2, 3


@pytest.fixture(scope="module")
def page(playwright: Playwright) -> Iterator[Page]:
    browser = launch(playwright)
    yield module_page(browser)
    browser.close()


def rungs(
    page: Page, *samples: tuple[int, dict[str, Any]], start: dict[str, Any] | None = None
) -> Any:
    """Where a line stands after each of so many samples of a kind."""
    each = [sample for count, sample in samples for _ in range(count)]
    return run(
        page,
        f"""const {{ climb, START }} = await import("/ladder.js");
        let state = {{ ...START, ...{json.dumps(start or {})} }};
        return {json.dumps(each)}.map((sample) => (state = climb(state, sample)).rung);""",
    )  # fmt: skip


def test_a_good_line_between_two_rises_to_the_best_after_ten_seconds(page: Page) -> None:
    assert rungs(page, (6, GOOD)) == [USUAL] * 4 + [BEST] * 2
    assert rungs(page, (4, GOOD), (1, GOOD | {"loss": 0.04}), (4, GOOD)) == [USUAL] * 9


@pytest.mark.parametrize(
    "held", [{"isRoomy": False}, {"isPair": False}, {"loss": 0.04}, {"loss": None}], ids=str
)
def test_it_does_not_rise_where_anything_speaks_against_it(
    page: Page, held: dict[str, Any]
) -> None:
    assert rungs(page, (100, GOOD | held)) == [USUAL] * 100


def test_a_third_person_ends_the_best_at_once(page: Page) -> None:
    assert rungs(page, (1, GOOD | {"isPair": False}), start={"rung": BEST}) == [USUAL]


def test_a_bad_line_goes_down_step_by_step_and_never_below_no_picture(page: Page) -> None:
    down = [BEST] * 2 + [USUAL] * 3 + [FEWER_BITS] * 3 + [SMALLER] * 3 + [STOPPED] * 9
    assert rungs(page, (20, BAD), start={"rung": BEST}) == down
    # And up again, a step for sixteen seconds each, without the best where there is no room.
    up = [STOPPED] * 7 + [SMALLER] * 8 + [FEWER_BITS] * 8 + [USUAL] * 7
    assert rungs(page, (30, GOOD | {"isRoomy": False}), start={"rung": STOPPED}) == up


def test_what_the_machine_cannot_bear_goes_down_without_any_loss(page: Page) -> None:
    strained = GOOD | {"isRoomy": False, "isStrained": True}
    assert rungs(page, (20, strained), start={"rung": BEST}) == [BEST] * 2 + [USUAL] * 18
    # Elsewhere the browser helps itself: it sends less by itself.
    assert rungs(page, (20, strained), start={"rung": USUAL}) == [USUAL] * 20


def test_the_best_is_tried_again_later_each_time(page: Page) -> None:
    strained = GOOD | {"isRoomy": False, "isStrained": True}
    waited = []
    for tries in range(6):
        held = min(tries, 4)
        again = rungs(page, (100, GOOD), start={"tries": held})
        waited.append(again.index(BEST) + 1)
    assert waited == [5, 10, 20, 40, 80, 80]
    both = rungs(page, (5, GOOD), (3, strained), (10, GOOD))
    assert both == [USUAL] * 4 + [BEST] * 3 + [USUAL] * 10 + [BEST]


@pytest.mark.parametrize(
    ("figures", "room"),
    [
        ({}, True),
        ({"kbps": None}, True),
        ({"kbps": 1400}, False),
        ({"lossIn": 0.05}, False),
        ({"lossOut": 0.05}, False),
        ({"trip": 0.6}, False),
        ({"limit": "cpu"}, False),
        ({"limit": "bandwidth"}, False),
        ({"limit": "other"}, True),
    ],
    ids=str,
)
def test_room_for_the_best_needs_line_and_machine(
    page: Page, figures: dict[str, Any], room: bool
) -> None:
    good = {"lossIn": 0, "lossOut": 0, "trip": 0.05, "kbps": 3000, "limit": "none"}
    code = f'return (await import("/ladder.js")).hasRoom({json.dumps(good | figures)});'
    assert run(page, code) is room


def picture(page: Page, **how: Any) -> Any:
    asked = {"rung": 0, "others": 1, "isScreen": False, "isWanted": True, "isFine": False} | how
    return run(page, f'return (await import("/ladder.js")).pictureFor({json.dumps(asked)});')


def sent(kbps: float, scale: int = 1, active: bool = True) -> dict[str, Any]:
    return {"active": active, "kbps": kbps, "scale": scale}


def test_what_is_sent_at_each_step(page: Page) -> None:
    assert picture(page, rung=BEST, isFine=True) == sent(2500)
    # The camera has not followed yet, or cannot.
    assert picture(page, rung=BEST) == sent(1200)
    assert picture(page, rung=USUAL, isFine=True) == sent(1200)
    assert picture(page, rung=FEWER_BITS) == sent(480)
    assert picture(page, rung=SMALLER) == sent(240, 2)
    assert picture(page, rung=STOPPED)["active"] is False
    assert picture(page, isWanted=False)["active"] is False
    # Three and four keep lower.
    assert picture(page, rung=BEST, others=2, isFine=True) == sent(600)
    assert picture(page, rung=BEST, others=3, isFine=True) == sent(300, 2)
    # A screen keeps its pixels.
    assert picture(page, rung=BEST, isScreen=True, isFine=True) == sent(2400)
    assert picture(page, rung=SMALLER, isScreen=True) == sent(480)


@pytest.mark.parametrize(
    ("rungs", "is_screen", "wanted"),
    [([BEST], False, True), ([BEST], True, False), ([USUAL], False, False), ([], False, False),
     ([BEST, BEST], False, False)],
)  # fmt: skip
def test_the_camera_gives_its_best_to_one_other_only(
    page: Page, rungs: list[int], is_screen: bool, wanted: bool
) -> None:
    asked = json.dumps({"rungs": rungs, "isScreen": is_screen})
    assert run(page, f'return (await import("/ladder.js")).wantsBest({asked});') is wanted


# Where one made-up line stands after each of so many looks. So much of what is sent is lost, and
# nothing of what comes.
LOOKED_AT = """const looks = [];
window.setInterval = (look) => { looks.push(look); };
const { watchQuality } = await import("/quality.js");
const { START } = await import("/ladder.js");
let received = 0;
const peer = {
  isConnected: true, climb: START, about: {}, sendsPicture: true,
  tellAbout() {}, async sendPicture() {},
  pc: { async getStats() {
    received += 100;
    const sent = [["video", loss], ...(hasSound ? [["audio", loss]] : [])];
    return new Map([["in", { type: "inbound-rtp", packetsReceived: received, packetsLost: 0 }],
      ...sent.map(([kind, fractionLost]) =>
        [kind, { type: "remote-inbound-rtp", kind, fractionLost }])]);
  } },
};
let loss = 0;
watchQuality({ peers: new Map([["a", peer]]), outgoing: { async useFine() {} }, changed() {} });
const rungs = [];
for (loss of losses) {
  for (const look of looks) look();
  await new Promise((done) => { setTimeout(done, 5); });
  rungs.push(peer.climb.rung);
}
return rungs;"""


@pytest.mark.parametrize("has_sound", [True, False])
def test_a_picture_that_was_stopped_comes_back_also_where_no_sound_is_sent(
    page: Page, has_sound: bool
) -> None:
    losses = [0.2] * 12 + [0.0] * 10
    told = f"const losses = {json.dumps(losses)}, hasSound = {json.dumps(has_sound)};"
    stood = run(page, told + LOOKED_AT)
    assert max(stood) == STOPPED
    # Where sound is sent its loss counts, and all is as bad until it is better.
    assert stood[-1] < STOPPED
