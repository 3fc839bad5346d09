"""More than is owed, what becomes of it, each of a family by themself, and the bookkeeper's table.

By visible labels only, on the demo that a newcomer starts with.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.server import Server

MAPLE = "harbour-demo-passphrase"


def log_in(browser: Browser, address: str, email: str, *, scripts: bool = True) -> Page:
    page = browser.new_context(java_script_enabled=scripts).new_page()
    page.goto(address)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(MAPLE)
    page.get_by_role("button", name="Log in").click()
    return page


def open_receipts(page: Page, name: str) -> None:
    """The Receipts tab of a client's record, found as people find it."""
    page.get_by_role("navigation", name="Office").get_by_role("link", name="Clients").click()
    page.get_by_role("searchbox").fill(name)
    page.keyboard.press("Enter")
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_role("navigation", name=name).get_by_role("link", name="Receipts").click()


def test_what_is_over_stays_as_credit_and_is_given_back(server: Server, chromium: Browser) -> None:
    tara = log_in(chromium, f"{server.origin}/office/maple/", "tara@maple.example")
    row = tara.get_by_role("row").filter(has_text="Casey Nguyen").filter(has_text="Open room")
    row.get_by_role("link", name="Individual, 50 min").click()
    tara.get_by_role("button", name="Attended").click()
    tara.get_by_role("link", name="Record payment").click()
    tara.get_by_label("Amount (CAD)").fill("200")
    tara.get_by_role("button", name="Record and issue receipt").click()
    expect(tara.get_by_text("$150.00 is owed. If $50.00 more did come in").first).to_be_visible()
    tara.get_by_label("Keep what is over as credit").check()
    tara.get_by_role("button", name="Record and issue receipt").click()
    expect(tara.get_by_role("status").filter(has_text="$200.00 recorded")).to_be_visible()
    expect(tara.get_by_text("$50.00 left over as credit")).to_be_visible()

    casey = log_in(chromium, f"{server.origin}/portal/maple/", "casey@client.example")
    casey.get_by_role("link", name="Balance and invoices").click()
    expect(casey.get_by_role("definition").filter(has_text="$50.00")).to_be_visible()

    olivia = log_in(chromium, f"{server.origin}/office/maple/", "olivia@maple.example")
    open_receipts(olivia, "Casey Nguyen")
    olivia.get_by_role("link", name="Give back credit").click()
    olivia.get_by_label("Amount (CAD)").fill("20")
    olivia.get_by_role("button", name="Record").click()
    expect(olivia.get_by_role("status").filter(has_text="$20.00 given back")).to_be_visible()
    casey.reload()
    expect(casey.get_by_role("definition").filter(has_text="$30.00")).to_be_visible()
    olivia.get_by_role("link", name="Statement").click()
    expect(olivia.get_by_role("cell", name="Credit given back, Credit card")).to_be_visible()
    with olivia.expect_download() as started:
        olivia.get_by_role("link", name="Statement as PDF").click()
    assert Path(started.value.path()).read_bytes().startswith(b"%PDF")


@pytest.mark.one_database
def test_each_of_a_family_is_marked_by_themself_and_taken_back(
    server: Server, chromium: Browser
) -> None:
    theo = log_in(chromium, f"{server.origin}/office/maple/", "theo@maple.example")
    theo.get_by_role("navigation", name="Office").get_by_role("link", name="Clients").click()
    theo.get_by_role("link", name="Robin Parker", exact=True).click()
    theo.get_by_role("navigation", name="Robin Parker").get_by_role("link", name="Sessions").click()
    held = theo.get_by_role("row").filter(has_text="Family").filter(has_text="Attended").first
    held.get_by_role("link").click()
    theo.get_by_role("button", name="Remy Parker: No show").click()
    expect(theo.get_by_role("status").filter(has_text="Remy Parker: a no show.")).to_be_visible()
    marked = theo.get_by_role("button", name="Remy Parker: No show")
    expect(marked).to_have_attribute("aria-pressed", "true")
    robins = theo.get_by_role("button", name="Robin Parker: Attended")
    expect(robins).to_have_attribute("aria-pressed", "true")
    theo.get_by_role("button", name="Undo").click()
    again = theo.get_by_role("button", name="Remy Parker: Attended")
    expect(again).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("scripts", [True, False])
def test_the_bookkeeper_gets_a_table(server: Server, chromium: Browser, scripts: bool) -> None:
    olivia = log_in(
        chromium, f"{server.origin}/office/maple/", "olivia@maple.example", scripts=scripts
    )
    olivia.get_by_role("navigation", name="Office").get_by_role("link", name="Receipts").click()
    olivia.get_by_role("link", name="For the bookkeeper").click()
    olivia.get_by_label("From").fill("2020-01-01")
    with olivia.expect_download() as started:
        olivia.get_by_role("button", name="Download table (CSV)").click()
    assert started.value.suggested_filename.startswith("receipts-2020-01-01-")
    raw = Path(started.value.path()).read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert len(rows) > 50
    assert {row["State"] for row in rows} == {"valid", "void"}
    if scripts:
        expect(olivia.get_by_role("status").filter(has_text="rows are here")).to_have_text(
            f"All {len(rows)} rows are here."
        )
