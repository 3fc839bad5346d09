"""What a browser calls itself becomes what its owner calls it."""

import pytest

from roost.accounts.browsers import say_browser

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
AGENTS = {
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/140.0.0.0 Safari/537.36":
        "Chrome on Windows",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/140.0.0.0 Safari/537.36 "
    "Edg/140.0.0.0": "Edge on Windows",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Safari/605.1.15": "Safari on a Mac",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1": "Safari on an iPhone",
    "Mozilla/5.0 (iPad; CPU OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "CriOS/140.0 Mobile/15E148 Safari/604.1": "Chrome on an iPad",
    f"Mozilla/5.0 (Linux; Android 15; SM-S928B) {WEBKIT} SamsungBrowser/27.0 Chrome/125.0.0.0 "
    "Mobile Safari/537.36": "Samsung Internet on Android",
    "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0": "Firefox on Android",
    f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/140.0.0.0 Safari/537.36":
        "Chrome on a Chromebook",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox on Linux",
    f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/140.0.0.0 Safari/537.36 OPR/120.0":
        "Opera on Linux",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64)": "A browser on Windows",
    "": "A browser we do not know",
    "curl/8.9": "A browser we do not know",
    "<script>alert(1)</script> Chrome/1 Windows": "Chrome on Windows",
}  # fmt: skip


@pytest.mark.parametrize(("agent", "words"), AGENTS.items(), ids=AGENTS.values())
def test_a_browser_is_said_as_its_owner_would(agent: str, words: str) -> None:
    assert say_browser(agent) == words


def test_a_long_header_is_cut_where_the_browser_still_shows() -> None:
    """Of a header 200 characters are kept: the longest of the list are told apart by them."""
    assert max(map(len, AGENTS)) < 200
