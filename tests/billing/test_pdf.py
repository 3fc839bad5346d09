"""A receipt's documents: what they say, that they say it as it was typed, and that they last."""

import re
import subprocess
from pathlib import Path
from unittest import mock

import pytest

from roost.billing import typeset
from roost.billing.documents import document_of
from roost.billing.models import Document, Receipt
from roost.billing.pdf import make_pdf
from roost.billing.queries import get_receipt_for
from roost.billing.services import void_receipt
from roost.billing.wording import say_date
from roost.scheduling.models import Appointment
from tests.support.cast import Cast
from tests.support.money import attended, pay
from tests.support.pdfs import text_of


def info_of(pdf: bytes, folder: Path) -> str:
    (folder / "receipt.pdf").write_bytes(pdf)
    command = ["pdfinfo", "-isodates", str(folder / "receipt.pdf")]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_it_says_everything_an_insurer_asks_for(
    billable: Cast, session: Appointment, tmp_path: Path
) -> None:
    billable.tara.supervisor = billable.theo
    billable.tara.save(update_fields=["supervisor"])
    billable.practice.tax_number = "123456789 RT0001"
    billable.practice.save(update_fields=["tax_number"])
    billable.individual.billing_code = "96.01"
    billable.individual.save(update_fields=["billing_code"])
    receipt = pay(billable, session, "50", payer="Robin Parker")
    text, facts = text_of(document_of(receipt), tmp_path), receipt.facts
    day = session.starts_at.astimezone(billable.practice.zone)
    for words in (
        f"No. {receipt.number}", f"issued {receipt.issued_on.day} {receipt.issued_on:%B %Y}",
        "Maple Counselling", "214 Harbord Street, Toronto", "416 555 0142", "123456789 RT0001",
        "Tara Okafor, RP", "College of Registered Psychotherapists of Ontario",
        "Registration no. 009142", "Supervisor Theo Lang, RSW", "Registration no. 831150",
        "Casey Nguyen", "Paid by Robin Parker", f"{day.day} {day:%B %Y}", "Individual", "50 min",
        "code 96.01", "Video", "$150.00", "GST/HST exempt", "Total, CAD", "$50.00", "Credit card",
        "Balance", "$100.00", facts["code"], facts["url"],
    ):  # fmt: skip
        assert words in text, words
    assert "VOID" not in text


def test_it_is_tagged_and_dated_on_letter_or_a4(
    billable: Cast, receipt: Receipt, tmp_path: Path
) -> None:
    pdf = document_of(receipt)
    info = info_of(pdf, tmp_path)
    assert re.search(r"Tagged: +yes", info)
    assert re.search(rf"CreationDate: +{receipt.issued_on.isoformat()}T00:00:00", info)
    assert "612 x 792" in info
    assert b"pdfuaid:part>1<" in pdf
    assert b"pdfaid:part>2<" in pdf
    billable.practice.paper = "a4"
    billable.practice.save(update_fields=["paper"])
    assert "A4" in info_of(document_of(pay(billable, attended(billable))), tmp_path)


def test_every_download_is_the_first_stored_copy(billable: Cast, receipt: Receipt) -> None:
    first = document_of(receipt)
    billable.practice.name = "Another Name"
    billable.practice.save(update_fields=["name"])
    billable.tara.display_name = "Tara Other"
    billable.tara.save(update_fields=["display_name"])
    assert document_of(get_receipt_for(billable.olivia, receipt.uuid)) == first
    assert Document.objects.count() == 1


def test_a_void_one_says_so_in_a_second_document(
    billable: Cast, receipt: Receipt, tmp_path: Path
) -> None:
    issued = document_of(receipt)
    void_receipt(by=billable.olivia, receipt=receipt)
    void = document_of(get_receipt_for(billable.olivia, receipt.uuid))
    assert void != issued
    text = text_of(void, tmp_path)
    assert text.startswith("VOID This receipt was voided on")
    assert f"No. {receipt.number}" in text
    assert sorted(Document.objects.values_list("kind", flat=True)) == ["issued", "void"]
    assert bytes(Document.objects.get(kind="issued").pdf) == issued


def test_a_pdf_that_was_never_made_is_made_by_the_next_download(
    billable: Cast, receipt: Receipt
) -> None:
    """A kill between the commit and the PDF leaves exactly this."""
    assert not Document.objects.exists()
    fresh = get_receipt_for(billable.tara, receipt.uuid)
    assert document_of(fresh) == document_of(fresh)
    assert Document.objects.count() == 1


def test_of_two_makers_the_first_stored_copy_wins(receipt: Receipt) -> None:
    def make_late(late: Receipt) -> bytes:
        Document.objects.create(receipt=late, kind="issued", pdf=b"first")
        return b"second"

    with mock.patch("roost.billing.documents._made", make_late):
        assert document_of(receipt) == b"first"
    assert document_of(receipt) == b"first"


HOSTILE = [
    "*Casey* _N_ #panic() $x$ = `raw` <label> @ref [a](b) \\",
    "<script>alert(1)</script> &amp; </text>",
    "محمد عبد الله",
    "ישראל ישראלי",
    "x" * 300,
    "Zoë-Ångström Őrsi Łukasz Ștefan",
    '#image("/etc/passwd") #read("x") "); #let',
]
# What no font has is printed as numbers, and long names of several words as they break.
WIDE = [*HOSTILE, "👩‍👧 Zoë 🏳️‍🌈", "張偉 李小龍", "Maria Alejandra Fernández Oyelaran " * 4]


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(("paper", "width", "height"), [("letter", 612, 792), ("a4", 595, 842)])
def test_hostile_names_stay_on_one_page_and_within_its_margins(
    receipt: Receipt, tmp_path: Path, name: str, language: str, paper: str, width: int, height: int
) -> None:
    facts = receipt.facts | {
        "client": name[:201],
        "payer": name[:150],
        "paper": paper,
        "language": language,
        "practice": receipt.facts["practice"] | {"name": name[:100], "tax_number": name[:40]},
        "practitioner": receipt.facts["practitioner"] | {"name": name[:100], "title": name[:60]},
        "lines": [receipt.facts["lines"][0] | {"service": name[:80], "code": name[:20]}],
    }
    pdf = make_pdf(facts, void_on=receipt.issued_on)
    (tmp_path / "receipt.pdf").write_bytes(pdf)
    command = ["pdftotext", "-bbox", str(tmp_path / "receipt.pdf"), "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.count("<page ") == 1
    boxes = re.findall(r'<word xMin="(.+?)" yMin="(.+?)" xMax="(.+?)" yMax="(.+?)">', said)
    assert len(boxes) > 50
    margin = 62
    for x_min, y_min, x_max, y_max in (map(float, box) for box in boxes):
        assert margin - 1 < x_min <= x_max < width - margin + 1
        assert 0 < y_min < y_max < height - 20


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_printed_as_they_were_typed(
    billable: Cast, session: Appointment, tmp_path: Path, name: str
) -> None:
    billable.casey.first_name, billable.casey.last_name = name[:100], name[100:200]
    billable.casey.save()
    billable.practice.name = name[:100]
    billable.practice.save(update_fields=["name"])
    receipt = pay(billable, session, payer=name[:150])
    text = text_of(document_of(receipt), tmp_path).replace(" ", "")
    for typed in (billable.casey.name, name[:100], name[:150]):
        assert typed.replace(" ", "") in text


def test_letters_that_no_font_has_stand_as_their_numbers(
    billable: Cast, session: Appointment, tmp_path: Path
) -> None:
    billable.casey.first_name = "👩‍👧 Zoë 🏳️‍🌈"
    billable.casey.save()
    text = text_of(document_of(pay(billable, session)), tmp_path).replace(" ", "")
    # What joined two of them has nothing left to join.
    assert "[U+1F469][U+1F467]Zoë[U+1F3F3][U+1F308]Nguyen" in text


def test_they_do_so_alike_when_it_is_known_already(receipt: Receipt) -> None:
    facts = receipt.facts | {"client": "👩‍👧 Zoë", "payer": "می‌خواهم‍ 🏳️‍🌈"}
    typeset._lacking.clear()
    first = make_pdf(facts)
    assert "👩" in typeset._lacking
    assert make_pdf(facts) == first


def test_letters_that_are_not_printed_are_known_before_a_name_holds_them() -> None:
    """The second has a glyph, but is private; the third was never given to any writing."""
    for _ in range(2):
        assert typeset.lacking_letters("Zoë \uf8ff\U0001cfff") == {"\uf8ff", "\U0001cfff"}


def old_facts(receipt: Receipt) -> dict[str, object]:
    """What version 1 froze: neither language nor logo."""
    later = ("language", "logo", "received", "over", "credit_from")
    return {
        **{key: value for key, value in receipt.facts.items() if key not in later},
        "version": 1,
    }


def test_facts_of_the_first_version_are_printed_in_english(
    billable: Cast, receipt: Receipt, tmp_path: Path
) -> None:
    receipt.facts = old_facts(receipt)
    billable.practice.receipt_language = "fr"
    billable.practice.save(update_fields=["receipt_language"])
    text = text_of(document_of(receipt), tmp_path)
    assert f"No. {receipt.number}, issued" in text


def test_a_document_stored_before_signatures_is_served_as_it_is(receipt: Receipt) -> None:
    Document.objects.create(receipt=receipt, kind="issued", pdf=b"%PDF-1.7 of last year")
    assert document_of(receipt) == b"%PDF-1.7 of last year"


def test_in_french_it_says_everything_in_french(
    billable: Cast, session: Appointment, tmp_path: Path
) -> None:
    practice = billable.practice
    practice.receipt_language, practice.tax_number = "fr", "123456789 RT0001"
    practice.save(update_fields=["receipt_language", "tax_number"])
    billable.tara.supervisor = billable.theo
    billable.tara.save(update_fields=["supervisor"])
    receipt = pay(billable, session, "50", payer="Robin Parker", method="e_transfer")
    pdf = document_of(receipt)
    text = text_of(pdf, tmp_path)
    day = receipt.issued_on
    for words in (
        f"N° {receipt.number}, émis le", say_date(day, "fr"), "Client Casey Nguyen",
        "Payé par Robin Parker", "Thérapeute Tara Okafor, RP", "N° d’inscription 009142",
        "Supervision Theo Lang, RSW", "Paiement Virement Interac", "Payé 50,00 $, en partie",
        "Date du service", "Honoraires", "Taxe", "Montant", "Vidéo", "150,00 $",
        "exonéré de la TPS/TVH", "Sous-total", "Total, CAD", "Solde", "100,00 $",
        "Vérifier ce reçu :", "N° de TPS/TVH 123456789 RT0001", "Page 1 sur 1",
    ):  # fmt: skip
        assert words in text, words
    for words in ("Receipt", "Paid", "exempt", "Practitioner", "issued", "$50"):
        assert words not in text
    void_receipt(by=billable.olivia, receipt=receipt)
    void = text_of(document_of(get_receipt_for(billable.olivia, receipt.uuid)), tmp_path)
    assert void.startswith("ANNULÉ Ce reçu a été annulé le")
    # The practice goes back to English; this one stays.
    practice.receipt_language = "en"
    practice.save(update_fields=["receipt_language"])
    assert document_of(Receipt.objects.get(pk=receipt.pk)) != pdf
    assert pay(billable, attended(billable)).facts["language"] == "en"


def test_who_did_not_come_is_said_in_french_too(billable: Cast, tmp_path: Path) -> None:
    practice = billable.practice
    practice.receipt_language, practice.late_cancel_percent = "fr", 50
    practice.save(update_fields=["receipt_language", "late_cancel_percent"])
    missed = pay(billable, attended(billable, attendance="no_show"))
    late = pay(billable, attended(billable, attendance="late_cancel"), "75")
    assert "Séance manquée (absence) : Individual" in text_of(document_of(missed), tmp_path)
    text = text_of(document_of(late), tmp_path)
    assert "Annulation tardive, 50 % des honoraires : Individual" in text
