"""Prospect and client side by side, line by line, with what differs marked."""

import re
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final

from roost.clients.matching.evidence import Facts, Person, plain_email
from roost.clients.matching.names import is_same_name, words_of
from roost.core.phones import as_kept, spoken
from roost.core.text import one_line

# Words, and each sign between them. An apostrophe is inside a word.
_PIECES: Final = re.compile(r"[^\s.,@+_()/–-]+|.", re.DOTALL)


class Verdict(StrEnum):
    """What one line of the side-by-side says."""

    SAME = "same"
    DIFFERS = "differs"
    ONE_SIDE = "one_side"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a text; `differs` where the other side has something else, or nothing."""

    text: str
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One fact on both sides, as it is said; empty where it is not known."""

    label: str
    verdict: Verdict
    prospect: tuple[Segment, ...]
    client: tuple[Segment, ...]


def side_by_side(prospect: Facts, client: Facts) -> tuple[Line, ...]:
    """Name, preferred name, e-mail, phone and date of birth, in this order."""
    return (
        _line("Name", prospect.name, client.name, same=_same_name(prospect, client)),
        _line(
            "Preferred name",
            one_line(prospect.preferred_name),
            one_line(client.preferred_name),
            same=_same_words(prospect.preferred_name, client.preferred_name),
        ),
        _line(
            "E-mail",
            one_line(prospect.email),
            one_line(client.email),
            same=plain_email(prospect.email) == plain_email(client.email),
        ),
        _line(
            "Phone",
            spoken(one_line(prospect.phone)),
            spoken(one_line(client.phone)),
            same=bool(as_kept(prospect.phone)) and as_kept(prospect.phone) == as_kept(client.phone),
        ),
        _line(
            "Date of birth",
            _day(prospect.date_of_birth),
            _day(client.date_of_birth),
            same=prospect.date_of_birth == client.date_of_birth,
        ),
    )


def _same_name(prospect: Facts, client: Facts) -> bool:
    return is_same_name(Person.of(prospect).name, Person.of(client).name)


def _same_words(a: str, b: str) -> bool:
    return bool(words_of(a)) and words_of(a) == words_of(b)


def _day(day: date | None) -> str:
    return f"{day.day} {day:%B} {day.year}" if day else ""


def _line(label: str, prospect: str, client: str, *, same: bool) -> Line:
    if not prospect and not client:
        return Line(label, Verdict.NEITHER, (), ())
    if not prospect or not client:
        return Line(label, Verdict.ONE_SIDE, _whole(prospect), _whole(client))
    if same or prospect == client:
        return Line(label, Verdict.SAME, _whole(prospect), _whole(client))
    return Line(label, Verdict.DIFFERS, *differences(prospect, client))


def _whole(text: str) -> tuple[Segment, ...]:
    return (Segment(text),) if text else ()


def differences(a: str, b: str) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """Both texts in segments, word by word, for <mark>. Case, accents and the kind of apostrophe
    are no difference. The segments of a side, put together, are its text."""
    ours, theirs = _PIECES.findall(a), _PIECES.findall(b)
    compared = SequenceMatcher(None, [*map(_piece, ours)], [*map(_piece, theirs)], autojunk=False)
    left: list[Segment] = []
    right: list[Segment] = []
    for tag, a1, a2, b1, b2 in compared.get_opcodes():
        for side, text in ((left, ours[a1:a2]), (right, theirs[b1:b2])):
            if text:
                side.append(Segment("".join(text), differs=tag != "equal"))
    return tuple(left), tuple(right)


def _piece(piece: str) -> str:
    return "".join(words_of(piece)) or piece
