"""A call of three hours, in a minute: what it goes by is renewed before it expires, and a way that
is lost is found again with what is good by then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, WebSocketRoute, expect

from tests.journeys.test_relay import Two, only_relays, want_relay_only, ways
from tests.journeys.test_stays import GAP, UFRAGS, WATCH_FRAMES
from tests.support.browsers import SLOW_CAMERA, assert_sees_and_hears, launch, wait_for
from tests.support.relay import LOOPBACK_PEERS, SECRET, relaying
from tests.support.rooms import Booked, book
from tests.support.server import ROOT, Server, free_port, serving

pytestmark = [pytest.mark.one_database, pytest.mark.slow]

# By whose word each live connection may use the relay.
HELD = """() => window.__peers.filter((pc) => pc.connectionState === "connected")
  .map((pc) => pc.getConfiguration().iceServers[0]?.username)"""
# A page that is looked at again asks the server at once, and not at its next ping.
LOOK = "document.dispatchEvent(new Event('visibilitychange'))"


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright, SLOW_CAMERA)
    yield browser
    browser.close()


def expiry(page: Page) -> float:
    """When what a page holds expires, in seconds since 1970."""
    (name,) = page.evaluate(HELD)
    return float(name.partition(":")[0])


def last_for(server: Server, booked: Booked, hours: int) -> None:
    server.run(
        "from datetime import timedelta\n"
        "from django.db.models import F\n"
        "from roost.core.tenancy import scope\n"
        "from roost.practices.models import Practice\n"
        "from roost.scheduling.models import Appointment\n"
        f"with scope(Practice.objects.get(slug='{booked.slug}').pk):\n"
        f"    Appointment.objects.filter(uuid='{booked.appointment}').update(\n"
        f"        ends_at=F('starts_at') + timedelta(hours={hours}))\n"
    )


def test_three_hours_go_by_without_a_break(
    chromium: Browser, tmp_path: Path, database: dict[str, str]
) -> None:
    clock = tmp_path / "minutes"
    ahead = f"{ROOT / 'tests/support/other_clock'}:{ROOT}"
    with (
        relaying(tmp_path / "relay", more=LOOPBACK_PEERS) as relay,
        serving(
            tmp_path / "roost",
            PYTHONPATH=ahead,
            TESTS_CLOCK=str(clock),
            **relay.settings | {"ROOST_TURN_URL": relay.urls["udp"]},
            **database,
        ) as server,
    ):
        booked = book(server)
        last_for(server, booked, 4)
        want_relay_only(server, True)
        pair = Two((chromium, chromium), booked)
        pair.meet()
        start = expiry(pair.tara) - 2 * 3600
        made = [page.evaluate("window.__peers.length") for page in pair.pages]
        ways_first = pair.casey.evaluate(UFRAGS)
        held: dict[Page, list[float]] = {page: [expiry(page)] for page in pair.pages}
        for page in pair.pages:
            page.evaluate(WATCH_FRAMES)
        for minutes in range(10, 190, 10):
            clock.write_text(str(minutes))
            for page in pair.pages:
                page.wait_for_timeout(200)
                page.evaluate(LOOK)
                page.wait_for_timeout(200)
                left = (expiry(page) - start) / 60 - minutes
                # Where the machine is slow, the answer comes a moment later.
                if left < 50:
                    wait_for(
                        lambda page=page, minutes=minutes: (  # type: ignore[misc]
                            (expiry(page) - start) / 60 - minutes >= 50
                        )
                    )
                if expiry(page) != held[page][-1]:
                    held[page].append(expiry(page))
        for page in pair.pages:
            # Each hour at least: where the clock leaps, a lease lapses and the state is told anew.
            assert len(held[page]) >= 3, held[page]
            assert expiry(page) - start > (180 + 50) * 60
            assert page.evaluate("window.__gap") < GAP
            assert_sees_and_hears(page)
        # Nothing was made or looked for anew meanwhile.
        assert [page.evaluate("window.__peers.length") for page in pair.pages] == made
        assert pair.casey.evaluate(UFRAGS) == ways_first
        # A way that has to be looked for now is found with what is held now.
        pair.casey.evaluate("dispatchEvent(new Event('online'))")
        wait_for(lambda: pair.casey.evaluate(UFRAGS) not in ([], ways_first))
        for page in pair.pages:
            assert_sees_and_hears(page)
            assert only_relays(page), ways(page)
        pair.close()


def test_where_a_renewal_went_wrong_the_next_way_asks_for_fresh_ones(
    chromium: Browser, tmp_path: Path, database: dict[str, str]
) -> None:
    ports = free_port(), free_port()
    lines: list[WebSocketRoute] = []

    def stand_between(line: WebSocketRoute) -> None:
        line.connect_to_server()
        lines.append(line)

    def start() -> Any:
        return relaying(tmp_path / "relay", ports=ports, more=LOOPBACK_PEERS)

    address = f"turn:127.0.0.1:{ports[0]}"
    told = {"ROOST_TURN_URL": address, "ROOST_TURN_SECRET": SECRET}
    with serving(tmp_path / "roost", **told, **database) as server:
        booked = book(server)
        want_relay_only(server, True)
        pair = Two((chromium, chromium), booked)
        pair.casey.route_web_socket("**/socket/", stand_between)
        with start():
            pair.meet()
            # What Casey holds from here on, the relay takes no more.
            spoilt = [{"urls": [address], "username": "1:nobody", "credential": "x"}]
            lines[-1].send(json.dumps({"type": "ice", "ice": spoilt, "policy": "relay"}))
            wait_for(lambda: pair.casey.evaluate(HELD) == ["1:nobody"])
        for page in pair.pages:
            wait_for(lambda page=page: not ways(page), seconds=30)  # type: ignore[misc]
        expect(pair.casey.get_by_text("It is being mended")).to_be_visible()
        with start():
            for page in pair.pages:
                assert_sees_and_hears(page, seconds=40)
                assert only_relays(page), ways(page)
            assert pair.casey.evaluate(HELD) != ["1:nobody"]
        pair.close()
