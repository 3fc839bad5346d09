"""From a session that was held to a receipt that an insurer accepts, and its void.

By visible labels only, on the demo that a newcomer starts with.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from tests.support.browsers import launch
from tests.support.server import Server

MAPLE = "harbour-demo-passphrase"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("demo")
    running = Server(folder, ROOST_DEMO="1").start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright)
    yield browser
    browser.close()


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
    address = re.search(r"Check this receipt: (http://\S+)", text)
    assert address is not None
    stranger = window.browser.new_context().new_page()  # type: ignore[union-attr]
    stranger.goto(address[1])
    expect(stranger.get_by_role("heading", name=f"Receipt {number} is valid")).to_be_visible()
    expect(stranger.get_by_text("Tara Okafor, RP")).to_be_visible()
    expect(stranger.get_by_text("$150.00")).to_be_visible()
    assert "Casey" not in stranger.content()
    assert "Nguyen" not in stranger.content()

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
