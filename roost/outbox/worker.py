"""The worker: a thread of the server's process, or a process of its own."""

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta

from django.db import DatabaseError, close_old_connections, connection, transaction

from roost.core import wake
from roost.core.time import now
from roost.outbox.models import WorkerBeat
from roost.outbox.services import deliver_due

log = logging.getLogger("roost.worker")
PAUSE_SECONDS = 1.0
BEAT = timedelta(seconds=10)
CHORES_EVERY = timedelta(hours=1)


def work(stop: threading.Event, chores: Iterable[Callable[[], None]] = ()) -> None:
    """Deliver what is due until `stop` is set: at once when woken, else every second.

    `chores` of other domains are done once an hour.
    """
    beat_at = now() - BEAT
    chores_at = now()
    while not stop.is_set():
        try:
            if now() >= chores_at:
                chores_at = now() + CHORES_EVERY
                for chore in chores:
                    chore()
            if now() - beat_at >= BEAT:
                beat_at = now()
                beat()
            deliver_due()
        except DatabaseError:
            log.exception("The worker lost the database; it goes on.")
            close_old_connections()
        except Exception:
            log.exception("The worker met trouble; it goes on.")
        wake.wait(PAUSE_SECONDS)
    connection.close()


def beat() -> None:
    """Write down that a worker lives, for /readyz."""
    with transaction.atomic():
        WorkerBeat.objects.update_or_create(pk=1, defaults={"at": now()})


def is_alive() -> bool:
    """Whether a worker has written its beat within the last three."""
    return WorkerBeat.objects.filter(at__gt=now() - 3 * BEAT).exists()
