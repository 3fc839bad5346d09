"""What each relationship opens at the portal, and nothing of anybody else."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from roost.accounts.models import Account
from roost.audit.models import AuditEvent
from roost.clients.enums import Relationship
from roost.clients.models import Client, PortalAccess
from roost.core.time import now
from tests.support.cast import Cast, give, make_account, make_appointment, shown
from tests.support.doors import Visitor

Door = Callable[..., Visitor]
OPEN = {
    # relationship: (sessions page, details page, receipts page)
    Relationship.SELF: (200, 200, 200),
    Relationship.PARENT: (200, 200, 200),
    Relationship.GUARDIAN: (200, 200, 200),
    Relationship.PARTNER: (200, 404, 200),
    Relationship.PAYER: (404, 404, 200),
}


@pytest.mark.parametrize("relationship", list(Relationship))
def test_a_relationship_opens_what_the_table_says(
    portal: Door, cast: Cast, casey: Client, relationship: Relationship
) -> None:
    account = make_account("tied@client.example")
    give(account, casey, relationship)
    visitor = portal(account)
    assert visitor.go("account").status_code == 200
    found = (
        visitor.go("sessions", client=casey.uuid).status_code,
        visitor.go("details", client=casey.uuid).status_code,
        visitor.go("receipts", client=casey.uuid).status_code,
    )
    assert found == OPEN[relationship]


def test_a_partner_sees_only_sessions_where_both_are(
    portal: Door, cast: Cast, casey: Client, noor: Client
) -> None:
    account = make_account("tied@client.example")
    give(account, casey, Relationship.PARTNER)
    give(account, noor)
    start = now() + timedelta(days=3)
    make_appointment(cast.tara, casey, service=cast.individual, starts_at=start)
    shared = make_appointment(
        cast.tara, casey, noor, service=cast.family, starts_at=start + timedelta(days=1)
    )
    page = portal(account).go("sessions", client=casey.uuid)
    assert [each.mine.appointment_id for each in page.context["sessions"]] == [shared.pk]
    own = PortalAccess.objects.get(account=account, client=noor)
    own.ended_at = now()
    own.save(update_fields=["ended_at"])
    page = portal(account).go("sessions", client=casey.uuid)
    assert [each.mine.appointment_id for each in page.context["sessions"]] == []


def test_a_session_shared_with_others_names_nobody_else(
    portal: Door, cast: Cast, casey: Client, noor: Client, casey_account: Account
) -> None:
    make_appointment(
        cast.tara, casey, noor, service=cast.family, starts_at=now() + timedelta(days=3)
    )
    assert noor.name == "Noor Haddad"
    visitor = portal(casey_account)
    for page in (visitor.go("account"), visitor.go("sessions", client=casey.uuid)):
        assert page.status_code == 200
        assert "Tara" in page.content.decode()
        assert not {"Noor", "Haddad"} & set(page.content.decode().replace("<", " ").split())


def test_a_parent_of_two_chooses_a_person_and_finds_no_mixed_list(
    portal: Door, cast: Cast, parker_account: Account, robin: Client, remy: Client
) -> None:
    start = now() + timedelta(days=3)
    own = make_appointment(cast.theo, robin, service=cast.individual, starts_at=start)
    childs = make_appointment(
        cast.theo, remy, service=cast.individual, starts_at=start + timedelta(days=1)
    )
    visitor = portal(parker_account)
    for client, appointment in ((robin, own), (remy, childs)):
        page = visitor.get(visitor.path("account"), {"person": str(client.uuid)})
        assert page.context["client"] == client
        assert [each.mine.appointment_id for each in page.context["sessions"]] == [appointment.pk]
    assert visitor.go("account").context["client"] == robin


def test_access_that_has_ended_opens_nothing(
    portal: Door, casey: Client, casey_account: Account
) -> None:
    visitor = portal(casey_account)
    assert visitor.go("details", client=casey.uuid).status_code == 200
    PortalAccess.objects.filter(client=casey).update(ended_at=now())
    for route in ("details", "sessions"):
        assert visitor.go(route, client=casey.uuid).status_code == 404
    assert "Casey Nguyen" not in visitor.go("account").content.decode()


def test_own_details_reach_the_record_and_nothing_else_does(
    portal: Door, casey: Client, casey_account: Account
) -> None:
    typed = {
        "shown": shown(casey),
        "preferred_name": "Cas",
        "phone": "416 555 0111",
        "address": "1 Quiet Road\r\nToronto",
        "email": "thief@evil.example",
        "first_name": "Mallory",
        "date_of_birth": "2001-01-01",
    }
    assert portal(casey_account).send("details", typed, client=casey.uuid).status_code == 302
    casey.refresh_from_db()
    assert (casey.preferred_name, casey.phone) == ("Cas", "+14165550111")
    assert casey.address == "1 Quiet Road\nToronto"
    assert (casey.email, casey.first_name) == ("casey@client.example", "Casey")
    assert casey.date_of_birth is not None
    assert casey.date_of_birth.year == 1994


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata"])
def test_times_are_said_in_the_zone_the_reader_chose(
    portal: Door, cast: Cast, casey: Client, casey_account: Account, zone: str
) -> None:
    from zoneinfo import ZoneInfo

    from roost.core.time import say_hour

    start = (now() + timedelta(days=3)).replace(hour=19, minute=0, second=0, microsecond=0)
    make_appointment(cast.tara, casey, service=cast.individual, starts_at=start)
    visitor = portal(casey_account)
    there, here = say_hour(start, ZoneInfo("America/Toronto")), say_hour(start, ZoneInfo(zone))
    assert there.split()[0] in visitor.go("account").content.decode()
    assert visitor.send("time-zone", {"zone": zone}).status_code == 302
    page = visitor.go("account").content.decode()
    assert here.split()[0] in page
    assert "at Maple Counselling" in page
    assert visitor.send("time-zone", {"zone": "Mars/Olympus"}).status_code == 422


def test_zones_are_named_by_their_place_the_likely_ones_first(
    portal: Door, casey_account: Account
) -> None:
    Account.objects.filter(pk=casey_account.pk).update(zone_name="America/Argentina/Buenos_Aires")
    form = portal(casey_account).go("time-zone").context["form"]
    (_, likely), (_, others) = form.fields["zone"].choices
    assert likely == [
        ("America/Argentina/Buenos_Aires", "Buenos Aires (America, Argentina)"),
        ("America/Toronto", "Toronto (America)"),
    ]
    assert ("Europe/Berlin", "Berlin (Europe)") in others
    assert not {"America/Toronto", "America/Argentina/Buenos_Aires"} & dict(others).keys()
    assert [label for _, label in others] == sorted(label for _, label in others)


def test_my_account_names_in_the_log_everybody_it_shows(
    portal: Door, parker_account: Account, robin: Client, remy: Client
) -> None:
    portal(parker_account).go("account")
    event = AuditEvent.objects.get(action="account.viewed")
    assert event.client_uuid == robin.uuid
    assert event.details == {"relationship": "self", "others": [str(remy.uuid)]}
