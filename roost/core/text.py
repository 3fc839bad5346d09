"""Text that people type: what is taken out of it, and how it is compared."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

# Marks that turn the direction of text, and other unseen ones (Unicode UAX #9, bidi controls).
_UNSEEN = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SPACE = re.compile(r"\s+")


def one_line(text: str) -> str:
    """`text` as one line: no control or direction marks, single spaces, NFC."""
    text = _CONTROL.sub(" ", _UNSEEN.sub("", text))
    return _SPACE.sub(" ", unicodedata.normalize("NFC", text)).strip()


def several_lines(text: str) -> str:
    """`text` with its line breaks, but no other control or direction marks."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(one_line(line) for line in lines).strip()


def search_key(*parts: str) -> str:
    """What a search compares: lower case, without accents, parts joined by a space."""
    text = unicodedata.normalize("NFKD", " ".join(p for p in parts if p)).casefold()
    return _SPACE.sub(" ", "".join(c for c in text if not unicodedata.combining(c))).strip()


def clean_email(text: str) -> str:
    """The address as it is kept: lower case, the domain in its ASCII form (RFC 5890).

    Raises ValidationError in words for what is no address. Only ASCII is taken before the @, so
    that no two addresses look alike (homoglyphs); nobody's mail system needs more.
    """
    text = one_line(text).lower()
    local, at, domain = text.rpartition("@")
    if not at or not local or "." not in domain or domain.startswith("["):
        raise ValidationError("That address needs an @ and a domain, like casey@example.com.")
    # RFC 5321, 4.5.3.1: what a mail server need not take is no address here.
    if len(text) > 254 or len(local) > 64:
        raise ValidationError("An e-mail address has at most 254 characters, 64 before the @.")
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        raise ValidationError("The part after the @ is not a domain.") from None
    if not local.isascii():
        raise ValidationError("The part before the @ has a letter that e-mail cannot carry.")
    address = f"{local}@{domain}"
    EmailValidator("That address cannot be right. Check it letter by letter.")(address)
    return address


def initials(name: str) -> str:
    """Up to two capitals for a name: of its first and last words."""
    words = [w for w in name.split() if w[:1].isalnum()]
    picked = words[:1] + (words[-1:] if len(words) > 1 else [])
    return "".join(w[0] for w in picked).upper()
