"""The words of a receipt in the languages that it can be printed in. Pure, no database."""

import re
from datetime import date
from decimal import Decimal

from roost.billing.enums import Method
from roost.billing.rules import EXEMPT, rounded, say_money
from roost.practices.enums import Language
from roost.scheduling.enums import Mode

NBSP = "\u00a0"

WORDS: dict[str, dict[str, str]] = {
    Language.ENGLISH: {
        "receipt": "Receipt",
        "number": "No.",
        "issued": ", issued",
        "tax_number": "GST/HST no.",
        "client": "Client",
        "paid_by": "Paid by",
        "practitioner": "Practitioner",
        "supervisor": "Supervisor",
        "registration": "Registration no.",
        "payment": "Payment",
        "paid_amount": "Paid",
        "in_part": ", in part",
        "on": "Date of service",
        "service": "Service",
        "mode": "How",
        "fee": "Fee",
        "tax": "Tax",
        "amount": "Amount",
        "code_of_service": "code",
        "missed": "Missed session (no show): {service}",
        "late_cancel": "Late cancellation, {percent} of the fee: {service}",
        "subtotal": "Subtotal",
        "total": "Total",
        "paid_before": "Paid before",
        "paid_now": "Paid now",
        "paid": "Paid",
        "balance": "Balance",
        "received": "Received",
        "over": "Credit left over",
        "credit_of": "{amount} left over of receipt {number}",
        "check": "Check this receipt:",
        "code": "Code",
        "confirms": "The page confirms number, date, total and practitioner. It names no client.",
        "qr": "QR code of the page that confirms this receipt:",
        "page": "Page",
        "of": "of",
        "signature": "Digital signature of the practice",
        "exempt": EXEMPT,
        "void": "VOID",
        "void_title": "VOID: Receipt {number}",
        "void_on": "This receipt was voided on {day}. It is not valid, and nothing can be claimed"
        " with it.",
        "sample": "SAMPLE",
        "sample_says": "This shows what your receipts look like. Its client is invented, it has no"
        " number of its own, and nothing can be claimed with it.",
        "year": "Receipts of {year}",
        "made_on": "Made on {day} from the receipts that {practice} has issued.",
        "payments_of": "For payments made in {year}",
        "paid_on": "Paid on",
        "no": "No.",
        "sum": "Together",
        "once": "A session that was paid for in parts counts once under fee and tax.",
        "void_are": "Void receipts are listed and not counted. Nothing can be claimed with them, so"
        " that their pages are left out.",
        "follow": "The receipts follow, one on each page.",
        "too_many": "These are more receipts than one file should hold: each can be downloaded by"
        " itself.",
        "none_follow": "All receipts of this year are void.",
    },
    Language.FRENCH: {
        "receipt": "Reçu",
        "number": "N°",
        "issued": ", émis le",
        "tax_number": "N° de TPS/TVH",
        "client": "Client",
        "paid_by": "Payé par",
        "practitioner": "Thérapeute",
        "supervisor": "Supervision",
        "registration": "N° d’inscription",
        "payment": "Paiement",
        "paid_amount": "Payé",
        "in_part": ", en partie",
        "on": "Date du service",
        "service": "Service",
        "mode": "Mode",
        "fee": "Honoraires",
        "tax": "Taxe",
        "amount": "Montant",
        "code_of_service": "code",
        "missed": f"Séance manquée (absence){NBSP}: {{service}}",
        "late_cancel": f"Annulation tardive, {{percent}} des honoraires{NBSP}: {{service}}",
        "subtotal": "Sous-total",
        "total": "Total",
        "paid_before": "Payé auparavant",
        "paid_now": "Ce paiement",
        "paid": "Payé",
        "balance": "Solde",
        "received": "Montant reçu",
        "over": "Crédit restant",
        "credit_of": "{amount} du crédit du reçu {number}",
        "check": f"Vérifier ce reçu{NBSP}:",
        "code": "Code",
        "confirms": "La page confirme le numéro, la date, le total et le nom du thérapeute. Elle ne"
        " nomme aucun client.",
        "qr": f"Code QR de la page qui confirme ce reçu{NBSP}:",
        "page": "Page",
        "of": "sur",
        "signature": "Signature numérique du cabinet",
        "exempt": "exonéré de la TPS/TVH",
        "void": "ANNULÉ",
        "void_title": f"ANNULÉ{NBSP}: reçu {{number}}",
        "void_on": "Ce reçu a été annulé le {day}. Il n’est pas valide et ne permet aucune"
        " réclamation.",
        "sample": "SPÉCIMEN",
        "sample_says": "Voici à quoi ressemblent vos reçus. Le client est inventé, le numéro n’est"
        " attribué à personne, et ce document ne permet aucune réclamation.",
        "year": "Reçus de {year}",
        "made_on": "Préparé le {day} à partir des reçus émis par {practice}.",
        "payments_of": "Pour les paiements faits en {year}",
        "paid_on": "Payé le",
        "no": "N°",
        "sum": "En tout",
        "once": "Une séance payée en plusieurs fois compte une fois dans les honoraires et la"
        " taxe.",
        "void_are": "Les reçus annulés figurent dans la liste et ne sont pas comptés. Comme ils ne"
        " permettent aucune réclamation, leurs pages sont omises.",
        "follow": "Les reçus suivent, un par page.",
        "too_many": "Ces reçus sont trop nombreux pour un seul fichier"
        f"{NBSP}: chacun peut être téléchargé séparément.",
        "none_follow": "Tous les reçus de cette année sont annulés.",
    },
}

_FRENCH_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
_FRENCH_METHODS = {
    Method.CREDIT_CARD: "Carte de crédit",
    Method.DEBIT_CARD: "Carte de débit",
    Method.E_TRANSFER: "Virement Interac",
    Method.BANK_TRANSFER: "Virement bancaire",
    Method.CASH: "Comptant",
    Method.CHEQUE: "Chèque",
    Method.CREDIT: "Crédit",
}
_FRENCH_MODES = {Mode.VIDEO: "Vidéo", Mode.IN_PERSON: "En personne", Mode.PHONE: "Téléphone"}
_FRENCH_TAXES = {"GST/HST": "TPS/TVH", "GST": "TPS", "HST": "TVH", "PST": "TVP", "QST": "TVQ"}
# What stands behind an amount; the code of any other currency.
_FRENCH_SIGNS = {"CAD": "$", "USD": f"${NBSP}US", "EUR": "€"}
_RATE = re.compile(r"(?P<name>.*?) ?(?P<rate>\d+(?:\.\d+)?) %")


def say_date(day: date, language: str) -> str:
    """A day in words: "26 November 2026", "1er novembre 2026"."""
    if language == Language.FRENCH:
        first = "1er" if day.day == 1 else str(day.day)
        return f"{first} {_FRENCH_MONTHS[day.month - 1]} {day.year}"
    return f"{day.day} {day:%B %Y}"


def say_amount(amount: Decimal, currency: str, language: str) -> str:
    """An amount with its currency: "$1,150.00", "1 150,00 $" (the spaces do not break)."""
    if language != Language.FRENCH:
        return say_money(amount, currency)
    own = rounded(amount, currency)
    digits = f"{abs(own):,f}".translate(str.maketrans(",.", f"{NBSP},"))
    sign = "−" if own < 0 else ""
    return f"{sign}{digits}{NBSP}{_FRENCH_SIGNS.get(currency, currency)}"


def say_method(method: str, language: str) -> str:
    """How it was paid."""
    if language == Language.FRENCH and method in _FRENCH_METHODS:
        return _FRENCH_METHODS[Method(method)]
    return Method(method).label


def say_mode(mode: str, language: str) -> str:
    """How a session was held."""
    if language == Language.FRENCH and mode in _FRENCH_MODES:
        return _FRENCH_MODES[Mode(mode)]
    return str(Mode(mode).label)


def say_tax(words: str, language: str) -> str:
    """A frozen tax in words: "HST 13 %", "TVH 13 %", "exonéré de la TPS/TVH"."""
    if words == EXEMPT:
        return WORDS[language]["exempt"]
    found = _RATE.fullmatch(words) if language == Language.FRENCH else None
    if found is None:
        return words
    name = _FRENCH_TAXES.get(found["name"], found["name"])
    return f"{name} {found['rate'].replace('.', ',')}{NBSP}%".strip()
