"""Safari cannot be driven here, so its known rules are looked for in what it is sent."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOST = Path("roost")
TEMPLATES = sorted(ROOST.rglob("*.html"))
SCRIPTS = [path for path in sorted(ROOST.rglob("*.js")) if not path.name.endswith(".min.js")]
PLAYERS = [
    (path, tag)
    for path in TEMPLATES
    for tag in re.findall(r"<(?:video|audio)\b[^>]*>", path.read_text())
]
# Newer than Safari 16.4 (spring 2023), which an iPhone 8 still runs.
TOO_NEW = {
    "Promise.withResolvers": "17.4",
    "Object.groupBy": "17.4",
    "Map.groupBy": "17.4",
    "AbortSignal.any": "17.4",
    "checkVisibility(": "17.4",
    "Array.fromAsync": "16.4 has it only in part",
    "Promise.try": "18.2",
    "RegExp.escape": "18.2",
    "requestIdleCallback": "none",
    ".isSubsetOf(": "17",
    ".values().map(": "18.4",
    ".keys().map(": "18.4",
    ".values().filter(": "18.4",
    ".toBase64(": "18.2",
    "MediaStreamTrackProcessor": "18",
}


def scripts_with(words: str) -> dict[str, str]:
    """The text of each script in which this stands, by its name."""
    texts = {path.name: path.read_text() for path in SCRIPTS}
    return {name: text for name, text in texts.items() if words in text}


def test_no_picture_takes_the_whole_screen_of_a_phone_or_waits_for_a_press() -> None:
    pictures = [(path, tag) for path, tag in PLAYERS if tag.startswith("<video")]
    assert len(pictures) == 5
    for path, tag in pictures:
        words = tag.strip("<>").split()
        for needed in ("playsinline", "autoplay", "muted"):
            assert needed in words, f"{path}: {tag}"


def test_the_others_sound_has_a_player_of_its_own() -> None:
    # A picture with sound would not begin unasked; without, it does, and only the sound waits.
    assert [tag for _, tag in PLAYERS if tag.startswith("<audio")] == ["<audio autoplay>"]


def test_a_picture_made_by_a_script_follows_the_same_rules() -> None:
    makers = scripts_with('createElement("video")')
    assert list(makers) == ["loopback.js"]
    for name, text in makers.items():
        made = re.findall(r'createElement\("video"\), \{([^}]*)\}', text)
        assert len(made) == text.count('createElement("video")'), name
        assert all("muted: true" in each and "playsInline: true" in each for each in made), name


def test_a_player_that_is_refused_is_heard_of() -> None:
    found = scripts_with(".play()")
    assert sorted(found) == ["loopback.js", "stage.js", "tones.js"]
    for name, text in found.items():
        calls = re.findall(r"(try \{\s*await )?\w+\.play\(\)(\.catch\()?", text)
        assert calls, name
        assert all(tried or caught for tried, caught in calls), name


def test_sound_that_a_page_makes_is_begun_by_a_press() -> None:
    found = scripts_with("new AudioContext(")
    assert sorted(found) == ["devices.js", "knock.js", "pickers.js"]
    for name in ("devices.js", "knock.js"):
        assert re.search(r'"pointerdown", "keydown"', found[name]), name
        assert ".resume()" in found[name], name
    # The three tones: within the press, before anything is waited for.
    pressed = (
        r'addEventListener\("click", async \(\) => \{\s+//.*\s+const \w+ = new AudioContext\(\)'
    )
    assert re.search(pressed, found["pickers.js"])
    assert found["pickers.js"].count("new AudioContext(") == 1


@pytest.mark.parametrize("words", TOO_NEW)
def test_no_script_needs_a_safari_of_this_year(words: str) -> None:
    assert scripts_with(words) == {}


def test_no_script_looks_back_in_a_pattern() -> None:
    for path in SCRIPTS:
        assert not re.search(r"\(\?<[=!]", path.read_text()), path
