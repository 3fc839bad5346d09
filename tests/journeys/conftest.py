"""What journeys share: a demo of their own, a mail server, and a browser."""

from __future__ import annotations

import fcntl
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright

from tests.support.browsers import launch
from tests.support.post import Post, post_office
from tests.support.server import Server, prepared


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Several processes walk at a time; what is marked whole_machine, with nothing beside it."""
    alone = item.get_closest_marker("whole_machine") is not None
    with Path(__file__).open() as door:
        fcntl.flock(door, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        return (yield)


@pytest.fixture(scope="module")
def post() -> Iterator[Post]:
    with post_office() as running:
        yield running


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, post: Post, database: dict[str, str]
) -> Iterator[Server]:
    """The demo, fresh for each file, on the database of this run."""
    folder: Path = tmp_path_factory.mktemp("demo")
    running = prepared(folder, ROOST_DEMO="1", ROOST_SMTP_URL=post.url, **database).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright)
    yield browser
    browser.close()
