# ruff: noqa: E501 -- lines of JavaScript
"""Parts of the room's page, each by itself in a real browser: the page's own modules, and a page that
holds no more than they ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright, Route

import roost.core
import roost.video
from tests.support.browsers import launch

# A browser of its own, and no database.
pytestmark = [pytest.mark.journey, pytest.mark.looks]

STATIC = {
    name: Path(each.__file__).parent / "static" / name
    for name, each in (("core", roost.core), ("video", roost.video))
    if each.__file__
}
PLACE = "http://localhost:9/"


@pytest.fixture(scope="module")
def browser_page(playwright: Playwright) -> Iterator[Page]:
    browser = launch(playwright)

    def serve(route: Route) -> None:
        name = route.request.url.removeprefix(PLACE)
        if not name:
            body = "<!doctype html><title>A page</title>"
            return route.fulfill(content_type="text/html", body=body)
        folder, _, rest = name.partition("/")
        text = (STATIC[folder] / rest).read_text()
        route.fulfill(content_type="text/javascript; charset=utf-8", body=text)

    page = browser.new_page()
    page.route(f"{PLACE}**", serve)
    page.set_default_timeout(60_000)
    yield page
    browser.close()


@pytest.fixture
def page(browser_page: Page) -> Page:
    browser_page.goto(PLACE)
    return browser_page


def run(page: Page, html: str, code: str) -> Any:
    """What `code` returns on a page with `html` in it."""
    return page.evaluate(
        f"async (html) => {{ document.body.innerHTML = html; const wait = (ms) => new Promise((done) => setTimeout(done, ms)); {code} }}",
        html,
    )


# -- the safety words -------------------------------------------------------------------------------

SAFETY = """<p id="safety-news" role="status" hidden></p><button id="safety-button" aria-controls="panel-safety">Safety</button>
<div id="stage-row"></div><aside class="panel" id="panel-safety" hidden><h2 tabindex="-1">Safety words</h2>
<p id="safety-alarm" hidden></p><ol id="safety-list" hidden></ol><p id="safety-new" role="status" hidden></p>
<p id="safety-read" hidden></p><p id="safety-wait"></p></aside>"""
# The page of "a" with its panel, and that of "b" as it is at the other end.
BOTH = """
const { startSafety } = await import("/video/safety-panel.js");
const { Safety } = await import("/video/safety.js");
const peers = new Map(), names = { b: "Tara" };
const own = startSafety({ peers, nameOf: (cid) => names[cid], say: ({ safety }) => setTimeout(() => other.hear("a", safety)) });
const other = new Safety({ own: "b", send: (to, step) => { window.lastStep = step; setTimeout(() => own.hear("b", step)); }, changed() {} });
own.begin("a");
const meet = async (print) => {
  peers.set("b", { hasMet: true, prints: { own: "sha-256 A", theirs: print } });
  own.follow();
  await other.follow(print, new Map([["a", "sha-256 A"]]));
  for (let n = 0; n < 200 && !(other.words && words() === other.words.join(" ")); n += 1) await wait(20);
};
const words = () => [...document.querySelectorAll("#safety-list li")].map((each) => each.textContent).join(" ");
const shown = (id) => { const box = document.getElementById(id); return box.hidden ? "" : box.textContent; };
const said = () => [shown("safety-new"), shown("safety-news")];
"""


def test_words_that_change_after_they_were_shown_say_so(page: Page) -> None:
    unseen, first, closed, opened, again, changed_open = run(
        page,
        SAFETY,
        BOTH
        + """
        await meet("sha-256 B");
        await meet("sha-256 C");
        const unseen = said();
        own.open();
        const first = said();
        own.open();
        await meet("sha-256 D");
        const closed = said();
        own.open();
        const opened = said();
        own.open();
        own.open();
        const again = said();
        await meet("sha-256 E");
        return [unseen, first, closed, opened, again, said()];""",
    )
    new = "The words are new. Read them to each other again."
    # Who has not looked yet has nothing to read again.
    assert unseen == first == ["", ""]
    assert closed[1].startswith("The safety words are new.")
    assert opened == [new, ""]
    assert again == ["", ""]
    assert changed_open == [new, ""]


def test_one_message_does_not_end_the_words(page: Page) -> None:
    words, other, wait = run(
        page,
        SAFETY,
        BOTH
        + """
        await meet("sha-256 B");
        const { round } = window.lastStep;
        own.hear("b", { turn: 10000, round, commit: "x".repeat(43) });
        await wait(200);
        await meet("sha-256 C");
        return [words(), other.words.join(" "), shown("safety-wait")];""",
    )
    assert words == other != ""
    assert wait == ""


def test_words_that_began_anew_too_often_say_so(page: Page) -> None:
    wait = run(
        page,
        SAFETY,
        BOTH
        + """
        await meet("sha-256 B");
        for (let turn = 900; turn < 10900; turn += 900) {
          own.hear("b", { turn: Math.min(turn, 10000), round: window.lastStep.round, commit: "x".repeat(43) });
        }
        for (let n = 0; n < 50 && !shown("safety-wait"); n += 1) await wait(20);
        return shown("safety-wait");""",
    )
    assert wait == "None can be made any more: they began anew too often. Leave, and come back."


# -- camera and microphone --------------------------------------------------------------------------

# Devices that are named, of which one camera is open at a time, as many phones have it.
PHONE = """
const { Devices } = await import("/video/devices.js");
const live = new Set(), asked = [];
navigator.mediaDevices.getUserMedia = async (wanted) => {
  const [kind] = Object.keys(wanted), id = wanted[kind].deviceId?.exact ?? "front";
  asked.push(id);
  await wait(20);
  if (id === "held" || live.size) throw new DOMException("", "NotReadableError");
  const canvas = document.createElement("canvas");
  canvas.getContext("2d");
  const stream = canvas.captureStream(), [track] = stream.getVideoTracks();
  const stop = track.stop.bind(track);
  track.stop = () => { live.delete(id); stop(); };
  track.getSettings = () => ({ deviceId: id });
  live.add(id);
  return stream;
};
const devices = new Devices(() => {});
devices.wants = { audio: false, video: true };
await devices.open();
const now = () => [devices.tracks.video?.getSettings().deviceId ?? "", devices.tracks.video?.readyState ?? "", devices.troubles.video ?? ""];
"""


def test_another_camera_is_opened_once_the_first_is_given_back(page: Page) -> None:
    first, second, held, again = run(
        page,
        "",
        PHONE
        + """
        const first = now();
        await devices.pick("video", "back");
        const second = now();
        await devices.pick("video", "held");
        const held = now();
        await devices.open();
        return [first, second, held, now()];""",
    )
    assert first == ["front", "live", ""]
    assert second == ["back", "live", ""]
    # The former one goes on, and what is wrong with the other is said.
    assert held == ["back", "live", "in-use"]
    assert again == ["back", "live", ""]


def test_what_the_browser_gives_after_the_end_is_stopped(page: Page) -> None:
    camera, screen, shown = run(
        page,
        "",
        PHONE
        + """
        const { Outgoing } = await import("/video/outgoing.js");
        const picking = devices.pick("video", "back");
        devices.close();
        await picking;
        const canvas = document.createElement("canvas");
        canvas.getContext("2d");
        const stream = canvas.captureStream();
        navigator.mediaDevices.getDisplayMedia = async () => { await wait(20); return stream; };
        const outgoing = new Outgoing(devices, () => {});
        const sharing = outgoing.share();
        outgoing.stopSharing();
        const shown = await sharing;
        return [[...live], stream.getVideoTracks()[0].readyState, [shown, outgoing.screen]];""",
    )
    assert camera == []
    assert screen == "ended"
    assert shown == [False, None]


# -- who waits ---------------------------------------------------------------------------------------

LOBBY = """<h1 id="call-title" tabindex="-1">Session</h1><ul id="lobby" aria-live="polite"></ul><button id="all"></button><p id="full"></p>
<template id="lobby-template"><li><span class="lobby-name"></span> <span class="lobby-state"></span><span class="lobby-since" aria-live="off"></span>
<button data-lobby="admit">Admit</button><button data-lobby="decline">Decline</button><button data-lobby="remove">Remove</button></li></template>
<dialog id="declining"><form method="dialog"><span class="declined-name"></span><button id="not-now" value="decline">Not now</button></form></dialog>"""
DRAWN = """
const { Lobby } = await import("/video/lobby.js");
const byId = (id) => document.getElementById(id);
const said = [];
const lobby = new Lobby({ box: byId("lobby"), template: byId("lobby-template"), declining: byId("declining"), all: byId("all"), full: byId("full"), say: (message) => said.push(message) });
const ago = (minutes) => new Date(Date.now() - minutes * 60000 - 1000).toISOString();
const person = (cid, name, minutes, state = "waiting") => ({ cid, id: name, name, role: "client", state, since: ago(minutes) });
const press = (cid, what) => { const button = document.querySelector(`[data-cid="${cid}"] [data-lobby="${what}"]`); button.focus(); button.click(); };
"""


def test_only_what_changed_of_the_list_is_drawn_anew(page: Page) -> None:
    same, news, words, late = run(
        page,
        LOBBY,
        DRAWN
        + """
        lobby.draw([person("a", "Casey", 0)]);
        const row = byId("lobby").firstElementChild, news = [];
        new MutationObserver((found) => news.push(...found.map(({ target }) => (target.nodeType === 1 ? target : target.parentElement).closest("[aria-live]").ariaLive))).observe(byId("lobby"), { subtree: true, childList: true, characterData: true });
        lobby.draw([person("a", "Casey", 3)]);
        await wait(10);
        const quiet = [...new Set(news.splice(0))];
        const words = row.textContent.replace(/\\s+/g, " ").slice(0, 33);
        lobby.draw([person("a", "Casey", 3), person("b", "Noor", 0)]);
        await wait(10);
        return [row === byId("lobby").firstElementChild, quiet, words, news.includes("polite")];""",
    )
    assert same is True
    assert news == ["off"]
    assert words == "Casey is waiting, for 3 min Admit"
    assert late is True


def test_whoever_works_by_keyboard_is_never_lost(page: Page) -> None:
    admitted, last, gone, said = run(
        page,
        LOBBY,
        DRAWN
        + """
        const where = () => document.activeElement.getAttribute("aria-label") ?? document.activeElement.id;
        lobby.draw([person("a", "Casey", 0), person("b", "Noor", 0)]);
        press("a", "admit");
        lobby.draw([person("a", "Casey", 0, "connected"), person("b", "Noor", 0)]);
        await wait(50);
        const admitted = where();
        press("b", "decline");
        byId("not-now").click();
        await wait(50);
        lobby.draw([person("a", "Casey", 0, "connected")]);
        await wait(50);
        const last = where();
        // Gone while the question is open.
        lobby.draw([person("a", "Casey", 0, "connected"), person("c", "Remy", 0)]);
        press("c", "decline");
        lobby.draw([person("a", "Casey", 0, "connected")]);
        byId("not-now").click();
        await wait(50);
        return [admitted, last, where(), said];""",
    )
    assert admitted == "Admit Noor"
    # Not on Remove, where a second press would put somebody out.
    assert last == gone == "call-title"
    assert said[:2] == [{"type": "admit", "cid": "a"}, {"type": "decline", "cid": "b"}]


def test_what_could_not_be_done_is_said(page: Page) -> None:
    down, up, anew, done = run(
        page,
        """<p id="undone" hidden></p>""",
        """
        const { startActs } = await import("/video/acts.js");
        const box = document.getElementById("undone"), words = () => (box.hidden ? "" : box.textContent);
        let isUp = false, people = [{ cid: "a", id: "1", name: "Casey", client: "Casey Nguyen" }];
        const acts = startActs({ box, say: () => isUp, people: () => people });
        acts.act({ type: "end" });
        const down = words();
        isUp = true;
        acts.act({ type: "remove", cid: "a" });
        const up = words();
        people = [{ cid: "b", id: "1", name: "Casey", client: "Casey Nguyen" }];
        acts.look();
        const anew = words();
        acts.act({ type: "remove", cid: "b" });
        acts.look();
        return [down, up, anew, words()];""",
    )
    assert down == "Your line was down, so that was not done. Press again once it is back."
    assert anew == "Casey Nguyen came in anew just then, so that was not done. Press again."
    assert up == done == ""


def test_a_question_follows_whom_it_is_about(page: Page) -> None:
    shown, said = run(
        page,
        LOBBY,
        DRAWN
        + """
        lobby.draw([person("a", "Casey", 0)]);
        press("a", "decline");
        // The page was loaded again, and another name typed.
        lobby.draw([{ ...person("b", "Casey", 0), name: "Alex" }]);
        const shown = document.querySelector(".declined-name").textContent;
        byId("not-now").click();
        await wait(50);
        press("b", "decline");
        lobby.draw([]);
        byId("not-now").click();
        await wait(50);
        return [shown, said];""",
    )
    assert shown == "Alex"
    assert said == [{"type": "decline", "cid": "b"}, {"type": "decline", "cid": ""}]


def test_of_whom_has_gone_it_is_said(page: Page) -> None:
    words, said = run(
        page,
        """<p id="undone" hidden></p>""",
        """
        const { startActs } = await import("/video/acts.js");
        const box = document.getElementById("undone"), said = [];
        const acts = startActs({ box, say: (message) => { said.push(message); return true; }, people: () => [] });
        acts.act({ type: "decline", cid: "" });
        return [box.hidden ? "" : box.textContent, said];""",
    )
    assert words == "They had gone by then, so that was not done."
    assert said == []


# -- the connections ---------------------------------------------------------------------------------

CIRCLE = """
const made = [], Real = RTCPeerConnection;
window.RTCPeerConnection = class extends Real { constructor(how) { super(how); made.push(how.iceTransportPolicy); } };
const { Circle } = await import("/video/circle.js");
const outgoing = { tracks: { audio: null, video: null }, stream: new MediaStream(), about: () => ({}) };
const circle = new Circle({ outgoing, own: () => "a", line: () => null, isJoined: () => false, askRelays: () => false, changed() {}, dropped() {}, died() {} });
const named = async () => (await circle.takeOffer())?.sdp.match(/^a=candidate:/gm)?.length ?? 0;
"""


def test_no_way_is_looked_for_before_the_practices_rule_is_known(page: Page) -> None:
    before, after, candidates = run(
        page,
        "",
        CIRCLE
        + """
        const prepared = circle.prepareSpare({ gather: true }), met = circle.peerFor("b");
        await wait(500);
        const before = [...made];
        circle.noteRelays({ ice: [], policy: "relay" });
        await Promise.all([prepared, met]);
        await wait(500);
        return [before, made, await named()];""",
    )
    assert before == []
    assert after == ["relay", "relay"]
    assert candidates == 0


def test_an_offer_of_before_a_practice_wanted_relays_only_is_thrown_away(page: Page) -> None:
    had, candidates, again = run(
        page,
        "",
        CIRCLE
        + """
        circle.noteRelays({ ice: [], policy: "all" });
        await circle.prepareSpare({ gather: true });
        for (let n = 0; n < 100 && !(await named()); n += 1) await wait(20);
        const had = await named();
        circle.noteRelays({ ice: [], policy: "relay" });
        const left = await named();
        await circle.prepareSpare({ gather: true });
        await wait(500);
        return [had, left, await named()];""",
    )
    assert had > 0
    assert candidates == again == 0


def test_a_line_lives_where_the_browser_counts_only_what_it_plays(page: Page) -> None:
    """Firefox counts no bytes of a transport."""
    grows, stands = run(
        page,
        "",
        CIRCLE
        + """
        circle.noteRelays({ ice: [], policy: "all" });
        const peer = await circle.peerFor("b");
        let bytes = 100;
        const isAlive = (more) => {
          peer.pc.getStats = async () => new Map([["t", { type: "transport" }], ["a", { type: "inbound-rtp", bytesReceived: bytes += more }]]);
          return peer.isAlive();
        };
        return [await isAlive(10), await isAlive(0)];""",
    )
    assert grows is True
    assert stands is False
