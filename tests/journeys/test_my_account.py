"""My Account as its holder uses it: a correction, a new e-mail, the history, a lost phone.

By visible labels only, on the demo that a newcomer starts with, over a real mail server.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.test_access import MAPLE, log_in, open_record
from tests.support.post import Post
from tests.support.server import Server

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
)


def a_window(browser: Browser, **options: str) -> Page:
    """A browser of its own, with cookies of its own."""
    return browser.new_context(timezone_id="America/Toronto", **options).new_page()  # type: ignore[arg-type]


def test_a_client_asks_for_another_name_and_the_therapist_accepts(
    server: Server, post: Post, chromium: Browser
) -> None:
    casey, tara = a_window(chromium), a_window(chromium)
    log_in(casey, f"{server.origin}/portal/maple/", "casey@client.example", MAPLE)
    casey.get_by_role("link", name="Correct something").click()
    casey.get_by_label("Phone").fill("416 555 0190")
    casey.get_by_role("button", name="Save").click()
    expect(casey.get_by_text("Saved. The practice sees it too.")).to_be_visible()
    casey.get_by_role("link", name="Correct something").click()
    casey.get_by_role("link", name="Ask for a correction").click()
    casey.get_by_label("Last name").fill("Nguyen-Tran")
    casey.get_by_role("button", name="Ask the practice").click()
    expect(casey.get_by_text("waiting for the practice")).to_be_visible()
    expect(casey.get_by_role("button", name="Withdraw")).to_be_visible()

    log_in(tara, f"{server.origin}/office/maple/", "tara@maple.example", MAPLE)
    expect(tara.get_by_text("a correction was asked for")).to_be_visible()
    tara.get_by_role("link", name="Answer for Casey Nguyen").click()
    expect(tara.get_by_role("cell", name="Nguyen-Tran")).to_be_visible()
    tara.get_by_role("button", name="Accept").click()
    expect(tara.get_by_text("The record of Casey is corrected.")).to_be_visible()
    expect(tara.get_by_role("heading", name="Casey Nguyen-Tran")).to_be_visible()
    expect(tara.get_by_text("Changed in the Client Portal")).to_be_visible()

    mail = post.wait_for("casey@client.example", subject="has answered you")
    assert "Nguyen" not in mail.text
    casey.reload()
    expect(casey.get_by_text("The practice corrected this")).to_be_visible()


@pytest.mark.one_database
def test_the_history_is_one_persons_by_year(server: Server, chromium: Browser) -> None:
    robin = a_window(chromium)
    log_in(robin, f"{server.origin}/portal/maple/", "parker@client.example", MAPLE)
    robin.get_by_role("link", name="All sessions").click()
    expect(robin.get_by_role("heading", name="Your sessions")).to_be_visible()
    expect(robin.get_by_role("heading", name="Upcoming")).to_be_visible()
    past = robin.get_by_role("region", name="Past")
    expect(past.get_by_text("Attended").first).to_be_visible()
    robin.get_by_role("navigation", name="Year").get_by_role("link", name="2025").click()
    expect(past.locator("li").first).to_contain_text("2025")
    robin.get_by_role("navigation", name="Whose sessions").get_by_role(
        "link", name="Remy Parker"
    ).click()
    expect(robin.get_by_role("heading", name="Remy’s sessions")).to_be_visible()
    ways = robin.get_by_role("navigation", name="Your pages")
    ways.get_by_role("link", name="Receipts").click()
    expect(robin.get_by_role("heading", name="Remy’s receipts")).to_be_visible()
    expect(robin.get_by_role("heading", name="Remy", exact=True)).to_be_visible()


@pytest.mark.one_database
def test_a_lost_phone_is_signed_out_and_the_log_in_moves(
    server: Server, post: Post, chromium: Browser
) -> None:
    desk, phone = a_window(chromium), a_window(chromium, user_agent=IPHONE)
    for page in (phone, desk):
        log_in(page, f"{server.origin}/portal/maple/", "casey@client.example", MAPLE)
        expect(page.get_by_role("heading", name="Hello, Casey")).to_be_visible()
    desk.get_by_role("navigation", name="Your pages").get_by_role("link", name="Security").click()
    devices = desk.get_by_role("region", name="Signed-in devices")
    expect(devices.get_by_text("Chrome on Linux")).not_to_have_count(0)
    expect(devices.get_by_text("This device")).to_have_count(1)
    desk.get_by_role("button", name="Sign out Safari on an iPhone").click()
    expect(desk.get_by_text("Safari on an iPhone is signed out.")).to_be_visible()
    phone.reload()
    expect(phone.get_by_role("button", name="Log in")).to_be_visible()
    log_in(phone, f"{server.origin}/portal/maple/", "casey@client.example", MAPLE)
    expect(phone.get_by_role("heading", name="Hello, Casey")).to_be_visible()
    desk.reload()
    desk.get_by_role("button", name="Sign out everywhere").click()
    expect(desk.get_by_text("You are signed out everywhere else.")).to_be_visible()
    expect(devices.get_by_role("listitem")).to_have_count(1)
    phone.reload()
    expect(phone.get_by_role("button", name="Log in")).to_be_visible()

    desk.get_by_role("link", name="Change e-mail").click()
    desk.get_by_label("New e-mail").fill("casey@new.example")
    desk.get_by_role("button", name="Send the link").click()
    expect(desk.get_by_text("An e-mail is on its way to casey@new.example.")).to_be_visible()
    post.wait_for("casey@client.example", subject="is to move")
    phone.goto(post.wait_for("casey@new.example").link)
    phone.get_by_label("The password you log in with").fill(MAPLE)
    phone.get_by_role("button", name="Use this address").click()
    expect(phone.get_by_text("From now on you log in with casey@new.example.")).to_be_visible()
    desk.reload()
    expect(desk.get_by_role("button", name="Log in")).to_be_visible()

    olivia = a_window(chromium)
    log_in(olivia, f"{server.origin}/office/maple/", "olivia@maple.example", MAPLE)
    open_record(olivia, "Casey Nguyen")
    expect(olivia.get_by_text("casey@new.example").first).to_be_visible()
    expect(olivia.get_by_text("E-mail: today")).to_be_visible()
