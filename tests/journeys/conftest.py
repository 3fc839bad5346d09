"""What journeys share: a demo of their own, a mail server, and a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright

from tests.support.browsers import launch
from tests.support.post import Post, post_office
from tests.support.server import Server, prepared


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
