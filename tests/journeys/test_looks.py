"""What every page must be, whoever sees it: nothing for axe to find, nothing past the edge, fields
and buttons for a thumb, one green button, and a quiet console; light on a desk, dark on a phone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from django.urls import Resolver404, resolve, reverse
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    ViewportSize,
    expect,
)

from roost.accounts import limits
from roost.staff.checks import routes
from tests.support.browsers import SLOW_CAMERA, launch
from tests.support.looks import STATES
from tests.support.looks.acts import State, fill, press
from tests.support.looks.portal import PORTAL
from tests.support.relay import BEHIND_ROUTER, relaying
from tests.support.rooms import expect_waits
from tests.support.server import Server, free_port, prepared, serving

pytestmark = pytest.mark.looks

AXE = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
}
DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
SMALL: ViewportSize = {"width": 360, "height": 740}
SLOW = 20_000

# GET routes that no picture is taken of: three send on, two are images, the others are PDFs.
NOT_PAGES = {"portal:home", "office:home", "office:settings", "office:portal-qr"}
NOT_PAGES |= {"office:receipt-logo-png", "office:receipt-sample"}
NOT_PAGES |= {"portal:receipt-pdf", "office:receipt-pdf"}
NOT_PAGES |= {"portal:invoice-pdf", "office:invoice-pdf", "office:client-statement-pdf"}

# The rooms of an open session are walked through by two people below.
ROOMS = {"portal:room-person", "office:room"}

RENAME = """
import sys
from django.db import connection
with connection.schema_editor() as schema:
    schema.execute("ALTER TABLE %s RENAME TO %s" % tuple(sys.argv[1:]))
"""

SIGN_OLIVIA_IN = """
import json
from roost.core.tenancy import across_practices
from roost.staff.models import StaffMember
from tests.support.doors import session_cookie
with across_practices():
    olivia = StaffMember.objects.select_related("account__practice").get(display_name="Olivia Osei")
print(json.dumps({"olivia": session_cookie(olivia.account, "office")}))
"""

TOO_SMALL = """() => [...document.querySelectorAll(
  "button, .button, select, textarea, nav a, label.check, label.choice, .masthead a," +
  "input:not([type=hidden], [type=checkbox], [type=radio])"
)].filter((each) => {
  if (!each.checkVisibility() || each.closest(".vh, .skip, [aria-hidden=true]")) return false;
  const box = each.getBoundingClientRect();
  return box.width > 1 && Math.round(box.height) < 44;
}).map((each) => `${each.outerHTML.slice(0, 100)} ${each.getBoundingClientRect().height}`)"""

# A list of places that can be scrolled sideways hides its last ones.
OUT_OF_REACH = """() => [...document.querySelectorAll(".desk-nav a")].filter((each) => {
  const box = each.getBoundingClientRect();
  return box.left < 0 || box.right > document.documentElement.clientWidth;
}).map((each) => each.textContent)"""

GREEN = """() => [...document.querySelectorAll(".button-act")]
  .filter((each) => each.checkVisibility()).length"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("demo")
    running = prepared(folder, ROOST_DEMO="1").start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def facts(server: Server) -> dict[str, Any]:
    code = "import json\nfrom tests.support.looks.seeded import seed\nprint(json.dumps(seed()))"
    return dict(json.loads(server.run(code)))


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright, SLOW_CAMERA)
    yield browser
    browser.close()


class Visitors:
    """A browser window for each person, kept from one picture to the next."""

    def __init__(self, browser: Browser, server: Server, facts: dict[str, Any]) -> None:
        self.browser, self.server, self.facts = browser, server, facts
        self.windows: dict[str, Page] = {}
        self.said: list[str] = []

    def open(self, who: str) -> Page:
        """A new window, signed in as somebody unless `who` is empty; it hears the console."""
        context: BrowserContext = self.browser.new_context(
            viewport=DESK, reduced_motion="reduce", timezone_id="America/Toronto"
        )
        context.add_init_script(AXE_SCRIPT)
        if who:
            name, value = self.facts["cookies"][who]
            context.add_cookies([{"name": name, "value": value, "url": self.server.origin}])
        page = context.new_page()
        page.on("console", lambda message: self._hear(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self._ask(request.url))
        return page

    def _hear(self, text: str) -> None:
        if not text.startswith("Failed to load resource: the server responded with a status of 4"):
            self.said.append(text)

    def _ask(self, url: str) -> None:
        if not url.startswith((self.server.origin, "data:", "blob:")):
            self.said.append(f"A request to {url}")

    def visit(self, state: State) -> Page:
        """The page in the state that is to be looked at."""
        page = self.windows.get(state.who)
        if page is None:
            page = self.windows[state.who] = self.open(state.who)
        if not state.who:
            page.context.clear_cookies()
        page.set_viewport_size(DESK)
        answer = page.goto(self.address(state))
        assert answer is not None
        assert answer.status == state.status, page.locator("h1").inner_text()
        if state.then is not None:
            state.then(page)
        return page

    def address(self, state: State) -> str:
        ids = self.facts["ids"]
        if state.route.startswith("/"):
            path = state.route
        else:
            arguments = {name: ids[value] for name, value in state.ids.items()}
            if state.link:
                arguments = self.facts["links"][state.link]
            path = reverse(state.route, kwargs={"practice": state.practice, **arguments})
        return f"{self.server.origin}{path}?{state.query.format(**ids)}"


@pytest.fixture(scope="module")
def visitors(chromium: Browser, server: Server, facts: dict[str, Any]) -> Visitors:
    return Visitors(chromium, server, facts)


def assert_fits(page: Page) -> None:
    width = page.evaluate("document.documentElement.clientWidth")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, f"The page is {wide} px wide on a screen of {width}."


def assert_nothing_for_axe(page: Page) -> None:
    violations = page.evaluate("how => axe.run(how).then((found) => found.violations)", AXE)
    assert not violations, AxeResults({"violations": violations}).generate_report()


def assert_looks_right(page: Page) -> None:
    """Everything that holds for every page; the page is left as a phone shows it in the dark."""
    page.set_viewport_size(DESK)
    page.emulate_media(color_scheme="light")
    assert_fits(page)
    assert_nothing_for_axe(page)
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="dark")
    assert_fits(page)
    assert_nothing_for_axe(page)
    assert page.evaluate(TOO_SMALL) == []
    assert page.evaluate(GREEN) <= 1
    assert page.evaluate(OUT_OF_REACH) == []
    page.set_viewport_size(SMALL)
    assert_fits(page)
    assert page.evaluate(OUT_OF_REACH) == []


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_page_looks_right(visitors: Visitors, state: State) -> None:
    visitors.said.clear()
    page = visitors.visit(state)
    if ":" in state.route:
        assert name_of(page.url) == (state.to or state.route)
    if state.heading:
        expect(page.locator("h1")).to_have_text(state.heading)
    assert_looks_right(page)
    assert visitors.said == []


HEAR_PRESSES = """() => {
  window.__pressed = 0;
  document.addEventListener("click", (event) => {
    if (event.target.closest("button[type=submit]")) { event.preventDefault(); window.__pressed += 1; }
  });
}"""  # noqa: E501 -- a line of JavaScript


def with_hints(state: State) -> bool:
    """Whether a portal page as it opens may have a form with hints beside its fields."""
    return state in PORTAL and ":" in state.route and state.then is None and state.status == 200


def test_a_press_counts_though_a_hint_comes_up_beside_the_field(visitors: Visitors) -> None:
    """A hint makes room for itself when a field is left; a press leaves it with the mouse down."""
    tried: set[str] = set()
    for state in filter(with_hints, STATES):
        if state.route in tried:
            continue
        page = visitors.visit(state)
        hinted = page.locator("main .field:has([id$=_hint]) input.input:enabled")
        if hinted.count() == 0:
            continue
        tried.add(state.route)
        page.evaluate(HEAR_PRESSES)
        for number in range(hinted.count()):
            box = hinted.nth(number)
            hint = page.locator(f"#{box.get_attribute('id')}_hint")
            button = box.locator("xpath=ancestor::form").locator("button[type=submit]").first
            button.scroll_into_view_if_needed()
            box.fill("x")
            is_email = box.get_attribute("type") == "email"
            if not is_email:
                box.fill("")
            expect(hint).to_be_hidden()
            place = button.bounding_box()
            assert place is not None
            # The upper edge is what moves away from under the pointer.
            page.mouse.move(place["x"] + place["width"] / 2, place["y"] + 3)
            page.mouse.down()
            page.mouse.up()
            where = f"{state.name}: {box.get_attribute('name')}"
            assert page.evaluate("window.__pressed") == number + 1, where
            if is_email or box.get_attribute("required") is not None:
                expect(hint).to_be_visible()
    assert tried >= {
        "portal:log-in", "portal:forgot-password", "portal:create-account", "portal:sign-up",
        "portal:correct-address", "portal:change-address", "portal:change-password",
        "portal:ask-correction",
    }  # fmt: skip


def test_the_video_settings_look_right_with_a_relay(chromium: Browser, tmp_path: Path) -> None:
    """One that answers by UDP and not by TCP, with a secret that is too short."""
    with relaying(
        tmp_path / "relay", host="127.0.0.2", secret="north", more=BEHIND_ROUTER
    ) as relay:
        urls = f"{relay.urls['udp']}, turn:127.0.0.2:{free_port()}?transport=tcp"
        with serving(
            tmp_path / "data", ROOST_DEMO="1", ROOST_TURN_URL=urls, ROOST_TURN_SECRET="north"
        ) as told:
            cookies = json.loads(told.run(SIGN_OLIVIA_IN))
            visitors = Visitors(chromium, told, {"ids": {}, "cookies": cookies})
            page = visitors.visit(State("video with a relay", "office:video", "olivia"))
            assert_looks_right(page)
            page.get_by_role("button", name="Test the relay").click()
            expect(page.locator("#findings .flash")).to_have_count(3)
            expect(page.locator("#findings .flash-wait")).to_have_count(2)
            assert_looks_right(page)
            page.get_by_label("Yes").check()
            press("Save")(page)
            expect(page.get_by_text("Saved.")).to_be_visible()
            expect(page.get_by_label("Yes")).to_be_checked()
            page.get_by_label("No", exact=True).check()
            press("Save")(page)
            assert visitors.said == []


def name_of(url: str) -> str:
    """The route of an address, by its name; "" for one that leads nowhere."""
    try:
        return resolve(urlsplit(url).path).view_name
    except Resolver404:
        return ""


def test_every_page_of_both_doors_is_looked_at() -> None:
    pages = {
        name
        for name, entry in routes()
        if ":" in name and "GET" in entry.callback.access.methods  # type: ignore[attr-defined]
    }
    looked_at = {state.route for state in STATES if ":" in state.route} | ROOMS
    assert pages == looked_at | NOT_PAGES


def test_the_room_looks_right_from_the_device_check_to_the_end(
    visitors: Visitors, facts: dict[str, Any]
) -> None:
    visitors.said.clear()
    seat = {"appointment": "open", "attendee": "open seat"}
    casey, tara = visitors.open("casey"), visitors.open("tara")

    casey.goto(visitors.address(State("", "portal:room-person", ids=seat)))
    expect(casey.get_by_label("Camera", exact=True)).to_contain_text("fake_device", timeout=SLOW)
    assert_looks_right(casey)
    casey.get_by_label("Your name in the session").fill("")
    casey.get_by_role("button", name="Go to the waiting room").click()
    assert_looks_right(casey)
    casey.get_by_label("Your name in the session").fill("Casey")
    casey.get_by_role("button", name="Go to the waiting room").click()
    expect_waits(casey)
    assert_looks_right(casey)

    tara.goto(visitors.address(State("", "office:today")))
    arrival = tara.get_by_role("heading", name="Casey Nguyen is in your waiting room")
    expect(arrival).to_be_visible(timeout=SLOW)
    assert_looks_right(tara)
    tara.goto(visitors.address(State("", "office:room", ids={"appointment": "open"})))
    assert_looks_right(tara)
    tara.get_by_role("button", name="Go into the room").click()
    expect(tara.get_by_role("button", name="Admit")).to_be_visible(timeout=SLOW)
    assert_looks_right(tara)
    tara.get_by_role("button", name="Admit").click()
    for page in (casey, tara):
        expect(page.locator("#stage .tile:not(.self) video")).to_be_visible(timeout=SLOW)
        assert_looks_right(page)
        page.get_by_role("button", name="Safety", exact=True).click()
        expect(page.locator("#safety-list li")).to_have_count(4, timeout=SLOW)
        page.get_by_text("What they show, and what not").click()
        assert_looks_right(page)
        page.get_by_role("button", name="More").click()
        assert_looks_right(page)
        page.get_by_role("button", name="Close this panel").click()
    tara.get_by_role("button", name="End session").click()
    assert_looks_right(tara)
    tara.get_by_role("button", name="Go on").click()

    casey.get_by_role("button", name="Leave").click()
    expect(casey.get_by_role("button", name="Return to session")).to_be_visible()
    assert_looks_right(casey)
    casey.goto(visitors.address(State("", "portal:account")))
    expect(casey.get_by_role("link", name="Return to session")).to_be_visible()
    assert_looks_right(casey)
    tara.get_by_role("button", name="Leave").click()
    assert_looks_right(tara)
    assert visitors.said == []
    for page in (casey, tara):
        page.context.close()


def test_a_camera_that_is_kept_back_is_explained(visitors: Visitors, facts: dict[str, Any]) -> None:
    visitors.said.clear()
    casey = visitors.open("casey")
    casey.context.add_init_script(
        "navigator.mediaDevices.getUserMedia = () =>"
        " Promise.reject(new DOMException('no', 'NotAllowedError'))"
    )
    seat = {"appointment": "open", "attendee": "open seat"}
    casey.goto(visitors.address(State("", "portal:room-person", ids=seat)))
    expect(casey.get_by_role("button", name="Try again").first).to_be_visible()
    assert_looks_right(casey)
    assert visitors.said == []
    casey.context.close()


@pytest.mark.parametrize("door", ["portal", "office"])
def test_a_server_that_stumbles_says_so(visitors: Visitors, server: Server, door: str) -> None:
    """A table that is away stands for whatever nobody has thought of."""
    visitors.said.clear()
    page = visitors.open("")
    server.run(RENAME, "accounts_attemptcount", "away")
    try:
        page.goto(visitors.address(State("", f"{door}:log-in")))
        fill("Log in", email="casey@client.example", password="whatever it was")(page)
    finally:
        server.run(RENAME, "away", "accounts_attemptcount")
    expect(page.locator("h1")).to_have_text("The server stumbled")
    assert_looks_right(page)
    assert [text for text in visitors.said if "status of 500" not in text] == []
    page.context.close()


def test_too_many_mails_asked_for_are_refused_in_words(visitors: Visitors) -> None:
    """The last of this server: nobody here is sent another mail within the hour."""
    visitors.said.clear()
    page = visitors.open("")
    for _ in range(limits.MAIL_PER_SOURCE.most + 1):
        page.goto(visitors.address(State("", "portal:forgot-password")))
        fill("Send the link", email="somebody@client.example")(page)
    expect(page.get_by_role("heading", name="Too many tries")).to_be_visible()
    assert_looks_right(page)
    assert visitors.said == []
    page.context.close()


def test_the_first_visit_is_light(chromium: Browser, server: Server) -> None:
    received: dict[str, float] = {}
    hosts, said = set(), []
    context = chromium.new_context()
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.on(
        "Network.loadingFinished",
        lambda event: received.update({event["requestId"]: event["encodedDataLength"]}),
    )
    page.goto(f"{server.origin}/portal/maple/log-in/", wait_until="networkidle")
    context.close()
    assert 10_000 < sum(received.values()) <= 60 * 1024
    assert hosts == {urlsplit(server.origin).netloc}
    assert said == []
