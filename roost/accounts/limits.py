"""How often something may be tried, counted in the database.

Limits hold per account and source, and per source, never per account alone: a stranger who guesses
from somewhere else cannot lock the owner out. Unknown addresses are counted like known ones.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F

from roost.accounts.models import AttemptCount
from roost.core.context import request_facts
from roost.core.tenancy import current_practice_id
from roost.core.time import now


@dataclass(frozen=True)
class Limit:
    """At most `most` in each stretch of `within`."""

    most: int
    within: timedelta


LOG_IN_PER_ACCOUNT = Limit(10, timedelta(minutes=15))
LOG_IN_PER_SOURCE = Limit(60, timedelta(minutes=15))
MAIL_PER_SOURCE = Limit(20, timedelta(hours=1))
MAIL_PER_ADDRESS = Limit(5, timedelta(hours=1))
# Of an address's five mails, those that sign-ups cause: whoever it belongs to can still ask for a
# reset, whatever strangers do.
SIGN_UP_MAIL_PER_ADDRESS = Limit(4, timedelta(hours=1))
SIGN_UP_MAIL_PER_DAY = Limit(24, timedelta(days=1))
RESEND_PER_SIGN_UP = Limit(4, timedelta(hours=1))
# Six digits, a million of them: thirty tries a day at one address find one in ninety years.
CODE_PER_SIGN_UP = Limit(10, timedelta(days=1))
CODE_PER_SOURCE = Limit(60, timedelta(days=1))
CODE_PER_ADDRESS = Limit(30, timedelta(days=1))
PROSPECT_MAIL_PER_ADDRESS = Limit(3, timedelta(hours=1))
RELAY_TESTS_PER_PRACTICE = Limit(6, timedelta(minutes=10))
REHEARSALS_PER_ACCOUNT = Limit(10, timedelta(minutes=10))
REHEARSALS_PER_PRACTICE = Limit(200, timedelta(minutes=10))


class TooMany(Exception):
    """The limit is reached. `wait` is how long until it is lifted."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("Too many tries.")
        self.wait = wait


def source() -> str:
    """Where the request comes from: an IPv4 address, or the /64 network of an IPv6 one."""
    text = request_facts.get().source
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def subject(*parts: str) -> str:
    """The hash under which something is counted."""
    text = "\x1f".join(parts)
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def log_in_subjects(email: str) -> list[tuple[str, Limit]]:
    """What one try to log in counts towards."""
    practice = str(current_practice_id())
    return [
        (subject("log-in", practice, email, source()), LOG_IN_PER_ACCOUNT),
        (subject("log-in", source()), LOG_IN_PER_SOURCE),
    ]


def ask_for_mail_subjects() -> list[tuple[str, Limit]]:
    """What asking for a mail counts towards, whatever address is asked for."""
    return [(subject("ask-for-mail", source()), MAIL_PER_SOURCE)]


def mail_subjects(address: str) -> list[tuple[str, Limit]]:
    """What one mail to an address counts towards, however it was asked for."""
    return [(subject("mail", str(current_practice_id()), address), MAIL_PER_ADDRESS)]


def resend_subjects(sign_up: str) -> list[tuple[str, Limit]]:
    """What one verification mail of a sign-up counts towards, wherever it was asked for."""
    return [(subject("resend", sign_up), RESEND_PER_SIGN_UP)]


def sign_up_mail_subjects(address: str) -> list[tuple[str, Limit]]:
    """What one mail that a sign-up causes counts towards, beside `mail_subjects`."""
    practice = str(current_practice_id())
    return [
        (subject("sign-up-mail", practice, address), SIGN_UP_MAIL_PER_ADDRESS),
        (subject("sign-up-mail-day", practice, address), SIGN_UP_MAIL_PER_DAY),
    ]


def prospect_mail_subjects(address: str) -> list[tuple[str, Limit]]:
    """What one mail to staff about a prospect counts towards: anybody can cause them, and they must
    not use up the mails that staff need for themselves."""
    practice = str(current_practice_id())
    own = (subject("prospect-mail", practice, address), PROSPECT_MAIL_PER_ADDRESS)
    return [own, *mail_subjects(address)]


def code_subjects(sign_up: str) -> list[tuple[str, Limit]]:
    """What one try at a mailed code counts towards."""
    return [
        (subject("code", sign_up), CODE_PER_SIGN_UP),
        (subject("code-source", source()), CODE_PER_SOURCE),
    ]


def code_at_address_subjects(address: str) -> list[tuple[str, Limit]]:
    """What one try at a mailed code counts towards in silence, whoever's sign-up it is."""
    return [(subject("code-address", str(current_practice_id()), address), CODE_PER_ADDRESS)]


def relay_test_subjects() -> list[tuple[str, Limit]]:
    """What one test of the relay counts towards, whoever of the practice asks for it."""
    return [(subject("relay-test", str(current_practice_id())), RELAY_TESTS_PER_PRACTICE)]


def rehearsal_subjects(account: str) -> list[tuple[str, Limit]]:
    """What relay credentials for one rehearsal count towards."""
    practice = str(current_practice_id())
    return [
        (subject("rehearsal", practice, account), REHEARSALS_PER_ACCOUNT),
        (subject("rehearsal", practice), REHEARSALS_PER_PRACTICE),
    ]


def used(subjects: Iterable[tuple[str, Limit]]) -> int:
    """How many tries are counted towards the first of these just now."""
    name, _ = next(iter(subjects))
    rows = AttemptCount.objects.filter(subject=name, ends_at__gt=now())
    return rows.values_list("count", flat=True).first() or 0


def count(subjects: Iterable[tuple[str, Limit]]) -> None:
    """Count one try towards each. Raises TooMany if one of them has reached its limit."""
    moment = now()
    waits = []
    with transaction.atomic():
        for name, limit in subjects:
            ends_at, number = _count_one(name, limit)
            if number > limit.most:
                waits.append(ends_at - moment)
    if waits:
        raise TooMany(max(waits))


def count_in_turn(subjects: Iterable[tuple[str, Limit]]) -> None:
    """Count one try towards each until one has reached its limit: a try that an earlier one
    refuses uses up nothing of the later ones. Raises TooMany."""
    for each in subjects:
        count([each])


def _count_one(name: str, limit: Limit) -> tuple[datetime, int]:
    moment = now()
    rows = AttemptCount.objects.filter(subject=name)
    first = {"count": 1, "ends_at": moment + limit.within}
    if not (
        rows.filter(ends_at__gt=moment).update(count=F("count") + 1)
        or rows.filter(ends_at__lte=moment).update(**first)
    ):
        try:
            with transaction.atomic():
                AttemptCount.objects.create(subject=name, **first)
        except IntegrityError:
            # Somebody began this stretch of time a moment ago.
            rows.update(count=F("count") + 1)
    return rows.values_list("ends_at", "count").get()


def forgive(subjects: Iterable[tuple[str, Limit]]) -> None:
    """Take back one try: it succeeded."""
    for name, _ in subjects:
        AttemptCount.objects.filter(subject=name, count__gt=0).update(count=F("count") - 1)
