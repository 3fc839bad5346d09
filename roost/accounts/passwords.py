"""What a password must be (NIST SP 800-63B-4, 3.1.1.2; ASVS 5.0, 6.2), and starter passwords."""

import hashlib
import re
import secrets
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

from roost.core.text import search_key

SHORTEST, LONGEST, SHORTEST_REST = 12, 256, 8


@cache
def _common() -> frozenset[str]:
    """Passwords that are tried first: Django's list and zxcvbn's, in lower case."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    known = frozenset(CommonPasswordValidator().passwords)
    return known | frozenset(FREQUENCY_LISTS["passwords"])


def _is_breached(password: str) -> bool:
    """Whether the sorted file of SHA-1 hashes that the operator named holds this password."""
    if not settings.ROOST_BREACHED_PASSWORDS:
        return False
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with open(settings.ROOST_BREACHED_PASSWORDS, "rb") as file:
        low, high = 0, file.seek(0, 2)
        while low < high:
            middle = (low + high) // 2
            file.seek(middle)
            if middle:
                file.readline()
            line = file.readline()
            if not line or line[:40].upper() >= wanted:
                high = middle
            else:
                low = middle + 1
        file.seek(low)
        if low:
            file.readline()
        return file.readline()[:40].upper() == wanted


def check_new_password(password: str, own_words: Iterable[str]) -> None:
    """Raise ValidationError, in words, unless `password` may be chosen.

    `own_words` are the practice's and the person's: names, the e-mail's parts. Too little may not
    be left of the password once they are struck out.
    """
    if len(password) < SHORTEST:
        raise ValidationError(
            f"That password has {len(password)} characters. It needs {SHORTEST} or more; "
            "a short sentence is easy to remember."
        )
    if len(password) > LONGEST:
        raise ValidationError(f"A password has at most {LONGEST} characters.")
    if password.casefold() in _common() or _is_breached(password):
        raise ValidationError("That password is on the lists that burglars try first.")
    rest = search_key(password)
    for word in sorted({w for text in own_words for w in words_of(text)}, key=len, reverse=True):
        rest = rest.replace(word, "")
    if len(rest) < SHORTEST_REST:
        raise ValidationError(
            "That password is too close to your name, your e-mail or the practice's name."
        )
    if len(set(rest)) < 4:
        raise ValidationError("That password repeats itself too much.")


def words_of(text: str) -> list[str]:
    """The words of 3 letters or more in a name or an address."""
    return [w for w in re.split(r"[^\w]+|_", search_key(text)) if len(w) >= 3]


@cache
def _words() -> tuple[str, ...]:
    return tuple((Path(__file__).parent / "data" / "words.txt").read_text().split())


def generate_starter_password(own_words: Iterable[str]) -> str:
    """A password that is easy to read out over the phone: four short words and two digits.

    About 39 bits, for something that expires within days and whose guessing is limited. It holds
    none of the practice's or the person's own words.
    """
    taken = {w for text in own_words for w in words_of(text)}
    words = [w for w in _words() if not any(w in t or t in w for t in taken)]
    picked = [secrets.choice(words) for _ in range(4)]
    return "-".join([*picked, f"{secrets.randbelow(90) + 10}"])
