"""From a session that was held to a receipt that an insurer accepts, and its void.

By visible labels only, on the demo that a newcomer starts with.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.browsers import wait_for
from tests.support.pictures import picture
from tests.support.server import Server

MAPLE = "harbour-demo-passphrase"


@pytest.fixture
def window(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context()
    yield context
    context.close()


def log_in(page: Page, address: str, email: str) -> None:
    page.goto(address)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(MAPLE)
    page.get_by_role("button", name="Log in").click()


def download(page: Page, number: str, folder: Path) -> tuple[bytes, str]:
    """A receipt's PDF as the page hands it out, and its text on one line."""
    with page.expect_download() as started:
        page.get_by_role("link", name=f"PDF of receipt {number}").click()
    where = folder / started.value.suggested_filename
    started.value.save_as(where)
    command = ["pdftotext", str(where), "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return where.read_bytes(), re.sub(r"\s+", " ", text.replace("\u200b", ""))


def qr_code_of(pdf: bytes, folder: Path) -> str:
    """What a phone's camera reads from the first page."""
    (folder / "seen.pdf").write_bytes(pdf)
    command = ["pdftoppm", "-r", "120", "-png", "-singlefile", "seen.pdf", "seen"]
    subprocess.run(command, cwd=folder, check=True)
    with Image.open(folder / "seen.png") as picture:
        (found,) = zxingcpp.read_barcodes(picture)
    return str(found.text)


def test_a_session_is_held_paid_claimed_and_its_receipt_voided(
    server: Server, window: BrowserContext, tmp_path: Path
) -> None:
    # The therapist marks the session and records its payment
    tara = window.new_page()
    log_in(tara, f"{server.origin}/office/maple/", "tara@maple.example")
    row = tara.get_by_role("row").filter(has_text="Casey Nguyen").filter(has_text="Open room")
    row.get_by_role("link", name="Individual, 50 min").click()
    tara.get_by_role("button", name="Attended").click()
    expect(tara.get_by_role("status").filter(has_text="Casey Nguyen: attended.")).to_be_visible()
    tara.get_by_role("link", name="Record payment").click()
    expect(tara.get_by_label("Amount (CAD)")).to_have_value("150.00")
    tara.get_by_label("Paid by").select_option(label="e-Transfer")
    tara.get_by_role("button", name="Record and issue receipt").click()
    said = tara.get_by_role("status").filter(has_text="is issued")
    found = re.search(r"receipt (\d{4}-\d{4,}) is issued", said.inner_text())
    assert found is not None
    number = found[1]

    # The client finds it under My Account
    casey = window.new_page()
    log_in(casey, f"{server.origin}/portal/maple/", "casey@client.example")
    expect(casey.get_by_role("heading", name="Receipts")).to_be_visible()
    first, text = download(casey, number, tmp_path)
    for words in (
        f"No. {number}", "issued", "Maple Counselling", "214 Harbord Street", "416 555 0142",
        "Tara Okafor, RP", "College of Registered Psychotherapists of Ontario",
        "Registration no. RP-004217", "Casey Nguyen", "Date of service", "Individual", "50 min",
        "Video", "$150.00", "GST/HST exempt", "Total, CAD", "Paid", "e-Transfer", "Balance",
        "$0.00", "Code",
    ):  # fmt: skip
        assert words in text, words
    assert "VOID" not in text
    assert download(casey, number, tmp_path)[0] == first

    # Whoever holds it can check it, without a log-in
    printed = re.search(r"Check this receipt: (http://\S+)", text)
    assert printed is not None
    address = qr_code_of(first, tmp_path)
    assert address == printed[1]
    stranger = window.browser.new_context().new_page()  # type: ignore[union-attr]
    stranger.goto(address)
    expect(stranger.get_by_role("heading", name=f"Receipt {number} is valid")).to_be_visible()
    expect(stranger.get_by_text("Tara Okafor, RP")).to_be_visible()
    expect(stranger.get_by_text("$150.00")).to_be_visible()
    assert "Casey" not in stranger.content()
    assert "Nguyen" not in stranger.content()

    # For the tax return the whole year comes in one file
    casey.get_by_role("link", name="All receipts, and whole years").click()
    with casey.expect_download() as started:
        casey.get_by_role("link", name=f"{number[:4]} PDF of all receipts").click()
    started.value.save_as(tmp_path / "year.pdf")
    command = ["pdftotext", str(tmp_path / "year.pdf"), "-"]
    year = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for words in (f"Receipts of {number[:4]}", "Casey Nguyen", "Together, CAD", number):
        assert words in year
    casey.get_by_role("link", name="My Account").first.click()

    # It is voided, and everybody is told so
    tara.get_by_role("link", name=f"Void receipt {number}").click()
    tara.get_by_role("button", name="Void receipt").click()
    expect(tara.get_by_role("status").filter(has_text="is void")).to_be_visible()
    casey.reload()
    second, text = download(casey, number, tmp_path)
    assert second != first
    assert text.startswith("VOID")
    stranger.reload()
    expect(stranger.get_by_role("heading", name=f"Receipt {number} is void")).to_be_visible()
    stranger.context.close()


@pytest.mark.one_database
def test_the_owner_makes_receipts_look_like_the_practices_own(
    server: Server, window: BrowserContext, tmp_path: Path
) -> None:
    olivia = window.new_page()
    log_in(olivia, f"{server.origin}/office/maple/", "olivia@maple.example")
    olivia.get_by_role("link", name="Settings").click()
    olivia.get_by_label("Settings").get_by_role("link", name="Receipts").click()
    (tmp_path / "notes.txt").write_text("Not a picture.")
    (tmp_path / "logo.png").write_bytes(picture((900, 300)))
    olivia.get_by_label("Picture").set_input_files(tmp_path / "notes.txt")
    olivia.get_by_role("button", name="Replace the logo").click()
    expect(olivia.get_by_text("That file is no PNG or JPEG").first).to_be_visible()
    olivia.get_by_label("Picture").set_input_files(tmp_path / "logo.png")
    olivia.get_by_role("button", name="Replace the logo").click()
    expect(olivia.get_by_role("status").filter(has_text="carry this logo")).to_be_visible()
    shown = olivia.get_by_role("img", name="Maple Counselling")
    wait_for(lambda: shown.evaluate("image => image.naturalWidth") == 720)
    olivia.get_by_label("Number prefix").fill("MC-")
    olivia.get_by_label("Français").check()
    olivia.get_by_label("A4").check()
    olivia.get_by_role("button", name="Save").click()
    expect(olivia.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    with olivia.expect_download() as started:
        olivia.get_by_role("link", name="See a sample").click()
    started.value.save_as(tmp_path / "sample.pdf")
    command = ["pdftotext", str(tmp_path / "sample.pdf"), "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for words in ("SPÉCIMEN", "Reçu", "MC-", "Sample Client", "Tara Okafor, RP"):
        assert words in text
    info = ["pdfinfo", str(tmp_path / "sample.pdf")]
    assert "A4" in subprocess.run(info, capture_output=True, text=True, check=True).stdout
