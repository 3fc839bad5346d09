"""Pictures as somebody might upload them."""

import io
from typing import Any

from PIL import Image, ImageDraw


def picture(
    size: tuple[int, int] = (300, 120), *, kind: str = "PNG", mode: str = "RGB", **more: Any
) -> bytes:
    """A file with a mark on a plain ground. `more` goes to Pillow's save."""
    ground = {"RGB": (30, 90, 60), "RGBA": (30, 90, 60, 0), "L": 200, "CMYK": (90, 0, 60, 30)}
    drawn = Image.new(mode, size, ground.get(mode, 0))
    if mode in ("RGB", "RGBA", "L"):
        ink = {"RGB": (240, 200, 80), "RGBA": (240, 200, 80, 255), "L": 20}[mode]
        width, height = size
        ImageDraw.Draw(drawn).ellipse((width // 3, height // 4, width // 2, height // 2), fill=ink)
    out = io.BytesIO()
    drawn.save(out, kind, **more)
    return out.getvalue()
