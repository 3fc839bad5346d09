"""Rehearsals: trying camera, sound and the way to the relay, days before a session."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from roost.accounts.limits import count_in_turn, rehearsal_subjects
from roost.accounts.models import Account
from roost.audit.services import record
from roost.clients.enums import Relationship
from roost.clients.models import PortalAccess
from roost.clients.queries import access_held_by, opens
from roost.clients.rules import OPENS
from roost.core.time import now, say_hour, say_relative_day
from roost.scheduling.enums import Mode
from roost.scheduling.models import Attendee
from roost.scheduling.queries import upcoming_for_access
from roost.video.enums import Found, Part
from roost.video.errors import NotAFinding
from roost.video.models import DeviceCheck
from roost.video.rules import CHECK_COUNTS_FOR, say_check
from roost.video.turn import REHEARSAL_LIFETIME, ice_servers

# Whose rehearsal says something of a client: a partner sits before a camera of their own.
_IN_THE_CLIENTS_PLACE = [
    name for name, each in OPENS.items() if each.join and name != Relationship.PARTNER
]


def can_rehearse(account: Account) -> bool:
    """Whether there is anybody for whom a client's account may join sessions."""
    return any(opens(access).join for access in access_held_by(account))


def next_video_session(account: Account) -> Attendee | None:
    """The next session on video that an account may join, or the one that is going on."""
    moment, found = now(), []
    for access in access_held_by(account):
        if not opens(access).join:
            continue
        rows = upcoming_for_access(access, moment=moment).filter(appointment__mode=Mode.VIDEO)
        if first := rows.first():
            found.append(first)
    return min(found, key=lambda each: each.appointment.starts_at, default=None)


def lend_relay(*, by: Account) -> list[dict[str, Any]]:
    """Relay credentials for one rehearsal, good for two minutes; empty when there is no relay.

    The caller has seen to it that the account may rehearse. Nothing in them says whose they are.
    Raises TooMany. Records rehearsal.begun.
    """
    count_in_turn(rehearsal_subjects(str(by.pk)))
    record("rehearsal.begun", by=by)
    return ice_servers(uuid.uuid4().hex, now(), lifetime=REHEARSAL_LIFETIME)


def keep_check(*, by: Account, found: Mapping[str, str]) -> DeviceCheck:
    """Keep how an account's rehearsal went in the place of the one before.

    `found` says by Part what was found, "" or nothing for what was not tried. Raises NotAFinding.
    Records rehearsal.checked with the parts that do not work.
    """
    values = {str(part): found.get(part, "") for part in Part}
    if any(value and value not in Found.values for value in values.values()):
        raise NotAFinding
    if not any(values.values()):
        raise NotAFinding
    with transaction.atomic():
        check, _ = DeviceCheck.objects.update_or_create(
            account=by, defaults={**values, "checked_at": now()}
        )
        troubles = [name for name, value in values.items() if value not in ("", Found.WORKS)]
        record("rehearsal.checked", by=by, subject=check, troubles=troubles)
        return check


def last_check(account: Account) -> DeviceCheck | None:
    """An account's own last rehearsal, or None."""
    return DeviceCheck.objects.filter(account=account).first()


def checks_of(client_ids: Iterable[int], moment: datetime) -> dict[int, DeviceCheck]:
    """The newest rehearsal in each of these clients' places, by the client's primary key, unless it
    was too long before `moment` to say anything. One query, and none for nobody."""
    wanted = set(client_ids)
    if not wanted:
        return {}
    rows = (
        PortalAccess.objects.filter(
            client_id__in=wanted,
            ended_at=None,
            relationship__in=_IN_THE_CLIENTS_PLACE,
            account__device_check__checked_at__gt=moment - CHECK_COUNTS_FOR,
        )
        .select_related("account__device_check")
        .order_by("account__device_check__checked_at")
    )
    return {row.client_id: row.account.device_check for row in rows}


def describe_check(check: DeviceCheck, moment: datetime, tz: ZoneInfo) -> str:
    """A rehearsal in words, with when it was by the clocks in `tz`: "Camera and sound checked
    today, 9:12 am"."""
    found = {str(part): getattr(check, part) for part in Part}
    at = check.checked_at.astimezone(tz)
    day = say_relative_day(at.date(), moment.astimezone(tz).date())
    near = day.lower() if day in ("Today", "Yesterday") else f"on {day}"
    return f"{say_check(found)} {near}, {say_hour(at, tz)}"
