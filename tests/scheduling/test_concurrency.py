"""Many people at one calendar. Runs on whichever database is configured, in real threads."""

import threading
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection

from roost.audit.models import AuditEvent
from roost.core.models import Submission
from roost.core.tenancy import scope
from roost.core.time import now
from roost.scheduling.enums import Mode
from roost.scheduling.errors import SlotTaken
from roost.scheduling.models import Appointment, Attendee
from roost.scheduling.services import book_appointment, cancel_appointment, move_appointment
from tests.support.cast import Cast, make_appointment, make_cast

# Hundreds of connections at once: one crowd at a time.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("crowd")]

START = (now() + timedelta(days=30)).replace(hour=15, minute=0, second=0, microsecond=0)


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make_cast("maple", "Maple Counselling", "America/Toronto")


def at_once(practice_id: int, acts: list[Callable[[], object]]) -> Counter[str]:
    """Run every act in a thread of its own, all let go together; count how each ended."""
    gate = threading.Barrier(len(acts))
    ends: list[str] = []

    def run(act: Callable[[], object]) -> None:
        try:
            with scope(practice_id):
                gate.wait(60)
                act()
            ends.append("done")
        except Exception as error:
            ends.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return Counter(ends)


def booking(cast: Cast, starts_at: datetime, key: uuid.UUID | None = None) -> Callable[[], object]:
    return lambda: book_appointment(
        by=cast.tara,
        key=key or uuid.uuid4(),
        therapist=cast.tara,
        clients=[cast.casey],
        service=cast.individual,
        starts_at=starts_at,
        mode=Mode.VIDEO,
    )


def test_of_200_overlapping_bookings_one_wins(cast: Cast) -> None:
    acts = [booking(cast, START + timedelta(minutes=n % 25)) for n in range(200)]
    ends = at_once(cast.practice.pk, acts)
    assert ends == {"done": 1, SlotTaken.__name__: 199}
    with scope(cast.practice.pk):
        assert Appointment.objects.count() == 1
        assert Attendee.objects.count() == 1
        assert Submission.objects.count() == 1
        assert AuditEvent.objects.filter(action="appointment.booked").count() == 1


def test_back_to_back_bookings_are_all_accepted(cast: Cast) -> None:
    acts = [booking(cast, START + timedelta(minutes=50 * n)) for n in range(40)]
    assert at_once(cast.practice.pk, acts) == {"done": 40}
    with scope(cast.practice.pk):
        spans = list(Appointment.objects.values_list("starts_at", "ends_at"))
    assert len(spans) == 40
    assert all(a[1] == b[0] for a, b in pairwise(spans))


def test_one_form_sent_twenty_times_books_once(cast: Cast) -> None:
    key = uuid.uuid4()
    ends = at_once(cast.practice.pk, [booking(cast, START, key) for _ in range(20)])
    assert ends == {"done": 20}
    with scope(cast.practice.pk):
        assert Appointment.objects.count() == 1


def test_moves_bookings_and_colleagues_never_overlap(cast: Cast) -> None:
    """Each booked by the other's hand, too: that must not end in a deadlock."""
    with scope(cast.practice.pk):
        moving = [
            make_appointment(
                cast.tara, cast.casey, service=cast.individual,
                starts_at=START + timedelta(days=1, hours=n),
            )
            for n in range(10)
        ]  # fmt: skip

    def move(appointment: Appointment) -> Callable[[], object]:
        return lambda: move_appointment(by=cast.olivia, appointment=appointment, starts_at=START)

    def cross(by: str, therapist: str) -> Callable[[], object]:
        return lambda: book_appointment(
            by=getattr(cast, by),
            key=uuid.uuid4(),
            therapist=getattr(cast, therapist),
            clients=[cast.noor],
            service=cast.individual,
            starts_at=START,
            mode=Mode.PHONE,
        )

    with scope(cast.practice.pk):
        for member in (cast.tara, cast.theo):
            member.role = "admin"
            member.save(update_fields=["role"])
    acts = [move(each) for each in moving]
    acts += [cross("tara", "theo") for _ in range(10)] + [cross("theo", "tara") for _ in range(10)]
    ends = at_once(cast.practice.pk, acts)
    assert ends == {"done": 2, SlotTaken.__name__: 28}
    with scope(cast.practice.pk):
        for therapist in (cast.tara, cast.theo):
            assert Appointment.objects.filter(therapist=therapist, starts_at=START).count() == 1


def test_cancelling_and_moving_at_once_leaves_one_outcome(cast: Cast) -> None:
    with scope(cast.practice.pk):
        appointment = make_appointment(
            cast.tara, cast.casey, service=cast.individual, starts_at=START
        )
    later = START + timedelta(hours=2)
    acts: list[Callable[[], object]] = [
        lambda: cancel_appointment(by=cast.tara, appointment=appointment) for _ in range(10)
    ]
    acts += [
        lambda: move_appointment(by=cast.tara, appointment=appointment, starts_at=later)
        for _ in range(10)
    ]
    at_once(cast.practice.pk, acts)
    with scope(cast.practice.pk):
        appointment.refresh_from_db()
        assert appointment.cancelled_at is not None
        assert AuditEvent.objects.filter(action="appointment.cancelled").count() == 1
        assert AuditEvent.objects.filter(action="appointment.moved").count() <= 1
    assert appointment.starts_at in (START, later)
