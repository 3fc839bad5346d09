"""The audit log: one row for each act, read and refusal, with ids and names of fields only."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from roost.accounts.models import Account
from roost.audit.models import AnonymousRefusals, AuditEvent
from roost.audit.services import record, record_refusal
from roost.clients.models import Client, PortalAccess
from roost.core.tenancy import scope
from roost.outbox.services import enqueue
from roost.practices.models import Practice
from roost.staff.models import StaffMember
from tests.support.cast import Cast, make_appointment, shown
from tests.support.doors import Visitor

Door = Callable[..., Visitor]


def _new(act: Callable[[], Any]) -> list[AuditEvent]:
    """The rows that an act leaves."""
    last = AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    act()
    return list(AuditEvent.objects.filter(pk__gt=last).order_by("pk"))


# Rows


def test_a_row_is_never_changed_or_deleted(maple: Practice) -> None:
    event = record("client.viewed")
    event.action = "client.added"
    with pytest.raises(TypeError):
        event.save()
    with pytest.raises(TypeError):
        event.delete()
    assert AuditEvent.objects.get().action == "client.viewed"


def test_a_row_is_undone_with_its_act(maple: Practice) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record("client.added")
        _ = 1 / 0
    assert AuditEvent.objects.count() == 0


def test_a_row_says_who_what_whose_and_from_where(
    office: Door, tara: StaffMember, casey: Client
) -> None:
    visitor = office(tara)
    visitor.defaults["REMOTE_ADDR"] = "192.0.2.7"
    [event] = _new(lambda: visitor.go("client", client=casey.uuid))
    assert event.action == "client.viewed"
    assert event.actor == tara.account
    assert event.client_uuid == casey.uuid
    assert (event.door, event.source) == ("office", "192.0.2.7")
    assert event.details == {"part": "contact"}


# Reads


@pytest.mark.parametrize(
    ("route", "action"),
    [
        ("client", "client.viewed"),
        ("edit-client", "client.viewed"),
        ("client-access", "client.viewed"),
        ("take-access-away", "client.viewed"),
        ("client-sessions", "client.viewed"),
        ("client-messages", "client.viewed"),
    ],
)
def test_each_page_of_a_record_is_one_row(
    office: Door, tara: StaffMember, casey: Client, route: str, action: str
) -> None:
    visitor = office(tara)
    ids = {"client": casey.uuid}
    if route == "take-access-away":
        ids["access"] = PortalAccess.objects.get(client=casey).uuid
    [event] = _new(lambda: visitor.go(route, **ids))
    assert (event.action, event.actor, event.client_uuid) == (action, tara.account, casey.uuid)


@pytest.mark.parametrize("route", ["today", "sessions"])
def test_a_calendar_names_the_ids_it_shows_in_one_row(
    office: Door, cast: Cast, tara: StaffMember, route: str
) -> None:
    from datetime import timedelta

    from roost.core.time import now

    visitor = office(tara)
    assert _new(lambda: visitor.go(route)) == []
    day = now() + timedelta(days=30)
    for number, client in enumerate((cast.casey, cast.noor)):
        start = day.replace(hour=17, minute=0, second=0, microsecond=0)
        make_appointment(
            tara, client, service=cast.individual, starts_at=start + timedelta(hours=number)
        )
    [event] = _new(lambda: visitor.get(visitor.path(route), {"day": day.date().isoformat()}))
    assert event.action == "schedule.viewed"
    assert sorted(event.details["clients"]) == sorted([str(cast.casey.uuid), str(cast.noor.uuid)])


def test_a_list_is_one_row_that_names_the_ids_shown(
    office: Door, olivia: StaffMember, tara: StaffMember, casey: Client, noor: Client
) -> None:
    [event] = _new(lambda: office(tara).go("clients"))
    assert event.action == "clients.listed"
    assert sorted(event.details["clients"]) == sorted([str(casey.uuid), str(noor.uuid)])
    [event] = _new(lambda: office(tara).go("clients", {"q": "casey"}))
    assert (event.client_uuid, event.details) == (casey.uuid, {})
    [event] = _new(lambda: office(tara).go("clients", {"q": "nobody at all"}))
    assert event.details == {"clients": []}
    enqueue("access_given", to=casey.email, client_uuid=casey.uuid)
    [event] = _new(lambda: office(olivia).go("messages"))
    assert (event.action, event.client_uuid) == ("messages.listed", casey.uuid)


def test_what_clients_see_of_their_own_is_one_row_too(
    portal: Door,
    casey_account: Account,
    parker_account: Account,
    casey: Client,
    robin: Client,
    remy: Client,
) -> None:
    visitor = portal(casey_account)
    for ask, action in (
        (lambda: visitor.go("account"), "account.viewed"),
        (lambda: visitor.go("sessions", client=casey.uuid), "client.viewed"),
        (lambda: visitor.go("details", client=casey.uuid), "client.viewed"),
    ):
        [event] = _new(ask)
        assert (event.action, event.actor, event.client_uuid, event.door) == (
            action,
            casey_account,
            casey.uuid,
            "portal",
        )
    parent = portal(parker_account)
    [event] = _new(lambda: parent.get(parent.path("account"), {"person": str(remy.uuid)}))
    assert event.client_uuid == remy.uuid
    assert event.details == {"relationship": "parent", "others": [str(robin.uuid)]}


def test_a_page_is_not_served_when_its_row_cannot_be_written(
    office: Door, tara: StaffMember, casey: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from roost.audit import services

    visitor = office(tara)
    assert casey.name in visitor.go("client", client=casey.uuid).content.decode()
    monkeypatch.setattr(services, "record", lambda *a, **k: 1 / 0)
    visitor.raise_request_exception = False
    answer = visitor.go("client", client=casey.uuid)
    assert answer.status_code == 500
    assert casey.name not in answer.content.decode()
    assert casey.email not in answer.content.decode()


# Acts


def test_a_change_names_fields_and_never_values(
    office: Door, portal: Door, tara: StaffMember, casey: Client, casey_account: Account
) -> None:
    typed = {
        "form_key": str(uuid.uuid4()),
        "shown": shown(casey),
        "first_name": "Cassandra",
        "last_name": "Nguyen",
        "email": casey.email,
        "phone": "416 555 0199",
        "emergency_contact": "Their sister Quinn",
        "date_of_birth": "1994-03-09",
    }
    [event] = _new(lambda: office(tara).send("edit-client", typed, client=casey.uuid))
    assert event.action == "client.changed"
    assert event.client_uuid == casey.uuid
    assert event.details == {"fields": ["first_name", "phone", "emergency_contact"]}
    own = {"preferred_name": "Cas", "phone": "416 555 0111", "address": "1 Quiet Road"}
    own["shown"] = shown(casey)
    [event] = _new(lambda: portal(casey_account).send("details", own, client=casey.uuid))
    assert (event.action, event.actor) == ("client.changed", casey_account)
    assert event.details == {"fields": ["preferred_name", "phone", "address"]}
    written = json.dumps(list(AuditEvent.objects.values_list("details", flat=True)), default=str)
    for value in ("Cassandra", "0199", "Quinn", "Quiet", "Cas", "1994", casey.email):
        assert value not in written


def test_settings_name_fields_and_never_values(office: Door, olivia: StaffMember) -> None:
    page = office(olivia).go("practice")
    values = {k: v for k, v in page.context["form"].initial.items() if v is not None}
    [event] = _new(lambda: office(olivia).send("practice", {**values, "name": "Birch Rooms"}))
    assert (event.action, event.details) == ("practice.changed", {"fields": ["name"]})


# Refusals


def test_a_refusal_stands_in_the_practice_of_the_url(
    office: Door, tara: StaffMember, other: Cast
) -> None:
    visitor = office(tara)
    [event] = _new(lambda: visitor.go("client", client=other.casey.uuid))
    assert (event.action, event.actor, event.client_uuid) == (
        "access.refused",
        tara.account,
        None,
    )
    assert event.details["client"] == str(other.casey.uuid)
    [event] = _new(lambda: visitor.go("practice"))
    assert event.details == {"status": 403, "route": "office:practice"}
    with scope(other.practice.pk):
        assert AuditEvent.objects.count() == 0


def test_a_refused_form_from_a_foreign_page_is_a_row_too(
    maple: Practice, tara: StaffMember, noor: Client
) -> None:
    visitor = Visitor(maple, "office", tara.account, enforce_csrf_checks=True)
    [event] = _new(lambda: visitor.send("add-client", {"first_name": "A"}))
    assert event.details["status"] == 403
    assert event.actor == tara.account


def test_the_anonymous_are_counted_and_not_named(portal: Door, maple: Practice) -> None:
    for _ in range(3):
        assert portal().get("/portal/maple/nothing/").status_code == 404
    record_refusal(by=None, status=404, route="x")
    assert AuditEvent.objects.count() == 0
    assert AnonymousRefusals.objects.get().count == 4


def test_a_wrong_password_is_counted_and_laid_to_nobody(
    portal: Door, casey_account: Account
) -> None:
    wrong = {"email": casey_account.email, "password": "not the right one"}
    assert _new(lambda: portal().send("log-in", wrong)) == []
    assert AnonymousRefusals.objects.get().count == 1
