"""A window of a person, whichever browser it belongs to: Chromium here, Firefox in firefox.py."""

from __future__ import annotations

from typing import Any, Protocol

from playwright.sync_api import Browser

from tests.support.browsers import signed_in, wait_for

# What the page may not do is said in the console, and so heard as a complaint.
SAY_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => {
  console.error("CSP:", event.violatedDirective, event.blockedURI);
});
"""
# What browsers themselves say of a server that was killed on purpose.
EXPECTED = (
    "WebSocket connection to",
    "establish a connection to the server at ws",
    "The connection to ws",
)


class Window(Protocol):
    """`complaints` are errors of the page's scripts, in the console, and of its policy."""

    complaints: list[str]

    def goto(self, address: str) -> None: ...
    def reload(self) -> None: ...
    def evaluate(self, script: str) -> Any: ...
    def press(self, name: str, role: str = "button", *, seconds: float = 20) -> None: ...
    def key(self, key: str) -> None: ...
    def has(self, name: str, role: str = "button") -> bool: ...
    def text(self) -> str: ...
    def close(self) -> None: ...


class ChromiumWindow:
    def __init__(self, browser: Browser, cookie: dict[str, Any], *scripts: str) -> None:
        self.context = signed_in(browser, cookie)
        for script in (SAY_VIOLATIONS, *scripts):
            self.context.add_init_script(script)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)

    def _hear(self, message: Any) -> None:
        if message.type == "error" and not any(words in message.text for words in EXPECTED):
            self.complaints.append(message.text)

    def goto(self, address: str) -> None:
        self.page.goto(address)

    def reload(self) -> None:
        self.page.reload()

    def evaluate(self, script: str) -> Any:
        return self.page.evaluate(script)

    def _one(self, name: str, role: str) -> Any:
        return self.page.get_by_role(role, name=name, exact=True).first  # type: ignore[arg-type]

    def press(self, name: str, role: str = "button", *, seconds: float = 20) -> None:
        self._one(name, role).click(timeout=seconds * 1000)

    def key(self, key: str) -> None:
        self.page.keyboard.press(key)

    def has(self, name: str, role: str = "button") -> bool:
        return bool(self._one(name, role).is_visible())

    def text(self) -> str:
        return self.page.locator("body").inner_text()

    def close(self) -> None:
        self.context.close()


def expect_text(window: Window, words: str, *, seconds: float = 20) -> None:
    """The page comes to say so. Raises AssertionError with what it says instead."""
    try:
        wait_for(lambda: words in window.text(), seconds=seconds)
    except AssertionError:
        raise AssertionError(f"“{words}” is not in: {window.text()}") from None


WAITS = "document.querySelector('#told[data-told]')?.checkVisibility() ?? false"


def expect_waits(window: Window) -> None:
    """The window's person is in the waiting room, by the server's word."""
    wait_for(lambda: window.evaluate(WAITS), seconds=20, saying="Nobody waits here.")


def expect_no_text(window: Window, words: str, *, seconds: float = 20) -> None:
    """The page comes to say so no more."""
    wait_for(lambda: words not in window.text(), seconds=seconds, saying=f"“{words}” stays.")
