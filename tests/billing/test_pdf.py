"""A receipt's documents: what they say, that they say it as it was typed, and that they last."""

import re
import subprocess
from pathlib import Path

import pytest

from roost.billing.documents import document_of
from roost.billing.models import Document, Receipt
from roost.billing.queries import get_receipt_for
from roost.billing.services import void_receipt
from roost.scheduling.models import Appointment
from tests.support.cast import Cast
from tests.support.money import attended, pay


def text_of(pdf: bytes, folder: Path) -> str:
    """What a reader finds in it, on one line and without the marks of direction and breaks."""
    (folder / "receipt.pdf").write_bytes(pdf)
    answer = subprocess.run(
        ["pdftotext", str(folder / "receipt.pdf"), "-"], capture_output=True, text=True, check=True
    )
    return re.sub(r"\s+", " ", re.sub("[\u200b\u202a-\u202e\u2066-\u2069]", "", answer.stdout))


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


HOSTILE = [
    "*Casey* _N_ #panic() $x$ = `raw` <label> @ref [a](b) \\",
    "<script>alert(1)</script> &amp; </text>",
    "محمد عبد الله",
    "ישראל ישראלי",
    "x" * 300,
    "Zoë-Ångström Őrsi Łukasz Ștefan",
    '#image("/etc/passwd") #read("x") "); #let',
]


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
    assert "[U+1F469]" in text
    assert "Zoë" in text
