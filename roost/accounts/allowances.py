"""How much one account may say on its sockets in this process, however many it opens.

Each account has a bucket of tokens that fills up again by itself. What it says takes some out, by
what it costs the server, and it has one turn at the database at a time: so no account can keep the
others waiting.
"""

import asyncio
import time
from dataclasses import dataclass, field

PER_SECOND, BURST = 50.0, 200.0
# A message that is only passed on, one that asks the database, and a new socket.
MESSAGE, QUESTION, SOCKET = 1, 5, 5
# Open at once. A therapist with a day's tabs open has a dozen.
MOST_SOCKETS = 60


@dataclass
class Allowance:
    """What an account may still say, and how many sockets it has open."""

    tokens: float = BURST
    filled_at: float = field(default_factory=time.monotonic)
    sockets: int = 0
    # Held while one of its sockets is with the one thread that does all database work.
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def take(self, cost: float) -> bool:
        """Whether there was enough for something that costs this; if so, it is taken."""
        moment = time.monotonic()
        self.tokens = min(self.tokens + (moment - self.filled_at) * PER_SECOND, BURST)
        self.filled_at = moment
        if self.tokens < cost:
            return False
        self.tokens -= cost
        return True

    @property
    def is_fresh(self) -> bool:
        """Whether forgetting it and beginning anew would come to the same."""
        gained = (time.monotonic() - self.filled_at) * PER_SECOND
        return not self.sockets and self.tokens + gained >= BURST


_allowances: dict[int, Allowance] = {}


def allowance_of(account_id: int) -> Allowance:
    """The one allowance of an account, kept for as long as it says anything."""
    return _allowances.setdefault(account_id, Allowance())


def forget_fresh() -> None:
    """Drop those that nobody would miss."""
    for account_id in [each for each, held in _allowances.items() if held.is_fresh]:
        del _allowances[account_id]
