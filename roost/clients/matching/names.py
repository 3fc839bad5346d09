"""Names as people type them: what is the same name, and what is near.

Case, accents, apostrophes, hyphens and the order of first and last name make no difference. Near
are a letter wrong or two letters swapped, a short form, a part of a double name, an initial.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from nicknames import name_triplets
from rapidfuzz.distance import OSA

_JOINING: Final = frozenset("'’‘`´ʼʻʹ′")
# Letters that Unicode does not take apart into a plain one and a mark.
_PLAIN: Final = str.maketrans({
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th",
})  # fmt: skip
_ASCII: Final = str.maketrans(
    {c: None if c in _JOINING else " " for c in map(chr, range(128)) if not c.isalnum()}
)
# Little words inside last names; they tell nobody apart.
_PARTICLES: Final = frozenset({
    "al", "bin", "bint", "da", "das", "de", "del", "den", "der", "di", "do", "dos", "du", "e",
    "el", "ibn", "la", "las", "le", "los", "st", "ten", "ter", "van", "von", "y", "zu",
})  # fmt: skip


def words_of(text: str) -> tuple[str, ...]:
    """The words of a name as they are compared: lower case, plain letters."""
    if text.isascii():
        return tuple(text.lower().translate(_ASCII).split())
    text = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(c for c in text if not "\u0300" <= c <= "\u036f").casefold().translate(_PLAIN)
    return tuple("".join(map(_letter, unicodedata.normalize("NFC", kept))).split())


def _letter(c: str) -> str:
    if c in _JOINING:
        return ""
    return " " if unicodedata.category(c)[0] in "PSZC" else c


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name, made ready to be compared.

    `first` and `last` are written as one word each; `given` holds what the person may be called by,
    `family` the words that carry the last name. `words` are all but the preferred name, sorted.
    """

    first: str
    last: str
    words: tuple[str, ...]
    given: frozenset[str]
    given_words: frozenset[str]
    family: frozenset[str]
    family_words: frozenset[str]

    @classmethod
    def of(cls, first_name: str, last_name: str, preferred_name: str) -> "Name":
        first, last, preferred = map(words_of, (first_name, last_name, preferred_name))
        carrying = frozenset(last).difference(_PARTICLES) or frozenset(last)
        joined = frozenset(filter(None, ("".join(first), "".join(preferred))))
        return cls(
            first="".join(first),
            last="".join(last),
            words=tuple(sorted(first + last)),
            given=joined.union(first[:1], preferred[:1]),
            given_words=frozenset(first + preferred),
            family=carrying.union(("".join(last),) if last else ()),
            family_words=carrying,
        )


def is_same_name(a: Name, b: Name) -> bool:
    """Whether first and last name are the same, in either order, however they are written."""
    if not a.words or not b.words:
        return False
    if a.words == b.words:
        return True
    if not (a.first and a.last):
        return False
    return (a.first, a.last) in ((b.first, b.last), (b.last, b.first))


def is_similar_name(a: Name, b: Name) -> bool:
    """Whether both halves are near, in either order of the two."""
    if is_near_family(a, b) and is_near_given(a, b):
        return True
    return _is_crosswise(a, b) and _is_crosswise(b, a)


def is_near_given(a: Name, b: Name) -> bool:
    """Whether two people may go by one first name."""
    return _covers(a.given_words, b.given_words) or _any_near(a.given, b.given, given=True)


def is_near_family(a: Name, b: Name) -> bool:
    """Whether two last names are near: a slip of the hand, or one a part of the other."""
    return _covers(a.family_words, b.family_words) or is_slip(a.last, b.last)


def has_same_family(a: Name, b: Name) -> bool:
    """Whether the last names are the same, or one is a part of the other."""
    if a.last == b.last:
        return bool(a.last)
    ours, theirs = a.family_words, b.family_words
    return bool(ours and theirs) and (ours <= theirs or theirs <= ours)


def has_same_given(a: Name, b: Name) -> bool:
    """Whether two people are called by the same first name."""
    return not a.given.isdisjoint(b.given)


def _is_crosswise(a: Name, b: Name) -> bool:
    """Whether what stands as a's first name is near to what stands as b's last name."""
    return bool(a.first and b.last) and (
        _any_near(a.given, b.family, given=True) or _covers(a.given_words, b.family_words)
    )


def _covers(ours: frozenset[str], theirs: frozenset[str]) -> bool:
    """Whether every word of one side has one on the other that is the same but for a slip."""
    if not ours or not theirs:
        return False
    if ours <= theirs or theirs <= ours:
        return True
    return all(any(is_slip(a, b) for b in theirs) for a in ours) or all(
        any(is_slip(a, b) for a in ours) for b in theirs
    )


def _any_near(ours: frozenset[str], theirs: frozenset[str], *, given: bool) -> bool:
    return any(is_near_word(a, b, given=given) for a in ours for b in theirs)


def is_near_word(a: str, b: str, *, given: bool) -> bool:
    """Whether two words may be one name. For first names, short forms and initials count too."""
    if is_slip(a, b):
        return True
    return given and (b in short_forms().get(a, ()) or is_initial(a, b))


def is_initial(a: str, b: str) -> bool:
    """Whether one word is the first letter of the other ("J", "Jordan")."""
    return 1 in (len(a), len(b)) and a[:1] == b[:1]


def is_slip(a: str, b: str) -> bool:
    """Whether two words are the same but for a slip of the hand.

    Up to three letters nothing may differ, of four two may be swapped; up to eight one slip is
    forgiven, from nine on two. A slip is a letter too many, too few, another, or two swapped.
    """
    if a == b:
        return bool(a)
    longest = max(len(a), len(b))
    allowed = slips_in(longest)
    if not allowed or abs(len(a) - len(b)) > allowed:
        return False
    if longest == 4 and sorted(a) != sorted(b):
        return False
    return OSA.distance(a, b, score_cutoff=allowed) <= allowed


def slips_in(length: int) -> int:
    """How many slips a word of this length may have."""
    if length < 4:
        return 0
    return 1 if length < 9 else 2


@lru_cache(maxsize=1)
def short_forms() -> dict[str, frozenset[str]]:
    """First names and the short forms that stand for each other, both ways (Liz, Elizabeth)."""
    forms: dict[str, set[str]] = {}
    for long, _, short in name_triplets():
        for a, b in ((long, short), (short, long)):
            forms.setdefault("".join(words_of(a)), set()).add("".join(words_of(b)))
    return {name: frozenset(others) for name, others in forms.items()}
