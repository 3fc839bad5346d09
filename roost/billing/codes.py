"""Verification codes: 80 random bits that people can read out."""

import secrets

# Crockford's base 32: no I, L, O or U, so that nobody mistakes one for another.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 16
_READ_AS = str.maketrans({"I": "1", "L": "1", "O": "0"})


def new_code() -> str:
    """A code of 16 letters and digits: 80 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def say_code(code: str) -> str:
    """A code as it is printed: "R7KQ-4MTX-92PD-0A3C"."""
    return "-".join(code[n : n + 4] for n in range(0, len(code), 4))


def read_code(text: str) -> str | None:
    """The code that somebody typed or scanned, or None for what cannot be one."""
    code = text.replace("-", "").replace(" ", "").upper().translate(_READ_AS)
    return code if len(code) == LENGTH and set(code) <= set(ALPHABET) else None
