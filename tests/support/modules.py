"""The pages' own scripts, each alone in a real browser: no page, no server, no device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route

import roost.video

SCRIPTS = Path(roost.video.__file__).parent / "static" / "video"
PLACE = "http://localhost:9/"


def module_page(browser: Browser) -> Page:
    """An empty page that can import every module of the room by its name, as "/line.js"."""
    page = browser.new_page()

    def serve(route: Route) -> None:
        name = route.request.url.removeprefix(PLACE)
        if name:
            text = (SCRIPTS / name).read_text()
            return route.fulfill(content_type="text/javascript", body=text)
        route.fulfill(content_type="text/html", body="<!doctype html><title>A page</title>")

    page.route(f"{PLACE}**", serve)
    page.set_default_timeout(60_000)
    page.goto(PLACE)
    return page


def run(page: Page, code: str) -> Any:
    """What the body of an async function returns there."""
    return page.evaluate(f"async () => {{ {code} }}")
