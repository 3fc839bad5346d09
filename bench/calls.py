"""A therapist's and a client's window on one session, and how long each thing takes in their call.

All times end with the frame that both have before them, and begin with what a person does: the
press of a button, a reload. Nothing is asked of the pages meanwhile, so that asking takes no part.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page

from tests.support.browsers import figures, signed_in, wait_for
from tests.support.rooms import Booked, book
from tests.support.server import Server

# Until all is at rest: people wait longer than that before the next thing happens.
REST = 1.2
# Until both surely see each other on a quiet machine, and when a round is given up.
MEANWHILE, GIVEN_UP = 0.9, 20.0
# So long frames are counted, with the server there and with it dead.
COUNTED = 2.5

FLOOR = """async (ways) => {
  const media = await navigator.mediaDevices.getUserMedia({
    audio: true, video: { width: 640, height: 480 } });
  const shown = (pc) => new Promise((done) => {
    pc.ontrack = ({ track }) => {
      if (track.kind !== "video") return;
      const video = Object.assign(document.createElement("video"), { muted: true, autoplay: true });
      document.body.append(video);
      video.requestVideoFrameCallback(() => done(performance.now()));
      video.srcObject = new MediaStream([track]);
    };
  });
  const [a, b] = [new RTCPeerConnection(ways), new RTCPeerConnection(ways)];
  a.onicecandidate = ({ candidate }) => b.addIceCandidate(candidate);
  b.onicecandidate = ({ candidate }) => a.addIceCandidate(candidate);
  for (const track of media.getTracks()) { a.addTrack(track, media); b.addTrack(track, media); }
  const both = [shown(a), shown(b)];
  await new Promise((done) => setTimeout(done, 400));
  const start = performance.now();
  await a.setLocalDescription(await a.createOffer());
  await b.setRemoteDescription(a.localDescription);
  await b.setLocalDescription(await b.createAnswer());
  await a.setRemoteDescription(b.localDescription);
  const end = Math.max(...await Promise.all(both));
  a.close(); b.close();
  media.getTracks().forEach((track) => track.stop());
  document.querySelectorAll("video").forEach((video) => video.remove());
  return end - start;
}"""

# Two pages of nothing in one call, which talk through the browser itself: the one that comes offers
# as soon as it has its camera, the other has had its own open for long.
BARE = """
window.__at = {};
const clock = () => performance.timeOrigin + performance.now();
const channel = new BroadcastChannel("bare");
const camera = navigator.mediaDevices.getUserMedia({
  audio: true, video: { width: 640, height: 480 } });
let pc = null, turn = Promise.resolve();
async function connect() {
  pc?.close();
  document.querySelectorAll("video").forEach((video) => video.remove());
  pc = new RTCPeerConnection();
  pc.onicecandidate = ({ candidate }) => {
    if (candidate) channel.postMessage({ candidate: candidate.toJSON() });
  };
  pc.ontrack = ({ track }) => {
    if (track.kind !== "video") return;
    const video = Object.assign(document.createElement("video"), { muted: true, autoplay: true });
    document.body.append(video);
    video.requestVideoFrameCallback(() => { window.__at.shown = clock(); });
    video.srcObject = new MediaStream([track]);
  };
  const media = await camera;
  for (const track of media.getTracks()) pc.addTrack(track, media);
}
async function describe(kind) {
  await pc.setLocalDescription();
  channel.postMessage({ [kind]: pc.localDescription.toJSON() });
}
async function hear({ offer, answer, candidate }) {
  if (offer) {
    await connect();
    await pc.setRemoteDescription(offer);
    await describe("answer");
  } else if (answer) await pc.setRemoteDescription(answer);
  else await pc?.addIceCandidate(candidate);
}
channel.onmessage = ({ data }) => { turn = turn.then(() => hear(data)); };
if (location.pathname === "/comes") turn = connect().then(() => describe("offer"));
"""

# Notes when a button is pressed, when the first frame of another person's picture is shown, and
# when the server's first word on a socket comes; on the clock that all pages share.
WATCH = """
window.__at = {};
const clock = () => performance.timeOrigin + performance.now();
addEventListener("click", ({ target }) => {
  if (target.closest?.("button")) window.__at.pressed = clock();
}, true);
const others = "#stage .tile:not(.self) video";
const watch = (video) => video.requestVideoFrameCallback(() => { window.__at.shown = clock(); });
new MutationObserver(() => {
  for (const video of document.querySelectorAll(others)) {
    if (video.__watched) continue;
    video.__watched = true;
    watch(video);
  }
}).observe(document, { childList: true, subtree: true });
// Who comes back is shown in the tile that they had.
addEventListener("emptied", ({ target }) => { if (target.matches(others)) watch(target); }, true);
const Socket = window.WebSocket;
window.WebSocket = class extends Socket {
  constructor(...args) {
    super(...args);
    const hear = ({ data }) => {
      if (JSON.parse(data).type === "state") { window.__at.told = clock(); this.removeEventListener("message", hear); }
    };
    this.addEventListener("message", hear);
  }
};
"""  # noqa: E501 -- a line of JavaScript


def measure_floor(page: Page, relays: list[dict[str, Any]] | None = None) -> float:
    """Milliseconds from `createOffer` to the first frame shown on both, of two peer connections in
    one page: the least that joining can take here; by `relays` only, if there are any."""
    ways = {"iceServers": relays, "iceTransportPolicy": "relay"} if relays else {}
    return float(page.evaluate(FLOOR, ways))


@contextmanager
def bare_pages(browser: Browser, origin: str) -> Iterator[tuple[Page, Page]]:
    """A page that stays and one that comes, for `measure_bare_reload`. Whatever `origin` serves has
    to be small: its contents play no part."""
    context = browser.new_context()
    context.add_init_script(BARE)
    stays = context.new_page()
    try:
        stays.goto(f"{origin}/stays")
        # A window and a process of its own, as people have: a page behind another draws seldom.
        with context.expect_page() as opened:
            stays.evaluate("open('/comes', '', 'popup,noopener,width=640,height=480')")
        yield stays, opened.value
    finally:
        context.close()


def measure_bare_reload(pages: tuple[Page, Page]) -> float:
    """Milliseconds from the beginning of a reload until two pages of nothing see each other again:
    the least that a reload can take here, with nobody to ask who is there."""
    for page in pages:
        _wait_until_noted(page, "shown", "bare call")
    _rest(*pages)
    start = time.time() * 1000
    pages[1].reload()
    pages[0].wait_for_timeout(MEANWHILE * 1000)
    return max(_wait_until_noted(page, "shown", "bare reload") for page in pages) - start


def _rest(*pages: Page) -> None:
    """Wait until nothing is left to do, and forget what was noted."""
    pages[0].wait_for_timeout(REST * 1000)
    for page in pages:
        page.evaluate("window.__at = {}")


def _wait_until_noted(page: Page, name: str, what: str) -> float:
    wait_for(
        lambda: bool(page.evaluate("name => name in window.__at", name)),
        seconds=GIVEN_UP,
        saying=f"A {what} was given up: {page.url} has noted nothing as {name!r}.",
    )
    return _at(page, name)


def _at(page: Page, name: str) -> float:
    return float(page.evaluate("name => window.__at[name]", name))


@dataclass
class Call:
    """Two pages of one session. Each measure leaves both in the call, at rest.

    They raise AssertionError when the two do not see each other in time.
    """

    booked: Booked
    tara: Page
    casey: Page

    @property
    def pages(self) -> tuple[Page, Page]:
        return self.tara, self.casey

    def join(self) -> float:
        """Milliseconds from the press of Admit, with all open and at rest, until both see."""
        self.casey.goto(self.booked.portal_room())
        self.casey.get_by_role("button", name="Go to the waiting room").click()
        self.casey.locator("#told[data-told]").wait_for()
        self.tara.goto(self.booked.office_room)
        self.tara.get_by_role("button", name="Go into the room").click()
        admit = self.tara.get_by_role("button", name="Admit")
        admit.wait_for()
        _rest(*self.pages)
        admit.click()
        return self._until_both_see("warm join") - _at(self.tara, "pressed")

    def come_back(self) -> float:
        """Milliseconds from the press of Return to session until both see. Leaving has closed
        socket, camera, microphone and connection: a cold join."""
        self.casey.get_by_role("button", name="Leave").click()
        again = self.casey.get_by_role("button", name="Return to session")
        again.wait_for()
        _rest(*self.pages)
        again.click()
        return self._until_both_see("cold join") - _at(self.casey, "pressed")

    def reload(self) -> float:
        """Milliseconds from the beginning of a reload until both see."""
        _rest(*self.pages)
        start = time.time() * 1000
        self.casey.reload()
        return self._until_both_see("reload") - start

    def outlive(self, server: Server) -> tuple[float, float]:
        """Kill the server in mid-call and start it again. Returns the frame rate of the two
        pictures while it was dead over that before, and the seconds from the server's being ready
        until both pages had been told how it stands."""
        _rest(*self.pages)
        before = self._frames_per_second()
        server.kill()
        dead = self._frames_per_second()
        assert dead > 0, "No picture moves with the server dead."
        server.start()
        up = time.time()
        back = max(_wait_until_noted(page, "told", "socket") for page in self.pages) / 1000
        # A socket may be back before the first look at the server has been answered.
        return dead / before, max(back - up, 0.0)

    def assert_goes(self, *, relayed: bool) -> None:
        """The picture goes the way that is measured, and no other."""
        for page in self.pages:
            kinds = figures(page)["kinds"]
            assert kinds, "No way between the two is in use."
            assert {kind == "relay" for kind in kinds} == {relayed}, kinds

    def _frames_per_second(self) -> float:
        start = time.monotonic()
        first = sum(figures(page)["frames"] for page in self.pages)
        time.sleep(COUNTED)
        last = sum(figures(page)["frames"] for page in self.pages)
        return float((last - first) / (time.monotonic() - start))

    def _until_both_see(self, what: str) -> float:
        self.tara.wait_for_timeout(MEANWHILE * 1000)
        return max(_wait_until_noted(page, "shown", what) for page in self.pages)


@contextmanager
def calling(browser: Browser, server: Server, **options: Any) -> Iterator[Call]:
    """Windows of Tara and Casey, with a session of their own. `options` go to `book`."""
    booked = book(server, **options)
    contexts = [signed_in(browser, booked.cookie(door)) for door in ("office", "portal")]
    try:
        for context in contexts:
            context.add_init_script(WATCH)
        yield Call(booked, *(context.new_page() for context in contexts))
    finally:
        for context in contexts:
            context.close()
