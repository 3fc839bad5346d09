"""Maple Counselling's logo, drawn rather than kept: a leaf, and the name beside it."""

import io
from math import cos, pi, sin

from PIL import Image, ImageDraw, ImageFont

from roost.billing.typeset import DATA

GREEN, PAPER = (31, 94, 70), (255, 255, 255)
SIZE = (2280, 720)


def draw_logo() -> bytes:
    """A PNG as somebody at the practice might upload it."""
    picture = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(picture)
    pen.rounded_rectangle((0, 40, 640, 680), radius=160, fill=GREEN)
    pen.polygon(_leaf(320, 330, 240), fill=PAPER)
    pen.line((320, 340, 320, 630), fill=PAPER, width=34)
    face = ImageFont.truetype(DATA / "fonts" / "schibsted-grotesk-700.ttf", 330)
    pen.text((760, 360), "Maple", fill=GREEN, font=face, anchor="ls")
    light = ImageFont.truetype(DATA / "fonts" / "schibsted-grotesk-400.ttf", 270)
    pen.text((760, 650), "Counselling", fill=GREEN, font=light, anchor="ls")
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _leaf(x: float, y: float, size: float) -> list[tuple[float, float]]:
    """Five lobes around a middle, the lowest left open for the stalk."""
    points = []
    for step in range(0, 361, 3):
        turn = step / 180 * pi
        reach = size * (0.62 + 0.38 * cos(5 * turn))
        points.append((x + reach * sin(turn), y - reach * cos(turn)))
    return points
