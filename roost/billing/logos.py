"""A practice's logo: an upload is read as a picture and drawn anew, and only that is kept."""

import hashlib
import io
import warnings
from typing import Any

from django.db import IntegrityError, transaction
from PIL import Image, ImageOps

from roost.audit.services import record
from roost.billing.errors import NotALogo
from roost.billing.models import Logo
from roost.practices.models import Practice

# What is read: a small file whose picture a browser would show without a thought.
MOST_BYTES = 2 * 1024 * 1024
MOST_PIXELS = 16_000_000
# What is kept: 6 cm at 300 dots an inch.
SIZE = (720, 360)
WHITE = (255, 255, 255)


def clean_logo(upload: bytes) -> bytes:
    """An uploaded PNG or JPEG, told by its content, as a new PNG of at most 720 × 360 pixels.

    Drawn on white, turned upright, without the metadata of the first. Raises NotALogo.
    """
    if not upload:
        raise NotALogo("Choose a picture first: a PNG or a JPEG.")
    if len(upload) > MOST_BYTES:
        raise NotALogo("That file is larger than 2 MB. Save the logo smaller, and try again.")
    try:
        with warnings.catch_warnings():
            # Its size is judged below, before anything is unpacked.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(upload), formats=("PNG", "JPEG"))
        if opened.width * opened.height > MOST_PIXELS:
            raise NotALogo("That picture has too many pixels. Save it smaller, and try again.")
        picture = _drawn(opened)
    except NotALogo:
        raise
    except Exception as error:
        # A broken picture can fail in as many ways as there are decoders.
        raise NotALogo("That file is no PNG or JPEG that can be read.") from error
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def _drawn(opened: Image.Image) -> Image.Image:
    upright = ImageOps.exif_transpose(opened)
    upright.thumbnail(SIZE, Image.Resampling.LANCZOS)
    seen = upright.convert("RGBA")
    page = Image.new("RGB", seen.size, WHITE)
    page.paste(seen, mask=seen.getchannel("A"))
    return page


def set_logo(practice: Practice, upload: bytes, *, by: Any) -> None:
    """Let new receipts carry a logo; those issued keep theirs. `by` is the account that acts.

    Raises NotALogo. Records practice.changed.
    """
    png = clean_logo(upload)
    sha256 = hashlib.sha256(png).hexdigest()
    with transaction.atomic():
        try:
            with transaction.atomic():
                Logo.objects.create(sha256=sha256, png=png)
        except IntegrityError:
            pass  # The same picture was here before.
        _point_at(practice, sha256, by)


def remove_logo(practice: Practice, *, by: Any) -> None:
    """Let new receipts carry none; those issued keep theirs. Records practice.changed."""
    with transaction.atomic():
        _point_at(practice, "", by)


def _point_at(practice: Practice, sha256: str, by: Any) -> None:
    current = Practice.objects.select_for_update().get(pk=practice.pk)
    if current.receipt_logo != sha256:
        current.receipt_logo = sha256
        current.save(update_fields=["receipt_logo"])
        record("practice.changed", by=by, subject=current, fields=["receipt_logo"])


def logo_of(sha256: str) -> bytes | None:
    """The PNG that a practice or a receipt's facts name by its hash, or None."""
    png = Logo.objects.filter(sha256=sha256).values_list("png", flat=True).first()
    return None if png is None else bytes(png)
