"""A state of a page, and what is done on a page to bring it there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urljoin

from playwright.sync_api import Page


@dataclass(frozen=True)
class State:
    """One picture: a page, whose it is, and what was done there.

    `route` is the page's name in the URLconf ("office:client"), or a path. `ids` are its arguments,
    by what they are called in the seed; `link` names a mailed link. `status` is what the page
    itself was answered with, before `then`, which may lead `to` another route. `heading` is what
    the page then says, where that tells it from the one it was.
    """

    name: str
    route: str
    who: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    link: str = ""
    query: str = ""
    practice: str = "maple"
    status: int = 200
    then: Callable[[Page], None] | None = None
    to: str = ""
    heading: str = ""


# Whose record a page is about, by what they are called in the seed.
ROBIN = {"client": "robin"}
CASEY = {"client": "casey"}
LONGEST = {"client": "maria"}


def press(label: str) -> Callable[[Page], None]:
    """Press a button and wait for what follows."""

    def act(page: Page) -> None:
        page.get_by_role("button", name=label, exact=True).first.click()
        page.wait_for_load_state()

    return act


def fill(button: str, **values: str) -> Callable[[Page], None]:
    """Fill fields by their names, then press a button."""

    def act(page: Page) -> None:
        page.locator("form").evaluate_all("all => all.forEach(each => each.noValidate = true)")
        for name, value in values.items():
            page.locator(f"[name={name}]").first.fill(value)
        press(button)(page)

    return act


def meanwhile(
    elsewhere: Callable[[Page], None], here: Callable[[Page], None], at: str = ""
) -> Callable[[Page], None]:
    """Do something in a second tab, on the same page or `at` one beside it, and then go on in the
    first, which does not know of it."""

    def act(page: Page) -> None:
        tab = page.context.new_page()
        tab.goto(urljoin(page.url, at or page.url))
        elsewhere(tab)
        tab.close()
        here(page)

    return act


def generate_and_save(page: Page) -> None:
    press("Generate")(page)
    press("Save")(page)


def find_ma(page: Page) -> None:
    """Search for some of many, with the button."""
    page.locator("[name=q]").fill("ma")
    press("Find")(page)


def tick(*names: str) -> Callable[[Page], None]:
    """Tick prospects by their names."""

    def act(page: Page) -> None:
        for name in names:
            page.get_by_label(f"Choose {name}", exact=True).first.check()

    return act


def tick_and_press(label: str, *names: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        tick(*names)(page)
        press(label)(page)

    return act


def dismiss(page: Page) -> None:
    tick_and_press("Dismiss", "Gus Away")(page)
    press("Dismiss")(page)


def associate(page: Page) -> None:
    """Associate without a word on the second question."""
    page.get_by_label("Partner").check()
    press("Associate")(page)


def want_relay_only(page: Page) -> None:
    page.get_by_label("Yes").check()
    press("Save")(page)


def open_menu(page: Page) -> None:
    page.locator(".who").click()


def without_cookies(page: Page) -> None:
    """Log in from a page whose cookie is gone."""
    page.context.clear_cookies()
    fill("Log in", email="casey@client.example", password="whatever it was")(page)


def too_large(page: Page) -> None:
    """Log in with more than Roost reads of any form."""
    page.locator("form [type=hidden]").last.evaluate("each => each.value = 'x'.repeat(300000)")
    fill("Log in", email="casey@client.example", password="whatever it was")(page)


def come_and_leave(page: Page) -> None:
    """Go into the waiting room of a session, and leave it."""
    page.get_by_role("button", name="Go to the waiting room").click()
    page.get_by_role("button", name="Leave the waiting room").click()
    page.get_by_role("heading", name="Your next session").wait_for()


def rehearse(
    *broken: str, error: str = "NotAllowedError", heard: str = "Yes"
) -> Callable[[Page], None]:
    """Test camera and sound, where getUserMedia fails for `broken` kinds."""

    def act(page: Page) -> None:
        page.evaluate(
            """([kinds, name]) => {
              const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
              navigator.mediaDevices.getUserMedia = (wanted) => kinds.some((kind) => wanted[kind])
                ? Promise.reject(new DOMException("no", name)) : real(wanted);
            }""",
            [list(broken), error],
        )
        page.get_by_role("button", name="Start the test").click()
        page.locator("#way:has-text('Your browser can send')").wait_for(timeout=40_000)
        page.get_by_role("button", name="Play").click()
        page.get_by_role("button", name=heard, exact=True).click()
        title = "Not everything works yet" if broken or heard == "No" else "Camera and sound work"
        page.locator(f"#result:has-text('{title}')").wait_for(timeout=40_000)
        page.locator("#kept:not(:empty)").wait_for(timeout=40_000)

    return act
