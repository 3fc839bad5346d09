"""Lists cost the same however long they are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from roost.accounts.models import Account
from roost.clients.enums import Relationship
from roost.core.time import now
from roost.outbox.services import enqueue
from roost.scheduling.enums import ServiceType
from roost.scheduling.models import Service
from roost.staff.enums import Role
from roost.staff.models import StaffMember
from tests.support.cast import Cast, give, make_account, make_appointment, make_client, make_staff
from tests.support.doors import Visitor
from tests.support.money import attended, make_billable, pay

Door = Callable[..., Visitor]


@contextmanager
def _counting(counts: list[int]) -> Iterator[None]:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        yield
    counts.append(len(seen))


def _grow(cast: Cast, number: int, start: datetime) -> None:
    """One more of everything that a list could show."""
    client = make_client(
        f"Person{number} Quill", cast.tara, cast.theo, email=f"q{number}@x.example"
    )
    account = make_account(f"q{number}@x.example")
    give(account, client)
    give(cast.casey_account, client, Relationship.PARENT)
    if number == 0:
        make_billable(cast)
    for about in (client, cast.casey):
        pay(cast, attended(cast, about, starts_at=start - timedelta(days=90 + number)), "50")
    for hours, other in ((0, client), (1, cast.casey)):
        make_appointment(
            cast.tara,
            other,
            service=cast.individual,
            starts_at=start + timedelta(hours=2 * number + hours),
        )
    for about in (client, cast.casey):
        enqueue("access_given", to=account.email, client_uuid=about.uuid)
    make_staff(f"Colleague{number} New", Role.THERAPIST, "maple", supervisor=cast.tara)
    Service.objects.create(name=f"S{number}", type=ServiceType.COUPLE, duration_minutes=60)


@pytest.mark.parametrize(
    ("door", "route"),
    [
        ("office", "clients"),
        ("office", "client"),
        ("office", "client-sessions"),
        ("office", "client-messages"),
        ("office", "today"),
        ("office", "sessions"),
        ("office", "book"),
        ("office", "staff"),
        ("office", "services"),
        ("office", "messages"),
        ("office", "receipts"),
        ("office", "client-receipts"),
        ("portal", "receipts"),
        ("portal", "account"),
        ("portal", "sessions"),
    ],
)
def test_a_list_of_three_asks_as_much_as_a_list_of_one(
    cast: Cast,
    office: Door,
    portal: Door,
    olivia: StaffMember,
    casey_account: Account,
    door: str,
    route: str,
) -> None:
    visitor = office(olivia) if door == "office" else portal(casey_account)
    ids = {"client": cast.casey.uuid} if route.startswith("client-") else {}
    if route == "client" or (door == "portal" and route in ("sessions", "receipts")):
        ids = {"client": cast.casey.uuid}
    start = (now() + timedelta(days=40)).replace(hour=14, minute=0, second=0, microsecond=0)
    query: dict[str, Any] = {"day": start.date().isoformat()} if door == "office" else {}
    if route == "book":
        query["q"] = "quill"
    if route in ("today", "sessions") and door == "office":
        query["whose"] = "everyone"
    counts: list[int] = []
    sizes: list[int] = []
    _grow(cast, 0, start)
    # Once unmeasured: what a process looks up once is nobody's row.
    assert visitor.get(visitor.path(route, **ids), query).status_code == 200
    for number in range(1, 5):
        with _counting(counts):
            answer = visitor.get(visitor.path(route, **ids), query)
        assert answer.status_code == 200
        sizes.append(len(answer.content))
        _grow(cast, number, start)
    assert counts == counts[:1] * 4
    assert counts[0] < 25
    # The page did grow, but for a record's own, which shows the next session only.
    assert (sizes == sorted(set(sizes))) or route == "client"
