"""How long joining takes, against the least it could take.

The floor is two peer connections in one page, both directions, from `createOffer` to the first
frame shown on both. A warm join is from the press of Admit, with the client in the waiting room
and the therapist in the room, to the first frame shown on both. The two alternate in one run.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.browsers import launch, signed_in, wait_for
from tests.support.rooms import book
from tests.support.server import Server, serving

ROUNDS = 12
GOAL = 1.8

FLOOR = """async () => {
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
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
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

# Notes when Admit is pressed, and when the other's first frame is shown.
WATCH = """
window.__at = {};
const clock = () => performance.timeOrigin + performance.now();
addEventListener("click", ({ target }) => {
  if (target.closest?.('[data-lobby="admit"]')) window.__at.pressed = clock();
}, true);
new MutationObserver(() => {
  const video = document.querySelector("#stage .tile:not(.self) video");
  if (!video || video.__watched) return;
  video.__watched = true;
  video.requestVideoFrameCallback(() => { window.__at.shown = clock(); });
}).observe(document, { childList: true, subtree: true });
"""


def measure_floor(page: Page) -> float:
    """Milliseconds of one round of the floor."""
    return float(page.evaluate(FLOOR))


def measure_join(browser: Browser, server: Server) -> float:
    """Milliseconds of one warm join."""
    booked = book(server)
    contexts = [signed_in(browser, booked.cookie(door)) for door in ("office", "portal")]
    try:
        for context in contexts:
            context.add_init_script(WATCH)
        tara, casey = (context.new_page() for context in contexts)
        casey.goto(booked.portal_room())
        casey.get_by_role("button", name="Go to the waiting room").click()
        casey.get_by_text("Tara has been told you’re here").wait_for()
        tara.goto(booked.office_room)
        tara.get_by_role("button", name="Go into the room").click()
        admit = tara.get_by_role("button", name="Admit")
        admit.wait_for()
        # People wait longer than that: the page has come to rest.
        tara.wait_for_timeout(1200)
        admit.click()
        # Not asked meanwhile, so that asking takes no part in it.
        tara.wait_for_timeout(900)
        times: list[dict[str, Any]] = [{}, {}]

        def both() -> bool:
            times[:] = [page.evaluate("window.__at") for page in (tara, casey)]
            return all("shown" in each for each in times)

        wait_for(both, seconds=15, saying="The two do not see each other.")
        return float(max(each["shown"] for each in times) - times[0]["pressed"])
    finally:
        for context in contexts:
            context.close()


def measure(rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Milliseconds of floor and warm join, alternating."""
    found: dict[str, list[float]] = {"floor": [], "join": []}
    folder = tempfile.TemporaryDirectory(prefix="roost-bench-")
    with folder, serving(Path(folder.name)) as server, sync_playwright() as playwright:
        browser = launch(playwright)
        floor_page = browser.new_context().new_page()
        # A page of nothing, which unlike the server's own may use the camera.
        floor_page.route("**/floor", lambda route: route.fulfill(content_type="text/html", body=""))
        floor_page.goto(f"{server.origin}/floor")
        measure_floor(floor_page)
        measure_join(browser, server)
        for _ in range(rounds):
            found["floor"].append(measure_floor(floor_page))
            found["join"].append(measure_join(browser, server))
        browser.close()
    return found


def table(found: dict[str, list[float]]) -> str:
    """The figures of one run: medians and spread in milliseconds, and the ratio."""
    lines = [f"{'video':28} {'n':>3} {'median':>9} {'least':>9} {'most':>9}"]
    names = {"floor": "two peers in one page", "join": "warm join, press to picture"}
    for key, name in names.items():
        values = found[key]
        middle = statistics.median(values)
        lines.append(
            f"{name:28} {len(values):>3} {middle:>6.0f} ms {min(values):>6.0f} ms "
            f"{max(values):>6.0f} ms"
        )
    ratio = statistics.median(found["join"]) / statistics.median(found["floor"])
    lines.append(f"{'warm join / floor':28}     {ratio:>9.2f}  (goal: at most {GOAL})")
    return "\n".join(lines)


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    sys.stdout.write(table(measure(rounds)) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
