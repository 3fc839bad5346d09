"""A statement as a PDF. It is made anew each time, for it says how the books stand now."""

from datetime import date
from decimal import Decimal

from roost.billing.facts import about_practice
from roost.billing.papers import head_words, make_paper, practice_words, statement_words
from roost.billing.rules import say_money
from roost.billing.statements import Statement
from roost.billing.wording import say_date
from roost.practices.enums import Language
from roost.practices.models import Practice


def statement_pdf(statement: Statement, practice: Practice, today: date) -> bytes:
    """The PDF of a statement, dated `today`."""
    currency = statement.currency

    def say(day: date) -> str:
        return say_date(day, Language.ENGLISH)

    def say_if(amount: Decimal) -> str:
        return say_money(amount, currency) if amount else ""

    about = {**about_practice(practice), "language": Language.ENGLISH}
    head = {
        **head_words(about, f"Statement for {statement.client.name}", today),
        "w": statement_words(),
        "foot": f"Statement, made {say(today)}",
        "start": say(statement.start),
        "end": say(statement.end),
        "brought": say_money(statement.brought, currency),
        "charged": say_money(statement.charged, currency),
        "paid": say_money(statement.paid, currency),
        "balance": say_money(statement.balance, currency),
        "balance_on": f"Balance on {say(statement.end)}, {currency}",
        "credit": say_if(statement.credit),
        "unpriced": unpriced_words(statement.unpriced),
    }
    typed = {
        **practice_words(about["practice"]),
        "client": statement.client.name,
        "entries": [
            {
                "on": say(each.on),
                "words": each.words,
                "number": each.number,
                "charge": say_if(each.charge),
                "payment": say_if(each.payment),
                "balance": say_money(each.balance, currency),
            }
            for each in statement.entries
        ],
    }
    return make_paper("statement.typ", head, typed)


def unpriced_words(number: int) -> str:
    """What is said where the fee or the tax of some sessions is not set."""
    if not number:
        return ""
    what = "1 session is" if number == 1 else f"{number} sessions are"
    return f"{what} not in this sum: the fee or the tax is not set yet."


def statement_file_name(statement: Statement) -> str:
    """ "statement-2026-01-01-2026-11-26.pdf": no name, for downloads lie about."""
    return f"statement-{statement.start.isoformat()}-{statement.end.isoformat()}.pdf"
