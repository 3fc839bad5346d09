"""QR codes as one SVG path each, drawn by the page's own stylesheet."""

from dataclasses import dataclass

import segno


@dataclass(frozen=True)
class Code:
    """A QR code: the side of its square in modules, border included, and its path."""

    size: int
    path: str


def path_of(text: str) -> Code:
    """The QR code of a text (ISO/IEC 18004, error correction M)."""
    code = segno.make(text, error="m", micro=False)
    strokes = []
    for y, row in enumerate(code.matrix_iter(border=2)):
        x = 0
        cells = list(row)
        while x < len(cells):
            if cells[x]:
                start = x
                while x < len(cells) and cells[x]:
                    x += 1
                strokes.append(f"M{start} {y}.5h{x - start}")
            else:
                x += 1
    return Code(size=int(code.symbol_size(border=2)[0]), path="".join(strokes))


def svg_file(text: str) -> bytes:
    """The QR code of a text as an SVG file for print."""
    import io

    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", scale=10, border=4)
    return out.getvalue()
