"""How long joining takes through the relay, against joining directly.

Both are warm joins as in bench.video, on one server with a real coturn on this machine; they
alternate in one run.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from bench.video import measure_join
from tests.support.browsers import launch
from tests.support.relay import LOOPBACK_PEERS, relaying
from tests.support.server import Server, serving

ROUNDS = 12
GOAL = 1.6
NAMES = {"direct": "warm join, directly", "relayed": "warm join, relay only"}


def _choose(server: Server, *, relay_only: bool) -> None:
    server.run(
        "from roost.practices.models import Practice\n"
        f"Practice.objects.update(relay_only={relay_only})"
    )


def measure(rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Milliseconds of joins, directly and through the relay, alternating."""
    found: dict[str, list[float]] = {name: [] for name in NAMES}
    with tempfile.TemporaryDirectory(prefix="roost-bench-") as name:
        folder = Path(name)
        with (
            relaying(folder / "relay", more=LOOPBACK_PEERS) as relay,
            serving(
                folder / "roost", **relay.settings | {"ROOST_TURN_URL": relay.urls["udp"]}
            ) as server,
            sync_playwright() as playwright,
        ):
            browser = launch(playwright)
            measure_join(browser, server)
            for _ in range(rounds):
                for which in NAMES:
                    _choose(server, relay_only=which == "relayed")
                    found[which].append(measure_join(browser, server))
            browser.close()
    return found


def table(found: dict[str, list[float]]) -> str:
    """The figures of one run: medians and spread in milliseconds, and the ratio."""
    lines = [f"{'relay':28} {'n':>3} {'median':>9} {'least':>9} {'most':>9}"]
    for key, name in NAMES.items():
        values = found[key]
        lines.append(
            f"{name:28} {len(values):>3} {statistics.median(values):>6.0f} ms "
            f"{min(values):>6.0f} ms {max(values):>6.0f} ms"
        )
    ratio = statistics.median(found["relayed"]) / statistics.median(found["direct"])
    lines.append(f"{'relayed / direct join':28}     {ratio:>9.2f}  (goal: at most {GOAL})")
    return "\n".join(lines)


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    sys.stdout.write(table(measure(rounds)) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
