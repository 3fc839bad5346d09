"""What invoices and statements share on paper: their head, and their words in each language."""

from datetime import date
from typing import Any

from roost.billing.logos import logo_of
from roost.billing.pdf import paper_of
from roost.billing.typeset import breakable, typeset
from roost.billing.wording import NBSP, WORDS
from roost.core.phones import spoken
from roost.practices.enums import Language

_INVOICE: dict[str, dict[str, str]] = {
    Language.ENGLISH: {
        "name": "Invoice",
        "to_be_paid_by": "To be paid by",
        "to_pay": "To pay",
        "by": "by",
        "no_receipt": "An invoice is no receipt. A receipt follows once it is paid.",
        "void_title": "VOID: Invoice {number}",
        "void_on": "This invoice was voided on {day}. Nothing is to be paid on it.",
    },
    Language.FRENCH: {
        "name": "Facture",
        "issued": ", émise le",
        "to_be_paid_by": "À payer par",
        "to_pay": "À payer",
        "by": "au plus tard le",
        "no_receipt": "Une facture n’est pas un reçu. Le reçu suit le paiement.",
        "void_title": f"ANNULÉ{NBSP}: facture {{number}}",
        "void_on": "Cette facture a été annulée le {day}. Rien n’est à payer.",
    },
}
# A statement is read from the books in the words of the office, which are English.
_STATEMENT = {
    "name": "Statement",
    "from": "From",
    "to": "to",
    "date": "Date",
    "what": "What",
    "charged": "Charged",
    "brought": "Balance brought forward",
    "charged_in": "Charged in this period",
    "paid_in": "Paid in this period",
    "credit": "Credit left today",
    "says": "A statement says how the books stand. For a claim, an insurer needs the receipts.",
}


def invoice_words(language: str) -> dict[str, str]:
    """An invoice's own words, and those that it shares with receipts."""
    return {**WORDS[language], **_INVOICE[language]}


def statement_words() -> dict[str, str]:
    """A statement's own words, and those that it shares with receipts."""
    return {**WORDS[Language.ENGLISH], **_STATEMENT}


def make_paper(template: str, head: dict[str, Any], typed: dict[str, Any]) -> bytes:
    """The PDF of a template in data/: `typed` is what people wrote, where long words may break.
    The same words give the same bytes, for one version of Roost and one set of fonts. Raises
    typst.TypstError."""
    logo = logo_of(head["logo"]) if head["logo"] else None
    images = {} if logo is None else {head["logo"]: logo}
    return typeset(template, {**breakable(typed), **head}, images)


def practice_words(practice: dict[str, str]) -> dict[str, Any]:
    """What a paper's head prints of the practice, as it is in facts."""
    return {
        "practice": practice["name"],
        "address": [*practice["address"].splitlines(), spoken(practice["phone"])],
        "tax_number": practice["tax_number"],
    }


def head_words(about: dict[str, Any], title: str, made_on: date) -> dict[str, Any]:
    """How a paper is laid out and dated; `about` is facts' `about_practice`."""
    return {
        "title": title,
        "author": about["practice"]["name"],
        "date": [made_on.year, made_on.month, made_on.day],
        "lang": about["language"],
        "paper": paper_of(about["paper"]),
        "logo": about["logo"],
    }
