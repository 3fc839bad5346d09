"""Whoever has no right to a room gets the answer of a room that does not exist, from its pages and
from its socket alike, whether anybody is in it or not."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings as configuration
from django.db import connections

from roost.accounts.models import Account
from roost.clients.enums import Relationship
from roost.clients.models import PortalAccess
from roost.clients.prospects import sign_up
from roost.config.asgi import _sockets
from roost.core.tenancy import scope
from roost.core.time import now
from roost.scheduling.models import Appointment
from roost.video import services
from roost.video.queries import get_seat_for, get_staff_seat_for
from tests.support.cast import PASSWORD, Cast, give, make_account, make_appointment
from tests.support.doors import Visitor, visit_cookie
from tests.video.conftest import CASEYS_PAGE, TARAS_PAGE


@dataclass
class Scene:
    """A call of Tara's and Casey's that is going on, at which Noor waits."""

    cast: Cast
    other: Cast
    session: Appointment
    attendee: uuid.UUID


def begin(cast: Cast, other: Cast) -> Scene:
    with scope(cast.practice.pk):
        session = make_appointment(cast.tara, cast.casey, cast.noor, service=cast.family)
        noor_account = make_account("noor@client.example")
        give(noor_account, cast.noor)
        attendee = session.attendees.get(client=cast.casey)
        tara = get_staff_seat_for(cast.tara, session.uuid)
        casey = get_seat_for(cast.casey_account, session.uuid, attendee.uuid)
        noors = session.attendees.get(client=cast.noor)
        services.enter_waiting_room(by=tara, cid=TARAS_PAGE, name="Tara")
        services.note_connected(by=tara, cid=TARAS_PAGE)
        services.enter_waiting_room(by=casey, cid=CASEYS_PAGE, name="Casey")
        services.admit_person(by=tara, cid=CASEYS_PAGE)
        services.note_connected(by=casey, cid=CASEYS_PAGE)
        services.enter_waiting_room(
            by=get_seat_for(noor_account, session.uuid, noors.uuid),
            cid="noor-page-load-00001",
            name="Noor",
        )
        return Scene(cast, other, session, attendee.uuid)


def _with(scene: Scene, relationship: Relationship) -> Account:
    account = make_account(f"{relationship}@client.example")
    give(account, scene.cast.casey, relationship)
    return account


def _unassociated(scene: Scene) -> Account:
    account = _with(scene, Relationship.PARENT)
    PortalAccess.objects.filter(account=account).update(ended_at=now())
    return account


def _colleagues_client(scene: Scene) -> Account:
    return scene.cast.parker_account


AT_PORTAL: dict[str, Callable[[Scene], Account | None]] = {
    "anonymous": lambda scene: None,
    "other client": _colleagues_client,
    "un-associated": _unassociated,
    "payer": lambda scene: _with(scene, Relationship.PAYER),
    "partner who does not attend": lambda scene: _with(scene, Relationship.PARTNER),
    "account of nobody": lambda scene: make_account("nobody@client.example"),
    "the therapist, at the wrong door": lambda scene: scene.cast.tara.account,
    "owner": lambda scene: scene.cast.olivia.account,
}
AT_OFFICE: dict[str, Callable[[Scene], Account | None]] = {
    "anonymous": lambda scene: None,
    "other therapist": lambda scene: scene.cast.theo.account,
    "owner": lambda scene: scene.cast.olivia.account,
    "admin": lambda scene: scene.cast.adam.account,
    "the client, at the wrong door": lambda scene: scene.cast.casey_account,
}
PEOPLE = [
    *(("portal", who) for who in [*AT_PORTAL, "prospect", "other practice"]),
    *(("office", who) for who in [*AT_OFFICE, "other practice"]),
]
wrong_people = pytest.mark.parametrize(("door", "who"), PEOPLE, ids=lambda value: value)


def visitor_of(scene: Scene, door: str, who: str) -> Visitor:
    """The browser of a wrong person at Maple's door. Needs Maple's scope."""
    maple = scene.cast.practice
    if who == "other practice":
        # Signed in as the same person at Cedar, with that cookie under both names.
        account = scene.other.casey_account if door == "portal" else scene.other.tara.account
        visitor = Visitor(maple, door, account)
        (name, morsel), *_ = visitor.cookies.items()
        visitor.cookies[name.replace("cedar", "maple")] = morsel.value
        return visitor
    if who == "prospect":
        prospect, _ = sign_up(
            key=uuid.uuid4(), email="una@prospect.example", password=PASSWORD, zone_name="",
            first_name="Una", last_name="Okoro",
        )  # fmt: skip
        assert prospect.sign_up is not None
        visitor = Visitor(maple, door)
        name, value = visit_cookie(prospect.sign_up)
        visitor.cookies[name] = value
        return visitor
    return Visitor(maple, door, (AT_PORTAL if door == "portal" else AT_OFFICE)[who](scene))


def paths_of(visitor: Visitor, session: uuid.UUID, attendee: uuid.UUID) -> list[str]:
    """Every address of a room at a door."""
    if visitor.door == "office":
        return [visitor.path(name, appointment=session) for name in ("room", "room-after")]
    person = [
        visitor.path(name, appointment=session, attendee=attendee)
        for name in ("room-person", "room-after")
    ]
    return [visitor.path("room", appointment=session), *person]


def said(answer: Any, *ids: uuid.UUID) -> tuple[Any, ...]:
    """All that an answer tells, without the ids that were asked for and what is new each time."""
    text = answer.content.decode()
    location = answer.headers.get("Location", "")
    for each in ids:
        text, location = text.replace(str(each), "ID"), location.replace(str(each), "ID")
    text = re.sub(r'(name="csrfmiddlewaretoken" value=|"X-CSRFToken": )"[^"]+"', "", text)
    headers = sorted(
        name for name in answer.headers if name not in ("Content-Length", "Set-Cookie")
    )
    return answer.status_code, location, text, headers


@wrong_people
def test_the_pages_say_what_they_say_of_no_room(
    cast: Cast, other: Cast, maple: Any, door: str, who: str
) -> None:
    scene = begin(cast, other)
    visitor = visitor_of(scene, door, who)
    real, no = (scene.session.uuid, scene.attendee), (uuid.uuid4(), uuid.uuid4())
    # The room is there: whoever belongs to it finds it.
    mine = Visitor(scene.cast.practice, "portal", scene.cast.casey_account)
    assert mine.get(paths_of(mine, *real)[1]).status_code == 200
    told = Visitor(scene.cast.practice, "office", scene.cast.tara.account)
    assert told.get(paths_of(told, *real)[0]).status_code == 200
    ways: list[dict[str, Any]] = [{}, {"HTTP_HX_REQUEST": "true"}]
    for there, nowhere in zip(paths_of(visitor, *real), paths_of(visitor, *no), strict=True):
        for way in ways:
            answers = [visitor.get(there, **way), visitor.get(nowhere, **way)]
            assert said(answers[0], *real) == said(answers[1], *no), there
            assert answers[0].status_code in (404, 302, 204)
        sent = [visitor.post(there, {}), visitor.post(nowhere, {})]
        assert said(sent[0], *real) == said(sent[1], *no), there


# The socket


def cookie_of(visitor: Visitor) -> str:
    return "; ".join(f"{name}={each.value}" for name, each in visitor.cookies.items())


async def frames_of(path: str, cookie: str) -> list[dict[str, Any]]:
    """All that a socket is told before it has said anything, to its close if it is closed."""
    headers = [(b"origin", configuration.ROOST_ORIGIN.encode()), (b"cookie", cookie.encode())]
    line = ApplicationCommunicator(
        _sockets(),
        {"type": "websocket", "path": path, "headers": headers, "query_string": b"",
         "subprotocols": []},
    )  # fmt: skip
    await line.send_input({"type": "websocket.connect"})
    heard = [await line.receive_output(5)]
    while heard[-1]["type"] != "websocket.close" and not await line.receive_nothing(timeout=0.2):
        heard.append(await line.receive_output(5))
    await line.send_input({"type": "websocket.disconnect", "code": heard[-1].get("code", 1000)})
    await line.wait(5)
    return heard


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@wrong_people
def test_the_socket_says_what_it_says_of_no_room(
    cast: Cast, other: Cast, door: str, who: str
) -> None:
    def prepare() -> tuple[str, str, list[str]]:
        scene = begin(cast, other)
        with scope(cast.practice.pk):
            visitor = visitor_of(scene, door, who)
        right = cast.tara.account if door == "office" else cast.casey_account
        index = 0 if door == "office" else 1
        return (
            cookie_of(visitor),
            cookie_of(Visitor(cast.practice, door, right)),
            [
                f"{paths_of(visitor, *ids)[index]}socket/"
                for ids in ((scene.session.uuid, scene.attendee), (uuid.uuid4(), uuid.uuid4()))
            ],
        )

    async def run() -> None:
        cookie, right_one, (there, nowhere) = await sync_to_async(prepare)()
        # The room is there: the socket of whoever belongs to it stays open.
        assert [frame["type"] for frame in await frames_of(there, right_one)] == [
            "websocket.accept"
        ]
        heard = await frames_of(there, cookie)
        assert heard == await frames_of(nowhere, cookie)
        assert [frame["type"] for frame in heard] == ["websocket.accept", "websocket.close"]
        assert heard[1]["code"] in (4401, 4404)
        await sync_to_async(connections.close_all)()

    asyncio.run(run())
