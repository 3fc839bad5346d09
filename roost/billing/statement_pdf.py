"""A statement as a PDF. It is made anew each time, for it says how the books stand now."""

from datetime import date

from roost.billing.facts import practice_facts
from roost.billing.papers import head_words, make_paper, said, said_if
from roost.billing.rules import say_money
from roost.billing.statements import Statement
from roost.practices.models import Practice


def statement_pdf(statement: Statement, practice: Practice, today: date) -> bytes:
    """The PDF of a statement, dated `today`."""
    currency = statement.currency

    words = {
        **head_words(practice_facts(practice), practice.paper, today),
        "client": statement.client.name,
        "made": said(today),
        "start": said(statement.start),
        "end": said(statement.end),
        "currency": currency,
        "brought": say_money(statement.brought, currency),
        "entries": [
            {
                "on": said(each.on),
                "words": each.words,
                "number": each.number,
                "charge": said_if(each.charge, currency),
                "payment": said_if(each.payment, currency),
                "balance": say_money(each.balance, currency),
            }
            for each in statement.entries
        ],
        "charged": say_money(statement.charged, currency),
        "paid": say_money(statement.paid, currency),
        "balance": say_money(statement.balance, currency),
        "credit": said_if(statement.credit, currency),
        "unpriced": unpriced_words(statement.unpriced),
    }
    return make_paper("statement", f"Statement for {statement.client.name}", words)


def unpriced_words(number: int) -> str:
    """What is said where the fee or the tax of some sessions is not set."""
    if not number:
        return ""
    what = "1 session is" if number == 1 else f"{number} sessions are"
    return f"{what} not in this sum: the fee or the tax is not set yet."


def statement_file_name(statement: Statement) -> str:
    """ "statement-2026-01-01-2026-11-26.pdf": no name, for downloads lie about."""
    return f"statement-{statement.start.isoformat()}-{statement.end.isoformat()}.pdf"
