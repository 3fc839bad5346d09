"""Real browsers with a fake camera, and what they see and hear of each other."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from playwright.sync_api import Browser, BrowserContext, Playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
]

# A camera of a quarter of the frames: one small machine draws, sends and reads for all who meet.
SLOW_CAMERA = "--use-fake-device-for-media-stream=fps=5"

# Every peer connection of a page, so that a test can ask for its figures.
WATCH_PEERS = """
window.__peers = [];
const Real = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Real {
  constructor(...args) { super(...args); window.__peers.push(this); }
};
window.RTCPeerConnection.generateCertificate = Real.generateCertificate.bind(Real);
// Firefox never answers for a connection that is closed meanwhile.
window.__figures = (pc) => Promise.race([
  pc.getStats(), new Promise((done) => { setTimeout(done, 2000, new Map()); }),
]);
"""

# A screen to share that no person has to choose.
FAKE_SCREEN = """if (navigator.mediaDevices) navigator.mediaDevices.getDisplayMedia = async () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1280, height: 400 });
  const context = canvas.getContext("2d");
  setInterval(() => {
    for (let x = 0; x < 1280; x += 40) {
      context.fillStyle = `hsl(${(x + performance.now() / 20) % 360} 80% 50%)`;
      context.fillRect(x, 0, 40, 400);
    }
  }, 60);
  return canvas.captureStream(12);
};"""

FIGURES = """async () => {
  const sum = { frames: 0, audio: 0, sent: 0, live: 0, kinds: [] };
  for (const pc of window.__peers) {
    if (pc.connectionState === "closed") continue;
    sum.live += 1;
    const reports = await window.__figures(pc);
    for (const r of reports.values()) {
      if (r.type === "inbound-rtp" && r.kind === "video") sum.frames += r.framesDecoded ?? 0;
      if (r.type === "inbound-rtp" && r.kind === "audio") sum.audio += r.totalAudioEnergy ?? 0;
      if (r.type === "outbound-rtp") sum.sent += r.bytesSent ?? 0;
      if (r.type === "candidate-pair" && r.state === "succeeded" && r.nominated) {
        sum.kinds.push(reports.get(r.localCandidateId)?.candidateType);
      }
    }
  }
  return sum;
}"""

# How much the pixels of the other's picture differ, and their sum (0 for a black picture).
PICTURE = """() => {
  const tiles = document.querySelectorAll("#stage .tile:not(.self) video");
  const video = [...tiles].find((v) => v.videoWidth);
  if (!video) return { variance: 0, sum: 0 };
  const canvas = document.createElement("canvas");
  canvas.width = 80; canvas.height = 60;
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 80, 60);
  const data = context.getImageData(0, 0, 80, 60).data;
  let sum = 0, squares = 0, n = 0;
  for (let i = 0; i < data.length; i += 4) {
    const v = data[i] + data[i + 1] + data[i + 2];
    sum += v; squares += v * v; n += 1;
  }
  return { variance: squares / n - (sum / n) ** 2, sum };
}"""


class Evaluates(Protocol):
    """A page of whichever browser that runs a script and says what came of it."""

    def evaluate(self, script: str, /) -> Any: ...


# The sum of a picture of 80 × 60 points that is nearly black.
DARK = 80 * 60 * 3 * 16


def launch(playwright: Playwright, *more: str, program: str = "/usr/bin/chromium") -> Browser:
    """Debian's Chromium with a fake camera, and with `more` flags."""
    return playwright.chromium.launch(executable_path=program, args=[*FLAGS, *more])


def signed_in(browser: Browser, cookie: dict[str, Any], **options: Any) -> BrowserContext:
    """A browser window of somebody signed in, whose peer connections can be asked."""
    context = browser.new_context(**options)
    context.add_cookies([cookie])  # type: ignore[list-item]
    context.add_init_script(WATCH_PEERS)
    return context


# To ask each connection for its figures is work, of which the call itself has less.
FIGURED = 0.25


def figures(page: Evaluates) -> dict[str, Any]:
    return dict(page.evaluate(FIGURES))


def wait_for(
    what: Callable[[], bool], *, seconds: float = 10, saying: str = "", every: float = 0.05
) -> float:
    """Wait until `what` is true; how long that took. Raises AssertionError."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        if what():
            return time.monotonic() - start
        time.sleep(every)
    raise AssertionError(saying or "It did not come about in time.")


def assert_sees_and_hears(page: Evaluates, *, seconds: float = 30, plain: bool = False) -> None:
    """The other's picture moves and is not black, and sound comes with it. The fake camera of
    Firefox shows one changing colour: its picture is `plain`."""
    start = figures(page)

    def grows() -> bool:
        nonlocal start
        now = figures(page)
        if now["frames"] < start["frames"]:
            start = now  # A new connection counts from nothing.
        return bool(now["frames"] > start["frames"] + 5 and now["audio"] > start["audio"])

    try:
        wait_for(grows, seconds=seconds, every=FIGURED)
    except AssertionError:
        raise AssertionError(f"Frames or sound stand still: {start} → {figures(page)}") from None
    first = page.evaluate(PICTURE)
    assert first["sum"] > DARK if plain else first["variance"] > 100, first
    wait_for(
        lambda: page.evaluate(PICTURE)["sum"] != first["sum"],
        seconds=20,
        saying="The picture does not change.",
    )


# For each other person: frames decoded, sound heard, and how much their picture's pixels differ.
EACH = """async () => {
  const tiles = [...document.querySelectorAll("#stage .tile:not(.self)")];
  const canvas = document.createElement("canvas");
  canvas.width = 80; canvas.height = 60;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return Promise.all(tiles.map(async (tile) => {
    const video = tile.querySelector("video"), track = video.srcObject?.getVideoTracks()[0];
    const found = { frames: 0, audio: 0, variance: 0, sum: 0, width: video.videoWidth };
    for (const pc of window.__peers) {
      if (pc.connectionState !== "connected" || !pc.getReceivers().some((r) => r.track === track)) continue;
      for (const r of (await window.__figures(pc)).values()) {
        if (r.type !== "inbound-rtp") continue;
        if (r.kind === "video") found.frames += r.framesDecoded ?? 0;
        else found.audio += r.totalAudioEnergy ?? 0;
      }
    }
    if (!video.videoWidth) return found;
    context.drawImage(video, 0, 0, 80, 60);
    const data = context.getImageData(0, 0, 80, 60).data;
    let squares = 0;
    for (let i = 0; i < data.length; i += 4) {
      const v = data[i] + data[i + 1] + data[i + 2];
      found.sum += v; squares += v * v;
    }
    found.variance = squares / 4800 - (found.sum / 4800) ** 2;
    return found;
  }));
}"""  # noqa: E501 -- a line of JavaScript


def assert_sees_and_hears_all(
    page: Evaluates, others: int, *, seconds: float = 60, plain: bool = False
) -> None:
    """The picture of each of so many others moves and is not black, and their sound comes. With
    `plain`, it may be of one colour."""
    seen: list[dict[str, Any]] = []
    first = dict[int, dict[str, Any]]()

    def all_live() -> bool:
        nonlocal seen
        seen = page.evaluate(EACH)
        for number, now in enumerate(seen):
            is_lit = now["variance"] > 100 or (plain and now["sum"] > DARK)
            if is_lit and now["frames"] >= first.get(number, now)["frames"]:
                first.setdefault(number, now)
            else:
                first.pop(number, None)
        return len(seen) == others and all(
            number in first
            and now["frames"] > first[number]["frames"] + 3
            and now["audio"] > first[number]["audio"]
            and now["sum"] != first[number]["sum"]
            for number, now in enumerate(seen)
        )

    try:
        wait_for(all_live, seconds=seconds, every=FIGURED)
    except AssertionError:
        raise AssertionError(f"Not all of {others} are live: {first} → {seen}") from None
