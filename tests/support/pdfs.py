"""What readers find in a PDF: its text, its signature, and whether it keeps to its standards."""

import io
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pdfua
import pikepdf
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext


def text_of(pdf: bytes, folder: Path) -> str:
    """What a reader finds in it, on one line and without the marks of direction and breaks."""
    (folder / "receipt.pdf").write_bytes(pdf)
    answer = subprocess.run(
        ["pdftotext", str(folder / "receipt.pdf"), "-"], capture_output=True, text=True, check=True
    )
    return re.sub(r"\s+", " ", re.sub("[\u200b\u202a-\u202e\u2066-\u2069]", "", answer.stdout))


def state_of(pdf: bytes) -> Any:
    """What a reader finds that trusts the installation's certificate, without a network."""
    reader = PdfFileReader(io.BytesIO(pdf))
    (signature,) = reader.embedded_signatures
    trusted = ValidationContext(
        trust_roots=[signature.signer_cert], allow_fetching=False, revocation_mode="soft-fail"
    )
    return validate_pdf_signature(signature, trusted)


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
    assert document.check_pdf_syntax() == []
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
