"""A browser in the words of whoever looks for their own among several: "Chrome on Windows"."""

# The first mark found names it: most browsers also call themselves Chrome, and those Safari.
BROWSERS = [
    (("EdgA/", "EdgiOS/", "Edg/"), "Edge"),
    (("OPR/", "OPT/", "OPiOS/"), "Opera"),
    (("SamsungBrowser/",), "Samsung Internet"),
    (("Vivaldi/",), "Vivaldi"),
    (("DuckDuckGo/", "Ddg/"), "DuckDuckGo"),
    (("Firefox/", "FxiOS/"), "Firefox"),
    (("CriOS/", "Chrome/", "Chromium/", "HeadlessChrome/"), "Chrome"),
    (("Safari/",), "Safari"),
]
SYSTEMS = [
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("CrOS", "a Chromebook"),
    ("Windows", "Windows"),
    ("Macintosh", "a Mac"),
    ("Linux", "Linux"),
]


def say_browser(user_agent: str) -> str:
    """Browser and system of a User-Agent header: "Chrome on Windows", "Safari on an iPhone".

    Only Roost's own words come out, whatever the header holds.
    """
    browser = next(
        (name for marks, name in BROWSERS if any(mark in user_agent for mark in marks)), ""
    )
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    if not browser and not system:
        return "A browser we do not know"
    return f"{browser or 'A browser'} on {system}" if system else browser
