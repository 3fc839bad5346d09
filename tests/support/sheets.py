"""Pictures of pages and states, on sheets of at most six, to be looked at.

    scripts/alone.sh .venv/bin/python -m tests.support.sheets FOLDER \
        [--only REGEX] [--room SCENE,…] [--in VERSION,…] [--whole]

`--only` takes the states of tests/support/looks whose names match (".": all); `--room` walks
scenes of tests/support/room_looks.py ("all" of them, or check, waiting, two, family, endings,
closing, refusals). `--in` names versions: 360, 390, 844 (a phone on its side) or 1280, -light or
-dark; without it all of 390, 844 and 1280. Pages longer than three screens are cut, unless
`--whole`.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.support.browsers import launch
from tests.support.room_looks import SCENES, walk_through
from tests.support.server import serving

SIZES: dict[str, ViewportSize] = {
    "360": {"width": 360, "height": 740},
    "390": {"width": 390, "height": 844},
    "844": {"width": 844, "height": 390},
    "1280": {"width": 1280, "height": 800},
}
# Pictures side by side, and how wide each is drawn.
DRAWN = {"360": (3, 360), "390": (3, 390), "844": (2, 760), "1280": (2, 760)}
VERSIONS = [f"{size}-{scheme}" for size in SIZES for scheme in ("light", "dark")]
USUAL = [version for version in VERSIONS if not version.startswith("360")]
MOST_TILES, LABEL, GAP = 6, 22, 10


def take(page: Page, version: str, *, whole: bool) -> Image.Image:
    """A picture of the page in one version."""
    size, scheme = version.split("-")
    page.set_viewport_size(SIZES[size])
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.wait_for_timeout(150)
    shot = Image.open(io.BytesIO(page.screenshot(full_page=True, animations="disabled")))
    if not whole:
        shot = shot.crop((0, 0, shot.width, min(shot.height, 3 * SIZES[size]["height"])))
    width = DRAWN[size][1]
    return shot.resize((width, round(shot.height * width / shot.width)), Image.Resampling.LANCZOS)


class Sheets:
    """Collects pictures by version, and writes a sheet whenever one is full."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.held: dict[str, list[tuple[str, Image.Image]]] = defaultdict(list)
        self.written: dict[str, int] = defaultdict(int)
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, name: str, version: str, picture: Image.Image) -> None:
        self.held[version].append((name, picture))
        if len(self.held[version]) == MOST_TILES:
            self.write(version)

    def write(self, version: str) -> None:
        held = self.held.pop(version, [])
        if not held:
            return
        columns, width = DRAWN[version.split("-")[0]]
        rows = [held[start : start + columns] for start in range(0, len(held), columns)]
        heights = [max(picture.height for _, picture in row) + LABEL + GAP for row in rows]
        sheet = Image.new("RGB", (columns * (width + GAP) + GAP, sum(heights) + GAP), "#777")
        draw, font, top = ImageDraw.Draw(sheet), ImageFont.load_default(15), GAP
        for row, height in zip(rows, heights, strict=True):
            for column, (name, picture) in enumerate(row):
                left = GAP + column * (width + GAP)
                draw.text((left, top), f"{name} · {version}", fill="white", font=font)
                sheet.paste(picture, (left, top + LABEL))
            top += height
        self.written[version] += 1
        file = self.folder / f"{version}-{self.written[version]:02}.png"
        sheet.save(file)
        sys.stdout.write(f"{file}  {', '.join(name for name, _ in held)}\n")
        sys.stdout.flush()

    def finish(self) -> None:
        for version in list(self.held):
            self.write(version)


def pages(browser: Browser, folder: Path, only: str) -> Iterator[tuple[str, Page]]:
    """The states of pages whose names match, each as its page stands in it."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "roost.config.settings")
    django.setup()
    from tests.journeys.test_looks import Visitors
    from tests.support.looks import STATES

    seed = "import json\nfrom tests.support.looks.seeded import seed\nprint(json.dumps(seed()))"
    with serving(folder / "pages", ROOST_DEMO="1") as server:
        facts: dict[str, Any] = json.loads(server.run(seed))
        visitors = Visitors(browser, server, facts)
        for state in STATES:
            if re.search(only, state.name):
                yield state.name, visitors.visit(state)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="sheets", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="a regex for names of states")
    parser.add_argument("--room", default="", help=f"all, or some of {', '.join(SCENES)}")
    parser.add_argument("--in", dest="versions", default=",".join(USUAL))
    parser.add_argument("--whole", action="store_true", help="cut no page")
    asked = parser.parse_args(argv)
    versions = asked.versions.split(",")
    scenes = (
        list(SCENES) if asked.room == "all" else [each for each in asked.room.split(",") if each]
    )
    if unknown := {*versions} - {*VERSIONS} | {*scenes} - {*SCENES}:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    if not asked.only and not scenes:
        parser.error("name some states: --only, --room, or both")
    sheets = Sheets(asked.folder)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="roost-sheets-")))
        browser = launch(stack.enter_context(sync_playwright()))
        stack.callback(browser.close)
        sources = []
        if asked.only:
            sources.append(pages(browser, folder, asked.only))
        if scenes:
            server = stack.enter_context(serving(folder / "room"))
            sources.append(walk_through(browser, server, scenes=scenes))
        for state, page in chain(*sources):
            for version in versions:
                sheets.add(state, version, take(page, version, whole=asked.whole))
        sheets.finish()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
