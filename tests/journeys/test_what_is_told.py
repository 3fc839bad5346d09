"""What a whole call leaves in the logs, however loud they are: nothing of it. And what a browser is
told before it is admitted: nothing of the other side."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from tests.support.browsers import SLOW_CAMERA, assert_sees_and_hears, figures, launch, signed_in
from tests.support.rooms import Booked, book, expect_waits
from tests.support.server import ROOT, Server, prepared
from tests.video.test_sockets import on

pytestmark = [pytest.mark.one_database, pytest.mark.slow]

# Everything that logs at all, says all that it can.
LOUD = """
import logging
import uvicorn

real = uvicorn.Config.__init__

def loud(self, *args, **how):
    real(self, *args, **{**how, "access_log": True})
    logging.getLogger().setLevel(logging.DEBUG)
    logging.getLogger("roost").setLevel(logging.DEBUG)
    logging.getLogger("roost.test").debug("Loud.")

uvicorn.Config.__init__ = loud
"""
CLIENTS = [
    ("Zebedee", "Quillfeather", "zebedee@client.example"),
    ("Ottoline", "Brackenbury", "ottoline@client.example"),
]
WAITS = "ottolines-page-load-0001"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database: dict[str, str]) -> Iterator[Server]:
    loud: Path = tmp_path_factory.mktemp("loud")
    (loud / "sitecustomize.py").write_text(LOUD)
    running = prepared(
        tmp_path_factory.mktemp("roost"),
        PYTHONPATH=f"{loud}:{ROOT}",
        ROOST_TURN_URL="turn:127.0.0.1:9",
        ROOST_TURN_SECRET="a relay's secret of some length",
        **database,
    )
    yield running.start()
    running.stop()


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright, SLOW_CAMERA)
    yield browser
    browser.close()


class Heard:
    """All that goes over a page's sockets, both ways."""

    def __init__(self, page: Page) -> None:
        self.got: list[str] = []
        self.sent: list[str] = []
        page.on("websocket", self._listen)

    def _listen(self, socket: Any) -> None:
        socket.on("framereceived", lambda frame: self.got.append(str(frame)))
        socket.on("framesent", lambda frame: self.sent.append(str(frame)))

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(frame) for frame in self.got]


def secrets_of(contexts: list[BrowserContext], heard: list[Heard], booked: Booked) -> set[str]:
    """Whatever of a call must stand in no log, as it really was."""
    said = [json.loads(frame) for each in heard for frame in (*each.sent, *each.got)]
    cids = {message["cid"] for message in said if "cid" in message}
    offers = [message["offer"]["sdp"] for message in said if message.get("offer")]
    descriptions = [m["description"]["sdp"] for m in said if m.get("description")]
    lines = {
        line.partition(":")[2]
        for sdp in (*offers, *descriptions)
        for line in sdp.splitlines()
        if line.startswith(("a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=candidate:"))
    }
    candidates = {m["candidate"]["candidate"] for m in said if m.get("candidate")} - {""}
    every = {line for line in lines if " typ " in line} | candidates
    addresses = {line.split()[4] for line in every} - {"127.0.0.1", "::1"}
    relays = {server["credential"] for m in said for server in m.get("ice", [])}
    cookies = {cookie["value"] for each in contexts for cookie in each.cookies()}
    names = {word for client in CLIENTS for word in (*client[:2], client[2])} | {"Okafor", "Zeb Q"}
    # They are there to be found.
    assert len(cids) >= 3 and offers and descriptions and every and relays
    assert {booked.therapist_key, booked.people[0]["key"]} <= cookies
    return cids | lines | candidates | addresses | relays | cookies | names | {"v=0", " typ "}


def test_a_whole_call_is_in_no_log_and_before_admission_nothing_is_told(
    server: Server, chromium: Browser
) -> None:
    booked = book(server, clients=CLIENTS)
    contexts = [
        signed_in(chromium, booked.cookie("office")),
        signed_in(chromium, booked.cookie("portal")),
    ]
    tara, zeb = (context.new_page() for context in contexts)
    heard = [Heard(tara), Heard(zeb)]

    tara.goto(f"{booked.office}/today/")
    zeb.goto(f"{booked.portal}/my-account/")
    zeb.goto(booked.portal_room())
    zeb.get_by_label("Your name in the session").fill("Zeb Q")
    zeb.get_by_role("button", name="Go to the waiting room").click()
    expect_waits(zeb)
    tara.goto(booked.office_room)
    tara.get_by_role("button", name="Go into the room").click()
    expect(tara.get_by_role("button", name="Admit Zebedee Quillfeather")).to_be_visible()
    zeb.wait_for_timeout(11_000)  # a ping, and what it brings
    told = heard[1].messages
    assert {message["type"] for message in told} <= {"state", "time", "pong"}
    states = [message for message in told if message["type"] == "state"]
    assert (states[-1]["state"], states[-1]["told"]) == ("waiting", True)
    for state in states:
        assert state.keys() - {"told"} == {
            "type", "state", "room", "people", "ice", "policy", "time",
        }  # fmt: skip
        assert (state["people"], state["ice"]) == ([], [])
    assert figures(zeb)["sent"] == 0
    # Nor does this browser tell anything of its own before the door opens: no offer, no candidate.
    assert {json.loads(frame)["type"] for frame in heard[1].sent} == {"hello", "ready", "ping"}

    tara.get_by_role("button", name="Admit Zebedee Quillfeather").click()
    assert_sees_and_hears(zeb)
    with on(booked, "portal", number=1) as ottoline:
        ottoline.say(type="hello", cid=WAITS)
        ottoline.say(type="ready", name="Ottoline")
        ottoline.hear("state", state="waiting")
        expect(tara.get_by_role("button", name="Decline Ottoline Brackenbury")).to_be_visible()
        zeb.get_by_role("button", name="Mute").last.click()
        zeb.reload()
        assert_sees_and_hears(zeb)
        ottoline.say(type="ping")
        ottoline.hear("pong")
        # A call goes on beside the waiting room, and none of it comes in.
        spoken = {json.loads(frame)["cid"] for frame in heard[1].sent if '"hello"' in frame}
        assert len(spoken) == 2
        for secret in (*spoken, "Zeb", "Tara", "turn:", "sdp"):
            assert secret not in str(ottoline.heard)
    server.restart()
    expect(zeb.get_by_text("Your line dropped")).not_to_be_visible(timeout=20_000)
    assert_sees_and_hears(zeb)
    zeb.get_by_role("button", name="Leave").click()
    expect(zeb.get_by_role("heading", name="Your next session")).to_be_visible()
    tara.get_by_role("button", name="End session").click()
    tara.get_by_role("button", name="End it now").click()
    tara.get_by_role("button", name="Attended Zebedee Quillfeather").click()
    expect(tara.get_by_text("Zebedee Quillfeather: attended.")).to_be_visible()
    zeb.goto(booked.portal_room().replace(booked.people[0]["attendee"], booked.appointment))
    expect(zeb.get_by_role("heading", level=1)).to_be_visible()

    secrets = secrets_of(contexts, heard, booked)
    for context in contexts:
        context.close()
    logs = [path for path in server.data_dir.rglob("*.log*") if path.is_file()]
    assert server.log in logs
    text = "\n".join(path.read_text(errors="replace") for path in logs)
    # It is as loud as it can be.
    assert "DEBUG roost.test Loud." in text
    assert re.search(r'"GET /portal/…', text), (
        "The access log names pages, shortened to their door."
    )
    found = {secret for secret in secrets if secret in text}
    assert found == set()
