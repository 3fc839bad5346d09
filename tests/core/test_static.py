"""What is served of our scripts and sheets: the same, without the words for their readers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from wsgiref.headers import Headers

import pytest
from django.contrib.staticfiles.finders import get_finders
from playwright.sync_api import Playwright

from roost.core.static import EMPTY, StaticStorage
from roost.core.static_headers import add_static_headers
from tests.support.browsers import launch

SOURCES = {
    name: Path(storage.path(name))
    for finder in get_finders()
    for name, storage in finder.list([])
    if name.endswith((".js", ".css"))
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> StaticStorage:
    """Everything collected, as `roost serve` does it."""
    storage = StaticStorage(location=str(tmp_path_factory.mktemp("static")))
    paths = {}
    for finder in get_finders():
        for name, source in finder.list([]):
            with source.open(name) as file:
                storage.save(name, file)
            paths[name] = (source, name)
    for _, _, failed in storage.post_process(paths):
        assert not isinstance(failed, Exception), failed
    return storage


def text_of(storage: StaticStorage, name: str) -> str:
    with storage.open(storage.hashed_files[storage.hash_key(name)]) as file:
        return str(file.read().decode())


def test_what_is_served_is_short(served: StaticStorage) -> None:
    for name, source in SOURCES.items():
        text = text_of(served, name)
        if ".min." in name:
            assert text == source.read_text()
        else:
            assert len(text) < len(source.read_text()), name
            assert not re.search(r"^\s*(//|/\*)|^ |\{ /\*", text, re.MULTILINE), name


def test_what_is_taken_out_is_within_no_string() -> None:
    """Lines are what is looked at: no template of ours goes over several, but a list of words."""
    for name, source in SOURCES.items():
        if ".min." not in name and name != "video/words.js":
            for line in source.read_text().splitlines():
                assert line.count("`") % 2 == 0, (name, line)


def test_only_a_block_that_catches_is_left_empty() -> None:
    for name, source in SOURCES.items():
        if ".min." not in name and name.endswith(".js"):
            text = source.read_text()
            for found in EMPTY.finditer(text):
                assert re.search(r"(=>|catch) $", text[: found.start()]), (name, found[0])


def test_modules_name_each_other_by_what_they_are_served_as(served: StaticStorage) -> None:
    room = text_of(served, "video/room.js")
    assert '"./peer.js"' not in room + text_of(served, "video/circle.js")
    assert 'import("./lobby.js")' not in room
    assert served.hashed_files[served.hash_key("video/lobby.js")].rpartition("/")[2] in room


NO_SCRIPT = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
FOREVER = "max-age=315360000, public, immutable"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (
            "room.f24b40c1cf8f.js",
            {"Content-Type": "text/javascript", "Cache-Control": "max-age=31536000, immutable"},
        ),
        (
            "room.f24b40c1cf8f.css",
            {"Content-Type": "text/x", "Cache-Control": "max-age=31536000, immutable"},
        ),
        ("icon.svg", {"Content-Type": "text/x", "Cache-Control": "max-age=60", **NO_SCRIPT}),
    ],
)
def test_a_file_says_little_and_all_that_it_must(path: str, said: dict[str, str]) -> None:
    kept = FOREVER if path.count(".") == 2 else "max-age=60"
    headers = Headers([("Content-Type", "text/x"), ("Cache-Control", kept)])
    add_static_headers(headers, path, path)
    assert dict(headers.items()) == {**said, "X-Content-Type-Options": "nosniff"}


@pytest.mark.journey
@pytest.mark.looks
def test_a_browser_reads_the_same_out_of_a_sheet(
    served: StaticStorage, playwright: Playwright
) -> None:
    """And takes each script for a script."""
    browser = launch(playwright)
    page = browser.new_page()
    # Other than the address of a face, which has its served name.
    read = """(text) => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(text.replaceAll(/url\\([^)]*\\)/g, "url(x)"));
      return [...sheet.cssRules].map((rule) => rule.cssText);
    }"""
    for name, source in SOURCES.items():
        text = text_of(served, name)
        if name.endswith(".css"):
            known, new = (page.evaluate(read, each) for each in (source.read_text(), text))
            assert known == new, name
            assert len(new) > 0
        else:
            body = json.dumps(text)
            page.goto("about:blank")
            fault = page.evaluate(
                f"""() => import(URL.createObjectURL(new Blob([{body}],
                  {{ type: "text/javascript" }}))).then(() => "", (error) => error.name)"""
            )
            assert fault != "SyntaxError", name
    browser.close()
