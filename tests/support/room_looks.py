"""Every state of a room, walked through by a therapist and her clients in real browsers.

Each scene yields the name of a state and the page that is in it. Whoever takes a picture may change
the size and the colours of the page; before anything else happens it is a desk's again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.support.browsers import WATCH_PEERS, wait_for
from tests.support.rooms import Booked, book, expect_waits
from tests.support.server import Server

DESK: ViewportSize = {"width": 1280, "height": 800}
# Several browsers in one call want the whole machine.
SLOW = 60_000
CASEY = ("Casey", "Nguyen", "casey@client.example")
PEOPLE = [
    CASEY,
    ("Noor", "Haddad", "noor@client.example"),
    ("Robin", "Parker", "robin@client.example"),
    ("Remy", "Parker", "remy@client.example"),
]
YOUNG = [("Robin", "Young", "young@client.example"), ("Remy", "Young", "young@client.example")]

# The empty page before the first has no devices.
FAIL = """if (navigator.mediaDevices) (() => {
  const kinds = %s, real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) => kinds.some((kind) => wanted[kind])
    ? Promise.reject(new DOMException("no", "%s")) : real(wanted);
})();"""
INSECURE = "Object.defineProperty(navigator, 'mediaDevices', { value: undefined });"
SCREEN = """if (navigator.mediaDevices) navigator.mediaDevices.getDisplayMedia = async () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
  const context = canvas.getContext("2d");
  setInterval(() => {
    context.fillStyle = "#f6f2e8"; context.fillRect(0, 0, 1280, 720);
    context.fillStyle = "#1d4d3a"; context.font = "64px serif";
    context.fillText("A worksheet on the screen", 80, 140);
    context.fillRect(80 + (performance.now() / 20) % 900, 300, 160, 160);
  }, 100);
  return canvas.captureStream(10);
};"""
LOSE = """const stats = RTCPeerConnection.prototype.getStats;
window.__loss = 0;
RTCPeerConnection.prototype.getStats = async function (...args) {
  const reports = new Map(await stats.apply(this, args));
  if (!window.__loss) return reports;
  for (const [id, report] of reports) {
    if (report.type === "remote-inbound-rtp") reports.set(id, { ...report, fractionLost: window.__loss });
  }
  return reports;
};"""  # noqa: E501 -- a line of JavaScript

# What the server last carried of somebody's safety words, for `window.__swap()` to bring once more
# with a letter changed, as whoever sat between would.
CARRY = """const Plain = window.WebSocket;
window.WebSocket = class extends Plain {
  constructor(...all) {
    super(...all);
    this.addEventListener("message", ({ data }) => {
      if (!data.includes('"commit"')) return;
      const swapped = data.replace(/("commit": ?")(.)/, (_, start, first) => start + (first === "A" ? "B" : "A"));
      window.__swap = () => this.dispatchEvent(new MessageEvent("message", { data: swapped }));
    });
  }
};"""  # noqa: E501 -- a line of JavaScript
# The browser plays no sound without a press, and has stopped what played.
MUFFLE = """() => {
  const { prototype } = HTMLMediaElement, play = prototype.play;
  window.__unmuffle = () => { prototype.play = play; };
  prototype.play = () => Promise.reject(new DOMException("no", "NotAllowedError"));
  document.querySelectorAll("#stage audio").forEach((each) => each.pause());
}"""
COME_BACK = "document.dispatchEvent(new Event('visibilitychange'))"
# The page's own end of a line says nothing of being closed.
CUT = """window.__peers.forEach((each) => {
  each.close();
  each.dispatchEvent(new Event("connectionstatechange"));
})"""
LATER = "{ const now = Date.now; Date.now = () => now() + 20000; }"
# The session again, in so many minutes or cancelled.
CHANGE = """
import sys
from datetime import timedelta
from roost.core.tenancy import scope
from roost.core.time import now
from roost.practices.models import Practice
from roost.scheduling.models import Appointment, Attendee
from roost.scheduling.services import cancel_appointment
with scope(Practice.objects.get(slug=sys.argv[1]).pk):
    this = Appointment.objects.get(uuid=sys.argv[2])
    if sys.argv[3] == "cancelled":
        cancel_appointment(by=this.therapist, appointment=this)
    else:
        this.starts_at = now() + timedelta(minutes=float(sys.argv[3]))
        this.ends_at = this.starts_at + timedelta(minutes=50)
        this.save(update_fields=["starts_at", "ends_at"])
        Attendee.objects.filter(appointment=this).update(starts_at=this.starts_at)
"""

State = tuple[str, Page]


class Walk:
    """Windows of everybody in one room. `prepare` is told of each new window."""

    def __init__(
        self, browser: Browser, server: Server, prepare: Callable[[BrowserContext], None]
    ) -> None:
        self.browser, self.server, self.prepare = browser, server, prepare

    @contextmanager
    def windows(self, booked: Booked, *scripts: str) -> Iterator[list[Page]]:
        """A window of the therapist and of each client, with `scripts` in each."""
        people = [("office", 0), *(("portal", number) for number in range(len(booked.people)))]
        contexts = []
        try:
            for door, number in people:
                context = self.browser.new_context(
                    viewport=DESK, reduced_motion="reduce", timezone_id="America/Toronto"
                )
                contexts.append(context)
                context.set_default_timeout(SLOW)
                context.add_cookies([booked.cookie(door, number)])  # type: ignore[list-item]
                for script in (WATCH_PEERS, *scripts):
                    context.add_init_script(script)
                self.prepare(context)
            yield [context.new_page() for context in contexts]
        finally:
            for context in contexts:
                context.close()

    def look(self, name: str, page: Page) -> Iterator[State]:
        """One state, and then a desk's page again."""
        yield name, page
        page.set_viewport_size(DESK)
        page.emulate_media(color_scheme=None)


def see(page: Page, others: int = 1) -> None:
    """Wait until so many others' pictures are there."""
    pictures = page.locator("#stage .tile:not(.self) video")
    expect(pictures).to_have_count(others, timeout=SLOW)
    page.wait_for_function(
        "n => [...document.querySelectorAll('#stage .tile:not(.self) video')]"
        ".filter((each) => each.videoWidth).length === n",
        arg=others,
        timeout=2 * SLOW,
    )


def wait(page: Page, booked: Booked, number: int = 0) -> None:
    page.goto(booked.portal_room(number))
    page.get_by_role("button", name="Go to the waiting room").click()
    expect_waits(page)


def go_in(page: Page, booked: Booked) -> None:
    page.goto(booked.office_room)
    page.get_by_role("button", name="Go into the room").click()


def admit(tara: Page) -> None:
    tara.get_by_role("button", name="Admit").first.click()


def meet(tara: Page, casey: Page, booked: Booked) -> None:
    wait(casey, booked)
    go_in(tara, booked)
    admit(tara)
    see(casey)
    see(tara)


def change(booked: Booked, to: object) -> None:
    """Put a session so many minutes from now, or make it "cancelled"."""
    booked.server.run(CHANGE, booked.slug, booked.appointment, str(to))


def check(walk: Walk) -> Iterator[State]:
    """The device check, in all its troubles, and who is joining."""
    booked = book(walk.server)
    with walk.windows(booked) as (tara, casey):
        for page, who, where in (
            (casey, "client", booked.portal_room()),
            (tara, "therapist", booked.office_room),
        ):
            page.goto(where)
            expect(page.get_by_label("Camera", exact=True)).to_contain_text(
                "fake_device", timeout=SLOW
            )
            expect(page.get_by_text("We can hear you")).to_be_visible(timeout=SLOW)
            yield from walk.look(f"check {who}", page)
        casey.locator("#preview [data-do=camera]").click()
        casey.locator("#preview [data-do=mute]").click()
        yield from walk.look("check camera and microphone off", casey)
        casey.get_by_label("Your name in the session").fill("")
        casey.get_by_role("button", name="Go to the waiting room").click()
        yield from walk.look("check no name", casey)
    troubles = {
        "blocked": FAIL % ('["audio", "video"]', "NotAllowedError"),
        "camera missing": FAIL % ('["video"]', "NotFoundError"),
        "microphone in use": FAIL % ('["audio"]', "NotReadableError"),
        "insecure": INSECURE,
    }
    for name, script in troubles.items():
        with walk.windows(booked, script) as (_, casey):
            casey.goto(booked.portal_room())
            expect(casey.locator("#troubles .flash").first).to_be_visible(timeout=SLOW)
            yield from walk.look(f"check {name}", casey)
    with walk.windows(booked) as (_, casey):
        casey.route("**/video/room*.js", lambda route: route.abort())
        casey.goto(booked.portal_room())
        # It comes by itself, after some seconds.
        casey.evaluate("document.getAnimations().forEach((each) => each.finish())")
        expect(casey.locator(".too-old")).to_be_visible(timeout=SLOW)
        yield from walk.look("check too old", casey)
    family = book(walk.server, clients=YOUNG, relationship="parent")
    with walk.windows(family) as (tara, robin, _):
        robin.goto(family.portal_room().rsplit("/", 2)[0] + "/")
        expect(robin.get_by_role("heading", name="Who is joining here?")).to_be_visible(
            timeout=SLOW
        )
        yield from walk.look("choose who joins", robin)
        robin.goto(family.portal_room() + "?together=1")
        expect(robin.get_by_label("Camera", exact=True)).to_contain_text(
            "fake_device", timeout=SLOW
        )
        yield from walk.look("check both of us", robin)


def waiting(walk: Walk) -> Iterator[State]:
    """The waiting room from both sides, and who is not let in."""
    early = book(walk.server, minutes=12)
    with walk.windows(early) as (_, casey):
        wait(casey, early)
        yield from walk.look("waiting early", casey)
    booked = book(walk.server, clients=PEOPLE[:2])
    with walk.windows(booked) as (tara, casey, noor):
        wait(casey, booked)
        yield from walk.look("waiting", casey)
        gear = casey.get_by_role("button", name="Choose camera, microphone and speaker")
        gear.click()
        yield from walk.look("waiting devices", casey)
        gear.click()
        casey.locator("#view-waiting [data-do=camera]").click()
        casey.locator("#view-waiting [data-do=mute]").click()
        yield from walk.look("waiting camera off", casey)
        tara.goto(f"{booked.office}/today/")
        # Whoever was early is expected back for some seconds, and has gone.
        arrivals = tara.get_by_role("heading", name="is in your waiting room")
        expect(arrivals).to_have_count(1, timeout=SLOW)
        yield from walk.look("told at the office", tara)
        go_in(tara, booked)
        expect(tara.get_by_role("button", name="Admit")).to_be_visible(timeout=SLOW)
        yield from walk.look("lobby one", tara)
        wait(noor, booked, 1)
        expect(tara.get_by_role("button", name="Admit all")).to_be_visible(timeout=SLOW)
        yield from walk.look("lobby two", tara)
        tara.get_by_role("button", name="Decline Casey Nguyen").click()
        yield from walk.look("declining", tara)
        tara.get_by_role("button", name="Not now").click()
        expect(casey.get_by_role("button", name="Knock again")).to_be_visible(timeout=SLOW)
        yield from walk.look("declined", casey)
        noor.get_by_role("button", name="Leave the waiting room").click()
        expect(noor.locator("#over-title")).to_be_visible(timeout=SLOW)
        yield from walk.look("left the waiting room", noor)
        expect(tara.locator("#stage-empty")).to_be_visible(timeout=SLOW)
        yield from walk.look("nobody here", tara)


def two(walk: Walk) -> Iterator[State]:
    """A call of two, with all that is pressed and all that goes wrong in it."""
    booked = book(walk.server)
    with walk.windows(booked, SCREEN, LOSE, CARRY) as (tara, casey):
        meet(tara, casey, booked)
        sides = (("therapist", tara), ("client", casey))
        for who, page in sides:
            expect(page.get_by_text("line is good").first).to_be_visible(timeout=SLOW)
            yield from walk.look(f"call {who}", page)
        casey.keyboard.press("m")
        casey.keyboard.press("v")
        expect(tara.get_by_text("Casey’s camera is off")).to_be_visible(timeout=SLOW)
        for who, page in sides:
            yield from walk.look(f"call muted, camera off, {who}", page)
        casey.keyboard.press("m")
        casey.keyboard.press("v")
        for who, page in sides:
            page.get_by_role("button", name="Safety", exact=True).click()
            expect(page.locator("#safety-list li")).to_have_count(4, timeout=SLOW)
            yield from walk.look(f"safety words {who}", page)
            page.get_by_text("What they show, and what not").click()
            yield from walk.look(f"safety words explained {who}", page)
            page.get_by_role("button", name="More").click()
            yield from walk.look(f"more {who}", page)
            page.get_by_role("button", name="Close this panel").click()
        tara.keyboard.press("s")
        expect(casey.locator(".tile-screen")).to_be_visible(timeout=SLOW)
        yield from walk.look("sharing therapist", tara)
        yield from walk.look("sharing client", casey)
        tara.get_by_role("button", name="Stop sharing").first.click()
        casey.keyboard.press("a")
        expect(tara.get_by_text("Casey is on audio only")).to_be_visible(timeout=SLOW)
        yield from walk.look("audio only client", casey)
        yield from walk.look("audio only therapist", tara)
        casey.keyboard.press("a")
        tara.get_by_role("button", name="End session").click()
        yield from walk.look("ending", tara)
        tara.get_by_role("button", name="Go on").click()
        casey.evaluate("window.__loss = 0.2")
        expect(casey.locator(".light-bad")).to_be_visible(timeout=SLOW)
        yield from walk.look("weak line client", casey)
        gone = tara.get_by_text("The line to Casey is too weak for a picture")
        expect(gone).to_be_visible(timeout=SLOW)
        yield from walk.look("weak line therapist", tara)
        casey.evaluate("window.__loss = 0")
        casey.evaluate(MUFFLE)
        casey.evaluate(COME_BACK)
        to_hear = casey.get_by_role("button", name="Press to hear")
        expect(to_hear).to_be_visible(timeout=SLOW)
        yield from walk.look("press to hear", casey)
        casey.evaluate("window.__unmuffle()")
        to_hear.click()
        expect(to_hear).to_be_hidden(timeout=SLOW)
        walk.server.kill()
        try:
            for who, page in sides:
                expect(page.get_by_text("Your line dropped and is being mended")).to_be_visible(
                    timeout=SLOW
                )
                yield from walk.look(f"reconnecting {who}", page)
            casey.evaluate(CUT)
            dropped = tara.get_by_text("The line to Casey dropped")
            expect(dropped).to_be_visible(timeout=SLOW)
            yield from walk.look("connection dropped", tara)
            for who, page in sides:
                page.evaluate(LATER)
                expect(page.locator("#call-fallback")).to_be_visible(timeout=SLOW)
                expect(page.locator("#call-line")).to_be_empty(timeout=SLOW)
                # What helps is said once; and to no therapist, whose own number it is.
                number = page.locator("#view-call a:visible", has_text="416 555 0142")
                expect(number).to_have_count(1 if who == "client" else 0)
                yield from walk.look(f"no line for a while, {who}", page)
        finally:
            walk.server.start()
        casey.reload()
        see(casey)
        see(tara)
        for who, page in sides:
            wait_for(partial(page.evaluate, "Boolean(window.__swap)"))
            page.evaluate("window.__swap()")
            expect(page.locator("#safety-alarm")).to_be_visible(timeout=SLOW)
            expect(page.get_by_text("They are new for every call")).to_be_hidden()
            yield from walk.look(f"safety alarm {who}", page)
        casey.route("**/video/room.*.js", lambda route: route.abort())
        casey.reload()
        expect(casey.get_by_text("Taking you back in")).to_be_visible(timeout=SLOW)
        yield from walk.look("call before it starts", casey)
        casey.evaluate("document.getAnimations().forEach((each) => each.finish())")
        expect(casey.locator(".call-news .too-old").first).to_be_visible(timeout=SLOW)
        yield from walk.look("call that does not start", casey)
        casey.unroute("**/video/room.*.js")
        casey.reload()
        see(casey)
        casey.get_by_role("button", name="Leave").click()
        expect(casey.get_by_role("button", name="Return to session")).to_be_visible(timeout=SLOW)
        yield from walk.look("left", casey)
        casey.reload()
        expect(casey.get_by_role("button", name="Return to session")).to_be_visible(timeout=SLOW)
        yield from walk.look("check on the way back", casey)


def family(walk: Walk) -> Iterator[State]:
    """Three and four in a call, and one more who waits."""
    booked = book(walk.server, clients=PEOPLE)
    with walk.windows(booked, SCREEN) as (tara, casey, noor, robin, remy):
        wait(casey, booked)
        wait(noor, booked, 1)
        go_in(tara, booked)
        tara.get_by_role("button", name="Admit all").click()
        for page in (tara, casey, noor):
            see(page, 2)
        yield from walk.look("three therapist", tara)
        yield from walk.look("three client", noor)
        wait(robin, booked, 2)
        admit(tara)
        for page in (tara, casey, noor, robin):
            see(page, 3)
        yield from walk.look("four therapist", tara)
        yield from walk.look("four client", robin)
        robin.keyboard.press("h")
        yield from walk.look("four client, own picture hidden", robin)
        robin.keyboard.press("h")
        robin.get_by_role("button", name="Safety", exact=True).click()
        expect(robin.locator("#safety-list li")).to_have_count(4, timeout=SLOW)
        yield from walk.look("four client safety words", robin)
        noor.keyboard.press("s")
        expect(robin.locator(".tile-screen")).to_be_visible(timeout=SLOW)
        robin.get_by_role("button", name="Close safety words").click()
        yield from walk.look("four client sharing", robin)
        noor.keyboard.press("s")
        wait(remy, booked, 3)
        expect(tara.get_by_text("Four people are in the call")).to_be_visible(timeout=SLOW)
        yield from walk.look("four therapist, one waits", tara)


def endings(walk: Walk) -> Iterator[State]:
    """Every end of a session that somebody is in."""
    booked = book(walk.server)
    with walk.windows(booked) as (tara, casey):
        meet(tara, casey, booked)
        second = casey.context.new_page()
        second.set_default_timeout(SLOW)
        second.goto(booked.portal_room())
        second.get_by_role("button", name="Return to session").click()
        expect(casey.get_by_text("You are in this session in another window")).to_be_visible(
            timeout=SLOW
        )
        yield from walk.look("in another window", casey)
        second.close()
        casey.get_by_role("button", name="Use this window instead").click()
        see(casey)
        tara.get_by_role("button", name="Remove").click()
        closed = casey.get_by_role("heading", name="Tara has closed the room for you")
        expect(closed).to_be_visible(timeout=SLOW)
        yield from walk.look("removed", casey)
        yield from walk.look("removed therapist", tara)
        casey.reload()
        expect(closed).to_be_visible(timeout=SLOW)
        yield from walk.look("removed, page", casey)
        let_back_in = tara.get_by_role("button", name="Let back in")
        let_back_in.click()
        expect(let_back_in).to_have_count(0, timeout=SLOW)
        casey.reload()
        casey.get_by_role("button", name="Return to session").click()
        see(casey)
        tara.get_by_role("button", name="End session").click()
        tara.get_by_role("button", name="End it now").click()
        expect(tara.get_by_role("heading", name="You ended this session")).to_be_visible(
            timeout=SLOW
        )
        expect(casey.get_by_role("heading", name="Your session has ended")).to_be_visible(
            timeout=SLOW
        )
        yield from walk.look("ended therapist", tara)
        yield from walk.look("ended client", casey)
        tara.reload()
        expect(tara.get_by_role("button", name="Re-open the room")).to_be_visible(timeout=SLOW)
        yield from walk.look("ended therapist, page", tara)


def closing(walk: Walk) -> Iterator[State]:
    """The end of the room's time, and a session that is cancelled or moved in the call."""
    booked = book(walk.server, minutes=-76)
    with walk.windows(booked) as (tara, casey):
        meet(tara, casey, booked)
        sides = {"therapist": tara, "client": casey}
        for name, minutes, told, words in (
            ("closes soon", None, sides, "The room closes"),
            ("goes on", -90, {"therapist": tara}, "The room is closed"),
            ("ends soon", -137, {"client": casey}, "This call ends"),
            ("over", -150, sides, "so it closed by itself"),
        ):
            if minutes is not None:
                change(booked, minutes)
            for who, page in told.items():
                page.evaluate(COME_BACK)
                expect(page.get_by_text(words)).to_be_visible(timeout=SLOW)
                yield from walk.look(f"{name} {who}", page)
    for name, to in {"cancelled": "cancelled", "moved": 3000}.items():
        booked = book(walk.server)
        with walk.windows(booked) as (tara, casey):
            meet(tara, casey, booked)
            change(booked, to)
            for who, page in (("therapist", tara), ("client", casey)):
                page.evaluate(COME_BACK)
                title = page.get_by_role("heading", name=f"This session was {name}")
                expect(title).to_be_visible(timeout=SLOW)
                yield from walk.look(f"{name} in the call, {who}", page)


def refusals(walk: Walk) -> Iterator[State]:
    """Rooms that are closed: too early, over, cancelled, not by video."""
    for name, how in {
        "early": {"minutes": 90.0}, "late": {"minutes": -100.0}, "cancelled": {},
        "by phone": {"mode": "phone"},
    }.items():  # fmt: skip
        booked = book(walk.server, **how)  # type: ignore[arg-type]
        if name == "cancelled":
            change(booked, "cancelled")
        with walk.windows(booked) as (tara, casey):
            casey.goto(booked.portal_room())
            yield from walk.look(f"{name} client", casey)
            tara.goto(booked.office_room)
            yield from walk.look(f"{name} therapist", tara)


SCENES: dict[str, Callable[[Walk], Iterator[State]]] = {
    scene.__name__: scene for scene in (check, waiting, two, family, endings, closing, refusals)
}


def walk_through(
    browser: Browser,
    server: Server,
    *,
    scenes: Any = tuple(SCENES),
    prepare: Callable[[BrowserContext], None] = lambda context: None,
) -> Iterator[State]:
    """The states of some scenes, one after the other, as "two: call client" and so on."""
    walk = Walk(browser, server, prepare)
    for scene in scenes:
        for name, page in SCENES[scene](walk):
            yield f"{scene}: {name}", page
