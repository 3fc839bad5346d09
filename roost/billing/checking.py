"""Confirming a receipt by its code to whoever holds it. Guesses are counted, and limited."""

from datetime import timedelta

from roost.accounts.limits import Limit, TooMany, count, source, subject, used
from roost.billing.codes import read_code
from roost.billing.models import Receipt
from roost.billing.queries import receipt_with_code
from roost.core.tenancy import current_practice_id

# Eighty bits: at this pace nobody finds one in the age of the universe.
GUESSES_PER_SOURCE = Limit(20, timedelta(hours=1))


def _subjects() -> list[tuple[str, Limit]]:
    return [(subject("receipt", str(current_practice_id()), source()), GUESSES_PER_SOURCE)]


def check_code(text: str) -> Receipt | None:
    """The practice's receipt with that code, or None, which counts as a guess.

    Raises TooMany for a source that has guessed too often, whatever it asks for.
    """
    subjects = _subjects()
    if used(subjects) >= GUESSES_PER_SOURCE.most:
        raise TooMany(GUESSES_PER_SOURCE.within)
    code = read_code(text)
    found = None if code is None else receipt_with_code(code)
    if found is None:
        count(subjects)
    return found
