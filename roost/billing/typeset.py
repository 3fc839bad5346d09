"""typst: a template and its words make a PDF. The words come as data, never as source.

What is made is tagged, and conforms to PDF/UA-1 and PDF/A-2a. Both want a glyph for every letter;
one that no font on this machine has is printed as its number, "[U+1F469]". So is one of the private
kind, which PDF/A refuses.
"""

import base64
import json
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import typst

DATA = Path(__file__).with_name("data")
STANDARDS: list[Any] = ["ua-1", "a-2a"]
# A letter that no font has, and one of the private kind, which has no meaning that lasts.
NOT_PRINTED = re.compile(
    r"the text `\"(.+?)\"` could not be displayed|contains the codepoint `\"(.+?)\"`", re.DOTALL
)
# Each try finds the letters of one more run that no font has.
TRIES = 400
JOINERS = frozenset("\u200d\ufe0e\ufe0f")
# What the fonts of this machine are known to lack, so that one process finds it out once.
_lacking: set[str] = set()

LONG_WORD = re.compile(r"\S{20,}")
PIECE = 6
MAY_BREAK = "\u200b"


def typeset(template: str, words: Any, images: Mapping[str, bytes] | None = None) -> bytes:
    """The PDF of a template in data/. It finds `words` as JSON in `sys.inputs.words`, and each of
    `images`, a PNG, as a file of that name with ".svg".

    The same words give the same bytes, for one version of Roost and one set of fonts. Raises
    typst.TypstError.
    """
    text = _without(_lacking, json.dumps(words, ensure_ascii=False))
    # The types that typst comes with know of one file only.
    files: Any = {**_templates(), "main.typ": _templates()[template]}
    files |= {f"{name}.svg": _wrapped(png) for name, png in (images or {}).items()}
    for _ in range(TRIES):
        try:
            pdf: bytes = typst.compile(
                files,
                format="pdf",
                sys_inputs={"words": text},
                pdf_standards=STANDARDS,
                font_paths=_fonts(),
                timestamp=0,
            )
        except typst.TypstError as error:
            found = NOT_PRINTED.search(str(error))
            if found is None:
                raise
            letters = _letters(found[1] or found[2]) - JOINERS
            _lacking.update(letters)
            # An error that names no letter is about what joins two of them.
            text = _without(letters or JOINERS, text)
        else:
            return pdf
    raise ValueError("No font has the letters of this document.")


def lacking_letters(text: str) -> set[str]:
    """Those letters of `text` that are printed as numbers on this machine."""
    typeset("letters.typ", {"title": "Letters", "letters": text})
    return _lacking.intersection(text)


def breakable(value: Any) -> Any:
    """The same words, where very long ones may break rather than leave the page."""
    if isinstance(value, str):
        return LONG_WORD.sub(lambda found: _broken(found[0]), value)
    if isinstance(value, dict):
        return {key: breakable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [breakable(each) for each in value]
    return value


def _broken(word: str) -> str:
    """A long word with places to break, none of them within what is read as one letter."""
    pieces, length = [], 0
    for before, letter in zip(" " + word, word, strict=False):
        joined = before == "\u200d" or letter in JOINERS or unicodedata.category(letter)[0] == "M"
        if length >= PIECE and not joined:
            pieces.append(MAY_BREAK)
            length = 0
        pieces.append(letter)
        length += 1
    return "".join(pieces)


def _wrapped(png: bytes) -> bytes:
    """A PNG at the right of an SVG four times as wide as high: the files that typst is handed in
    memory must be text."""
    box = 'width="720" height="180"'
    data = base64.b64encode(png).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {box}><image {box}'
        f' preserveAspectRatio="xMaxYMid meet" href="data:image/png;base64,{data}"/></svg>'
    ).encode()


def _without(lacking: set[str] | frozenset[str], text: str) -> str:
    """The text with numbers for letters, and without what would have joined them."""
    found = lacking.intersection(text)
    for letter in found - JOINERS:
        text = text.replace(letter, f"[U+{ord(letter):04X}]")
    return re.sub(f"[{''.join(JOINERS)}]", "", text) if found else text


def _letters(text: str) -> set[str]:
    """The letters that typst names in its error, where unseen ones stand as "\\u{200d}"."""
    named = {chr(int(code, 16)) for code in re.findall(r"\\u\{([0-9a-fA-F]+)\}", text)}
    plain = set(re.sub(r"\\u\{[0-9a-fA-F]+\}", "", text))
    return {letter for letter in named | plain if not letter.isascii()}


@cache
def _templates() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in DATA.glob("*.typ")}


@cache
def _fonts() -> typst.Fonts:
    """Roost's own face, typst's, and those of this machine for the letters that both lack."""
    return typst.Fonts(font_paths=[DATA / "fonts"])
