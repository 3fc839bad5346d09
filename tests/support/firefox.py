"""Debian's Firefox, driven over WebDriver BiDi: a websocket that speaks JSON.

Firefox serves it by itself, so nothing stands between; docs/adr/0024 says why this is no library.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from websockets.sync.client import ClientConnection, connect

from tests.support.browsers import WATCH_PEERS, wait_for
from tests.support.windows import EXPECTED, SAY_VIOLATIONS

# A camera and a microphone that need no asking, calls on one machine, and nobody to call home to.
PREFERENCES: dict[str, bool | int | str] = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.autoplay.default": 0,
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.backup.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,#nobody",
    "toolkit.telemetry.enabled": False,
}
# Its first start makes a profile.
STARTS_WITHIN = 60
ANSWERS_WITHIN = 45
KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Space": " ", "Tab": "\ue004"}

ROLES = {
    "button": "button",
    "checkbox": "input[type=checkbox]",
    "combobox": "select",
    "heading": "h1, h2, h3",
    "link": "a[href]",
    "textbox": "input:not([type=checkbox])",
}
# Firefox can find by its own accessibility tree (locateNodes), and at times never comes back from
# it while a page is being loaded.
FIND = """(selector, name) => {
  const nameOf = (node) => node.ariaLabel ?? node.labels?.[0]?.innerText ?? node.innerText;
  const isMeant = (node) => nameOf(node).replace(/\\s+/g, " ").trim() === name;
  const isSeen = (node) => node.checkVisibility({ visibilityProperty: true });
  return [...document.querySelectorAll(selector)].find((node) => isSeen(node) && isMeant(node)) ?? null;
}"""  # noqa: E501 -- a line of JavaScript
# Brings it into view; whether it then stands still, and nothing lies over it: a person would not
# press what is on its way somewhere else.
CAN_BE_PRESSED = """async (node) => {
  node.scrollIntoView({ block: "center", behavior: "instant" });
  const frame = () => new Promise((done) => { requestAnimationFrame(done); });
  const place = () => { const { x, y, width, height } = node.getBoundingClientRect(); return [x, y, width, height]; };
  const before = place();
  await frame();
  await frame();
  const [x, y, width, height] = place();
  const above = document.elementFromPoint(x + width / 2, y + height / 2);
  const isFree = [node, ...(node.labels ?? [])].some((each) => each.contains(above));
  return !node.disabled && isFree && String([x, y, width, height]) === String(before);
}"""  # noqa: E501 -- a line of JavaScript
# A press that would land on something else is kept from it, and made again.
WATCH_PRESS = """(node) => {
  const watching = new AbortController(), how = { capture: true, signal: watching.signal };
  window.__press = { watching, landed: true };
  const watch = (event) => {
    window.__press.landed &&= [node, ...(node.labels ?? [])].some((each) => each.contains(event.target));
    if (window.__press.landed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  for (const name of ["pointerdown", "pointerup", "click"]) window.addEventListener(name, watch, how);
}"""  # noqa: E501 -- a line of JavaScript
# Another page knows nothing of it: the press has led there.
HAS_LANDED = """() => {
  window.__press?.watching.abort();
  return window.__press?.landed ?? true;
}"""


class BidiError(Exception):
    """Firefox refused a command, with its own words, or did not answer."""


class Firefox:
    """A running Firefox. `window` opens a window that shares nothing with the others."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._last = 0
        self._windows: dict[str, FirefoxWindow] = {}
        self.do("session.new", capabilities={})
        self.do("session.subscribe", events=["log.entryAdded"])

    def do(self, method: str, **params: Any) -> dict[str, Any]:
        """One command, and its result. Raises BidiError, also where no answer comes."""
        self._last += 1
        self._connection.send(json.dumps({"id": self._last, "method": method, "params": params}))
        while True:
            try:
                answer = json.loads(self._connection.recv(timeout=ANSWERS_WITHIN))
            except TimeoutError:
                raise BidiError(f"{method}: no answer: {params}") from None
            if answer["type"] == "event":
                self._hear(answer["params"])
            elif answer["id"] == self._last:
                if answer["type"] == "error":
                    raise BidiError(f"{method}: {answer['error']}: {answer['message']}")
                return dict(answer["result"])

    def _hear(self, entry: dict[str, Any]) -> None:
        window = self._windows.get(entry["source"].get("context", ""))
        text = entry.get("text") or ""
        if window and entry["level"] == "error" and not any(words in text for words in EXPECTED):
            window.complaints.append(text)

    def window(self, cookie: dict[str, Any], *scripts: str) -> FirefoxWindow:
        """A window of somebody signed in; `scripts` run in each of its pages before the page's."""
        user = self.do("browser.createUserContext")["userContext"]
        context = self.do("browsingContext.create", type="window", userContext=user)["context"]
        window = FirefoxWindow(self, context, user)
        self._windows[context] = window
        for script in (WATCH_PEERS, SAY_VIOLATIONS, *scripts):
            self.do(
                "script.addPreloadScript",
                functionDeclaration=f"() => {{ {script} }}",
                contexts=[context],
            )
        self.do(
            "storage.setCookie",
            partition={"type": "storageKey", "userContext": user},
            cookie={
                "name": cookie["name"],
                "value": {"type": "string", "value": cookie["value"]},
                "domain": urlsplit(cookie["url"]).hostname,
                "path": "/",
            },
        )
        return window


class FirefoxWindow:
    """What a person does in a Firefox window; tests.support.windows.Window says what that is."""

    def __init__(self, firefox: Firefox, context: str, user: str) -> None:
        self.firefox = firefox
        self.context = context
        self.user = user
        self.complaints: list[str] = []

    def _do(self, method: str, **params: Any) -> dict[str, Any]:
        return self.firefox.do(method, context=self.context, **params)

    def goto(self, address: str) -> None:
        self._do("browsingContext.navigate", url=address, wait="complete")

    def reload(self) -> None:
        self._do("browsingContext.reload", wait="complete")

    def evaluate(self, script: str) -> Any:
        """What an expression, or a function without arguments, comes to."""
        asked = f"""(async () => {{
          const asked = ({script});
          return JSON.stringify(await (typeof asked === "function" ? asked() : asked) ?? null);
        }})()"""
        target = {"context": self.context}
        answer = self.firefox.do(
            "script.evaluate", expression=asked, target=target, awaitPromise=True
        )
        if answer["type"] == "exception":
            raise BidiError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def find(self, name: str, role: str) -> dict[str, Any] | None:
        """The first thing in view with this role and name."""
        found = self._call(
            FIND, {"type": "string", "value": ROLES[role]}, {"type": "string", "value": name}
        )
        return {"sharedId": found["sharedId"]} if found["type"] == "node" else None

    def press(self, name: str, role: str = "button", *, seconds: float = 20) -> None:
        """Press with a pointer what has this name, once it is there and can be pressed."""
        wait_for(
            lambda: self._press(name, role), seconds=seconds, saying=f"There is no {role} “{name}”."
        )

    def _press(self, name: str, role: str) -> bool:
        """Whether it was there, and the press landed on it."""
        found = self.find(name, role)
        if not found or not self._call(CAN_BE_PRESSED, found)["value"]:
            return False
        self._call(WATCH_PRESS, found)
        origin = {"type": "element", "element": found}
        self._act(
            "pointer",
            {"type": "pointerMove", "x": 0, "y": 0, "origin": origin},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        )
        try:
            return self.evaluate(HAS_LANDED) is True
        except BidiError:
            return True  # The page is going, since it was pressed.

    def key(self, key: str) -> None:
        """Press one key: a letter, or one of KEYS."""
        self._activate()
        value = KEYS.get(key, key)
        self._act("key", {"type": "keyDown", "value": value}, {"type": "keyUp", "value": value})

    def _activate(self) -> None:
        """Of several windows only one has the keyboard, and it changes hands a little later."""

        def is_active() -> bool:
            self._do("browsingContext.activate")
            return bool(self.evaluate("document.hasFocus()"))

        wait_for(is_active, saying="The window does not come to the front.")

    def _act(self, how: str, *steps: dict[str, Any]) -> None:
        acts = {"type": how, "id": how, "actions": list(steps)}
        self._do("input.performActions", actions=[acts])

    def _call(self, function: str, *arguments: dict[str, Any]) -> dict[str, Any]:
        answer = self.firefox.do(
            "script.callFunction",
            functionDeclaration=function,
            arguments=list(arguments),
            target={"context": self.context},
            awaitPromise=True,
        )
        return dict(answer["result"])

    def has(self, name: str, role: str = "button") -> bool:
        return self.find(name, role) is not None

    def text(self) -> str:
        return str(self.evaluate("document.body.innerText"))

    def close(self) -> None:
        self.firefox.do("browser.removeUserContext", userContext=self.user)


class _Process:
    """Firefox's own process, which ends with the block."""

    def __init__(self, folder: Path, preferences: dict[str, bool | int | str]) -> None:
        profile = folder / "profile"
        profile.mkdir(parents=True)
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in preferences.items()]
        (profile / "user.js").write_text("\n".join(lines))
        self.log = folder / "firefox.log"
        self.answers = profile / "WebDriverBiDiServer.json"
        self.command = ["firefox-esr", "--headless", "--no-remote", "--profile", str(profile)]

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            self.running = subprocess.Popen(
                [*self.command, "--remote-debugging-port", "0", "about:blank"],
                stdout=log,
                stderr=log,
            )
        return self

    def address(self) -> str:
        """Where it listens: on a port that was free. Raises RuntimeError with what it said."""
        end = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < end and self.running.poll() is None:
            try:
                told = json.loads(self.answers.read_text())
                return f"ws://{told['ws_host']}:{told['ws_port']}/session"
            except (FileNotFoundError, json.JSONDecodeError):
                time.sleep(0.05)
        raise RuntimeError(f"Firefox does not start:\n{self.log.read_text()[-2000:]}")

    def __exit__(self, *error: object) -> None:
        self.running.terminate()
        try:
            self.running.wait(10)
        except subprocess.TimeoutExpired:
            self.running.kill()
            self.running.wait(5)


@contextmanager
def firefox(folder: Path, **preferences: bool | int | str) -> Iterator[Firefox]:
    """A Firefox of its own, with a fresh profile in `folder`. Of the name of a preference the dots
    are written as two underscores."""
    more = {name.replace("__", "."): value for name, value in preferences.items()}
    with (
        _Process(folder, PREFERENCES | more) as process,
        connect(process.address(), max_size=None) as connection,
    ):
        yield Firefox(connection)
