"""A receipt as a PDF: its frozen facts in the words of its language."""

import io
from datetime import date
from decimal import Decimal
from typing import Any

import segno

from roost.billing.rules import EXEMPT, say_percent
from roost.billing.typeset import breakable, typeset
from roost.billing.wording import WORDS, say_amount, say_date, say_method, say_mode, say_tax
from roost.core.phones import spoken
from roost.practices.enums import Language
from roost.scheduling.enums import Attendance


def make_pdf(
    facts: dict[str, Any], *, void_on: date | None = None, logo: bytes | None = None
) -> bytes:
    """The PDF of a receipt's facts; with `void_on` its second document, which says VOID.

    `logo` is the PNG that the facts name. Unsigned. The same facts give the same bytes, for one
    version of Roost and one set of fonts. Raises typst.TypstError.
    """
    words = words_of(facts, void_on=void_on)
    return typeset("receipt.typ", words, {} if logo is None else {words["logo"]: logo})


def words_of(facts: dict[str, Any], *, void_on: date | None = None) -> dict[str, Any]:
    """The facts as people read them: what the template prints, in its places.

    Facts of version 1 name neither language nor logo: they are English, and have none.
    """
    language = facts.get("language", Language.ENGLISH)
    currency, issued_on = facts["currency"], date.fromisoformat(facts["issued_on"])
    w = WORDS[language]

    def money(name: str, where: dict[str, Any] = facts) -> str:
        return say_amount(Decimal(where[name]), currency, language)

    def day(text: str) -> str:
        return say_date(date.fromisoformat(text), language)

    practice, line_rows = facts["practice"], facts["lines"]
    number, taxes = facts["number"], dict.fromkeys(line["tax_words"] for line in line_rows)
    stamp = ["", ""]
    if void_on is not None:
        stamp = [w["void"], w["void_on"].format(day=say_date(void_on, language))]
    elif facts.get("is_sample"):
        stamp = [w["sample"], w["sample_says"]]
    title = w["void_title"] if void_on is not None else "{receipt} {number}"
    typed = {
        "practice": practice["name"],
        "address": [*practice["address"].splitlines(), spoken(practice["phone"])],
        "tax_number": practice["tax_number"],
        "practitioner": _person(facts["practitioner"], w),
        "supervisor": _person(facts["supervisor"], w) if facts["supervisor"] else [],
        "client": facts["client"],
        "payer": facts["payer"],
        "lines": [
            {
                "on": day(line["on"]),
                "service": _service(line, w),
                "details": _details(line, w),
                "mode": say_mode(line["mode"], language),
                "fee": money("fee", line),
                "tax": say_tax(line["tax_words"], language),
                "tax_amount": "" if line["tax_words"] == EXEMPT else money("tax", line),
                "amount": money("amount", line),
            }
            for line in line_rows
        ],
        "tax_words": ", ".join(say_tax(words, language) for words in taxes),
    }
    return {
        **breakable(typed),
        "w": w,
        "lang": language,
        "title": title.format(receipt=w["receipt"], number=number),
        "author": practice["name"],
        "number": number,
        "issued": say_date(issued_on, language),
        "date": [issued_on.year, issued_on.month, issued_on.day],
        "stamp": stamp,
        "is_void": void_on is not None,
        "paper": paper_of(facts["paper"]),
        "logo": facts.get("logo", ""),
        "currency": currency,
        "subtotal": money("fee"),
        "tax": money("tax"),
        "total": money("total"),
        "paid_before": money("paid_before") if Decimal(facts["paid_before"]) else "",
        "paid_now": money("paid_now"),
        "received": money("received") if Decimal(facts.get("over", "0")) else "",
        "over": money("over") if Decimal(facts.get("over", "0")) else "",
        "credit_from": [
            w["credit_of"].format(amount=money("amount", each), number=each["number"])
            for each in facts.get("credit_from", ())
        ],
        "paid": money("paid"),
        "balance": money("balance"),
        "is_settled": Decimal(facts["balance"]) == 0,
        "method": say_method(facts["method"], language),
        "paid_on": day(facts["paid_on"]),
        "code": facts["code"],
        "url": facts["url"],
        "qr": _qr(facts["url"]),
    }


def paper_of(paper: str) -> str:
    """A practice's paper by the name that typst knows."""
    return "a4" if paper == "a4" else "us-letter"


def _person(member: dict[str, str], w: dict[str, str]) -> list[str]:
    number = member["registration_number"]
    rows = [
        member["name"] + (f", {member['title']}" if member["title"] else ""),
        member["college"],
        f"{w['registration']} {number}" if number else "",
    ]
    return [row for row in rows if row]


def _service(line: dict[str, Any], w: dict[str, str]) -> str:
    """What was sold, and that nobody came where nobody did."""
    if line["attendance"] == Attendance.NO_SHOW:
        return w["missed"].replace("{service}", line["service"])
    if line["attendance"] == Attendance.LATE_CANCEL:
        percent = say_percent(Decimal(line["late_cancel_percent"]))
        text = w["late_cancel"].replace("{percent}", percent)
        return text.replace("{service}", line["service"])
    return str(line["service"])


def _details(line: dict[str, Any], w: dict[str, str]) -> str:
    code = f", {w['code_of_service']} {line['code']}" if line["code"] else ""
    return f"{line['minutes']} min{code}"


def _qr(text: str) -> str:
    """An SVG. The mask is fixed: weighing all eight costs three times as much as the rest."""
    out = io.BytesIO()
    code = segno.make(text, error="m", micro=False, mask=3)
    code.save(out, kind="svg", scale=4, border=4)
    return out.getvalue().decode()
