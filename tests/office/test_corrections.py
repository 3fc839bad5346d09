"""Corrections that wait: a few on Today, and all of them on a page of their own."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from roost.audit.models import AuditEvent
from roost.clients.corrections import ask_for_correction, withdraw_correction
from roost.clients.models import DetailsRequest
from roost.office.views import corrections
from tests.office.test_lists import _counting
from tests.support.cast import Cast, make_client
from tests.support.doors import Visitor

Door = Callable[..., Visitor]


def ask(cast: Cast, number: int, *therapists: Any) -> DetailsRequest:
    client = make_client(f"Person{number} Quill", *(therapists or (cast.tara,)))
    return ask_for_correction(
        key=uuid.uuid4(), client=client, by=cast.casey_account, last_name="Tran"
    )


def shown(page: str) -> list[int]:
    return [number for number in range(60) if f"<b>Person{number} Quill</b>" in page]


def test_today_names_five_and_says_how_many_more_wait(cast: Cast, maple: Any, office: Door) -> None:
    tara = office(cast.tara)
    for number in range(5):
        ask(cast, number)
    page = tara.go("today").content.decode()
    assert shown(page) == [0, 1, 2, 3, 4]
    assert tara.path("corrections") not in page
    ask(cast, 5)
    page = tara.go("today").content.decode()
    assert shown(page) == [0, 1, 2, 3, 4]
    assert "1 more correction waits." in page
    assert f'href="{tara.path("corrections")}"' in page
    last = ask(cast, 6)
    assert "2 more corrections wait." in tara.go("today").content.decode()
    withdraw_correction(request=last, by=cast.casey_account)
    assert "1 more correction waits." in tara.go("today").content.decode()


def test_all_that_wait_are_listed_for_who_may_answer(cast: Cast, maple: Any, office: Door) -> None:
    asked = [ask(cast, number) for number in range(7)]
    theirs = ask(cast, 7, cast.theo)
    tara = office(cast.tara)
    page = tara.go("corrections").content.decode()
    assert shown(page) == list(range(7))
    for each in asked:
        assert tara.path("correction", client=each.client.uuid, asked=each.uuid) in page
    event = AuditEvent.objects.get(action="corrections.listed")
    assert event.details["clients"] == [str(each.client.uuid) for each in asked]
    assert shown(office(cast.olivia).go("corrections").content.decode()) == list(range(8))
    page = office(cast.theo).go("corrections").content.decode()
    assert shown(page) == [7]
    withdraw_correction(request=theirs, by=cast.casey_account)
    before = AuditEvent.objects.count()
    page = office(cast.theo).go("corrections").content.decode()
    assert "No correction waits" in page
    assert AuditEvent.objects.count() == before


def test_the_list_costs_the_same_with_many_and_comes_in_pages(
    cast: Cast, maple: Any, office: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corrections, "PER_PAGE", 4)
    tara, counts = office(cast.tara), []
    ask(cast, 0)
    tara.go("corrections")
    for number in range(1, 6):
        with _counting(counts):
            tara.go("corrections")
        ask(cast, number)
    assert counts == counts[:1] * 5
    assert shown(tara.go("corrections").content.decode()) == [0, 1, 2, 3]
    assert shown(tara.go("corrections", {"page": "2"}).content.decode()) == [4, 5]
