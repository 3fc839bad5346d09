"""A logo: any picture in, a small clean PNG out, and each receipt keeps its own."""

import io
import struct
import zlib

import pytest
from django.db import IntegrityError, transaction
from PIL import Image, PngImagePlugin

from roost.audit.models import AuditEvent
from roost.billing.documents import document_of
from roost.billing.errors import NotALogo
from roost.billing.logos import clean_logo, logo_of, remove_logo, set_logo
from roost.billing.models import Logo, Receipt
from roost.billing.pdf import make_pdf
from roost.practices.models import Practice
from tests.support.cast import Cast
from tests.support.money import attended, pay
from tests.support.pictures import picture


def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png), formats=("PNG",))


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "L"), ("PNG", "P"), ("JPEG", "RGB"),
     ("JPEG", "CMYK"), ("PNG", "1"), ("PNG", "I;16")],
)  # fmt: skip
def test_a_png_or_jpeg_becomes_a_small_plain_png(kind: str, mode: str) -> None:
    png = clean_logo(picture((1500, 900), kind=kind, mode=mode))
    found = opened(png)
    assert (found.format, found.mode, found.size) == ("PNG", "RGB", (600, 360))


def test_what_is_clear_is_drawn_on_white() -> None:
    assert opened(clean_logo(picture(mode="RGBA"))).getpixel((0, 0)) == (255, 255, 255)


def test_it_stands_upright_and_says_nothing_of_where_it_was_taken() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # Turned by a quarter.
    exif[0x010F] = "A camera with a name"
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "A secret of its maker")
    turned = clean_logo(picture((300, 120), kind="JPEG", exif=exif, comment=b"A secret"))
    written = clean_logo(picture((300, 120), pnginfo=text, dpi=(72, 72)))
    assert opened(turned).size == (120, 300)
    for png in (turned, written):
        for words in (b"camera", b"secret", b"Exif", b"tEXt", b"eXIf", b"iCCP", b"pHYs"):
            assert words not in png


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that says it has very many pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\0" * 4096)), chunk(b"IEND", b"")]
    )


@pytest.mark.parametrize(
    "upload",
    [
        b"",
        b"x",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"%PDF-1.7",
        b"GIF89a" + b"\0" * 99,
        picture(kind="GIF", mode="P"),
        picture(kind="BMP"),
        picture(kind="TIFF"),
        picture()[:-40],
        picture(kind="JPEG")[:200],
        bomb(60_000, 60_000),
        bomb(4_001, 4_000),
        bomb(0, 10),
        picture()[:20] + b"\xff" * 400,
        b"\x89PNG\r\n\x1a\n" + b"x" * (2 * 1024 * 1024),
    ],
    ids=str,
)
def test_anything_else_is_refused_in_words(upload: bytes) -> None:
    with pytest.raises(NotALogo) as error:
        clean_logo(upload)
    assert str(error.value).endswith(".")


def test_a_receipt_keeps_the_logo_that_it_was_issued_with(billable: Cast) -> None:
    practice, by = billable.practice, billable.olivia.account
    plain = pay(billable, attended(billable))
    set_logo(practice, picture(), by=by)
    with_first = pay(billable, attended(billable))
    first = practice_logo(practice)
    set_logo(practice, picture((200, 200), mode="L"), by=by)
    assert practice_logo(practice) != first
    with_second = pay(billable, attended(billable))
    remove_logo(practice, by=by)
    assert [each.facts["logo"] for each in (plain, with_first, with_second)] == [
        "", first, practice_logo_of(with_second),
    ]  # fmt: skip
    assert pay(billable, attended(billable)).facts["logo"] == ""
    # Its document is made only now, and still has it.
    assert document_of(with_first).startswith(make_pdf(with_first.facts, logo=logo_of(first)))
    assert AuditEvent.objects.filter(action="practice.changed").count() == 3


def practice_logo(practice: Practice) -> str:
    return Practice.objects.get(pk=practice.pk).receipt_logo


def practice_logo_of(receipt: Receipt) -> str:
    named = str(receipt.facts["logo"])
    assert logo_of(named) is not None
    return named


def test_the_same_picture_is_kept_once(billable: Cast) -> None:
    for _ in range(2):
        set_logo(billable.practice, picture(), by=billable.olivia.account)
    logo = Logo.objects.get()
    assert AuditEvent.objects.filter(action="practice.changed").count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        Logo.objects.create(sha256=logo.sha256, png=b"")
