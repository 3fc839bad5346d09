"""What a check of the installation finds, in plain words."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How a finding is to be taken."""

    RIGHT = "right"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `about` names it, `words` say how it is, `advice` what to do.

    No finding ever holds a secret.
    """

    about: str
    grade: Grade
    words: str
    advice: str = ""


def right(about: str, words: str) -> Finding:
    """It is as it should be."""
    return Finding(about, Grade.RIGHT, words)


def note(about: str, words: str, advice: str = "") -> Finding:
    """Nothing is broken, but somebody should know."""
    return Finding(about, Grade.NOTE, words, advice)


def wrong(about: str, words: str, advice: str) -> Finding:
    """Something has to be mended."""
    return Finding(about, Grade.WRONG, words, advice)
