"""The figures of a call that the design asks for, from one run: `make bench-video`.

Roost's own server and pages in real Chromium, with a real coturn on this machine. Each round does
everything once, in turn, so that whatever else the machine does weighs on all alike:
`make bench-video ROUNDS=2` tries it.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench.calls import bare_pages, calling, measure_bare_reload, measure_floor
from bench.floors import floor
from tests.support.browsers import launch
from tests.support.relay import LOOPBACK_PEERS, relaying
from tests.support.server import Server, serving

ROUNDS = 12
# What a browser in a call is told of the relay.
RELAYS = """
import json
from roost.core.time import now
from roost.video.turn import ice_servers
print(json.dumps(ice_servers("floor", now())))
"""
# A practice that lets its calls go through the relay only.
RELAYED = "willow"

MEASURES = {
    "floor": ("two peers in one page", "ms"),
    "relay_floor": ("two peers in one page, by relay", "ms"),
    "bare": ("reload of two bare pages", "ms"),
    "warm": ("warm join, Admit to picture", "ms"),
    "cold": ("cold join, Return to picture", "ms"),
    "relayed": ("warm join by the relay only", "ms"),
    "reload": ("reload, both back", "ms"),
    "alive": ("frames, server dead / before", ""),
    "back": ("socket back, server up", "s"),
}


@dataclass(frozen=True)
class Ratio:
    """A figure to reach: the median of `of`, over that of `by` if there is one."""

    name: str
    of: str
    by: str
    goal: float
    at_least: bool = False

    def of_run(self, found: dict[str, list[float]]) -> float:
        value = statistics.median(found[self.of])
        return value / statistics.median(found[self.by]) if self.by else value

    def is_reached(self, value: float) -> bool:
        return value >= self.goal if self.at_least else value <= self.goal


RATIOS = [
    Ratio("warm join / floor", "warm", "floor", 1.8),
    Ratio("cold join / floor", "cold", "floor", 2.5),
    Ratio("relayed / direct join", "relayed", "warm", 1.6),
    Ratio("reload, both back / warm join", "reload", "warm", 1.3),
    Ratio("frames, server dead / before", "alive", "", 0.95, at_least=True),
    Ratio("socket back, server up (s)", "back", "", 2.5),
]
# Each over the least that it can take here: a warm join that is as quick as its own floor leaves no
# relay and no reload a chance (docs/adr/0020-calls-among-browsers.md).
OVER_FLOORS = [
    Ratio("relayed join / its floor", "relayed", "relay_floor", 1.8),
    Ratio("reload, both back / bare reload", "reload", "bare", 1.8),
]


def measure_round(
    browser: Browser, server: Server, floor_page: Page, nothing: str
) -> dict[str, float]:
    """Each measure once; `nothing` is where bare pages are served. Raises AssertionError when the
    two do not see each other."""
    relays = json.loads(server.run(RELAYS))
    found = {"floor": measure_floor(floor_page), "relay_floor": measure_floor(floor_page, relays)}
    with bare_pages(browser, nothing) as pages:
        found["bare"] = measure_bare_reload(pages)
    with calling(browser, server, slug=RELAYED) as call:
        found["relayed"] = call.join()
        call.assert_goes(relayed=True)
    with calling(browser, server) as call:
        found["warm"] = call.join()
        call.assert_goes(relayed=False)
        found["reload"] = call.reload()
        found["cold"] = call.come_back()
        found["alive"], found["back"] = call.outlive(server)
    return found


def measure(rounds: int = ROUNDS) -> dict[str, list[float]]:
    """What was found in each round, by measure, after one round that does not count."""
    with tempfile.TemporaryDirectory(prefix="roost-bench-") as name:
        folder = Path(name)
        with (
            relaying(folder / "relay", more=LOOPBACK_PEERS) as relay,
            serving(
                folder / "roost", **relay.settings | {"ROOST_TURN_URL": relay.urls["udp"]}
            ) as server,
            floor("hello") as (port, _),
            sync_playwright() as playwright,
        ):
            server.run(
                "from roost.practices.models import Practice\n"
                "Practice.objects.create(slug='willow', name='Willow', relay_only=True)"
            )
            browser = launch(playwright)
            floor_page = browser.new_context().new_page()
            # A page of nothing, which unlike the server's own may use the camera.
            floor_page.route(
                "**/floor", lambda route: route.fulfill(content_type="text/html", body="")
            )
            floor_page.goto(f"{server.origin}/floor")

            def measure_once() -> dict[str, float]:
                return measure_round(browser, server, floor_page, f"http://127.0.0.1:{port}")

            measure_once()
            found = [measure_once() for _ in range(rounds)]
            browser.close()
    return {name: [each[name] for each in found] for name in MEASURES}


def table(found: dict[str, list[float]]) -> str:
    """The figures of one run: medians, quartiles and extremes, and the ratios with their goals."""
    lines = [f"{'video':32} {'n':>3} {'median':>9} {'quartiles':>15} {'least':>8} {'most':>8}"]
    for key, (name, unit) in MEASURES.items():
        values = found[key]
        low, middle, high = statistics.quantiles(values, n=4, method="inclusive")

        def say(value: float, unit: str = unit) -> str:
            return f"{value:.0f}" if unit == "ms" else f"{value:.2f}"

        lines.append(
            f"{name:32} {len(values):>3} {say(middle):>6} {unit:2} "
            f"{f'{say(low)} – {say(high)}':>15} {say(min(values)):>8} {say(max(values)):>8}"
        )
    for ratio in RATIOS + OVER_FLOORS:
        value = ratio.of_run(found)
        bound = "at least" if ratio.at_least else "at most"
        verdict = "reached" if ratio.is_reached(value) else "MISSED"
        lines.append(f"{ratio.name:36} {value:>9.2f}   goal: {bound} {ratio.goal:<4} {verdict}")
    return "\n".join(lines)


def main(rounds: int = ROUNDS) -> int:
    sys.stdout.write(table(measure(rounds)) + "\n")
    return 0


if __name__ == "__main__":
    asked = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    if asked < 2:
        raise SystemExit("Two rounds at least: a median of one says nothing.")
    raise SystemExit(main(asked))
