"""What the device check says: the modules without page or device, driven in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright, Route

from tests.support.browsers import launch

pytestmark = [pytest.mark.journey, pytest.mark.looks]

SCRIPTS = Path("roost/video/static/video")
PLACE = "https://portal.example"

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 "
ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
AGENTS = {
    "chrome windows": WINDOWS + "Chrome/140.0.0.0 Safari/537.36",
    "edge windows": WINDOWS + "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
    "firefox windows": "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0",
    "firefox desktop": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "safari mac": MAC + "Version/18.1 Safari/605.1.15",
    "chrome mac": MAC.replace("605.1.15", "537.36") + "Chrome/140.0.0.0 Safari/537.36",
    "safari iphone": IPHONE + "Version/18.1 Mobile/15E148 Safari/604.1",
    "chrome iphone": IPHONE + "CriOS/140.0 Mobile/15E148 Safari/604.1",
    "firefox iphone": IPHONE + "FxiOS/140.0 Mobile/15E148 Safari/605.1.15",
    "edge iphone": IPHONE + "Version/18.0 EdgiOS/140.0 Mobile/15E148 Safari/604.1",
    "inside iphone": IPHONE + "Mobile/15E148 Instagram 300.0",
    "chrome android": ANDROID + "Chrome/140.0.0.0 Mobile Safari/537.36",
    "edge android": ANDROID + "Chrome/140.0.0.0 Mobile Safari/537.36 EdgA/140.0",
    "samsung android": ANDROID + "SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36",
    "firefox android": "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0",
    "inside android": ANDROID.replace("8)", "8; wv)") + "Version/4.0 Chrome/140.0 Safari/537.36",
}


@pytest.fixture(scope="module")
def page(playwright: Playwright) -> Iterator[Page]:
    def answer(route: Route) -> None:
        name = route.request.url.rsplit("/", 1)[-1]
        if name:
            text = (SCRIPTS / name).read_text()
            route.fulfill(body=text, content_type="text/javascript; charset=utf-8")
        else:
            route.fulfill(body="<!doctype html><title>Words</title>", content_type="text/html")

    browser = launch(playwright)
    page = browser.new_page()
    page.route("http://words.example/**", answer)
    page.goto("http://words.example/")
    yield page
    browser.close()


def call(page: Page, module: str, name: str, *arguments: Any) -> Any:
    return page.evaluate(
        "async ([module, name, args]) => (await import(`/${module}.js`))[name](...args)",
        [module, name, list(arguments)],
    )


def notices(page: Page, troubles: dict[str, str], agent: str = "chrome windows") -> Any:
    browser = call(page, "troubles", "browserOf", {"userAgent": AGENTS[agent]})
    return call(page, "troubles", "noticesFor", troubles, {"browser": browser, "place": PLACE})


@pytest.mark.parametrize(
    ("name", "message", "cause"),
    [
        ("NotAllowedError", "Permission denied", "denied"),
        ("NotAllowedError", "Permission dismissed", "dismissed"),
        ("NotAllowedError", "Permission denied by system", "system"),
        ("SecurityError", "", "denied"),
        ("NotFoundError", "Requested device not found", "missing"),
        ("OverconstrainedError", "", "missing"),
        ("NotReadableError", "Could not start video source", "in-use"),
        ("AbortError", "", "in-use"),
        ("TypeError", "", "unknown"),
    ],
)
def test_each_error_has_its_cause(page: Page, name: str, message: str, cause: str) -> None:
    assert call(page, "devices", "causeOf", {"name": name, "message": message}) == cause


@pytest.mark.parametrize("agent", AGENTS)
def test_each_browser_is_known(page: Page, agent: str) -> None:
    found = call(page, "troubles", "browserOf", {"userAgent": AGENTS[agent]})
    assert f"{found['name']} {found['on']}" == agent


def test_an_ipad_that_says_it_is_a_mac_is_an_ipad(page: Page) -> None:
    agent = {"userAgent": AGENTS["safari mac"], "maxTouchPoints": 5}
    assert call(page, "troubles", "browserOf", agent) == {"name": "safari", "on": "ipad"}


@pytest.mark.parametrize(
    ("agent", "press"),
    [
        ("chrome windows", "Press the sign at the left of the address, and switch Camera on."),
        ("edge windows", "then Permissions for this site, and set Camera to Allow."),
        ("firefox windows", "If a crossed-out sign stands at the left of the address, press it"),
        ("safari mac", "In the menu Safari, choose Settings for This Website"),
        ("safari iphone", "then Website Settings"),
        ("chrome iphone", "Open the Settings of the iPhone, find Chrome under Apps"),
        ("edge iphone", "find Edge under Apps"),
        ("firefox iphone", "find Firefox under Apps"),
        ("chrome android", "then Permissions, and allow Camera."),
        ("samsung android", "then Permissions, and allow Camera."),
        ("firefox android", "Press the lock at the left of the address"),
        ("inside iphone", "opened inside another app"),
        ("inside android", "opened inside another app"),
    ],
)
def test_what_to_press_is_said_for_this_browser(page: Page, agent: str, press: str) -> None:
    [notice] = notices(page, {"camera": "denied"}, agent)
    assert notice["title"] == "The browser blocks your camera"
    assert press in notice["text"]
    assert "Then press Try again." in notice["text"]
    assert notice["again"] is True


@pytest.mark.parametrize(
    ("agent", "press"),
    [
        ("chrome mac", "In System Settings, open Privacy & Security, then Microphone"),
        ("chrome windows", "In Windows’ Settings, open Privacy & security, then Microphone"),
        ("chrome android", "In the settings of the phone, find Chrome, and allow Microphone."),
    ],
)
def test_a_device_that_blocks_every_browser_is_another_thing(
    page: Page, agent: str, press: str
) -> None:
    [notice] = notices(page, {"microphone": "system"}, agent)
    assert notice["title"] == "Your device blocks the microphone"
    assert press in notice["text"]


@pytest.mark.parametrize(
    "cause", ["denied", "dismissed", "system", "missing", "in-use", "insecure", "unknown"]
)
def test_the_same_cause_is_said_once_and_two_are_said_apart(page: Page, cause: str) -> None:
    [both] = notices(page, {"camera": cause, "microphone": cause})
    assert both["parts"] == ["camera", "microphone"]
    assert "camera and microphone" in both["title"]
    assert "You can join and just listen all the same." in both["text"]
    other = "missing" if cause != "missing" else "in-use"
    camera, microphone = notices(page, {"camera": cause, "microphone": other})
    assert (camera["parts"], microphone["parts"]) == (["camera"], ["microphone"])
    assert "You can join with audio only all the same." in camera["text"]
    assert "and microphone" not in camera["title"] + microphone["title"]


def test_the_causes_read_differently(page: Page) -> None:
    causes = ["denied", "dismissed", "system", "missing", "in-use", "insecure", "unknown", "silent"]
    said = {notices(page, {"microphone": cause})[0]["title"] for cause in causes}
    assert len(said) == len(causes)
    [insecure] = notices(page, {"microphone": "insecure"})
    assert f"Open it at {PLACE}." in insecure["text"]
    assert insecure["again"] is False


def test_a_loudspeaker_that_is_not_there_is_no_volume_that_is_down(page: Page) -> None:
    [missing], [unheard] = (notices(page, {"speaker": each}) for each in ("missing", "unheard"))
    assert missing["title"] == "We can’t find a loudspeaker"
    assert missing["again"] is False
    assert "Turn the volume up" in unheard["text"]


def test_nothing_wrong_says_nothing(page: Page) -> None:
    assert notices(page, {}) == []
    assert call(page, "troubles", "noticesFor", {"camera": None, "microphone": None}, {}) == []


WORKS = {"camera": "works", "microphone": "works", "connection": "works", "speaker": "works"}


@pytest.mark.parametrize(
    ("found", "way", "state", "title", "text"),
    [
        ({}, "relay", "works", "Everything works", "You are ready."),
        ({}, "direct", "works", "Camera and sound work", "You are ready."),
        ({"speaker": ""}, "relay", "almost", "One thing is left", "Press Play"),
        ({"connection": ""}, "", "pending", "Trying it out", "a few seconds"),
        ({"microphone": ""}, "relay", "pending", "Trying it out", "Say a few words"),
        (
            {"camera": "denied", "microphone": ""}, "", "trouble", "Not everything works yet",
            "There is trouble with the camera.",
        ),
        (
            {"camera": "denied", "microphone": "silent", "connection": "blocked"}, "", "trouble",
            "Not everything works yet", "the camera, the microphone and the connection.",
        ),
    ],
)  # fmt: skip
def test_the_result_in_words(
    page: Page, found: dict[str, str], way: str, state: str, title: str, text: str
) -> None:
    facts = {"way": way, "ready": "You are ready."}
    result = call(page, "result", "resultOf", {**WORKS, **found}, facts)
    assert (result["state"], result["title"]) == (state, title)
    assert text in result["text"]


def test_what_the_way_shows_and_what_not(page: Page) -> None:
    assert "relay and came back" in call(page, "result", "wayWords", "relay", "works")
    assert "The rest shows when the session starts." in call(
        page, "result", "wayWords", "direct", "works"
    )
    assert "did not come back" in call(page, "result", "wayWords", "", "blocked")
    assert call(page, "result", "wayWords", "", "unknown") == "Not tried."
