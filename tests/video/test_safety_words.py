# ruff: noqa: E501 -- lines of JavaScript
"""Safety words, as pages work them out: the page's own module in a real browser, and between its
copies a server that may be honest or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright, Route

import roost.video
from tests.support.browsers import launch

# A browser of its own, and no database.
pytestmark = [pytest.mark.journey, pytest.mark.looks]

SCRIPTS = Path(roost.video.__file__).parent / "static" / "video"
PLACE = "http://localhost:9/"

# A call between `cids`. `seen(me, other)` is the certificate that one page sees at another's end;
# `carry(from, to, step)` is what the server makes of a message: itself, others, or nothing.
CALL = """
window.inCall = async (cids, { seen = (me, other) => `sha-256 ${other}`, carry = (from, to, step) => [step] } = {}) => {
  const { Safety } = await import("/safety.js");
  const call = { pages: new Map(), carried: [] };
  const send = (from) => (to, step) => {
    for (const each of carry(from, to, step)) {
      call.carried.push({ from, to, ...each });
      setTimeout(() => call.pages.get(to)?.hear(from, each));
    }
  };
  call.enter = (cid) => call.pages.set(cid, new Safety({ own: cid, send: send(cid), changed() {} }));
  call.meet = (...here) => Promise.all(here.map((me) => call.pages.get(me).follow(
    `sha-256 ${me}`, new Map(here.filter((each) => each !== me).map((other) => [other, seen(me, other)])),
  )));
  call.words = async (within = 3000) => {
    const end = performance.now() + within;
    const all = () => [...call.pages.values()].map((page) => page.words?.join(" ") ?? "");
    while (!all().every(Boolean) && performance.now() < end) await new Promise((done) => setTimeout(done, 20));
    return all();
  };
  call.broken = () => [...call.pages.values()].map((page) => [...page.broken]);
  cids.forEach(call.enter);
  await call.meet(...cids);
  return call;
};
"""


@pytest.fixture(scope="module")
def page(playwright: Playwright) -> Iterator[Page]:
    browser = launch(playwright)
    context = browser.new_context()

    def serve(route: Route) -> None:
        name = route.request.url.removeprefix(PLACE)
        if not name:
            return route.fulfill(
                content_type="text/html", body="<!doctype html><title>A page</title>"
            )
        route.fulfill(content_type="text/javascript", body=(SCRIPTS / name).read_text())

    context.route(f"{PLACE}**", serve)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(PLACE)
    page.add_script_tag(content=CALL)
    yield page
    browser.close()


def run(page: Page, code: str) -> Any:
    return page.evaluate(f"async () => {{ {code} }}")


@pytest.mark.parametrize("cids", [["a", "b"], ["a", "b", "c"], ["a", "b", "c", "d"]], ids=len)
def test_all_sides_come_to_the_same_four_words(page: Page, cids: list[str]) -> None:
    words = run(page, f"return (await inCall({cids})).words();")
    assert len(set(words)) == 1
    assert len(words[0].split()) == 4
    again = run(page, f"return (await inCall({cids})).words();")
    assert again[0] != words[0]


@pytest.mark.parametrize("other", ["b", "c"])
def test_a_server_that_swaps_a_certificate_gets_other_words(page: Page, other: str) -> None:
    """It sits between two of three, and carries all else honestly."""
    words = run(
        page,
        f"""const seen = (me, other) => `sha-256 ${{
          (me === "a" && other === "{other}") || (me === "{other}" && other === "a") ? "EVE" : other}}`;
        return (await inCall(["a", "b", "c"], {{ seen }})).words();""",
    )
    assert all(words)
    assert words[0] != words["abc".index(other)]


def test_a_server_in_the_middle_that_plays_along_on_both_sides_gets_other_words(page: Page) -> None:
    """Eve shows each side a page of her own, which keeps to the rules."""
    words = run(
        page,
        """const left = await inCall(["a", "b"], { seen: (me, other) => `sha-256 ${other === "b" ? "EVE1" : other}` });
        const right = await inCall(["a", "b"], { seen: (me, other) => `sha-256 ${other === "a" ? "EVE2" : other}` });
        return [(await left.words())[0], (await right.words())[1]];""",
    )
    assert all(words)
    assert words[0] != words[1]


def test_a_list_of_words_that_did_not_come_is_asked_for_again(page: Page) -> None:
    fresh = page.context.new_page()
    missed: list[str] = []

    def miss(route: Route) -> None:
        missed.append(route.request.url)
        route.abort() if len(missed) < 3 else route.fallback()

    fresh.route(f"{PLACE}words.js", miss)
    fresh.goto(PLACE)
    fresh.add_script_tag(content=CALL)
    words = run(fresh, 'return (await inCall(["a", "b"])).words(20000);')
    fresh.close()
    assert len(missed) == 3
    assert words[0] == words[1]
    assert len(words[0].split()) == 4


def test_nobody_reveals_before_all_have_committed(page: Page) -> None:
    """Without one commitment nothing is revealed: there would be something to choose by."""
    carried = run(
        page,
        """const carry = (from, to, step) => from === "c" && to === "a" ? [] : [step];
        const call = await inCall(["a", "b", "c"], { carry });
        await call.words(800);
        return call.carried;""",
    )
    assert {step["from"] for step in carried if step.get("commit")} == {"a", "b", "c"}
    assert "a" not in {step["from"] for step in carried if step.get("reveal")}


def test_a_reveal_that_does_not_match_is_a_warning(page: Page) -> None:
    words, broken = run(
        page,
        """const carry = (from, to, step) => [from === "b" && step.reveal ? { ...step, reveal: "x".repeat(43) } : step];
        const call = await inCall(["a", "b"], { carry });
        return [await call.words(800), call.broken()];""",
    )
    assert words[0] == ""
    assert broken == [["b"], []]


def test_a_late_reveal_that_does_not_match_takes_the_words_away(page: Page) -> None:
    before, after, broken = run(
        page,
        """const call = await inCall(["a", "b"]);
        const before = await call.words();
        const { turn, round } = call.carried.find((step) => step.from === "b" && step.reveal);
        await call.pages.get("a").hear("b", { turn, round, reveal: "x".repeat(43) });
        return [before, await call.words(300), call.broken()];""",
    )
    assert before[0] == before[1] != ""
    assert after[0] == ""
    assert broken == [["b"], []]


def test_a_commitment_cannot_be_changed_within_a_turn(page: Page) -> None:
    broken = run(
        page,
        """const call = await inCall(["a", "b"]);
        await call.words();
        const { turn, round } = call.carried.find((step) => step.from === "b" && step.commit);
        await call.pages.get("a").hear("b", { turn, round, commit: "y".repeat(43) });
        return call.broken();""",
    )
    assert broken == [["b"], []]


def test_a_page_is_not_answered_with_its_own_commitment(page: Page) -> None:
    """Eve sends a's own steps back to it as those of b."""
    words, broken = run(
        page,
        """let call;
        const carry = (from, to, step) => { if (from === "a") setTimeout(() => call?.pages.get("a").hear("b", step)); return []; };
        call = await inCall(["a", "b"], { carry });
        await call.meet("a");
        await call.meet("a", "b");
        return [await call.words(800), call.broken()];""",
    )
    assert words[0] == ""
    assert broken[0] == ["b"]


def test_who_comes_and_goes_changes_the_words_for_everybody(page: Page) -> None:
    two, three, two_again = run(
        page,
        """const call = await inCall(["a", "b"]);
        const two = await call.words();
        call.enter("c");
        await call.meet("a", "b", "c");
        const three = await call.words();
        call.pages.delete("c");
        await call.meet("a", "b");
        return [two, three, await call.words()];""",
    )
    for words in (two, three, two_again):
        assert len(set(words)) == 1
        assert words[0]
    assert len({two[0], three[0], two_again[0]}) == 3


def test_what_is_lost_on_the_way_is_said_again(page: Page) -> None:
    words = run(
        page,
        """let lost = 0;
        const carry = (from, to, step) => from === "a" && lost++ < 2 ? [] : [step];
        return (await inCall(["a", "b"], { carry })).words(15000);""",
    )
    assert words[0] == words[1] != ""


def test_an_sdp_with_two_certificates_names_none(page: Page) -> None:
    one, two, none = run(
        page,
        """const { fingerprintOf } = await import("/safety.js");
        const line = (value) => `a=fingerprint:sha-256 ${value}\\r\\n`;
        return [fingerprintOf("v=0\\r\\n" + line("ab:cd") + "m=audio\\r\\n" + line("AB:CD")),
          fingerprintOf(line("AB:CD") + line("EF:01")), fingerprintOf("v=0")];""",
    )
    assert one == "sha-256 AB:CD"
    assert (two, none) == ("", "")


def test_the_list_has_256_words_told_apart_by_ear(page: Page) -> None:
    words = run(page, 'return (await import("/words.js")).WORDS;')
    assert len(words) == len(set(words)) == 256
    assert all(word.isascii() and word.islower() and 3 <= len(word) <= 9 for word in words)
    near = [(a, b) for a in words for b in words if a < b and (_distance(a, b) < 2)]
    assert near == []


def _distance(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, 1):
        next_row = [number]
        for at, wanted in enumerate(other, 1):
            step = min(row[at] + 1, next_row[-1] + 1, row[at - 1] + (letter != wanted))
            next_row.append(step)
        row = next_row
    return row[-1]


def test_a_line_goes_down_the_ladder_only_after_a_while_and_never_its_sound(page: Page) -> None:
    rungs, back, pictures = run(
        page,
        """const { START, climb, pictureFor, STOPPED } = await import("/ladder.js");
        let stand = START;
        const after = (losses) => losses.map((loss) => (stand = climb(stand, { loss })).rung);
        const rungs = after([.2, .2, 0, .2, .2, .2, .2, .2, .2, null, .2, .2, .2, .2, .2, .2]);
        const back = after(Array(24).fill(0));
        const pictures = [0, 1, 2, STOPPED].map((rung) => pictureFor({ rung, others: 1, isScreen: false, isWanted: true }));
        return [rungs, back, pictures];""",
    )
    assert rungs == [0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]
    assert (back[6], back[7], back[15], back[23]) == (3, 2, 1, 0)
    bits, pixels = [p["kbps"] for p in pictures], [p["scale"] for p in pictures]
    assert bits[0] > bits[1] > bits[2]
    assert pixels[:3] == [1, 1, 2]
    assert [p["active"] for p in pictures] == [True, True, True, False]


def test_a_lines_state_is_said_with_its_reason(page: Page) -> None:
    said = run(
        page,
        """const { judge, sayLines } = await import("/ladder.js");
        const at = (name, figures, rung = 0, isSeen = true) => ({ name, about: { rung: 0 }, climb: { rung }, line: judge(figures), isSeen, isShown: true });
        const good = { lossIn: 0, lossOut: 0, trip: 0.1 }, lossy = { lossIn: 0.01, lossOut: 0.12, trip: 0.1 };
        const slow = { lossIn: null, lossOut: null, trip: 1.25 };
        return [[], [at("Remy", good)], [at("Remy", lossy, 1)], [at("Tara", good), at("Remy", slow)],
          [at("Tara", lossy), at("Remy", lossy)], [at("Remy", lossy, 3)],
          [at("Remy", { ...good, lossOut: 0.04 })], [at("Remy", { ...good, trip: 0.6 })],
          [at("Remy", good, 3)], [at("Remy", good, 3, false)],
          [at("Tara", good), { ...at("Remy", good), about: { rung: 1 } }],
          [{ ...at("Remy", good), about: { rung: 3 } }], [{ ...at("Remy", good), about: { rung: 1 }, isShown: false }]].map(sayLines);""",
    )
    assert said == [
        "",
        "line is good",
        "the line to Remy is weak: a lot gets lost on the way, so Remy sees you smaller for now",
        "Remy’s line is weak: everything arrives very late",
        "your line is weak: a lot gets lost on the way",
        "the line to Remy is weak: a lot gets lost on the way, so Remy only hears you for now",
        "the line to Remy is weak: a little gets lost on the way",
        "the line to Remy is weak: everything arrives a bit late",
        "line is good again: Remy sees you soon",
        # Who has no camera on is not seen, however good the line.
        "line is good",
        # What Remy sends was lost on the way: whose end that lay at, nobody knows.
        "the line to Remy was weak: Remy’s picture is smaller for a moment",
        # No picture is none that is smaller; nor is a screen.
        "line is good",
        "line is good",
    ]


def test_the_therapists_timer_warns_before_the_end(page: Page) -> None:
    said = run(
        page,
        """const { timerFor } = await import("/clock.js");
        const times = { starts: 0, ends: 50 * 60000 };
        return [-90, 0, 44.5 * 60, 45 * 60, 49.5 * 60, 52 * 60].map((s) => timerFor(s * 1000, times));""",
    )
    assert [(each["words"], each["isSoon"]) for each in said] == [
        ("starts in 2 minutes", False),
        ("50 minutes left", False),
        ("6 minutes left", False),
        ("5 minutes left", True),
        ("1 minute left", True),
        ("2 minutes over", True),
    ]
