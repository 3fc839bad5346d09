"""The confirmation code that a prospect reads out to the practice ("K7M-42Q").

It proves who is at the screen, not whose mailbox it is. It stands in no row: it is derived for a
prospect, an address and a day, and works until noon of the next day in the practice's zone.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.crypto import constant_time_compare, salted_hmac

from roost.clients.models import Prospect
from roost.core.time import from_wall_time

# None of these letters and digits is taken for another one, read out or in print.
ALPHABET = "ACDEFGHJKMNPQRTWXY34679"
LENGTH = 6
NOON = time(12)


def confirmation_code(prospect: Prospect, moment: datetime, zone: ZoneInfo) -> str:
    """The code that the prospect's page shows at `moment`, in two groups of three."""
    code = _code_of(prospect, moment.astimezone(zone).date())
    return f"{code[:3]}-{code[3:]}"


def good_until(moment: datetime, zone: ZoneInfo) -> datetime:
    """Until when the code shown at `moment` works, in UTC: noon of the next day there."""
    tomorrow = moment.astimezone(zone).date() + timedelta(days=1)
    return from_wall_time(tomorrow, NOON, zone, fold=0)


def is_right(prospect: Prospect, typed: str, moment: datetime, zone: ZoneInfo) -> bool:
    """Whether `typed`, however it is spaced and in whatever case, is a code that works now."""
    plain = "".join(c for c in typed.upper() if c.isalnum())
    local = moment.astimezone(zone)
    days = [local.date()]
    if local.time() < NOON:
        days.append(local.date() - timedelta(days=1))
    return any(constant_time_compare(plain, _code_of(prospect, day)) for day in days)


def _code_of(prospect: Prospect, day: date) -> str:
    facts = "\x1f".join([prospect.uuid.hex, prospect.email, day.isoformat()])
    digest = salted_hmac("roost.clients.confirmation", facts, algorithm="sha256").digest()
    number = int.from_bytes(digest[:12], "big")
    letters = []
    for _ in range(LENGTH):
        number, place = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[place])
    return "".join(letters)
