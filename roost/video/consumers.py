"""The room's socket and the office's bell, for both doors. The doors say which seat it is.

The server only carries signals between browsers: it stamps who they are from, looks at none of
them, and keeps none of them. What each message may hold stands in `messages`.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404

from roost.accounts.models import SignIn
from roost.accounts.sockets import NOT_UNDERSTOOD, SIGNED_OUT, SignedInConsumer
from roost.audit.services import record_refusal
from roost.core.time import now
from roost.video import services
from roost.video.enums import Closed, PersonState, RoomState
from roost.video.errors import (
    CidTaken,
    NoSuchPerson,
    NotAdmitted,
    NotAllowed,
    RoomClosed,
    RoomFull,
)
from roost.video.messages import BadMessage, check, clean_name
from roost.video.models import Presence
from roost.video.queries import Seat, Standing, as_told, bell_group, standing_of
from roost.video.rules import GRACE, IN_ROOM, ice_policy
from roost.video.turn import RENEWED_AFTER, ice_servers, relay_urls

# Beside the close codes of every socket (roost.accounts.sockets).
REFUSED, SILENT, REPLACED, OVER = 4403, 4408, 4409, 4410
SECONDS_TO_SAY_HELLO = 20.0
SOON = 0.2
# What a signal may carry. The server passes it on, and looks at none of it.
CARRIED = ("description", "candidate", "safety")


def is_idle(consumer: SignedInConsumer) -> bool:
    """Whether the sign-in behind a socket has passed its idle limit."""
    practice = consumer.practice
    minutes = practice.client_idle_minutes
    if consumer.scope["door"] == "office":
        minutes = practice.staff_idle_minutes
    used_since = now() - timedelta(minutes=minutes)
    return not SignIn.objects.filter(pk=consumer.sign_in, used_at__gte=used_since).exists()


class RoomConsumer(SignedInConsumer):
    """One page of one person in one room."""

    # A long SDP, twice, in JSON.
    most_characters = 64 * 1024

    standing: Standing

    def find_seat(self) -> Seat:
        """The seat this socket is for. Raises Http404 for whom it is not."""
        raise NotImplementedError

    # -- coming and going ----------------------------------------------------------------

    async def enter(self) -> bool:
        self.cid = ""
        self.found = False
        self.is_over = False
        self._hello: asyncio.TimerHandle | None = None
        self._next_look: asyncio.TimerHandle | None = None
        self._soon: asyncio.TimerHandle | None = None
        # What this page was last told of the relay, and when it needs to hear anew.
        self._policy = ""
        self._renew_at: datetime | None = None
        # The cids that this page may signal to.
        self._known: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        standing, idle = await self.in_practice(self._first_look)
        if standing is None:
            return False
        self.standing, self.seat = standing, standing.seat
        self.found = True
        self.is_over = idle
        await self.channel_layer.group_add(self.seat.room_group, self.channel_name)
        await self.channel_layer.group_add(self.seat.person_group, self.channel_name)
        return True

    def _first_look(self) -> tuple[Standing | None, bool]:
        try:
            standing = standing_of(self.find_seat())
        except Http404:
            route = f"{self.scope['door']}:room-socket"
            record_refusal(by=self.account, status=404, route=route)
            return None, False
        return standing, not standing.is_inside and is_idle(self)

    async def entered(self) -> None:
        if self.is_over:
            return await self.close(SIGNED_OUT)
        self._hello = asyncio.get_running_loop().call_later(
            SECONDS_TO_SAY_HELLO, self._start, self._be_silent
        )

    def _start(self, make: Any) -> None:
        task = asyncio.get_running_loop().create_task(make())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _be_silent(self) -> None:
        # A page whose machine can hardly breathe tries again, which NOT_UNDERSTOOD would forbid.
        if not self.cid:
            await self.close(SILENT)

    async def gone(self) -> None:
        for timer in (self._hello, self._next_look, self._soon):
            if timer is not None:
                timer.cancel()
        if not self.found:
            return
        for group in (self.seat.room_group, self.seat.person_group):
            await self.channel_layer.group_discard(group, self.channel_name)
        if self.cid and not self.is_over:
            lost = await self.in_practice(services.note_lost, by=self.seat, cid=self.cid)
            if lost and not self.seat.is_therapist:
                # Who waited and does not come back is off the therapist's screen after the grace.
                seconds = GRACE.total_seconds() + 0.5
                asyncio.get_running_loop().call_later(seconds, _ring_again, self.seat)

    # -- what the browser says -----------------------------------------------------------

    async def heard(self, message: dict[str, Any]) -> None:
        try:
            kind = check(message)
        except BadMessage:
            return await self.close(NOT_UNDERSTOOD)
        if kind != "hello" and not self.cid:
            return await self.close(NOT_UNDERSTOOD)
        try:
            await getattr(self, f"hear_{kind}")(message)
        except RoomClosed as error:
            await self._over(error.reason)
        except NotAllowed:
            await self.in_practice(
                record_refusal,
                by=self.account,
                status=403,
                route=f"{self.scope['door']}:room-socket",
            )
            await self._finish(REFUSED)
            await self.put_out()
        except CidTaken:
            await self._finish(NOT_UNDERSTOOD)
        except RoomFull:
            await self.say(type="full")
        except (NotAdmitted, NoSuchPerson):
            # The room has moved on since the page drew it: show how it stands.
            await self._look()

    async def hear_hello(self, message: dict[str, Any]) -> None:
        if self.cid and self.cid != message["cid"]:
            return await self.close(NOT_UNDERSTOOD)
        self.cid = message["cid"]
        await self.in_practice(services.note_regained, by=self.seat, cid=self.cid)
        await self._look()

    async def hear_ready(self, message: dict[str, Any]) -> None:
        name = clean_name(message.get("name", ""))
        await self._act(services.enter_waiting_room, cid=self.cid, name=name)
        await self._look()

    async def hear_admit(self, message: dict[str, Any]) -> None:
        await self._act(services.admit_person, cid=message["cid"])

    async def hear_admit_all(self, message: dict[str, Any]) -> None:
        await self._act(services.admit_everybody)

    async def hear_decline(self, message: dict[str, Any]) -> None:
        await self._act(services.decline_person, cid=message["cid"])

    async def hear_remove(self, message: dict[str, Any]) -> None:
        await self._act(services.remove_person, cid=message["cid"])

    async def hear_end(self, message: dict[str, Any]) -> None:
        await self._act(services.end_room)

    async def hear_join(self, message: dict[str, Any]) -> None:
        joined = await self._act(services.note_connected, cid=self.cid, offer=message.get("offer"))
        # As the act itself saw it: looking again would only hold up the other side's answer.
        waiting = [p for p in self.standing.others if p.state not in IN_ROOM]
        self.standing = replace(
            self.standing,
            seat=self.seat,
            room=RoomState.OPEN,
            ended=False,
            closed=None,
            person=joined.person,
            others=[*joined.others, *(waiting if self.seat.is_therapist else [])],
        )
        self._known = {p.cid for p in joined.others}
        await self._say_state(self._state(self.standing))
        await self.say(type="joined", cid=self.cid, offered=joined.offered)
        self._look_soon()

    async def hear_leave(self, message: dict[str, Any]) -> None:
        await self.in_practice(services.leave_room, by=self.seat, cid=self.cid)
        await self.say(type="left", cid=self.cid, reason="left")
        await self._finish(OVER)

    async def hear_ping(self, message: dict[str, Any]) -> None:
        await self.say(type="pong")
        await self.in_practice(services.note_here, by=self.seat, cid=self.cid)
        # The right to be here is looked at again for as long as it lasts.
        await self._look(quietly=True)

    async def hear_signal(self, message: dict[str, Any]) -> None:
        if not self._is_inside() or message["to"] not in self._known:
            return
        await self.channel_layer.group_send(
            self.seat.room_group,
            {
                "type": "room.signal",
                "to": message["to"],
                "from": self.cid,
                "role": "therapist" if self.seat.is_therapist else "client",
                "what": {k: message[k] for k in CARRIED if k in message},
            },
        )

    async def _act(self, act: Callable[..., Any], **details: Any) -> Any:
        """Look the seat up again and act from it, in one go. Raises NotAllowed if it is gone."""

        def run() -> Any:
            try:
                self.seat = self.find_seat()
            except Http404:
                raise NotAllowed from None
            return act(by=self.seat, **details)

        return await self.in_practice(run)

    # -- what happens in the room --------------------------------------------------------

    async def room_changed(self, event: dict[str, Any]) -> None:
        knew = event["left"] and self._is_inside() and event["left"] != self.cid
        if knew:
            await self.say(type="left", cid=event["left"], reason=event["reason"])
        if event["urgent"]:
            await self._look()
        else:
            self._look_soon()

    def _look_soon(self) -> None:
        """Look once for several changes, and after what somebody is waiting for."""
        if self._soon is None:
            loop = asyncio.get_running_loop()
            self._soon = loop.call_later(SOON, self._start, self._look)

    async def room_admitted(self, event: dict[str, Any]) -> None:
        """The door has opened for this person: told at once, before anything is looked up."""
        if event["cid"] == self.cid and not self.is_over:
            ice = ice_servers(event["person"], now())
            await self._say_state(
                {
                    "type": "state",
                    "state": PersonState.ADMITTED.value,
                    "elsewhere": False,
                    "room": RoomState.OPEN.value,
                    "people": event["people"],
                    "ice": ice,
                    "policy": event["policy"],
                }
            )

    async def room_declined(self, event: dict[str, Any]) -> None:
        if event["cid"] == self.cid and not self.is_over:
            await self.say(type="left", cid=self.cid, reason="declined")
            await self._finish(OVER)

    async def room_joined(self, event: dict[str, Any]) -> None:
        if event["cid"] == self.cid or not self._is_inside():
            return
        said = {name: event[name] for name in ("cid", "name", "role")}
        if event["offer_to"] == self.cid:
            said["offer"] = event["offer"]
        self._known.add(event["cid"])
        await self.say(type="joined", **said)
        self._look_soon()

    async def room_signal(self, event: dict[str, Any]) -> None:
        if event["to"] == self.cid and self._is_inside():
            await self.say(
                type="signal", **{"from": event["from"]}, role=event["role"], **event["what"]
            )

    async def room_replaced(self, event: dict[str, Any]) -> None:
        if self.cid and event["cid"] != self.cid:
            await self.say(type="left", cid=self.cid, reason="replaced")
            await self._finish(REPLACED)

    async def room_ended(self, event: dict[str, Any]) -> None:
        if self._is_inside():
            await self._over(Closed.ENDED)
        else:
            await self._look()

    async def put_out(self) -> None:
        # The browsers talk to each other directly: the others must hang up, whatever this one does.
        if self.found and self.cid:
            self.is_over = True
            with contextlib.suppress(NotAdmitted):
                await self.in_practice(services.leave_room, by=self.seat, cid=self.cid)

    # -- how it stands -------------------------------------------------------------------

    def _is_inside(self) -> bool:
        """Whether this page speaks for somebody who is in the room, as last looked at."""
        return self.standing.is_inside and self.standing.speaks_under(self.cid)

    def _stand(self) -> Standing | None:
        try:
            return standing_of(self.find_seat())
        except Http404:
            return None

    async def _look(self, *, quietly: bool = False) -> None:
        """Look at the database again, and tell the browser how it stands."""
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        if self.is_over or not self.cid:
            return
        was_inside = self._is_inside()
        standing = await self.in_practice(self._stand)
        if standing is None:
            await self.say(type="ended", reason="gone", again=False)
            await self._finish(OVER)
            return await self.put_out()
        self.standing, self.seat = standing, standing.seat
        self._known = {p.cid for p in standing.others if p.state in IN_ROOM}
        if standing.closed == Closed.REMOVED and standing.speaks_under(self.cid):
            await self.say(type="left", cid=self.cid, reason="removed")
            return await self._finish(OVER)
        if standing.closed is not None:
            return await self._over(standing.closed)
        if was_inside and standing.ended:
            return await self._over(Closed.ENDED)
        self._plan(standing)
        if not quietly:
            await self._say_state(self._state(standing))
        elif self._is_inside():
            await self._renew_ice(standing)

    async def _say_state(self, state: dict[str, Any]) -> None:
        self._note_ice(state)
        await self.say(**state)

    def _note_ice(self, told: dict[str, Any]) -> None:
        self._policy = told["policy"]
        self._renew_at = now() + RENEWED_AFTER if told["ice"] else None

    async def _renew_ice(self, standing: Standing) -> None:
        """Hand out new credentials well before the old ones expire, so that a long call can find
        its way anew at any time, with the server away too; and say what the practice has changed.
        """
        policy = ice_policy(self.seat.practice)
        is_due = bool(relay_urls()) and (self._renew_at is None or now() >= self._renew_at)
        if is_due or policy != self._policy:
            told = {"type": "ice", "ice": standing.ice(), "policy": policy}
            self._note_ice(told)
            await self.say(**told)

    def _plan(self, standing: Standing) -> None:
        """Look again by itself when the window ends, and when the overtime does."""
        if self._next_look is not None:
            self._next_look.cancel()
        window = self.seat.window
        until = window.closes_at if standing.moment < window.closes_at else window.last_at
        seconds = max((until - standing.moment).total_seconds(), 0) + 0.2
        self._next_look = asyncio.get_running_loop().call_later(seconds, self._start, self._look)

    def _state(self, standing: Standing) -> dict[str, Any]:
        mine = standing.speaks_under(self.cid)
        person = standing.person
        return {
            "type": "state",
            "state": person.state if person and mine else "",
            "elsewhere": standing.is_inside and not mine,
            "room": standing.room.value,
            "people": [self._tell_of(p) for p in standing.others] if mine else [],
            "ice": standing.ice() if mine else [],
            "policy": ice_policy(self.seat.practice),
        }

    def _tell_of(self, person: Presence) -> dict[str, Any]:
        told: dict[str, Any] = as_told(person)
        if self.seat.is_therapist and person.attendee is not None:
            # The name on the record, whatever somebody typed.
            told["id"] = str(person.uuid)
            told["client"] = person.attendee.client.name
            if person.state == PersonState.WAITING and person.waiting_since is not None:
                told["since"] = person.waiting_since.isoformat()
        return told

    async def _over(self, reason: Closed) -> None:
        """Tell why the person cannot be here, and end."""
        window = self.seat.window
        again = reason == Closed.ENDED and now() < window.closes_at
        await self.say(type="ended", reason=reason.value, again=again)
        await self._finish(OVER)

    async def _finish(self, code: int) -> None:
        self.is_over = True
        with contextlib.suppress(RuntimeError):  # closed already
            await self.close(code)


def _ring_again(seat: Seat) -> None:
    from channels.layers import get_channel_layer

    layer = get_channel_layer()
    loop = asyncio.get_running_loop()
    for group, event in (
        (bell_group(seat.appointment.therapist_id), {"type": "bell.rang"}),
        (seat.room_group, {"type": "room.changed", "left": "", "reason": "", "urgent": False}),
    ):
        _sending.add(task := loop.create_task(layer.group_send(group, event)))
        task.add_done_callback(_sending.discard)


_sending: set[asyncio.Task[None]] = set()
