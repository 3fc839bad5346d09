"""What PDF/UA-1 and PDF/A-2a ask of a file, as far as it can be read from its parts.

The one checker that PyPI has (pdfua) knows a sixth of PDF/UA-1's rules; veraPDF, which knows them
all, needs Java. What is left is asked here of every kind of document, after its signature.
"""

import io
import tempfile
from collections.abc import Iterator
from typing import Any

import pdfua
import pikepdf
import pytest

from roost.billing.documents import document_of
from roost.billing.logos import set_logo
from roost.billing.models import Receipt
from roost.billing.queries import get_receipt_for
from roost.billing.services import void_receipt
from roost.scheduling.models import Appointment
from tests.support.cast import Cast
from tests.support.money import attended, pay
from tests.support.pictures import picture


def elements(node: Any) -> Iterator[Any]:
    """Every element of a structure tree."""
    kids = node.get("/K")
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            yield kid
            yield from elements(kid)


def judge(pdf: bytes, *, language: str, title: str) -> pikepdf.Pdf:
    """Ask all of it of one file."""
    document = pikepdf.open(io.BytesIO(pdf))
    root = document.Root
    assert pdf.startswith(b"%PDF-1.7")
    assert "/Encrypt" not in document.trailer
    assert len(document.trailer.ID) == 2
    # Tagged, in a language, under its title
    assert root.MarkInfo.Marked
    assert not root.MarkInfo.get("/Suspects", False)
    assert str(root.Lang) == language
    assert root.ViewerPreferences.DisplayDocTitle
    assert str(document.docinfo.Title) == title
    # Says what it conforms to, and the same as its older metadata
    metadata = root.Metadata.read_bytes()
    assert "/Filter" not in root.Metadata
    with document.open_metadata() as xmp:
        assert (xmp["pdfaid:part"], xmp["pdfaid:conformance"]) == ("2", "A")
        assert xmp["pdfuaid:part"] == "1"
        assert xmp["dc:title"] == title
        assert (
            xmp["xmp:CreateDate"][:10].replace("-", "") == str(document.docinfo.CreationDate)[2:10]
        )
    assert metadata.count(b"<?xpacket") == 2
    # Colours
    (intent,) = root.OutputIntents
    assert intent.S == "/GTS_PDFA1"
    assert intent.DestOutputProfile.read_bytes()[36:40] == b"acsp"
    # Every font is in the file, and says which letters its glyphs are
    fonts = [each for each in document.objects if isinstance(each, pikepdf.Dictionary)
             and each.get("/Type") == "/Font"]  # fmt: skip
    assert fonts
    for font in fonts:
        if font.Subtype == "/Type0":
            assert "/ToUnicode" in font
            (inner,) = font.DescendantFonts
            assert {"/FontFile2", "/FontFile3"} & set(inner.FontDescriptor.keys())
            assert str(font.Encoding) == "/Identity-H"
        else:
            assert font.Subtype in ("/CIDFontType0", "/CIDFontType2")
    # Pages follow the structure, and what can be reached stands in it
    tree = root.StructTreeRoot
    every = list(elements(tree))
    kinds = {str(each.S) for each in every}
    standard = {"/Document", "/Div", "/P", "/H1", "/H2", "/H3", "/Strong", "/Link", "/Figure",
                "/Table", "/THead", "/TBody", "/TFoot", "/TR", "/TH", "/TD", "/Form", "/Span",
                "/Part", "/Sect", "/L", "/LI", "/LBody", "/Lbl", "/Title"}  # fmt: skip
    assert kinds <= standard | set(tree.get("/RoleMap", {}).keys())
    assert {"/H1", "/Table", "/TH", "/TD", "/Link", "/Form"} <= kinds
    for each in every:
        if str(each.S) == "/Figure":
            assert str(each.Alt)
        if str(each.S) == "/TH":
            attributes = each.A if isinstance(each.A, pikepdf.Array) else [each.A]
            assert any(str(one.get("/Scope", "")) for one in attributes)
    numbers = list(tree.ParentTree.Nums)
    tagged = dict(zip(map(int, numbers[::2]), numbers[1::2], strict=True))
    for page in document.pages:
        assert str(page.Tabs) == "/S"
        assert int(page.StructParents) in tagged
        for annotation in page.get("/Annots", []):
            assert int(annotation.StructParent) in tagged
            assert int(annotation.F) & 4
            assert "/Contents" in annotation or "/TU" in annotation
    # Nothing active, nothing elsewhere
    forbidden = {"/JavaScript", "/Launch", "/EmbeddedFile", "/Movie", "/Sound", "/RichMedia"}
    for each in document.objects:
        if isinstance(each, pikepdf.Dictionary):
            assert str(each.get("/S", "")) not in forbidden
            assert str(each.get("/Type", "")) not in forbidden
    assert "/OpenAction" not in root
    assert "/AA" not in root
    # And another pair of eyes
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(pdf)
        file.flush()
        assert [each.message for each in pdfua.validate(file.name).findings] == []
    return document


def test_a_receipt_keeps_to_both_once_it_is_signed(billable: Cast, receipt: Receipt) -> None:
    document = judge(document_of(receipt), language="en-CA", title=f"Receipt {receipt.number}")
    assert len(document.pages) == 1


def test_a_void_one_does_too(billable: Cast, receipt: Receipt) -> None:
    void_receipt(by=billable.olivia, receipt=receipt)
    void = get_receipt_for(billable.olivia, receipt.uuid)
    judge(document_of(void), language="en-CA", title=f"VOID: Receipt {receipt.number}")


def test_one_in_french_with_a_logo_does_too(billable: Cast, session: Appointment) -> None:
    billable.practice.receipt_language = "fr"
    billable.practice.save(update_fields=["receipt_language"])
    set_logo(billable.practice, picture(mode="RGBA"), by=billable.olivia.account)
    receipt = pay(billable, session)
    document = judge(document_of(receipt), language="fr-CA", title=f"Reçu {receipt.number}")
    figures = [each for each in elements(document.Root.StructTreeRoot) if str(each.S) == "/Figure"]
    assert next(str(each.Alt) for each in figures) == "Maple Counselling"


@pytest.mark.parametrize("name", ["👩‍👧 Zoë", "محمد عبد الله", "張偉", "x" * 300])
def test_so_does_one_for_a_name_in_any_script(billable: Cast, name: str) -> None:
    billable.casey.first_name, billable.casey.last_name = name[:100], ""
    billable.casey.save()
    receipt = pay(billable, attended(billable))
    judge(document_of(receipt), language="en-CA", title=f"Receipt {receipt.number}")
