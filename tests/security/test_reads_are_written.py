"""No page shows a client's data without a row in the audit log, however it was asked for."""

from typing import Any

from roost.audit.models import AuditEvent
from roost.clients.services import give_starter_password
from tests.support.cast import Cast, make_appointment


def reads_of(client: Any) -> list[str]:
    rows = AuditEvent.objects.filter(client_uuid=client.uuid).order_by("pk")
    return [row.action for row in rows]


def test_generate_shows_the_record_and_is_a_read(cast: Cast, office: Any) -> None:
    answer = office(cast.tara).send("client-access", {"do": "generate"}, client=cast.casey.uuid)
    assert "Casey Nguyen" in answer.content.decode()
    assert reads_of(cast.casey) == ["client.viewed"]


def test_a_form_that_says_what_is_wrong_is_a_read(cast: Cast, office: Any, portal: Any) -> None:
    for visitor, route in (
        (office(cast.tara), "client-access"),
        (office(cast.tara), "edit-client"),
        (portal(cast.casey_account), "details"),
    ):
        AuditEvent.objects.all()._raw_delete("default")
        answer = visitor.send(route, {"phone": "none", "email": "none"}, client=cast.casey.uuid)
        assert answer.status_code == 422, route
        assert reads_of(cast.casey) == ["client.viewed"], route


def test_the_choice_of_who_joins_names_people_and_is_a_read(cast: Cast, portal: Any) -> None:
    both = make_appointment(cast.theo, cast.robin, cast.remy, service=cast.family)
    answer = portal(cast.parker_account).go("room", appointment=both.uuid)
    assert "Remy Parker" in answer.content.decode()
    (event,) = AuditEvent.objects.filter(action="room.chosen_from")
    assert set(event.details["clients"]) == {str(cast.robin.uuid), str(cast.remy.uuid)}


def test_an_address_kept_on_the_record_is_a_change_of_it(cast: Cast, maple: Any) -> None:
    import uuid

    give_starter_password(
        key=uuid.uuid4(),
        client=cast.remy,
        email="remy@client.example",
        relationship="self",
        starter_password="kettle-orbit-walnut-47",
        confirmed=False,
        by=cast.theo,
    )
    (event,) = AuditEvent.objects.filter(action="client.changed", client_uuid=cast.remy.uuid)
    assert event.details == {"fields": ["email"]}
