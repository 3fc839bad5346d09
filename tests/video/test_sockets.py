"""The room's socket on a real server: who gets in, what is said, and what ends it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from roost.video.consumers import SOON
from tests.support.rooms import Booked, book
from tests.support.server import Server, serving

pytestmark = pytest.mark.slow

CASEY, TARA, NEW = "casey-page-load-0001", "tara-page-load-00001", "casey-page-load-0002"
SOMEBODY = "0b9f6c1e-5d7a-4c0e-9a31-0d2f6b8e4a7c"
OFFER = {"type": "offer", "sdp": "v=0 an offer with 192.0.2.77"}
ANSWER = {"type": "answer", "sdp": "v=0 an answer"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database: dict[str, str]) -> Iterator[Server]:
    turn = {"ROOST_TURN_URL": "turn:127.0.0.1:3478", "ROOST_TURN_SECRET": "relay"}
    with serving(tmp_path_factory.mktemp("roost"), **turn, **database) as running:
        yield running


class Talk:
    """One open socket, spoken to in messages."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.heard: list[dict[str, Any]] = []
        self.reason = ""

    def say(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def ping(self) -> None:
        """The page's sign of life. A socket that the server has ended meanwhile says nothing."""
        with contextlib.suppress(ConnectionClosed):
            self.say(type="ping")

    def hear(self, kind: str, *, seconds: float = 5, **fields: Any) -> dict[str, Any]:
        """The next message of a kind with these fields. Others are passed over, and kept."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            message = json.loads(self.socket.recv(timeout=left))
            self.heard.append(message)
            if message["type"] == kind and fields.items() <= message.items():
                return dict(message)
        raise AssertionError(f"No {kind} {fields} came: {self.heard}")

    def silence(self, *kinds: str, seconds: float = SOON + 0.5) -> None:
        """None of these messages comes for a while."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                message = json.loads(self.socket.recv(timeout=left))
            except TimeoutError:
                return
            assert message["type"] not in kinds, message

    def ended(self, *, seconds: float = 5) -> int:
        """The code that the socket is closed with; `reason` has the words that came with it."""
        try:
            while True:
                self.heard.append(json.loads(self.socket.recv(timeout=seconds)))
        except ConnectionClosed as closed:
            # 1006: the line was cut without a word (RFC 6455).
            self.reason = closed.rcvd.reason if closed.rcvd is not None else ""
            return closed.rcvd.code if closed.rcvd is not None else 1006


@contextmanager
def on(
    booked: Booked, door: str, *, number: int = 0, path: str = "", origin: str | None = None
) -> Iterator[Talk]:
    """A socket at a door, signed in as the therapist or a client."""
    page = path or (booked.office_room if door == "office" else booked.portal_room(number))
    cookie = booked.cookie(door, number)
    with connect(
        page.replace("http", "ws", 1) + ("" if path else "socket/"),
        origin=origin or booked.server.origin,  # type: ignore[arg-type]
        additional_headers={"Cookie": f"{cookie['name']}={cookie['value']}"},
        close_timeout=2,
    ) as socket:
        yield Talk(socket)


@pytest.fixture
def booked(server: Server) -> Booked:
    return book(server)


STATES = """
import sys
from roost.core.tenancy import across_practices
from roost.video.models import Presence
with across_practices():
    here = Presence.objects.filter(room__appointment__uuid=sys.argv[1])
    print(*here.order_by("state").values_list("state", flat=True))
"""


def states(booked: Booked) -> list[str]:
    """How everybody in the room stands, by the database."""
    return booked.server.run(STATES, booked.appointment).split()


@pytest.fixture
def both(booked: Booked) -> Iterator[tuple[Talk, Talk]]:
    """Tara in the room, and Casey waiting."""
    with ExitStack() as open_sockets:
        tara = open_sockets.enter_context(on(booked, "office"))
        casey = open_sockets.enter_context(on(booked, "portal"))
        come_in(tara, casey)
        yield tara, casey


def come_in(tara: Talk, casey: Talk) -> None:
    tara.say(type="hello", cid=TARA)
    tara.say(type="ready", name="Tara")
    tara.hear("state", state="admitted")
    tara.say(type="join")
    tara.hear("joined", cid=TARA)
    casey.say(type="hello", cid=CASEY)
    casey.say(type="ready", name="Casey")
    casey.hear("state", state="waiting")


def bring_in(tara: Talk, casey: Talk) -> None:
    tara.say(type="admit", cid=CASEY)
    casey.hear("state", state="admitted")
    casey.say(type="join", offer=OFFER)
    casey.hear("joined", cid=CASEY)
    tara.hear("joined", cid=CASEY)


def test_whoever_waits_reads_that_the_therapists_list_has_shown_them(
    both: tuple[Talk, Talk],
) -> None:
    tara, casey = both
    assert casey.heard[-1]["told"] is False
    people: list[dict[str, Any]] = []
    while not people:
        people = tara.hear("state")["people"]
    assert [person["told"] for person in people] == [False]
    tara.say(type="shown", ids=[people[0]["id"]])
    casey.hear("state", state="waiting", told=True)


def test_the_way_in(both: tuple[Talk, Talk]) -> None:
    tara, casey = both
    told = casey.heard[-1]
    assert (told["people"], told["ice"]) == ([], [])
    tara.say(type="admit", cid=CASEY)
    state = casey.hear("state", state="admitted")
    assert [(p["cid"], p["role"]) for p in state["people"]] == [(TARA, "therapist")]
    (relay,) = state["ice"]
    assert relay["urls"] == ["turn:127.0.0.1:3478"]
    assert state["policy"] == "all"
    casey.say(type="join", offer=OFFER)
    joined = tara.hear("joined", cid=CASEY)
    assert (joined["offer"], joined["role"], joined["name"]) == (OFFER, "client", "Casey")
    casey.hear("joined", cid=CASEY, offered=TARA)
    tara.say(type="signal", to=CASEY, description=ANSWER)
    signal = casey.hear("signal")
    assert (signal["from"], signal["role"], signal["description"]) == (TARA, "therapist", ANSWER)


def test_a_practice_that_wants_relay_only_says_so_before_and_at_the_door(server: Server) -> None:
    booked = book(server, slug="willow")
    server.run(
        "from roost.practices.models import Practice\n"
        "Practice.objects.filter(slug='willow').update(relay_only=True)"
    )
    with on(booked, "office") as tara, on(booked, "portal") as casey:
        tara.say(type="hello", cid=TARA)
        tara.say(type="ready", name="Tara")
        assert tara.hear("state", state="admitted")["policy"] == "relay"
        tara.say(type="join")
        tara.hear("joined", cid=TARA)
        casey.say(type="hello", cid=CASEY)
        casey.say(type="ready", name="Casey")
        waiting = casey.hear("state", state="waiting")
        assert (waiting["policy"], waiting["ice"]) == ("relay", [])
        tara.say(type="admit", cid=CASEY)
        admitted = casey.hear("state", state="admitted")
        assert (admitted["policy"], len(admitted["ice"])) == ("relay", 1)


def test_who_waits_hears_and_says_nothing(both: tuple[Talk, Talk]) -> None:
    tara, casey = both
    casey.say(type="signal", to=TARA, description=OFFER)
    casey.say(type="join", offer=OFFER)
    tara.say(type="signal", to=CASEY, description=OFFER)
    tara.silence("signal", "joined")
    casey.silence("signal", "joined")


@pytest.mark.parametrize(
    "message",
    [
        {"type": "admit", "cid": CASEY},
        {"type": "admit_all"},
        {"type": "shown", "ids": [SOMEBODY]},
        {"type": "decline", "cid": TARA},
        {"type": "remove", "cid": TARA},
        {"type": "end"},
    ],
    ids=lambda message: message["type"],
)
def test_a_client_that_acts_as_the_therapist_is_put_out(
    both: tuple[Talk, Talk], booked: Booked, message: dict[str, Any]
) -> None:
    tara, casey = both

    def refused() -> int:
        return int(
            booked.server.run(
                "from roost.audit.models import AuditEvent as E\n"
                "from roost.core.tenancy import across_practices as a\n"
                "seen = {'action': 'access.refused', 'details__status': 403}\n"
                "with a(): print(E.objects.filter(**seen).count())"
            )
        )

    before = refused()
    casey.say(**message)
    assert casey.ended() == 4403
    tara.silence("ended", "joined")
    assert refused() == before + 1


def test_the_server_says_who_speaks(both: tuple[Talk, Talk]) -> None:
    tara, casey = both
    bring_in(tara, casey)
    casey.say(type="signal", to=TARA, description=ANSWER, **{"from": TARA})
    assert casey.ended() == 4400
    tara.silence("signal")


@pytest.mark.parametrize(
    "text",
    ["", "not json", "[]", "[" * 5000, '{"type":"fly"}', "9" * 70_000, '{"type":"hello"}'],
    ids=["empty", "words", "list", "deep", "unknown", "long", "half"],
)
def test_what_no_page_of_ours_says_ends_the_socket(booked: Booked, text: str) -> None:
    with on(booked, "portal") as casey:
        casey.socket.send(text)
        assert casey.ended() == 4400


def test_who_says_nothing_may_try_again(booked: Booked) -> None:
    with on(booked, "portal") as casey:
        # Unlike 4400, after which a page gives up.
        assert casey.ended(seconds=40) == 4408


def test_bytes_end_the_socket_in_words(booked: Booked) -> None:
    with on(booked, "portal") as casey:
        casey.socket.send(b"\xff\xfe")
        assert (casey.ended(), casey.reason) == (4400, "Not understood.")


@pytest.fixture
def flooder(server: Server) -> Booked:
    """A session of somebody whom no other test needs: what they may say is used up here."""
    name = f"flood-{uuid.uuid4().hex[:8]}"
    return book(server, clients=[("Mal", name, f"{name}@client.example")])


def flood(talk: Talk, **message: Any) -> int:
    """Say something again and again until the socket is closed. Returns the code."""
    with contextlib.suppress(ConnectionClosed):
        for _ in range(2000):
            talk.say(**message)
    return talk.ended()


CANDIDATE = {"candidate": "candidate:1"}


@pytest.mark.parametrize(
    "message",
    [
        {"type": "signal", "to": TARA, "candidate": CANDIDATE},
        {"type": "ping"},
        {"type": "ready", "name": "Mal"},
        {"type": "hello", "cid": CASEY},
    ],
    ids=lambda message: message["type"],
)
def test_a_flood_ends_the_socket_in_words_and_is_not_logged(
    flooder: Booked, server: Server, message: dict[str, Any]
) -> None:
    said = len(server.log.read_text())
    with on(flooder, "portal") as talk:
        talk.say(type="hello", cid=CASEY)
        talk.hear("state")
        assert (flood(talk, **message), talk.reason) == (4429, "Too much at once.")
    time.sleep(0.5)
    assert server.log.read_text()[said:] == ""


def test_many_sockets_of_one_account_may_say_no_more_than_one(flooder: Booked) -> None:
    codes = []
    with ExitStack() as open_sockets:
        talks = [open_sockets.enter_context(on(flooder, "portal")) for _ in range(10)]
        talks[0].say(type="hello", cid=CASEY)
        talks[0].hear("state")
        for _ in range(20):
            for number, talk in enumerate(talks[1:]):
                with contextlib.suppress(ConnectionClosed):
                    talk.say(type="hello", cid=f"{CASEY}-{number}")
        codes = [talk.ended(seconds=2) for talk in talks[1:] if is_closed(talk)]
    # 20 each of what a single socket may say 40 of: each alone would have been heard.
    assert codes and set(codes) == {4429}


def is_closed(talk: Talk) -> bool:
    try:
        talk.silence()
    except ConnectionClosed:
        return True
    return False


def test_another_room_goes_on_while_somebody_floods(
    both: tuple[Talk, Talk], flooder: Booked
) -> None:
    tara, casey = both
    bring_in(tara, casey)
    with on(flooder, "portal") as talk:
        talk.say(type="hello", cid=CASEY)
        talk.hear("state")
        with contextlib.suppress(ConnectionClosed):
            for _ in range(1000):
                talk.say(type="ping")
        tara.say(type="signal", to=CASEY, candidate=CANDIDATE)
        assert casey.hear("signal")["candidate"] == CANDIDATE
        casey.say(type="ping")
        casey.hear("pong")
        assert talk.ended() == 4429
    tara.silence("left", "ended", seconds=0.3)


def test_who_floods_while_waiting_is_off_the_therapists_screen(flooder: Booked) -> None:
    """The end of a flooding socket is an end like any other: everything it held is let go."""
    bell = f"{flooder.office}/bell/socket/"
    with on(flooder, "office", path=bell) as office:
        before = office.hear("waiting")["ids"]
        with on(flooder, "portal") as talk:
            talk.say(type="hello", cid=CASEY)
            talk.say(type="ready", name="Mal")
            (mine,) = someone_new(office, before)
            assert flood(talk, type="signal", to=TARA, candidate=CANDIDATE) == 4429
            # Long before the lease of 75 seconds ends.
            while mine in office.hear("waiting", seconds=15)["ids"]:
                pass


def test_16_megabytes_end_the_socket_and_not_the_server(booked: Booked) -> None:
    with on(booked, "portal") as casey:
        try:
            casey.socket.send("x" * (16 * 1024 * 1024))
        except ConnectionClosed:
            pass
        # Cut by the server's own cap, before the message is whole.
        assert casey.ended() in (1006, 1009)
    with on(booked, "portal") as casey:
        casey.say(type="hello", cid=CASEY)
        casey.hear("state")


def test_wrong_people_learn_nothing(booked: Booked, server: Server) -> None:
    other = book(server, clients=[("Noor", "Haddad", "noor@client.example")])
    cedar = book(server, slug="cedar")
    for stranger in (other, cedar):
        path = booked.portal_room().replace("/maple/", f"/{stranger.slug}/") + "socket/"
        with on(stranger, "portal", path=path) as talk:
            assert talk.ended() == 4404
            assert talk.heard == []
    # A client's sign-in opens nothing at the office, and nobody's opens anything.
    anonymous = connect(
        booked.office_room.replace("http", "ws", 1) + "socket/",
        origin=server.origin,  # type: ignore[arg-type]
        additional_headers={"Cookie": f"roost-office-maple={booked.people[0]['key']}"},
    )
    with anonymous as socket:
        assert Talk(socket).ended() == 4401


def test_a_foreign_origin_is_refused(booked: Booked) -> None:
    with pytest.raises(InvalidStatus), on(booked, "portal", origin="http://evil.example"):
        pass


@pytest.mark.parametrize(("minutes", "reason"), [(-100.0, "late"), (45.0, "early")])
def test_outside_the_window_the_socket_says_why(
    server: Server, minutes: float, reason: str
) -> None:
    booked = book(server, minutes=minutes)
    with on(booked, "portal") as casey:
        casey.say(type="hello", cid=CASEY)
        assert casey.hear("ended")["reason"] == reason
        assert casey.ended() == 4410


def test_who_leaves_is_let_go_also_where_nobody_is_known_to_leave(booked: Booked) -> None:
    """Their page keeps the line until the server ends it; another may have taken their place."""
    with on(booked, "portal") as casey:
        casey.say(type="hello", cid=CASEY)
        casey.hear("state")
        casey.say(type="leave")
        assert casey.hear("left")["reason"] == "left"
        assert casey.ended() == 4410


CANCEL = "Appointment.objects.filter(uuid=sys.argv[1]).update(cancelled_at=now())"
HELD = """
import sys
import django
django.setup()
from django.db import transaction
from roost.core.tenancy import across_practices
from roost.video.models import VideoRoom
with across_practices(), transaction.atomic():
    assert VideoRoom.objects.select_for_update().get(appointment__uuid=sys.argv[1])
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held(booked: Booked) -> Iterator[None]:
    """Another process changes something in the room, and takes its time."""
    server = booked.server
    with subprocess.Popen(
        [sys.executable, "-c", HELD, booked.appointment],
        env=server.environment | {"DJANGO_SETTINGS_MODULE": "roost.config.settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield
        process.stdin.close()


def test_a_new_page_waits_for_nobody_to_hear_how_it_stands(
    both: tuple[Talk, Talk], booked: Booked
) -> None:
    """What it knocks with is answered by an act; that nobody knows it yet is known already."""
    with held(booked), on(booked, "portal") as casey:
        casey.say(type="hello", cid=NEW)
        assert casey.hear("state")["state"] == ""


def test_what_happened_before_a_new_page_spoke_is_told_soon(booked: Booked) -> None:
    with on(booked, "portal") as casey:
        run_here(booked, CANCEL)
        casey.say(type="hello", cid=CASEY)
        assert casey.hear("ended")["reason"] == "cancelled"


def run_here(booked: Booked, code: str) -> str:
    """Change the data from another process, as a page of the server would. Returns its words."""
    return booked.server.run(
        "import sys\nfrom roost.practices.models import Practice\n"
        "from roost.core.tenancy import scope\nfrom roost.core.time import now\n"
        "from roost.scheduling.models import Appointment\n"
        "from roost.clients.models import PortalAccess\n"
        "with scope(Practice.objects.get(slug='maple').pk):\n    " + code,
        booked.appointment,
    )


def test_a_cancelled_session_ends_with_words(both: tuple[Talk, Talk], booked: Booked) -> None:
    tara, casey = both
    bring_in(tara, casey)
    run_here(booked, CANCEL)
    for talk in (casey, tara):
        talk.ping()
        assert talk.hear("ended")["reason"] == "cancelled"
        assert talk.ended() == 4410


def test_access_taken_away_ends_the_socket(both: tuple[Talk, Talk], booked: Booked) -> None:
    tara, casey = both
    bring_in(tara, casey)
    run_here(booked, "PortalAccess.objects.update(ended_at=now())")
    try:
        casey.ping()
        assert casey.hear("ended")["reason"] == "gone"
    finally:
        run_here(booked, "PortalAccess.objects.update(ended_at=None)")


def test_who_waits_keeps_their_place_and_is_not_looked_after_at_each_ping(
    both: tuple[Talk, Talk], booked: Booked
) -> None:
    _, casey = both
    lease = (
        "from roost.video.models import Presence\n"
        "    print(Presence.objects.get(room__appointment__uuid=sys.argv[1], "
        "attendee__isnull=False).here_until.timestamp())"
    )
    first = float(run_here(booked, lease))
    for _ in range(3):
        casey.say(type="ping")
        casey.hear("pong")
    casey.silence("ended")
    assert float(run_here(booked, lease)) == first
    # By the third ping of a page, ten seconds each, it is time.
    time.sleep(26)
    casey.say(type="ping")
    casey.hear("pong")
    time.sleep(1)
    later = float(run_here(booked, lease))
    assert later - first > 25
    # And who waits for a session that was cancelled is told then, whatever process did that.
    run_here(booked, "Appointment.objects.filter(uuid=sys.argv[1]).update(cancelled_at=now())")
    time.sleep(26)
    casey.ping()
    assert casey.hear("ended")["reason"] == "cancelled"


def test_who_is_removed_cannot_come_back(both: tuple[Talk, Talk], booked: Booked) -> None:
    tara, casey = both
    bring_in(tara, casey)
    tara.say(type="remove", cid=CASEY)
    assert casey.hear("left", cid=CASEY)["reason"] == "removed"
    assert casey.ended() == 4410
    for cid, said in ((CASEY, "join"), (NEW, "ready")):
        with on(booked, "portal") as again:
            again.say(type="hello", cid=cid)
            try:
                again.say(type=said)
                again.ended()
            except ConnectionClosed:
                pass
            assert not [m for m in again.heard if m["type"] == "state"]
    tara.silence("joined")


def test_who_is_declined_is_told_and_may_knock_again(
    both: tuple[Talk, Talk], booked: Booked
) -> None:
    tara, casey = both
    tara.say(type="decline", cid=CASEY)
    assert casey.hear("left", cid=CASEY)["reason"] == "declined"
    assert casey.ended() == 4410
    with on(booked, "portal") as again:
        again.say(type="hello", cid=NEW)
        again.say(type="ready", name="Casey")
        again.hear("state", state="waiting")
        tara.hear("state")


FAMILY = [
    ("Casey", "Nguyen", "casey@client.example"),
    ("Noor", "Haddad", "noor@client.example"),
    ("Robin", "Parker", "robin@client.example"),
    ("Remy", "Parker", "remy@client.example"),
]


def test_four_in_a_call_and_a_fifth_who_learns_nothing(server: Server) -> None:
    family = book(server, clients=FAMILY)
    cids = [f"page-load-of-person-{number}" for number in range(4)]
    with ExitStack() as open_sockets:
        tara = open_sockets.enter_context(on(family, "office"))
        tara.say(type="hello", cid=TARA)
        tara.say(type="ready", name="Tara")
        tara.hear("state", state="admitted")
        tara.say(type="join")
        people = []
        for number, cid in enumerate(cids):
            talk = open_sockets.enter_context(on(family, "portal", number=number))
            talk.say(type="hello", cid=cid)
            talk.say(type="ready", name=FAMILY[number][0])
            talk.hear("state", state="waiting")
            people.append(talk)
        tara.say(type="admit_all")
        for number, talk in enumerate(people[:3]):
            assert "Remy" not in str(talk.hear("state", state="admitted"))
            talk.say(type="join")
            talk.hear("joined", cid=cids[number])
        people[0].hear("joined", cid=cids[2])
        tara.say(type="admit", cid=cids[3])
        tara.hear("full")
        # Safety words are relayed to whom they are for, from whom the server knows.
        safety = {"turn": 1, "round": "r" * 43, "commit": "c" * 43}
        people[0].say(type="signal", to=cids[2], safety=safety)
        heard = people[2].hear("signal")
        assert (heard["from"], heard["safety"]) == (cids[0], safety)
        # Whoever waits says nothing to anybody, and has heard no name, no cid, no relay.
        people[3].say(type="signal", to=cids[0], safety=safety)
        people[3].say(type="join", offer=OFFER)
        people[0].silence("signal", "joined")
        people[3].silence("signal", "joined", "left")
        told = str(people[3].heard)
        assert "'state': 'waiting'" in told
        for secret in ("Tara", "Casey", "Noor", "Robin", TARA, *cids[:3], "turn:"):
            assert secret not in told
        people[1].say(type="leave")
        people[0].hear("left", cid=cids[1])
        tara.say(type="admit", cid=cids[3])
        state = people[3].hear("state", state="admitted")
        assert {p["name"] for p in state["people"]} == {"Tara", "Casey", "Robin"}


def test_two_children_under_one_account_do_not_throw_each_other_out(server: Server) -> None:
    clients = [
        ("Robin", "Young", "young@client.example"),
        ("Remy", "Young", "young@client.example"),
    ]
    booked = book(server, clients=clients, relationship="parent")
    with on(booked, "portal", number=0) as robin, on(booked, "portal", number=1) as remy:
        for talk, cid in ((robin, CASEY), (remy, NEW)):
            talk.say(type="hello", cid=cid)
            talk.say(type="ready")
            talk.hear("state", state="waiting")
        robin.silence("left")
        robin.say(type="ping")
        robin.hear("pong")


def test_a_new_page_replaces_the_old_one(both: tuple[Talk, Talk], booked: Booked) -> None:
    tara, casey = both
    bring_in(tara, casey)
    with on(booked, "portal") as again:
        again.say(type="hello", cid=NEW)
        assert again.hear("state")["state"] == ""
        again.say(type="ready", name="Casey")
        assert casey.hear("left", cid=CASEY)["reason"] == "replaced"
        assert casey.ended() == 4409
        told = tara.hear("left", cid=CASEY)
        assert (told["reason"], told["as"]) == ("replaced", NEW)
        again.hear("state", state="admitted")
        again.say(type="join", offer=OFFER)
        assert tara.hear("joined", cid=NEW)["offer"] == OFFER


def test_the_therapist_is_told_on_an_idle_server(booked: Booked) -> None:
    bell = f"{booked.office}/bell/socket/"
    with on(booked, "office", path=bell) as office, on(booked, "portal") as casey:
        before = office.hear("waiting")["ids"]
        casey.say(type="hello", cid=CASEY)
        casey.hear("state")
        time.sleep(1.5)  # nothing else happens on the server
        start = time.monotonic()
        casey.say(type="ready", name="Casey")
        (mine,) = someone_new(office, before)
        assert time.monotonic() - start < 1.5
        told = office.heard[-1]
        assert booked.appointment in told["knock"]
        assert "Casey Nguyen is in your waiting room" in told["arrivals"]
        casey.say(type="leave")
        while mine in office.hear("waiting", seconds=3)["ids"]:
            pass


def test_a_socket_lost_in_the_waiting_room_is_off_the_bell_after_the_grace(
    booked: Booked,
) -> None:
    bell = f"{booked.office}/bell/socket/"
    with on(booked, "office", path=bell) as office:
        before = office.hear("waiting")["ids"]
        with on(booked, "portal") as casey:
            casey.say(type="hello", cid=CASEY)
            casey.say(type="ready", name="Casey")
            (mine,) = someone_new(office, before)
        while mine in office.hear("waiting", seconds=12)["ids"]:
            pass


def someone_new(office: Talk, before: list[str]) -> set[str]:
    """Who waits that did not wait before: other tests' people may still be on their way out."""
    while not (new := set(office.hear("waiting", seconds=3)["ids"]) - set(before)):
        pass
    return new


def test_no_signal_is_kept_or_logged(
    both: tuple[Talk, Talk], booked: Booked, server: Server
) -> None:
    tara, casey = both
    bring_in(tara, casey)
    rows = server.run("from tests.support.rows import all_rows\nprint(all_rows())")
    kept = [path for path in server.data_dir.iterdir() if path.is_file()]
    assert server.log in kept
    for text in (rows, *(path.read_bytes().decode(errors="replace") for path in kept)):
        assert "192.0.2.77" not in text
    # The names are there, so that the search would find what is kept.
    assert "Casey" in rows


def test_a_server_that_is_stopped_gives_nobody_up(tmp_path: Path, database: dict[str, str]) -> None:
    """Their pages find it again, and their call goes on meanwhile (ADR 0027)."""
    with serving(tmp_path / "roost", **database) as server:
        booked = book(server)
        with on(booked, "office") as tara, on(booked, "portal") as casey:
            come_in(tara, casey)
            bring_in(tara, casey)
            server.stop()
            assert tara.ended() == casey.ended() == 1012
        assert states(booked) == ["connected", "connected"]


def test_a_client_that_ends_its_line_with_any_code_is_lost(
    both: tuple[Talk, Talk], booked: Booked
) -> None:
    tara, casey = both
    bring_in(tara, casey)
    casey.socket.close(code=1012)
    tara.hear("left", cid=CASEY, reason="lost")
    assert states(booked) == ["connected", "lost"]
