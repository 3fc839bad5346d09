"""A whole call whose two people are at two processes of the server, with a Redis between them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.support.browsers import SLOW_CAMERA, assert_sees_and_hears, launch, signed_in
from tests.support.redis import Redis, redis
from tests.support.rooms import Booked, book, expect_waits
from tests.support.server import Server, free_port, serving

pytestmark = [pytest.mark.one_database, pytest.mark.slow]

# What is told at once takes no ping, which comes every ten seconds.
AT_ONCE = 4_000


class Apart(NamedTuple):
    """Tara at one process and Casey at the other."""

    between: Redis
    servers: tuple[Server, Server]
    booked: Booked
    tara: Page
    casey: Page

    @property
    def there(self) -> Booked:
        """The session as the other process serves it."""
        return replace(self.booked, server=self.servers[1])

    def knock(self) -> None:
        self.casey.goto(self.there.portal_room())
        self.casey.get_by_role("button", name="Go to the waiting room").click()
        expect_waits(self.casey)

    def meet(self) -> None:
        """Casey waits already."""
        self.tara.goto(self.booked.office_room)
        self.tara.get_by_role("button", name="Go into the room").click()
        self.tara.get_by_role("button", name="Admit").click()
        self.assert_meet()

    def assert_meet(self) -> None:
        for page in (self.tara, self.casey):
            assert_sees_and_hears(page)


@pytest.fixture
def apart(
    playwright: Playwright, tmp_path_factory: pytest.TempPathFactory, database: dict[str, str]
) -> Iterator[Apart]:
    folder = tmp_path_factory.mktemp("roost")
    with ExitStack() as open_:
        between = open_.enter_context(redis(tmp_path_factory.mktemp("redis")))
        settings = database | {"ROOST_REDIS_URL": between.url}
        one = open_.enter_context(serving(folder, **settings))
        other = open_.enter_context(serving(folder, port=free_port(), **settings))
        browser: Browser = launch(playwright, SLOW_CAMERA)
        open_.callback(browser.close)
        booked = book(one)
        contexts = [signed_in(browser, booked.cookie(door)) for door in ("office", "portal")]
        tara, casey = (context.new_page() for context in contexts)
        complaints: list[str] = []
        for page in (tara, casey):
            page.on("pageerror", lambda error: complaints.append(str(error)))
        yield Apart(between, (one, other), booked, tara, casey)
        assert complaints == []


def test_a_whole_call_between_two_processes(apart: Apart) -> None:
    tara, casey = apart.tara, apart.casey
    with apart.between.overheard() as heard:
        tara.goto(f"{apart.booked.office}/clients/")
        apart.knock()
        knock = tara.get_by_role("link", name="Casey is waiting")
        expect(knock).to_be_visible(timeout=AT_ONCE)
        expect(casey.locator("#told")).to_have_text("Tara has been told you’re here")
        apart.meet()

        casey.get_by_role("button", name="Mute").last.click()
        expect(tara.get_by_text("Casey, muted")).to_be_visible(timeout=AT_ONCE)
        words = []
        for page in (tara, casey):
            page.get_by_role("button", name="Safety", exact=True).click()
            expect(page.locator("#safety-list li")).to_have_count(4)
            words.append(page.locator("#safety-list li").all_inner_texts())
            page.get_by_role("button", name="Close safety words").click()
        assert words[0] == words[1]
        casey.reload()
        apart.assert_meet()

        # Each process dies in turn, and comes back.
        for server in apart.servers:
            server.kill()
            there = tara if server is apart.servers[0] else casey
            dropped = there.get_by_text("Your line dropped")
            expect(dropped).to_be_visible(timeout=10_000)
            for page in (tara, casey):
                assert_sees_and_hears(page)
            server.start()
            expect(dropped).not_to_be_visible(timeout=10_000)
            apart.assert_meet()

        tara.get_by_role("button", name="End session").click()
        tara.get_by_role("button", name="End it now").click()
        ended = casey.get_by_role("heading", name="Your session has ended")
        expect(ended).to_be_visible(timeout=AT_ONCE)
    told = b"".join(heard)
    assert len(told) > 10_000
    # Between the processes it is locked. (Each of these holds what locked text never does, or is
    # too long to come about in it.)
    for secret in (b"v=0", b" typ ", b"a=ice-ufrag", b"192.168.", b"candidate", b"fingerprint"):
        assert secret not in told, secret


def test_a_redis_that_starts_again_ends_nothing(apart: Apart) -> None:
    apart.knock()
    apart.meet()
    tara, casey = apart.tara, apart.casey
    for pause in (0, 6_000):
        apart.between.stop()
        casey.wait_for_timeout(pause)
        for page in (tara, casey):
            assert_sees_and_hears(page)
        apart.between.start()
        # One that was away for a moment only may not have been missed: each ping puts that right.
        casey.wait_for_timeout(11_000)
        for page in (tara, casey):
            expect(page.get_by_text("Your line dropped")).not_to_be_visible(timeout=20_000)
        casey.get_by_role("button", name="Mute").last.click()
        expect(tara.get_by_text("Casey, muted")).to_be_visible(timeout=AT_ONCE)
        casey.get_by_role("button", name="Mute").last.click()
        expect(tara.get_by_text("Casey, muted")).not_to_be_visible(timeout=AT_ONCE)
        casey.reload()
        apart.assert_meet()
    tara.get_by_role("button", name="End session").click()
    tara.get_by_role("button", name="End it now").click()
    expect(casey.get_by_role("heading", name="Your session has ended")).to_be_visible()


def test_another_page_or_a_log_out_at_the_other_process_counts_at_once(apart: Apart) -> None:
    apart.knock()
    apart.meet()
    tara, casey = apart.tara, apart.casey
    second = casey.context.new_page()
    second.goto(apart.booked.portal_room())
    second.get_by_role("button", name="Return to session").click()
    expect(casey.get_by_role("heading", name="in another window")).to_be_visible(timeout=AT_ONCE)
    for page in (tara, second):
        assert_sees_and_hears(page)
    # Whoever logs out at one process is out of the call at the other: told so, or found out by its
    # watch, which looks every two seconds.
    third = casey.context.new_page()
    third.goto(f"{apart.there.portal}/my-account/")
    third.get_by_role("button", name="Casey Nguyen").click()
    third.get_by_role("button", name="Log out").click()
    expect(second.get_by_role("heading", name="You are logged out")).to_be_visible(timeout=AT_ONCE)
    expect(tara.get_by_text("Nobody else is here yet")).to_be_visible(timeout=AT_ONCE)
