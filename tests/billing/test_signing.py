"""The signature on a receipt's documents: made with one key, valid, and broken by any change."""

import io
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pikepdf
import pytest
from pyhanko.sign.validation import SignatureCoverageLevel

from roost.billing import signing
from roost.billing.documents import document_of
from roost.billing.models import Document, Receipt
from roost.billing.pdf import make_pdf
from roost.billing.queries import get_receipt_for
from roost.billing.services import void_receipt
from roost.core.tenancy import scope
from tests.support.cast import Cast, make_cast
from tests.support.money import attended, make_billable, pay
from tests.support.pdfs import state_of


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """A data folder without a key in it."""
    settings.ROOST_DATA_DIR = tmp_path
    signing._signer.cache_clear()
    return tmp_path


def test_both_documents_of_a_receipt_are_signed_from_end_to_end(
    billable: Cast, receipt: Receipt
) -> None:
    documents = [document_of(receipt)]
    void_receipt(by=billable.olivia, receipt=receipt)
    documents.append(document_of(get_receipt_for(billable.olivia, receipt.uuid)))
    assert documents[0] != documents[1]
    for pdf in documents:
        state = state_of(pdf)
        assert (state.intact, state.valid, state.trusted, state.bottom_line) == (True,) * 4
        assert state.coverage == SignatureCoverageLevel.ENTIRE_FILE
        assert state.docmdp_ok


@pytest.mark.parametrize("at", [0.1, 0.4, 0.7])
def test_a_flipped_byte_is_noticed(receipt: Receipt, at: float) -> None:
    pdf = bytearray(document_of(receipt))
    signature = pdf.index(b"/ByteRange")
    pdf[int(signature * at)] ^= 1
    try:
        state = state_of(bytes(pdf))
    except Exception:
        return  # So broken that it cannot even be read.
    assert not state.intact
    assert not state.bottom_line


def test_what_is_appended_later_is_noticed(receipt: Receipt, tmp_path: Path) -> None:
    """Somebody adds a page's worth of changes behind the signature, as editors do."""
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    writer = IncrementalPdfFileWriter(io.BytesIO(document_of(receipt)))
    writer.root["/Lang"] = generic.TextStringObject("de")
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    state = state_of(out.getvalue())
    assert state.coverage != SignatureCoverageLevel.ENTIRE_FILE
    assert not state.bottom_line


def test_poppler_says_so_too(receipt: Receipt, tmp_path: Path) -> None:
    (tmp_path / "receipt.pdf").write_bytes(document_of(receipt))
    command = ["pdfsig", "-nocert", str(tmp_path / "receipt.pdf")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Signature is Valid." in said
    assert "Total document signed" in said


def test_the_key_is_made_once_and_nobody_else_may_read_it(receipt: Receipt, folder: Path) -> None:
    document_of(receipt)
    key = folder / signing.FILE
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    first = key.read_bytes()
    signing._signer.cache_clear()
    signing.sign(make_pdf(receipt.facts), name="x", says="y")
    assert key.read_bytes() == first
    assert [path.name for path in folder.iterdir()] == [signing.FILE]


MAKE = """
import sys
from django.conf import settings
from pathlib import Path
settings.ROOST_DATA_DIR = Path(sys.argv[1])
from roost.billing import signing
print(signing._signer().signing_cert.sha256.hex())
"""


def test_processes_that_make_the_key_at_once_end_with_one(folder: Path) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", f"import django\ndjango.setup()\n{MAKE}", str(folder)],
            stdout=subprocess.PIPE, text=True,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "roost.config.settings",
                 "ROOST_DATA_DIR": str(folder / "other")},
        )
        for _ in range(4)
    ]  # fmt: skip
    said = {process.communicate()[0].strip() for process in running}
    assert len(said) == 1
    assert "" not in said
    assert not list(folder.glob(f".{signing.FILE}.*"))


def test_the_signature_is_tagged_unseen_and_changes_nothing_else(receipt: Receipt) -> None:
    """PDF/UA-1 wants each field in the structure, with a name; PDF/A-2 wants it printable, and
    version 1.7."""
    document = pikepdf.open(io.BytesIO(document_of(receipt)))
    root = document.Root
    (field,) = root.AcroForm.Fields
    assert int(field.F) & 4
    assert not int(field.F) & (1 | 2 | 32)
    assert [float(each) for each in field.Rect] == [0, 0, 0, 0]
    assert str(field.TU) == "Digital signature of the practice"
    assert str(field.V.Name) == "Maple Counselling"
    numbers = list(root.StructTreeRoot.ParentTree.Nums)
    tagged = dict(zip(map(int, numbers[::2]), numbers[1::2], strict=True))
    element = tagged[int(field.StructParent)]
    assert pikepdf.Name.Form == element.S
    assert element.K.Obj.objgen == field.objgen
    assert element.objgen in [kid.objgen for kid in element.P.K if hasattr(kid, "objgen")]
    assert int(root.StructTreeRoot.ParentTreeNextKey) == max(tagged) + 1
    assert str(root.get("/Version", "/1.7")) == "/1.7"
    assert "/Extensions" not in root


@pytest.mark.django_db(transaction=True)
def test_a_key_that_cannot_be_kept_stops_no_payment(folder: Path) -> None:
    """The receipt is issued; its PDF is made once the folder can be written to again."""
    cast = make_cast("maple", "Maple Counselling", "America/Toronto")
    with scope(cast.practice.pk):
        make_billable(cast)
        with mock.patch("os.link", side_effect=OSError(28, "No space left on device")):
            receipt = pay(cast, attended(cast))
        assert not Document.objects.exists()
        assert not list(folder.iterdir())
        assert state_of(document_of(receipt)).bottom_line
