"""What the first visit to the log-in page transfers, in a real browser with an empty cache."""

import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

from tests.support.browsers import launch
from tests.support.server import Server

SEED = """
import django; django.setup()
from tests.support.cast import make_cast
make_cast("maple", "Maple Counselling", "America/Toronto")
"""


def first_visit(origin: str) -> tuple[int, set[str], int, list[str]]:
    """Bytes received, hosts asked, requests made and console messages of one first visit."""
    received, hosts, said = {}, set(), []
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        devtools = page.context.new_cdp_session(page)
        devtools.send("Network.enable")
        devtools.on(
            "Network.loadingFinished",
            lambda event: received.update({event["requestId"]: event["encodedDataLength"]}),
        )
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        page.goto(f"{origin}/portal/maple/log-in/", wait_until="networkidle")
        browser.close()
    return int(sum(received.values())), hosts, len(received), said


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="roost-bench-") as folder:
        server = Server(Path(folder)).start()
        try:
            subprocess.run(
                [sys.executable, "-c", SEED],
                env=server.environment | {"DJANGO_SETTINGS_MODULE": "roost.config.settings"},
                check=True,
            )
            size, hosts, requests, said = first_visit(server.origin)
        finally:
            server.stop()
    print("\nFirst visit to the log-in page")
    print(
        f"  {size / 1024:.1f} KB in {requests} requests from {len(hosts)} host, "
        f"{len(said)} console messages (goal: at most 60 KB, one host, none)"
    )


if __name__ == "__main__":
    main()
