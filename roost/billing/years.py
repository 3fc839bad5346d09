"""A client's receipts of one year in one PDF, with a page of sums for the tax return.

A year is that of the payments. Made anew from the frozen facts at each download, signed, not
stored.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from roost.accounts.limits import Limit, TooMany, count, subject, used
from roost.accounts.models import Account
from roost.billing.logos import logo_of
from roost.billing.models import Receipt
from roost.billing.pdf import paper_of, words_of
from roost.billing.queries import receipts_open_to
from roost.billing.typeset import breakable, typeset
from roost.billing.wording import WORDS, say_amount, say_date
from roost.clients.models import PortalAccess
from roost.core.phones import spoken
from roost.practices.models import Practice

# A page costs some milliseconds of CPU. Beyond this the sums are made, and the pages left out.
MOST_PAGES = 200
PER_ACCOUNT = Limit(20, timedelta(hours=1))


def years_open_to(access: PortalAccess) -> list[int]:
    """The years in which the receipts that an access opens were paid, the newest first."""
    days = receipts_open_to(access).order_by("-payment__paid_on__year")
    return list(days.values_list("payment__paid_on__year", flat=True).distinct())


def receipts_of_year(access: PortalAccess, year: int) -> list[Receipt]:
    """The receipts of one year that an access opens, as they were paid, with their facts."""
    if not date.min.year <= year <= date.max.year:
        return []
    rows = receipts_open_to(access).filter(payment__paid_on__year=year).defer(None)
    return list(rows.select_related("payment").order_by("payment__paid_on", "year", "serial"))


def count_year_pdf(account: Account) -> None:
    """Count one such PDF towards an account's limit. Raises TooMany."""
    subjects = [(subject("year-pdf", str(account.uuid)), PER_ACCOUNT)]
    if used(subjects) >= PER_ACCOUNT.most:
        raise TooMany(PER_ACCOUNT.within)
    count(subjects)


@dataclass(frozen=True)
class Sums:
    """What a year's valid receipts in one currency come to: `fee` and `tax` of their sessions, each
    counted once, and what was `paid`."""

    currency: str
    fee: Decimal
    tax: Decimal
    paid: Decimal


def sums_of(receipts: list[Receipt]) -> list[Sums]:
    """The sums of each currency. Void receipts count for nothing."""
    valid = [each for each in receipts if not each.is_void]
    found = []
    for currency in dict.fromkeys(each.currency for each in valid):
        mine = [each for each in valid if each.currency == currency]
        sessions = {each.payment.charge_id: each.facts for each in mine}.values()
        found.append(
            Sums(
                currency,
                fee=sum((Decimal(facts["fee"]) for facts in sessions), Decimal(0)),
                tax=sum((Decimal(facts["tax"]) for facts in sessions), Decimal(0)),
                paid=sum((Decimal(each.facts["paid_now"]) for each in mine), Decimal(0)),
            )
        )
    return found


def make_year_pdf(
    practice: Practice, client_name: str, year: int, receipts: list[Receipt], *, today: date
) -> bytes:
    """The signed PDF: a page of sums in the practice's language, then each valid receipt in its
    own. Raises typst.TypstError."""
    from roost.billing.signing import sign

    language = practice.receipt_language
    w = WORDS[language]
    valid = [each for each in receipts if not each.is_void]
    shown = valid if len(valid) <= MOST_PAGES else []
    pages = [{key: value for key, value in words_of(each.facts).items() if key != "w"}
             for each in shown]  # fmt: skip
    follows = w["follow"] if shown else w["too_many"] if valid else w["none_follow"]
    notes = [w["once"]]
    if len(valid) < len(receipts):
        notes.append(w["void_are"])
    title = w["year"].format(year=year)
    words = {
        **breakable(
            {
                "practice": practice.name,
                "address": [*practice.address.splitlines(), spoken(practice.phone)],
                "tax_number": practice.tax_number,
                "client": client_name,
                "made_on": w["made_on"].format(
                    day=say_date(today, language), practice=practice.name
                ),
                "rows": [_row(each, language, w) for each in receipts],
            }
        ),
        "title": title,
        "author": practice.name,
        "date": [today.year, today.month, today.day],
        "lang": language,
        "paper": paper_of(practice.paper),
        "words": WORDS,
        "subtitle": w["payments_of"].format(year=year),
        "sums": [
            {
                "currency": each.currency,
                "fee": say_amount(each.fee, each.currency, language),
                "tax": say_amount(each.tax, each.currency, language),
                "paid": say_amount(each.paid, each.currency, language),
            }
            for each in sums_of(receipts)
        ],
        "notes": [*notes, follows],
        "receipts": pages,
    }
    names = {page["logo"] for page in pages} - {""}
    logos = {name: png for name in names if (png := logo_of(name)) is not None}
    pdf = typeset("year.typ", words, logos)
    return sign(pdf, name=practice.name, says=w["signature"])


def _row(receipt: Receipt, language: str, w: dict[str, str]) -> dict[str, Any]:
    facts = receipt.facts

    def money(name: str) -> str:
        return say_amount(Decimal(facts[name]), receipt.currency, language)

    days = dict.fromkeys(line["on"] for line in facts["lines"])
    return {
        "number": facts["number"],
        "on": ", ".join(say_date(date.fromisoformat(day), language) for day in days),
        "practitioner": facts["practitioner"]["name"],
        "paid_on": say_date(date.fromisoformat(facts["paid_on"]), language),
        "fee": "–" if receipt.is_void else money("fee"),
        "tax": "–" if receipt.is_void else money("tax"),
        "paid": w["void"] if receipt.is_void else money("paid_now"),
        "is_void": receipt.is_void,
    }


def year_file_name(year: int) -> str:
    """What the download is called: "receipts-2026.pdf"."""
    return f"receipts-{year}.pdf"
