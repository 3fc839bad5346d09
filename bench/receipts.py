"""A receipt's PDF, warm: CPU time of typst, of the signature, and of WeasyPrint for an equal page.

One process, interleaved rounds, medians. Each round's receipt is another one, so that nothing is
remembered from the last.
"""

import base64
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

ROUNDS = 30
HOST = "https://portal.example.com/portal/maple/receipt"

STYLE = """
@font-face { font-family: Schibsted; src: url(%s) }
@font-face { font-family: Schibsted; font-weight: bold; src: url(%s) }
@page { size: letter; margin: 2cm 2.2cm 2.2cm;
        @bottom-right { content: "Page " counter(page) " of " counter(pages) } }
html { font: 9.5pt/1.4 Schibsted } h1 { font-size: 23pt; margin: 0 } h2 { font-size: 9.5pt }
.sides { display: flex; gap: 2em } .sides > * { flex: 1 } .right { text-align: right }
header { border-bottom: 1pt solid #14201a } table { width: 100%%; border-collapse: collapse }
td, th { border-block: 0.6pt solid #c9d2cc; padding: 7pt 5pt; text-align: left }
svg, .code { width: 2.8cm; height: 2.8cm }
"""


def made_up(number: int) -> dict[str, Any]:
    """The facts of a plain receipt; no two are alike."""
    code = f"R7KQ-4MTX-92PD-{number:04}"
    line = {
        "on": "2026-11-25", "service": "Individual", "attendance": "attended",
        "late_cancel_percent": None, "mode": "video", "minutes": 50, "code": "96.01",
        "fee": "150.00", "tax": "0.00", "tax_words": "GST/HST exempt", "amount": "150.00",
    }  # fmt: skip
    therapist = {
        "name": "Tara Okafor", "title": "RP", "registration_number": "009142",
        "college": "College of Registered Psychotherapists of Ontario",
    }  # fmt: skip
    return {
        "version": 2, "language": "en", "logo": "", "paper": "letter",
        "number": f"2026-{number:04}", "issued_on": "2026-11-26", "currency": "CAD",
        "practice": {
            "name": "Maple Counselling", "address": "214 Harbord Street\nToronto ON M5S 1H6",
            "phone": "+14165550142", "tax_number": "",
        },
        "practitioner": therapist, "supervisor": None, "client": f"Casey Nguyen {number}",
        "payer": "", "lines": [line], "fee": "150.00", "tax": "0.00", "total": "150.00",
        "paid_before": "0.00", "paid_now": "150.00", "paid": "150.00", "balance": "0.00",
        "method": "credit_card", "paid_on": "2026-11-25", "code": code, "url": f"{HOST}/{code}/",
    }  # fmt: skip


def as_html(words: dict[str, Any]) -> str:
    """The same page for WeasyPrint."""
    w, (line,) = words["w"], words["lines"]

    def rows(*parts: str) -> str:
        return "<br>".join(escape(part) for part in parts)

    heads = "".join(
        f"<th>{escape(w[name])}</th>" for name in ("on", "service", "mode", "fee", "tax", "amount")
    )
    cells = "".join(
        f"<td>{rows(*parts)}</td>"
        for parts in (
            [line["on"]], [line["service"], line["details"]], [line["mode"]], [line["fee"]],
            [line["tax"]], [line["amount"]],
        )
    )  # fmt: skip
    totals = "".join(
        f"<p>{escape(w[label])} {escape(words[name])}</p>"
        for label, name in (
            ("subtotal", "subtotal"), ("tax", "tax"), ("total", "total"), ("paid", "paid"),
            ("balance", "balance"),
        )
    )  # fmt: skip
    picture = base64.b64encode(words["qr"].encode()).decode()
    return f"""<!doctype html><html lang="en-CA"><title>{escape(words["title"])}</title>
<header class="sides"><div><h1>{w["receipt"]}</h1><p>{w["number"]} <b>{words["number"]}</b>
{w["issued"]} {words["issued"]}</p></div><p class="right"><b>{escape(words["practice"])}</b><br>
{rows(*words["address"])}</p></header>
<div class="sides"><div><h2>{w["client"]}</h2><p>{escape(words["client"])}</p></div>
<div><h2>{w["practitioner"]}</h2><p>{rows(*words["practitioner"])}</p></div>
<div><h2>{w["payment"]}</h2>
<p>{words["method"]}, {words["paid_on"]}<br>{words["paid_now"]}</p>
</div></div><table><thead><tr>{heads}</tr></thead><tbody><tr>{cells}</tr></tbody></table>
<div class="right">{totals}</div>
<div class="sides"><div><p><b>{w["check"]}</b><br><a href="{words["url"]}">{words["url"]}</a></p>
<p>{w["code"]} <b>{words["code"]}</b></p><p>{w["confirms"]}</p></div>
<img class="code" alt="{w["qr"]} {words["url"]}" src="data:image/svg+xml;base64,{picture}"></div>"""


def measured(act: Callable[[], object]) -> float:
    """Milliseconds of CPU, of all of the process's threads."""
    begun = time.process_time()
    act()
    return (time.process_time() - begun) * 1000


def main() -> None:
    """Measure in a process of its own, with a key of its own."""
    with tempfile.TemporaryDirectory(prefix="roost-bench-") as folder:
        env = {**os.environ, "ROOST_DATA_DIR": folder}
        command = [sys.executable, "-c", "from bench.receipts import measure; measure()"]
        subprocess.run(command, env=env, check=True)


def measure() -> None:
    """Print the table."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "roost.config.settings"
    import django

    django.setup()
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    from roost.billing.pdf import make_pdf, words_of
    from roost.billing.signing import sign
    from roost.billing.typeset import DATA, typeset

    fonts = FontConfiguration()
    faces = [(DATA / "fonts" / f"schibsted-grotesk-{n}.ttf").as_uri() for n in (400, 700)]
    style = CSS(string=STYLE % tuple(faces), font_config=fonts)

    def weasy(words: dict[str, Any], **more: Any) -> None:
        page = HTML(string=as_html(words), base_url=str(Path.cwd()))
        page.write_pdf(stylesheets=[style], font_config=fonts, **more)

    figures: dict[str, list[float]] = {}
    for number in range(ROUNDS + 3):
        facts = made_up(number)
        words = words_of(facts)
        unsigned = make_pdf(made_up(5000 + number))
        acts = {
            "typst alone": lambda words=words: typeset("receipt.typ", words),
            "the whole PDF, QR code and all": lambda n=number: make_pdf(made_up(9000 + n)),
            "its signature": lambda pdf=unsigned: sign(pdf, name="Maple", says="Signature"),
            "WeasyPrint, tagged as PDF/UA": lambda words=words: weasy(
                words, pdf_variant="pdf/ua-1"
            ),
            "WeasyPrint, untagged": lambda words=words: weasy(words),
        }
        for name, act in acts.items():
            figures.setdefault(name, []).append(measured(act))
    print(f"\nA receipt's PDF, warm: ms of CPU ({ROUNDS} interleaved rounds, medians)")
    for name, rounds in figures.items():
        warm = rounds[3:]
        goal = " (goal: at most 10)" if name == "typst alone" else ""
        print(f"  {name:32} {statistics.median(warm):7.1f}   least {min(warm):.1f}{goal}")


if __name__ == "__main__":
    main()
