"""The room's socket and the office's bell, for both doors. The doors say which seat it is.

The server only carries signals between browsers: it stamps who they are from, looks at none of
them, and keeps none of them. What each message may hold stands in `messages`.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.http import Http404

from roost.accounts.models import SignIn
from roost.accounts.sockets import (
    NOT_UNDERSTOOD,
    SIGNED_OUT,
    TOO_MUCH,
    SignedInConsumer,
    server_stops,
)
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
from roost.video.rules import GRACE, IN_ROOM, PLACE_KEPT, ice_policy, next_turn, say_time
from roost.video.turn import RENEWED_AFTER, ice_servers, relay_urls

# Beside the close codes of every socket (roost.accounts.sockets).
REFUSED, SILENT, REPLACED, OVER = 4403, 4408, 4409, 4410
SECONDS_TO_SAY_HELLO = 20.0
# A page pings every ten seconds, or every minute in the background. One that does not, does not
# have its right to be here looked at.
SECONDS_OF_SILENCE = 150.0
# What has yet to be told may wait so many seconds: whatever a call begins with goes first.
SOON = 0.5
# Seconds between two renewals of the lease of who waits, whose page pings every ten; and between
# two looks at their right to wait, which whoever takes it away makes anyhow.
RENEW_WHILE_WAITING, LOOK_WHILE_WAITING = 25.0, 120.0
# What a signal may carry. The server passes it on, and looks at none of it.
CARRIED = ("description", "candidate", "restart", "safety")


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
        self._silence: asyncio.TimerHandle | None = None
        self._heard_at = 0.0
        # What this page was last told of the relay, and when it needs to hear anew.
        self._policy = ""
        self._renewed_at = self._looked_at = 0.0
        self._renew_at: datetime | None = None
        self._told_time: dict[str, str] = {}
        # The cids that this page may signal to.
        self._known: set[str] = set()
        standing, idle = await self.in_practice(self._first_look)
        if standing is None:
            return False
        self.standing, self.seat = standing, standing.seat
        self.found = True
        self.is_over = idle
        await self.join(self.seat.room_group)
        await self.join(self.seat.person_group)
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
            SECONDS_TO_SAY_HELLO, self.start, self._be_silent
        )

    async def _mind_silence(self) -> None:
        loop = asyncio.get_running_loop()
        left = self._heard_at + SECONDS_OF_SILENCE - loop.time()
        if left <= 0:
            return await self.close(SILENT)
        self._silence = loop.call_later(left, self.start, self._mind_silence)

    async def _be_silent(self) -> None:
        # A page whose machine can hardly breathe tries again, which NOT_UNDERSTOOD would forbid.
        if not self.cid:
            await self.close(SILENT)

    async def gone(self) -> None:
        for timer in (self._hello, self._next_look, self._soon, self._silence):
            if timer is not None:
                timer.cancel()
        if self.found and self.cid and not self.is_over:
            await self._note_lost()

    async def _note_lost(self) -> None:
        stops = server_stops.is_set() or self.has_lost_touch
        note = partial(services.note_lost, server_stops=stops)
        lost = await self.in_practice(note, by=self.seat, cid=self.cid)
        if lost and not self.seat.is_therapist:
            # Who waited is off the therapist's screen after the grace, who was in the call when
            # their place has lapsed.
            for span in (GRACE, GRACE + PLACE_KEPT):
                seconds = span.total_seconds() + 0.5
                asyncio.get_running_loop().call_later(seconds, _ring_again, self.seat)

    # -- what the browser says -----------------------------------------------------------

    async def heard(self, message: dict[str, Any]) -> None:
        try:
            kind = check(message)
        except BadMessage:
            return await self.close(NOT_UNDERSTOOD)
        if kind != "hello" and not self.cid:
            return await self.close(NOT_UNDERSTOOD)
        self._heard_at = asyncio.get_running_loop().time()
        if kind != "signal" and not self.may_ask():
            return await self.close(TOO_MUCH)
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
        is_new, self.cid = not self.cid, message["cid"]
        if self._silence is None:
            await self._mind_silence()
        # A socket that the same page had before may be dead without knowing. Others in the room
        # know its cid, and may have a right to the same seat.
        await self.channel_layer.group_send(
            self.seat.person_group,
            {
                "type": "room.spoken_for",
                "cid": self.cid,
                "account": self.account.pk,
                "by": self.channel_name,
            },
        )
        self._renewed_at, standing = time.monotonic(), self.standing
        if is_new and standing.closed is None and not standing.speaks_under(self.cid):
            # A page that nobody has heard of hears what was seen as its socket opened: a reload
            # has knocked already, and waits for the answer to that.
            await self._say_state(self._state(standing))
            return self._look_soon()
        mine = await self.in_practice(services.note_regained, by=self.seat, cid=self.cid)
        if is_new and mine is not None and mine.state in IN_ROOM:
            # What was said to the old line is lost, also where nobody has noticed its end.
            await self.channel_layer.group_send(
                self.seat.room_group, {"type": "room.back", "cid": self.cid}
            )
        await self._look()
        # What happened while the line was down.
        why = "" if self.is_over else self.standing.why_out(self.cid)
        if why == "ended":
            await self._over(Closed.ENDED)
        elif why == "declined":
            await self.say(type="left", cid=self.cid, reason=why)
            await self._finish(OVER)

    async def room_spoken_for(self, event: dict[str, Any]) -> None:
        is_mine = (event["cid"], event["account"]) == (self.cid, self.account.pk)
        if is_mine and event["by"] != self.channel_name:
            await self._finish(REPLACED)

    async def hear_ready(self, message: dict[str, Any]) -> None:
        name = clean_name(message.get("name", ""))
        self._renewed_at = time.monotonic()
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

    async def hear_shown(self, message: dict[str, Any]) -> None:
        await self._act(services.note_shown, ids=message["ids"])

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
        # The page waits for the end of the line, also where another has taken its place meanwhile.
        with contextlib.suppress(NotAdmitted):
            await self.in_practice(services.leave_room, by=self.seat, cid=self.cid)
        await self.say(type="left", cid=self.cid, reason="left")
        await self._finish(OVER)

    async def hear_ping(self, message: dict[str, Any]) -> None:
        await self.say(type="pong")
        await self.join_again()
        # Thousands can wait: nothing reaches them anyhow, and whoever changes something tells them.
        inside, moment = self._is_inside(), time.monotonic()
        if not inside and moment - self._renewed_at < RENEW_WHILE_WAITING:
            return
        self._renewed_at = moment
        held = await self.in_practice(services.note_here, by=self.seat, cid=self.cid)
        # The right to be here is looked at again for as long as it lasts.
        if inside or not held or moment - self._looked_at >= LOOK_WHILE_WAITING:
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
        comes_as = event.get("comes_as", "")
        # Whoever comes back is told nothing of their own page before.
        knew = event["left"] and self._is_inside() and self.cid not in (event["left"], comes_as)
        if knew:
            said = {"cid": event["left"], "reason": event["reason"]}
            if comes_as:
                said["as"] = comes_as
            await self.say(type="left", **said)
        if event["urgent"]:
            await self._look()
        else:
            self._look_soon()

    def _look_soon(self) -> None:
        """Look once for several changes, and after what somebody is waiting for."""
        if self._soon is None:
            loop = asyncio.get_running_loop()
            self._soon = loop.call_later(SOON, self.start, self._look)

    async def room_admitted(self, event: dict[str, Any]) -> None:
        """The door has opened for this person: told at once, before anything is looked up."""
        if event["cid"] == self.cid and not self.is_over:
            ice = ice_servers(event["person"], now())
            await self._say_state(
                {
                    "type": "state",
                    "state": PersonState.ADMITTED.value,
                    "room": RoomState.OPEN.value,
                    "people": event["people"],
                    "ice": ice,
                    "policy": event["policy"],
                    "time": self._time(),
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

    async def room_back(self, event: dict[str, Any]) -> None:
        if self._is_inside() and event["cid"] in self._known:
            await self.say(type="back", cid=event["cid"])

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
            with contextlib.suppress(NotAdmitted):
                await self.in_practice(services.leave_room, by=self.seat, cid=self.cid)
            # Not before: if that fails, the end of the socket still says that they are lost.
            self.is_over = True

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
            # What was to be told soon is told now.
            self._soon.cancel()
            self._soon, quietly = None, False
        if self.is_over or not self.cid:
            return
        was_inside = self._is_inside()
        self._looked_at = time.monotonic()
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
            if standing.closed == Closed.LATE and standing.state in IN_ROOM:
                await self.in_practice(services.end_by_time, at=self.seat)
            return await self._over(standing.closed)
        if was_inside and standing.ended:
            return await self._over(Closed.ENDED)
        self._plan(standing)
        if not quietly:
            return await self._say_state(self._state(standing))
        if self._is_inside():
            await self._renew_ice(standing)
        if self._told_time != (told := self._time()):
            self._told_time = told
            await self.say(type="time", **told)

    async def _say_state(self, state: dict[str, Any]) -> None:
        self._note_ice(state)
        self._told_time = state["time"]
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
        """Look again by itself when the room's time stands differently: the browser's clock may be
        wrong, and its machine asleep."""
        if self._next_look is not None:
            self._next_look.cancel()
        turn = next_turn(self.seat.window, standing.moment)
        if turn is None:
            return
        seconds = (turn - standing.moment).total_seconds() + 0.2
        look = partial(self._look, quietly=True)
        self._next_look = asyncio.get_running_loop().call_later(seconds, self.start, look)

    def _state(self, standing: Standing) -> dict[str, Any]:
        mine = standing.speaks_under(self.cid)
        person = standing.person
        state: dict[str, Any] = {
            "type": "state",
            "state": person.state if person and mine else "",
            "room": standing.room.value,
            "people": [self._tell_of(p) for p in standing.others] if mine else [],
            "ice": standing.ice() if mine else [],
            "policy": ice_policy(self.seat.practice),
            "time": self._time(),
        }
        if person and mine and person.state == PersonState.WAITING:
            state["told"] = person.told_at is not None
        return state

    def _time(self) -> dict[str, str]:
        return say_time(self.seat.window, now(), self.seat.zone)

    def _tell_of(self, person: Presence) -> dict[str, Any]:
        told: dict[str, Any] = as_told(person, now())
        if self.seat.is_therapist and person.attendee is not None:
            # The name on the record, whatever somebody typed.
            told["id"] = str(person.uuid)
            told["client"] = person.attendee.client.name
            if person.state == PersonState.WAITING and person.waiting_since is not None:
                told["since"] = person.waiting_since.isoformat()
                told["told"] = person.told_at is not None
        return told

    async def _over(self, reason: Closed) -> None:
        """Tell why the person cannot be here, and end."""
        window = self.seat.window
        again = reason == Closed.ENDED and now() < window.closes_at
        await self.say(type="ended", reason=reason.value, again=again)
        await self._finish(OVER)

    async def _finish(self, code: int) -> None:
        self.is_over = True
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
