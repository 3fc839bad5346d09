"""What statements and invoices share on paper: their templates' common part, and its words."""

from datetime import date
from decimal import Decimal
from typing import Any

from roost.billing.pdf import paper_of
from roost.billing.rules import say_money
from roost.billing.typeset import breakable, typeset
from roost.core.phones import spoken


def make_paper(name: str, title: str, words: dict[str, Any]) -> bytes:
    """The PDF of the template `name` with this title and these words. The same give the same bytes,
    for one version of Roost and one set of fonts. Raises typst.TypstError."""
    return typeset(f"{name}.typ", {**breakable(words), "title": title, "author": words["practice"]})


def head_words(practice: dict[str, str], paper: str, made_on: date) -> dict[str, Any]:
    """What every paper's head says of the practice, and the day that it is dated."""
    return {
        "date": [made_on.year, made_on.month, made_on.day],
        "paper": paper_of(paper),
        "practice": practice["name"],
        "address": [*practice["address"].splitlines(), spoken(practice["phone"])],
        "tax_number": practice["tax_number"],
    }


def said(day: date) -> str:
    """A day as papers say it: "3 November 2026"."""
    return f"{day.day} {day:%B %Y}"


def said_if(amount: Decimal, currency: str) -> str:
    """An amount, or nothing for none."""
    return say_money(amount, currency) if amount else ""
