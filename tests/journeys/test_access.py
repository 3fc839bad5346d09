"""From the therapist's desk into the call: access given, taken up, and kept apart by practice.

By visible labels only, on the demo that a newcomer starts with, over a real mail server.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.browsers import WATCH_PEERS, assert_sees_and_hears
from tests.support.pdfs import text_of
from tests.support.post import Post
from tests.support.server import Server

MAPLE, CEDAR = "harbour-demo-passphrase", "lantern-demo-passphrase"
OWN = "seven quiet herons wade"


@pytest.fixture
def window(chromium: Browser) -> Iterator[BrowserContext]:
    """One browser with all its cookies; each page of it is a window."""
    context = chromium.new_context()
    context.add_init_script(WATCH_PEERS)
    yield context
    context.close()


def log_in(page: Page, address: str, email: str, password: str) -> None:
    page.goto(address)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def open_record(page: Page, name: str) -> None:
    page.get_by_role("link", name="Clients").first.click()
    page.get_by_label("Find a client").fill(name)
    page.get_by_role("link", name=name).click()


def test_a_therapist_gives_access_and_they_meet_on_video(
    server: Server, window: BrowserContext, tmp_path: Path
) -> None:
    # The therapist, in one window
    tara = window.new_page()
    log_in(tara, f"{server.origin}/office/maple/", "tara@maple.example", MAPLE)
    open_record(tara, "Noor Haddad")
    tara.get_by_role("link", name="Contact & Clinical").click()
    tara.get_by_role("link", name="Edit Account Details").click()
    expect(tara.get_by_role("heading", name="Client Portal Settings")).to_be_visible()
    expect(tara.get_by_label("Email")).to_have_value("noor@client.example")
    tara.get_by_role("button", name="Generate").click()
    starter = tara.get_by_label("Starter password").input_value()
    assert re.fullmatch(r"([a-z]+-){4}\d\d", starter)
    tara.get_by_role("button", name="Save").click()

    expect(tara.get_by_role("heading", name="For Noor, to log in")).to_be_visible()
    card = tara.locator("section", has=tara.get_by_role("heading", name="For Noor, to log in"))
    address = server.origin.partition("://")[2] + "/portal/maple"
    for words in (address, "noor@client.example", starter):
        expect(card.get_by_text(words, exact=True)).to_be_visible()
    for words in ("My Account", "Forgot Your Password?"):
        expect(card.get_by_text(words, exact=True)).to_be_visible()
    expect(card.get_by_role("img", name="QR code of the Client Portal address")).to_be_visible()
    # On paper it is the card alone: whoever is handed it reads nothing else of the record.
    sheet = tara.pdf(format="Letter")
    with pikepdf.open(io.BytesIO(sheet)) as paper:
        assert len(paper.pages) == 1
    on_paper = text_of(sheet, tmp_path)
    for words in ("Maple Counselling", "For Noor, to log in", address, "noor@client.example"):
        assert words in on_paper
    assert starter in on_paper.replace("- ", "-")
    for words in ("Emergency", "Date of birth", "Noor Haddad", "Book a session", "Messages sent"):
        assert words not in on_paper

    # Shown this once: sending the form again shows the record and says so
    tara.reload()
    expect(tara.get_by_text("was shown once, and can’t be shown again")).to_be_visible()
    expect(tara.get_by_role("heading", name="Account Details")).to_be_visible()
    assert starter not in tara.content()
    expect(tara.get_by_text("Starter password given")).to_be_visible()

    # The client, in another window of the same browser
    noor = window.new_page()
    log_in(noor, f"{server.origin}/portal/maple/", "noor@client.example", starter)
    expect(noor.get_by_role("heading", name="Choose a password of your own")).to_be_visible()
    noor.get_by_label("New password").fill("short")
    noor.get_by_role("button", name="Save and go in").click()
    expect(noor.get_by_role("alert")).to_contain_text("It needs 12 or more")
    noor.get_by_label("New password").fill(OWN)
    noor.get_by_role("button", name="Save and go in").click()
    expect(noor.get_by_role("heading", name="Hello, Noor")).to_be_visible()
    expect(noor.get_by_role("link", name="My Account", exact=True)).to_be_visible()

    noor.get_by_role("link", name="Join", exact=True).click()
    noor.get_by_role("button", name="Go to the waiting room").click()

    # The therapist is told on whatever page she is; the note leads to the room and lets Noor in
    tara.get_by_role("link", name="Noor is waiting").click(timeout=10_000)
    tara.get_by_role("button", name="Go into the room").click()
    for page in (tara, noor):
        assert_sees_and_hears(page)

    server.restart()
    for page in (tara, noor):
        assert_sees_and_hears(page)
    noor.reload()
    for page in (tara, noor):
        assert_sees_and_hears(page)

    noor.get_by_role("button", name="Leave").click()
    noor.get_by_role("link", name="My Account").first.click()
    noor.get_by_role("link", name="Return to session").click()
    noor.get_by_role("button", name="Return to session").click()
    for page in (tara, noor):
        assert_sees_and_hears(page)

    # The starter password is spent
    stranger = window.new_page()
    stranger.context.clear_cookies(name="roost-portal-maple")
    log_in(stranger, f"{server.origin}/portal/maple/", "noor@client.example", starter)
    expect(stranger.get_by_role("alert")).to_contain_text("That didn’t match")


@pytest.mark.one_database
def test_an_invitation_goes_by_mail_and_its_state_is_on_the_record(
    server: Server, window: BrowserContext, post: Post
) -> None:
    tara = window.new_page()
    log_in(tara, f"{server.origin}/office/maple/", "tara@maple.example", MAPLE)
    open_record(tara, "Wei Zhang")
    record = tara.url
    tara.get_by_role("link", name="Edit Account Details").click()
    tara.get_by_role("button", name="Send invitation").click()
    expect(tara.get_by_text("is in the outbox")).to_be_visible()
    mail = post.wait_for("wei.zhang@client.example")
    for private in ("Zhang", "Tara", "Individual", "therap"):
        assert private not in f"{mail.mail['Subject']} {mail.text}"
    tara.goto(record)
    expect(tara.get_by_text("Accepted by the mail server")).to_be_visible()

    wei = window.new_page()
    wei.goto(mail.link)
    wei.get_by_label("New password").fill(OWN)
    wei.get_by_role("button", name="Save and go in").click()
    expect(wei.get_by_role("heading", name="Hello, Vivian")).to_be_visible()

    tara.reload()
    expect(tara.get_by_text("Link used", exact=True)).to_be_visible()
    expect(tara.get_by_text("Done", exact=True)).to_be_visible()
    expect(tara.get_by_text("Can log in")).to_be_visible()
    wei.goto(mail.link)
    expect(wei.get_by_role("heading", name="This link can’t be used any more")).to_be_visible()


@pytest.mark.one_database
def test_forgot_your_password(server: Server, window: BrowserContext, post: Post) -> None:
    page = window.new_page()
    page.goto(f"{server.origin}/portal/maple/")
    page.get_by_role("link", name="Forgot Your Password?").click()
    page.get_by_label("Email").fill("parker@client.example")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", name="Look at your e-mail")).to_be_visible()
    page.goto(post.wait_for("parker@client.example", subject="password").link)
    page.get_by_label("New password").fill(OWN)
    page.get_by_role("button", name="Save and go in").click()
    expect(page.get_by_role("heading", name="Hello, Robin")).to_be_visible()

    # One page a person, never a mixed list
    page.get_by_role("link", name="Remy Parker").click()
    expect(page.get_by_role("heading", name="Remy", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Remy’s sessions")).to_be_visible()

    page.get_by_role("button", name="Robin Parker").click()
    page.get_by_role("button", name="Log out").click()
    log_in(page, f"{server.origin}/portal/maple/", "parker@client.example", MAPLE)
    expect(page.get_by_role("alert")).to_contain_text("That didn’t match")
    log_in(page, f"{server.origin}/portal/maple/", "parker@client.example", OWN)
    expect(page.get_by_role("heading", name="Hello, Robin")).to_be_visible()


@pytest.mark.one_database
def test_two_practices_and_two_doors_stay_apart_in_one_browser(
    server: Server, window: BrowserContext
) -> None:
    maple, cedar, office = window.new_page(), window.new_page(), window.new_page()
    log_in(maple, f"{server.origin}/portal/maple/", "casey@client.example", MAPLE)
    log_in(cedar, f"{server.origin}/portal/cedar/", "casey@client.example", MAPLE)
    expect(cedar.get_by_role("alert")).to_contain_text("That didn’t match")
    log_in(cedar, f"{server.origin}/portal/cedar/", "casey@client.example", CEDAR)
    log_in(office, f"{server.origin}/office/maple/", "tara@maple.example", MAPLE)
    for page, name in ((maple, "Casey Nguyen"), (cedar, "Casey Lindholm"), (office, "Tara Okafor")):
        page.reload()
        expect(page.get_by_role("button", name=name)).to_be_visible()

    cedar.get_by_role("button", name="Casey Lindholm").click()
    cedar.get_by_role("button", name="Log out").click()
    expect(cedar.get_by_text("You’re logged out.")).to_be_visible()
    maple.reload()
    expect(maple.get_by_role("heading", name="Hello, Casey")).to_be_visible()
    office.reload()
    expect(office.get_by_role("button", name="Tara Okafor")).to_be_visible()
