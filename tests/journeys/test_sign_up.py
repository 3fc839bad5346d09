"""From Create Account into the practice: proven, verified by staff, made a client, associated.

By visible labels only, on the demo that a newcomer starts with, over a real mail server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.browsers import WATCH_PEERS, assert_sees_and_hears
from tests.support.post import Post, Received
from tests.support.rooms import expect_waits
from tests.support.server import Server

MAPLE = "harbour-demo-passphrase"
OWN = "seven quiet herons wade"
# The Account page looks every ten seconds whether the practice has acted.
BY_ITSELF = 20_000


@pytest.fixture
def window(chromium: Browser) -> Iterator[BrowserContext]:
    """The browser of whoever signs up."""
    context = chromium.new_context()
    context.add_init_script(WATCH_PEERS)
    yield context
    context.close()


@pytest.fixture(scope="module")
def adam(chromium: Browser, server: Server) -> Iterator[Page]:
    """The admin, in the office."""
    context = chromium.new_context()
    page = context.new_page()
    log_in(page, f"{server.origin}/office/maple/", "adam@maple.example", MAPLE)
    expect(page.get_by_role("link", name="Clients").first).to_be_visible()
    yield page
    context.close()


def log_in(page: Page, address: str, email: str, password: str) -> None:
    page.goto(address)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def create_account(window: BrowserContext, server: Server, first: str, last: str) -> Page:
    """Somebody creates an account from the log-in page, and sees their Account page."""
    page = window.new_page()
    page.goto(f"{server.origin}/portal/maple/")
    page.get_by_role("link", name="Create Account").click()
    page.get_by_label("First name").fill(first)
    page.get_by_label("Last name").fill(last)
    page.get_by_label("Email").fill(address_of(first))
    page.get_by_label("Password").fill(OWN)
    page.get_by_role("button", name="Create Account").click()
    expect(page.get_by_role("heading", name=f"Nearly there, {first}")).to_be_visible()
    return page


def address_of(first: str) -> str:
    return f"{first.lower()}@signing-up.example"


def code_in(mail: Received) -> str:
    found = re.search(r"^(\d{6})\s*$", mail.text, re.M)
    assert found, mail.text
    return found[1]


def choose(adam: Page, name: str) -> None:
    """Tick a prospect, with the keyboard."""
    adam.get_by_role("link", name="Clients").first.click()
    adam.get_by_role("navigation", name="Clients").get_by_role("link", name="Prospects").click()
    adam.get_by_role("checkbox", name=f"Choose {name}").focus()
    adam.keyboard.press("Space")
    expect(adam.get_by_role("button", name="Create Client")).to_be_visible()


def becomes_a_client_and_knocks(
    server: Server, adam: Page, page: Page, first: str, last: str
) -> None:
    """The admin makes a client of whoever waits at `page`, who joins the session booked with
    them."""
    choose(adam, f"{first} {last}")
    adam.get_by_role("button", name="Create Client").click()
    expect(adam.get_by_role("heading", name="Add Client")).to_be_visible()
    for label, value in (
        ("First name", first), ("Last name", last), ("Email (optional)", address_of(first)),
    ):  # fmt: skip
        expect(adam.get_by_label(label, exact=True)).to_have_value(value)
    adam.get_by_label("Theo Lang").check()
    adam.get_by_role("button", name="Save").dblclick()
    expect(adam.get_by_role("heading", name=f"{first} {last}")).to_be_visible()

    expect(page.get_by_role("heading", name=f"Hello, {first}")).to_be_visible(timeout=BY_ITSELF)
    server.run(BOOKED, "Theo Lang", last)
    page.get_by_role("link", name="My Account", exact=True).click()
    page.get_by_role("link", name="Join", exact=True).click()
    page.get_by_role("button", name="Go to the waiting room").click()
    expect_waits(page)


def scan(chromium: Browser, address: str) -> None:
    """What scanners do with every link of a mail before the person has it."""
    context = chromium.new_context()
    for _ in range(2):
        assert context.request.get(address).status == 200
        assert context.request.head(address).status == 200
    page = context.new_page()
    page.goto(address, wait_until="networkidle")
    for href in page.locator("a[href^='/']").evaluate_all("all => all.map((each) => each.href)"):
        context.request.get(str(href))
    context.close()


def test_a_stranger_signs_up_is_made_a_client_and_joins_on_video(
    chromium: Browser, server: Server, post: Post, window: BrowserContext, adam: Page
) -> None:
    page = create_account(window, server, "Jordan", "Ellery")
    mail = post.wait_for(address_of("Jordan"))
    scan(chromium, mail.link)
    page.reload()
    expect(page.get_by_role("heading", name="Nearly there, Jordan")).to_be_visible()

    page.goto(mail.link)
    page.get_by_role("button", name="Verify my e-mail").click()
    expect(page.get_by_role("heading", name="You’re on the list, Jordan")).to_be_visible()
    expect(page.get_by_text("Maple Counselling has been told")).to_be_visible()
    told = post.wait_for("adam@maple.example")
    assert "Jordan" not in told.text
    assert "Ellery" not in told.text

    becomes_a_client_and_knocks(server, adam, page, "Jordan", "Ellery")
    theo = chromium.new_context()
    theo.add_init_script(WATCH_PEERS)
    desk = theo.new_page()
    log_in(desk, f"{server.origin}/office/maple/", "theo@maple.example", MAPLE)
    desk.get_by_role("link", name="Jordan is waiting").click(timeout=15_000)
    desk.get_by_role("button", name="Go into the room").click()
    for each in (desk, page):
        assert_sees_and_hears(each)
    theo.close()


# The booking itself has journeys of its own; Theo's day may be full at this hour.
BOOKED = """
import sys
from datetime import timedelta
from roost.clients.models import Client
from roost.core.tenancy import scope
from roost.core.time import now
from roost.practices.models import Practice
from roost.scheduling.models import Service
from roost.staff.models import StaffMember
from tests.support.cast import make_appointment
with scope(Practice.objects.get(slug="maple").pk):
    make_appointment(
        StaffMember.objects.get(display_name=sys.argv[1]),
        Client.objects.get(last_name=sys.argv[2]),
        service=Service.objects.get(name="Individual"),
        starts_at=now() - timedelta(minutes=1),
    )
"""


def test_the_code_from_the_mail_does_the_same(
    server: Server, post: Post, window: BrowserContext, adam: Page
) -> None:
    page = create_account(window, server, "Kim", "Sandoval")
    code = code_in(post.wait_for(address_of("Kim")))
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    page.get_by_label("6-digit code from the e-mail").fill(wrong)
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("alert")).to_contain_text("That is not the code")
    page.get_by_label("6-digit code from the e-mail").fill(f"{code[:3]} {code[3:]}")
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("heading", name="You’re on the list, Kim")).to_be_visible()
    becomes_a_client_and_knocks(server, adam, page, "Kim", "Sandoval")


@pytest.mark.one_database
def test_staff_verify_by_the_code_that_is_read_out_and_the_page_goes_on_by_itself(
    server: Server, post: Post, window: BrowserContext, adam: Page
) -> None:
    page = create_account(window, server, "Lou", "Brandt")
    shown = page.get_by_role("img", name="Confirmation code").inner_text()
    choose(adam, "Lou Brandt")
    adam.get_by_role("button", name="Verify").click()
    adam.get_by_label("Confirmation code").fill("AAA-AAA")
    adam.get_by_role("button", name="Verify").click()
    expect(adam.get_by_role("alert")).to_contain_text("not the code")
    adam.get_by_label("Confirmation code").fill(shown.lower())
    adam.get_by_role("button", name="Verify").click()
    expect(adam.get_by_text("Lou Brandt is verified")).to_be_visible()

    page.get_by_role("button", name="Continue").click(timeout=BY_ITSELF)
    expect(page.get_by_role("heading", name="You’re on the list, Lou")).to_be_visible()
    expect(page.get_by_text("Maple Counselling has confirmed you")).to_be_visible()
    notices = [m for m in post.received if m.to == [address_of("Lou")]]
    assert len(notices) == 2
    assert "is confirmed" in str(notices[1].mail["Subject"])
    becomes_a_client_and_knocks(server, adam, page, "Lou", "Brandt")


@pytest.mark.one_database
def test_the_link_in_another_browser_asks_for_the_password(
    chromium: Browser, server: Server, post: Post, window: BrowserContext
) -> None:
    create_account(window, server, "Mo", "Farrow")
    mail = post.wait_for(address_of("Mo"))
    phone = chromium.new_context()
    page = phone.new_page()
    page.goto(mail.link)
    page.get_by_label("The password you chose when you signed up").fill("a stranger’s guess")
    page.get_by_role("button", name="Verify my e-mail").click()
    expect(page.get_by_role("alert")).to_contain_text("isn’t the password")
    page.get_by_label("The password you chose when you signed up").fill(OWN)
    page.get_by_role("button", name="Verify my e-mail").click()
    expect(page.get_by_role("heading", name="You’re on the list, Mo")).to_be_visible()
    phone.close()


@pytest.mark.one_database
def test_associated_before_it_is_verified_opens_nothing_until_it_is(
    server: Server, post: Post, window: BrowserContext, adam: Page
) -> None:
    page = create_account(window, server, "Ira", "Holmberg")
    choose(adam, "Ira Holmberg")
    adam.get_by_role("button", name="Associate").click()
    adam.get_by_label("Find a client").fill("pettig")
    adam.get_by_role("link", name="Graham Pettigrew").click()
    adam.get_by_label("Guardian").check()
    adam.get_by_role("button", name="Associate").click()
    expect(adam.get_by_role("alert")).to_contain_text("Is this the right file?")
    expect(adam.get_by_label("Guardian")).to_be_checked()
    adam.get_by_label("I have made sure").check()
    adam.get_by_role("button", name="Associate").click()
    expect(adam.get_by_text("Nothing opens until the e-mail is verified")).to_be_visible()

    adam.get_by_role("link", name="Clients").first.click()
    adam.get_by_label("Find a client").fill("pettigrew")
    row = adam.get_by_role("row", name="Graham Pettigrew")
    expect(row.get_by_text("E-mail not verified")).to_be_visible()
    expect(row.get_by_role("link", name="Verify")).to_be_visible()
    page.get_by_role("link", name="My Account", exact=True).click()
    expect(page.get_by_role("heading", name="Nearly there, Ira")).to_be_visible()

    page.goto(post.wait_for(address_of("Ira")).link)
    page.get_by_role("button", name="Verify my e-mail").click()
    expect(page.get_by_role("heading", name="Graham", exact=True)).to_be_visible()
    adam.reload()
    adam.get_by_label("Find a client").fill("pettigrew")
    expect(adam.get_by_role("row", name="Graham Pettigrew")).to_be_visible()
    expect(adam.get_by_text("E-mail not verified")).to_have_count(0)


def test_associated_on_evidence_and_undone_while_the_page_is_open(
    server: Server, window: BrowserContext, adam: Page
) -> None:
    priya = window.new_page()
    address = f"{server.origin}/portal/maple/"
    log_in(priya, address, "priya.raman@client.example", MAPLE)
    expect(priya.get_by_role("heading", name="You’re on the list, Priya")).to_be_visible()

    choose(adam, "Priya Raman")
    adam.get_by_role("button", name="Associate").click()
    match = adam.get_by_role("link", name="Priya Raman")
    for reason in ("same e-mail", "same date of birth", "same name"):
        expect(match.get_by_text(reason)).to_be_visible()
    match.click()
    adam.get_by_label("Self").check()
    adam.get_by_role("button", name="Associate").click()
    expect(adam.get_by_text("is associated with Priya Raman’s record")).to_be_visible()
    expect(priya.get_by_role("heading", name="Hello, Priya")).to_be_visible(timeout=BY_ITSELF)

    adam.get_by_role("button", name="Undo").click()
    expect(adam.get_by_text("can no longer open")).to_be_visible()
    priya.get_by_role("link", name="My Account", exact=True).click(timeout=5000)
    expect(priya.get_by_role("heading", name="Log in")).to_be_visible(timeout=5000)
    log_in(priya, address, "priya.raman@client.example", MAPLE)
    expect(priya.get_by_role("heading", name="You’re on the list, Priya")).to_be_visible()


@pytest.mark.one_database
def test_a_name_alone_is_asked_about_and_a_dismissal_is_undone(adam: Page) -> None:
    choose(adam, "Hannah Whitcombe")
    adam.get_by_role("button", name="Associate").click()
    adam.get_by_role("link", name="Hannah Whitcombe").click()
    adam.get_by_label("Self").check()
    adam.get_by_role("button", name="Associate").click()
    expect(adam.get_by_role("alert")).to_contain_text("are shown to a stranger")
    adam.get_by_role("link", name="Cancel").click()

    choose(adam, "Hannah Whitcombe")
    adam.get_by_role("button", name="Dismiss").click()
    adam.get_by_role("button", name="Dismiss").click()
    expect(adam.get_by_role("checkbox", name="Choose Hannah Whitcombe")).to_have_count(0)
    adam.get_by_role("button", name="Undo").click()
    expect(adam.get_by_role("checkbox", name="Choose Hannah Whitcombe")).to_be_visible()


@pytest.mark.one_database
def test_nothing_of_it_is_in_the_servers_log(server: Server, post: Post) -> None:
    """Runs last: what the journeys above left in the log is about nobody."""
    told = server.log.read_text()
    assert "Roost serves on" in told
    mails = [mail for mail in post.received if "signing-up.example" in mail.to[0]]
    assert len(mails) >= 4
    secrets = {code_in(mail) for mail in mails if links_in(mail)}
    secrets |= {link.rstrip("/").rpartition("/")[2] for mail in mails for link in links_in(mail)}
    for value in {
        "signing-up.example",
        "Ellery",
        "Sandoval",
        "Brandt",
        "Farrow",
        "Holmberg",
        OWN,
    } | secrets:
        assert value not in told


def links_in(mail: Received) -> list[str]:
    return re.findall(r"https?://\S+/verify/\S+", mail.text)
