"""Calls through a real relay, when the practice wants it and when nothing else is possible."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, Playwright, WebSocketRoute, expect

from tests.support.browsers import (
    SLOW_CAMERA,
    assert_sees_and_hears,
    figures,
    launch,
    signed_in,
    wait_for,
)
from tests.support.networks import RELAY, Networks, handed_in, islands
from tests.support.relay import LOOPBACK_PEERS, SECRET, Relay, relaying
from tests.support.rooms import Booked, book, expect_waits
from tests.support.server import Server, free_port, serving

pytestmark = [pytest.mark.one_database, pytest.mark.slow]

# By which candidates each live connection goes, and every candidate that was named.
WAYS = """async () => {
  const ways = [];
  for (const pc of window.__peers) {
    if (pc.connectionState !== "connected") continue;
    const reports = await pc.getStats();
    for (const r of reports.values()) {
      if (r.type !== "transport") continue;
      const pair = reports.get(r.selectedCandidatePairId);
      const local = reports.get(pair.localCandidateId);
      const remote = reports.get(pair.remoteCandidateId);
      ways.push([local.candidateType, remote.candidateType, local.relayProtocol ?? ""]);
    }
  }
  return ways;
}"""
SAID = """() => window.__peers
  .flatMap((pc) => [pc.localDescription?.sdp, pc.remoteDescription?.sdp]).filter(Boolean)
  .flatMap((sdp) => sdp.match(/^a=candidate:.*$/gm) ?? [])"""


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    with relaying(tmp_path_factory.mktemp("relay"), more=LOOPBACK_PEERS) as running:
        yield running


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, database: dict[str, str], relay: Relay
) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("roost")
    # Chromium does not know the test's certificate, so TLS is left out.
    urls = f"{relay.urls['udp']}, {relay.urls['tcp']}"
    with serving(folder, **relay.settings | {"ROOST_TURN_URL": urls}, **database) as running:
        yield running


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright, SLOW_CAMERA)
    yield browser
    browser.close()


def want_relay_only(server: Server, wanted: bool) -> None:
    server.run(
        "from roost.practices.models import Practice\n"
        f"Practice.objects.filter(slug='maple').update(relay_only={wanted})"
    )


class Two:
    """Tara's and Casey's windows on one session."""

    def __init__(self, browsers: tuple[Browser, Browser], booked: Booked) -> None:
        self.booked = booked
        self.contexts = [
            signed_in(browsers[0], booked.cookie("office")),
            signed_in(browsers[1], booked.cookie("portal")),
        ]
        self.tara, self.casey = (context.new_page() for context in self.contexts)
        self.complaints: list[str] = []
        for page in (self.tara, self.casey):
            page.on("pageerror", lambda error: self.complaints.append(str(error)))

    @property
    def pages(self) -> tuple[Page, Page]:
        return self.tara, self.casey

    def knock(self, *, by: str = "Go to the waiting room") -> None:
        """Casey waits, Tara is in."""
        self.casey.goto(self.booked.portal_room())
        self.casey.get_by_role("button", name=by).click()
        expect_waits(self.casey)
        self.tara.goto(self.booked.office_room)
        self.tara.get_by_role("button", name="Go into the room").click()

    def admit(self) -> None:
        self.tara.get_by_role("button", name="Admit").click()

    def meet(self) -> None:
        self.knock()
        self.admit()
        for page in self.pages:
            assert_sees_and_hears(page)

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        assert self.complaints == []


@pytest.fixture
def two(server: Server, chromium: Browser) -> Iterator[Two]:
    booked = book(server)
    want_relay_only(server, False)
    pair = Two((chromium, chromium), booked)
    yield pair
    pair.close()


def ways(page: Page) -> list[Any]:
    return list(page.evaluate(WAYS))


def only_relays(page: Page) -> bool:
    found = ways(page)
    return bool(found) and all(way[:2] == ["relay", "relay"] for way in found)


def test_with_relay_only_both_sides_go_through_it_and_name_nothing_else(
    two: Two, server: Server
) -> None:
    want_relay_only(server, True)
    two.meet()
    for page in two.pages:
        assert only_relays(page), ways(page)
        said = page.evaluate(SAID)
        assert said
        for line in said:
            assert " typ relay " in line
            # Not even as the address that the relay saw.
            assert "raddr 0.0.0.0" in line or "raddr ::" in line
    two.casey.reload()
    for page in two.pages:
        assert_sees_and_hears(page)
    for page in two.pages:
        wait_for(lambda page=page: only_relays(page), saying=f"{ways(page)}")  # type: ignore[misc]


def test_without_it_they_meet_directly(two: Two) -> None:
    """So that the test above fails for the right reason."""
    two.meet()
    for page in two.pages:
        assert "host" in ways(page)[0][:2], ways(page)


def test_a_running_call_goes_over_to_the_relay(two: Two, server: Server) -> None:
    two.meet()
    assert not only_relays(two.tara)
    want_relay_only(server, True)
    # Each page hears of it at its next ping.
    for page in two.pages:
        wait_for(lambda page=page: only_relays(page), seconds=30, saying=f"{ways(page)}")  # type: ignore[misc]
    for page in two.pages:
        assert_sees_and_hears(page)


def test_a_dead_server_does_not_part_them_on_the_relay_either(two: Two, server: Server) -> None:
    want_relay_only(server, True)
    two.meet()
    server.kill()
    for page in two.pages:
        assert_sees_and_hears(page)
    server.start()
    for page in two.pages:
        expect(page.get_by_text("Your line dropped")).not_to_be_visible(timeout=10_000)
        assert_sees_and_hears(page)


def test_new_credentials_are_taken_without_a_break(server: Server, chromium: Browser) -> None:
    """What the server says each hour, said now."""
    booked = book(server)
    want_relay_only(server, True)
    pair = Two((chromium, chromium), booked)
    lines: list[WebSocketRoute] = []

    def stand_between(line: WebSocketRoute) -> None:
        line.connect_to_server()
        lines.append(line)

    pair.casey.route_web_socket("**/socket/", stand_between)
    pair.meet()
    held = "() => window.__peers.map((pc) => pc.getConfiguration().iceServers[0]?.username)"
    before = pair.casey.evaluate(held)
    ice = [{"urls": ["turn:127.0.0.1:9"], "username": "renewed", "credential": "x"}]
    lines[-1].send(json.dumps({"type": "ice", "ice": ice, "policy": "relay"}))
    wait_for(lambda: pair.casey.evaluate(held)[-1] == "renewed")
    # The same connection goes on.
    assert len(pair.casey.evaluate(held)) == len(before)
    for page in pair.pages:
        assert_sees_and_hears(page)
        assert only_relays(page)
    pair.close()


@pytest.mark.parametrize("way", ["udp", "tcp", "tls"])
def test_by_each_way_to_the_relay_they_meet(
    playwright: Playwright, relay: Relay, tmp_path: Path, database: dict[str, str], way: str
) -> None:
    told = relay.settings | {"ROOST_TURN_URL": relay.urls[way]}
    with serving(tmp_path / "roost", **told, **database) as server:
        booked = book(server)
        want_relay_only(server, True)
        # The relay's certificate is the test's own.
        browser = launch(playwright, "--ignore-certificate-errors")
        pair = Two((browser, browser), booked)
        pair.meet()
        for page in pair.pages:
            assert ways(page) == [["relay", "relay", way]]
        pair.close()
        browser.close()


def test_relay_only_without_a_relay_says_so_and_gives_nothing_away(
    chromium: Browser, tmp_path: Path, database: dict[str, str]
) -> None:
    with serving(tmp_path / "roost", **database) as server:
        booked = book(server)
        want_relay_only(server, True)
        pair = Two((chromium, chromium), booked)
        # No camera holds this page up: it is ready before the server has said a word.
        pair.knock(by="Just listen")
        pair.admit()

        def assert_nothing_is_given_away() -> None:
            for page in pair.pages:
                words = page.get_by_text("Calls here go through a relay only, and none is set up.")
                expect(words).to_be_visible()
                page.wait_for_timeout(2000)
                assert page.evaluate(SAID) == []
                assert ways(page) == []

        assert_nothing_is_given_away()
        pair.casey.reload()
        assert_nothing_is_given_away()
        pair.close()


def test_a_relay_that_starts_again_is_found_again(
    chromium: Browser, tmp_path: Path, database: dict[str, str]
) -> None:
    ports = free_port(), free_port()

    def start() -> Any:
        return relaying(tmp_path / "relay", ports=ports, more=LOOPBACK_PEERS)

    told = {"ROOST_TURN_URL": f"turn:127.0.0.1:{ports[0]}", "ROOST_TURN_SECRET": SECRET}
    with serving(tmp_path / "roost", **told, **database) as server:
        booked = book(server)
        want_relay_only(server, True)
        pair = Two((chromium, chromium), booked)
        with start():
            pair.meet()
        for page in pair.pages:
            wait_for(lambda page=page: not ways(page), seconds=30)  # type: ignore[misc]
        with start():
            for page in pair.pages:
                assert_sees_and_hears(page, seconds=40)
            assert only_relays(pair.tara)
        pair.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root can make networks.")
def test_between_networks_without_a_route_only_the_relay_connects(
    playwright: Playwright, tmp_path: Path, database: dict[str, str]
) -> None:
    ports = free_port(), free_port()
    told = {"ROOST_TURN_URL": f"turn:{RELAY}:{ports[0]}", "ROOST_TURN_SECRET": SECRET}
    with (
        islands() as networks,
        serving(tmp_path / "roost", **told, **database) as server,
        handed_in(networks, server.port, tmp_path),
    ):
        browsers = tuple(
            launch(playwright, program=networks.browser(whose, tmp_path))
            for whose in ("tara", "casey")
        )
        booked = book(server)
        want_relay_only(server, False)
        pair = Two((browsers[0], browsers[1]), booked)
        # The relay is not there yet: nothing connects, however long they try.
        pair.knock()
        pair.admit()
        pair.tara.wait_for_timeout(8000)
        for page in pair.pages:
            assert ways(page) == []
            expect(page.get_by_text("Connecting to").first).to_be_visible()
        # As it is shipped: no address is allowed that the file denies.
        with relaying(tmp_path / "relay", host=RELAY, ports=ports, before=networks.inside("relay")):
            for page in pair.pages:
                assert_sees_and_hears(page, seconds=40)
                assert "relay" in ways(page)[0][:2], ways(page)
        pair.close()
        for browser in browsers:
            browser.close()


class Apart(NamedTuple):
    """A call between two networks that only the relay connects."""

    networks: Networks
    pair: Two


@pytest.fixture
def apart(
    playwright: Playwright,
    tmp_path: Path,
    database: dict[str, str],
    request: pytest.FixtureRequest,
) -> Iterator[Apart]:
    if os.geteuid() != 0:
        pytest.skip("Only root can make networks.")
    ports = free_port(), free_port()
    told = {"ROOST_TURN_URL": f"turn:{RELAY}:{ports[0]}", "ROOST_TURN_SECRET": SECRET}
    with (
        islands() as networks,
        relaying(tmp_path / "relay", host=RELAY, ports=ports, before=networks.inside("relay")),
        serving(tmp_path / "roost", **told, **database) as server,
        handed_in(networks, server.port, tmp_path),
    ):
        browsers = tuple(
            launch(playwright, program=networks.browser(whose, tmp_path))
            for whose in ("tara", "casey")
        )
        booked = book(server)
        want_relay_only(server, getattr(request, "param", False))
        pair = Two((browsers[0], browsers[1]), booked)
        pair.meet()
        pair.casey.evaluate(WATCH_STATES)
        yield Apart(networks, pair)
        pair.close()
        for browser in browsers:
            browser.close()


WATCH_STATES = """() => {
  window.__states = [];
  for (const pc of window.__peers) pc.addEventListener("connectionstatechange", () => {
    window.__states.push(pc.connectionState);
  });
}"""


def test_who_comes_to_another_network_is_back_in_seconds(apart: Apart) -> None:
    casey = apart.pair.casey
    made = casey.evaluate("window.__peers.length")
    apart.networks.move("casey")
    for page in apart.pair.pages:
        assert_sees_and_hears(page, seconds=15)
    # Another way was found before the old one was given up; the connection is the same.
    assert casey.evaluate("window.__states") == []
    assert casey.evaluate("window.__peers.length") == made


def test_a_link_that_was_cut_heals_by_itself(apart: Apart) -> None:
    casey = apart.pair.casey
    for seconds, is_rebuilt in ((3, False), (12, False), (30, True)):
        made = casey.evaluate("window.__peers.length")
        with apart.networks.cut("casey"):
            # What has come already is shown for a while yet.
            casey.wait_for_timeout((seconds - 1) * 1000)
            before = figures(casey)["frames"]
            casey.wait_for_timeout(1000)
            # A new connection has had none.
            assert figures(casey)["frames"] in (before, 0), f"{seconds} s: it was not cut."
        for page in apart.pair.pages:
            assert_sees_and_hears(page, seconds=20)
        assert (casey.evaluate("window.__peers.length") > made) is is_rebuilt, seconds


@pytest.mark.whole_machine
@pytest.mark.parametrize("apart", [True], indirect=True, ids=["relay-only"])
def test_a_line_that_carries_no_picture_carries_the_sound(apart: Apart) -> None:
    casey, tara = apart.pair.casey, apart.pair.tara
    for page in apart.pair.pages:
        assert only_relays(page), ways(page)
    line = casey.locator("#call-line")
    gone = tara.get_by_text("The line to Casey is too weak for a picture just now.")
    # A voice takes about 35 kilobits a second, with all that is wrapped around it.
    with apart.networks.narrow("casey", kbit=60):
        expect(line).to_contain_text("so Tara Okafor sees you smaller for now", timeout=30_000)
        expect(line).to_contain_text("so Tara Okafor only hears you for now", timeout=60_000)
        # A line so full loses its own signs of life, too, and may be mended first.
        expect(gone).to_be_visible(timeout=20_000)
        for _ in range(3):
            sound, frames = figures(tara)["audio"], figures(casey)["frames"]
            wait_for(lambda than=sound: figures(tara)["audio"] > than, seconds=10)  # type: ignore[misc]
            # The other way is as wide as ever.
            wait_for(lambda than=frames: figures(casey)["frames"] > than, seconds=10)  # type: ignore[misc]
    # What the picture's line was, before it stopped, is no news of it now.
    expect(line).to_contain_text("line is good again: Tara Okafor sees you soon", timeout=20_000)
    expect(gone).not_to_be_visible(timeout=40_000)
    for page in apart.pair.pages:
        assert_sees_and_hears(page)
        assert only_relays(page)


@pytest.mark.whole_machine
def test_a_line_that_loses_a_part_of_everything_carries_the_sound(apart: Apart) -> None:
    """As wireless at the far end of a house: wide enough, but every sixth packet goes missing."""
    casey, tara = apart.pair.casey, apart.pair.tara
    line = casey.locator("#call-line")
    with apart.networks.lose("casey", percent=16):
        expect(line).to_contain_text("a lot gets lost on the way", timeout=30_000)
        expect(line).to_contain_text("so Tara Okafor only hears you for now", timeout=60_000)
        for page in (tara, casey):
            for _ in range(3):
                sound = figures(page)["audio"]
                wait_for(lambda p=page, than=sound: figures(p)["audio"] > than, seconds=10)  # type: ignore[misc]
    expect(line).not_to_contain_text("gets lost", timeout=30_000)
    for page in apart.pair.pages:
        assert_sees_and_hears(page, seconds=60)
    # It was one call all the way: nobody had to come back.
    assert "failed" not in casey.evaluate("window.__states")
