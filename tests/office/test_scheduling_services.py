"""Settings → Services."""

import re
import uuid
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from roost.scheduling.models import Service
from roost.staff.models import StaffMember
from tests.support.cast import Cast, make_appointment
from tests.support.doors import Visitor

Office = Callable[[StaffMember | None], Visitor]


def words(response: Any) -> str:
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return unescape(re.sub(r"\s+", " ", text))


def new(**changes: Any) -> dict[str, Any]:
    values = {"form_key": str(uuid.uuid4()), "name": "Couple", "type": "couple"}
    return {**values, "duration_minutes": "80", **changes}


def test_therapists_have_no_such_page(cast: Cast, office: Office) -> None:
    visitor = office(cast.tara)
    assert visitor.go("services").status_code == 403
    assert visitor.send("add-service", new()).status_code == 403
    path = {"service": cast.individual.uuid}
    assert visitor.send("service", {"do": "archive"}, **path).status_code == 403
    assert Service.objects.filter(is_active=True).count() == 2


def test_add_edit_archive_and_offer_again(cast: Cast, office: Office) -> None:
    visitor = office(cast.adam)
    sent = new()
    for _ in range(2):
        assert visitor.send("add-service", sent).status_code == 302
    service = Service.objects.get(name="Couple")
    shown = words(visitor.go("services"))
    assert "Couple, 80 min can be booked now." in shown
    edit = {"name": "Couples", "type": "couple", "duration_minutes": "90"}
    assert visitor.send("service", edit, service=service.uuid).status_code == 302
    assert "Couples, 90 min is saved." in words(visitor.go("services"))
    visitor.send("service", {"do": "archive"}, service=service.uuid)
    assert "Archived" in words(visitor.go("services"))
    assert "Couples" not in words(office(cast.tara).go("book"))
    visitor.send("service", {"do": "restore"}, service=service.uuid)
    assert "Couples, 90 min" in words(office(cast.tara).go("book"))


def test_booked_sessions_keep_their_length(cast: Cast, office: Office) -> None:
    appointment = make_appointment(cast.tara, cast.casey, service=cast.individual)
    edit = {"name": "Individual", "type": "individual", "duration_minutes": "60"}
    office(cast.olivia).send("service", edit, service=cast.individual.uuid)
    appointment.refresh_from_db()
    assert appointment.label == "Individual, 50 min"


def test_the_same_service_twice_is_refused_and_kept(cast: Cast, office: Office) -> None:
    page = office(cast.olivia).send(
        "add-service", new(name="individual", duration_minutes="50", type="individual")
    )
    assert page.status_code == 422
    assert "There is a service “individual, 50 min” already." in words(page)
    assert 'value="individual"' in page.content.decode()


def test_no_service_yet_says_what_to_do(cast: Cast, office: Office) -> None:
    Service.objects.all().delete()
    page = words(office(cast.olivia).go("services"))
    assert "No service yet" in page and "Add a service" in page


def test_list_takes_the_same_queries_for_one_row_and_for_three(cast: Cast, office: Office) -> None:
    visitor = office(cast.olivia)

    def count() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert visitor.go("services").status_code == 200
        return len(caught)

    cast.family.delete()
    one = count()
    for minutes in (30, 80):
        Service.objects.create(name="More", type="group", duration_minutes=minutes)
    assert count() == one


HOSTILE = ["", " ", "x" * 60_000, "<script>alert(1)</script>", "\u202eabc", "a\r\nb", "\x00"]


@pytest.mark.parametrize("name", ["form_key", "name", "type", "duration_minutes", "do"])
def test_hostile_service_answers_in_words(cast: Cast, office: Office, name: str) -> None:
    visitor = office(cast.olivia)
    for value in [*HOSTILE, "9" * 5000]:
        sent = new(**{name: value})
        for page in (
            visitor.send("add-service", sent),
            visitor.send("service", sent, service=cast.individual.uuid),
        ):
            assert page.status_code in (302, 422)
            html = page.content.decode()
            assert "<script>alert" not in html
            if page.status_code == 422:
                assert 'class="summary"' in html
                if name != "name":
                    assert 'value="Couple"' in html
    assert "<script>alert" not in visitor.go("services").content.decode()
