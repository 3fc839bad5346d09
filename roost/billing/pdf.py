"""A receipt as a PDF: typst lays out `receipt.typ`, and what it prints comes as data only.

What people have typed is never part of the source. PDF/UA-1 and PDF/A-2a want a glyph for every
letter; one that no font on this machine has is printed as its number, "[U+1F469]".
"""

import io
import json
import re
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import segno
import typst

from roost.billing.enums import Method
from roost.billing.rules import say_money
from roost.core.phones import spoken
from roost.scheduling.enums import Attendance, Mode

TEMPLATE = Path(__file__).with_name("data") / "receipt.typ"
STANDARDS: list[Any] = ["ua-1", "a-2a"]
NO_GLYPH = re.compile(r"the text `\"(.+?)\"` could not be displayed", re.DOTALL)
# Each try finds the letters of one more run that no font has.
TRIES = 400
JOINERS = frozenset("\u200d\ufe0e\ufe0f")


def make_pdf(facts: dict[str, Any], *, void_on: date | None = None) -> bytes:
    """The PDF of a receipt's facts; with `void_on` its second document, which says VOID.

    The same facts give the same bytes, for one version of Roost and one set of fonts. Raises
    typst.TypstError.
    """
    return typeset(_source(), "receipt", _words(facts, void_on))


def typeset(source: bytes, name: str, data: dict[str, Any]) -> bytes:
    """The PDF that a template makes of `data`, which it finds as JSON in `sys.inputs` by `name`."""
    words = json.dumps(data, ensure_ascii=False)
    for _ in range(TRIES):
        try:
            pdf: bytes = typst.compile(
                source,
                format="pdf",
                sys_inputs={name: words},
                pdf_standards=STANDARDS,
                font_paths=_fonts(),
                timestamp=0,
            )
        except typst.TypstError as error:
            found = NO_GLYPH.search(str(error))
            if found is None:
                raise
            # An error that names no letter is about what joins two of them.
            for letter in _letters(found[1]) or JOINERS.intersection(words):
                words = words.replace(letter, f"[U+{ord(letter):04X}]")
        else:
            return pdf
    raise ValueError("No font has the letters of this paper.")


def _letters(text: str) -> set[str]:
    """The letters that typst names in its error, where unseen ones stand as "\\u{200d}"."""
    named = {chr(int(code, 16)) for code in re.findall(r"\\u\{([0-9a-fA-F]+)\}", text)}
    plain = set(re.sub(r"\\u\{[0-9a-fA-F]+\}", "", text))
    return {letter for letter in named | plain if not letter.isascii()}


@cache
def _source() -> bytes:
    return TEMPLATE.read_bytes()


@cache
def _fonts() -> typst.Fonts:
    """typst's own fonts, and those of this machine for the letters that they lack."""
    return typst.Fonts()


def _words(facts: dict[str, Any], void_on: date | None) -> dict[str, Any]:
    """The facts as people read them: what the template prints, in its places."""
    currency, issued_on = facts["currency"], date.fromisoformat(facts["issued_on"])

    def money(name: str, where: dict[str, Any] = facts) -> str:
        return say_money(Decimal(where[name]), currency)

    practice, line_rows = facts["practice"], facts["lines"]
    return {
        "number": facts["number"],
        "issued": _say(issued_on),
        "date": [issued_on.year, issued_on.month, issued_on.day],
        "void": "" if void_on is None else _say(void_on),
        "paper": "a4" if facts["paper"] == "a4" else "us-letter",
        "practice": practice["name"],
        "address": [*practice["address"].splitlines(), spoken(practice["phone"])],
        "tax_number": practice["tax_number"],
        "practitioner": _person(facts["practitioner"]),
        "supervisor": _person(facts["supervisor"]) if facts["supervisor"] else [],
        "client": facts["client"],
        "payer": facts["payer"],
        "lines": [
            {
                "on": _say(date.fromisoformat(line["on"])),
                "service": _service(line),
                "details": _details(line),
                "mode": Mode(line["mode"]).label,
                "fee": money("fee", line),
                "tax": line["tax_words"],
                "tax_amount": money("tax", line),
                "amount": money("amount", line),
            }
            for line in line_rows
        ],
        "currency": currency,
        "subtotal": money("fee"),
        "tax_words": ", ".join(dict.fromkeys(line["tax_words"] for line in line_rows)),
        "tax": money("tax"),
        "total": money("total"),
        "paid_before": money("paid_before") if Decimal(facts["paid_before"]) else "",
        "paid_now": money("paid_now"),
        "received": money("received") if Decimal(facts.get("over", "0")) else "",
        "over": money("over") if Decimal(facts.get("over", "0")) else "",
        "credit_from": [
            f"{money('amount', each)} left over of receipt {each['number']}"
            for each in facts.get("credit_from", ())
        ],
        "paid": money("paid"),
        "balance": money("balance"),
        "is_settled": Decimal(facts["balance"]) == 0,
        "method": Method(facts["method"]).label,
        "paid_on": _say(date.fromisoformat(facts["paid_on"])),
        "code": facts["code"],
        "url": facts["url"],
        "qr": _qr(facts["url"]),
    }


def _say(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _person(member: dict[str, str]) -> list[str]:
    rows = [
        member["name"] + (f", {member['title']}" if member["title"] else ""),
        member["college"],
        f"Registration no. {member['registration_number']}"
        if member["registration_number"]
        else "",
    ]
    return [row for row in rows if row]


def _service(line: dict[str, Any]) -> str:
    """What was sold, and that nobody came where nobody did."""
    if line["attendance"] == Attendance.NO_SHOW:
        return f"Missed session (no show): {line['service']}"
    if line["attendance"] == Attendance.LATE_CANCEL:
        return f"Late cancellation, {line['late_cancel_percent']} % of the fee: {line['service']}"
    return str(line["service"])


def _details(line: dict[str, Any]) -> str:
    code = f", code {line['code']}" if line["code"] else ""
    return f"{line['minutes']} min{code}"


def _qr(text: str) -> str:
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", scale=4, border=4)
    return out.getvalue().decode()
