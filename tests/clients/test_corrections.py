"""A legal name or date of birth is corrected by a request that staff accept or decline."""

import threading
import uuid
from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from roost.audit.models import AuditEvent
from roost.clients.corrections import (
    accept_correction,
    ask_for_correction,
    decline_correction,
    withdraw_correction,
)
from roost.clients.enums import RequestState
from roost.clients.errors import AlreadyAnswered, AlreadyAsked
from roost.clients.models import Client, DetailsRequest
from roost.core.tenancy import scope
from roost.outbox.models import OutgoingMessage
from tests.clients.test_races import all_at_once
from tests.support.cast import Cast

BORN = date(1995, 4, 10)


def ask(cast: Cast, **wanted: Any) -> DetailsRequest:
    """Casey asks for another last name, or for what is given."""
    return ask_for_correction(
        key=uuid.uuid4(),
        client=cast.casey,
        by=cast.casey_account,
        **(wanted or {"last_name": "Tran"}),
    )


def events() -> list[tuple[str, Any]]:
    rows = AuditEvent.objects.exclude(action="message.queued").order_by("pk")
    return [(row.action, row.details) for row in rows]


def test_accepting_writes_what_was_asked_for_and_nothing_else(cast: Cast, maple: Any) -> None:
    asked = ask(cast, last_name="Tran", date_of_birth=BORN)
    # Staff have corrected something else meanwhile.
    Client.objects.filter(pk=cast.casey.pk).update(first_name="Cassandra")
    accept_correction(request=asked, by=cast.tara)
    cast.casey.refresh_from_db()
    assert (cast.casey.name, cast.casey.date_of_birth) == ("Cassandra Tran", BORN)
    assert "tran" in cast.casey.search_text
    asked.refresh_from_db()
    assert (asked.state, asked.answered_by) == (RequestState.ACCEPTED, cast.tara)
    fields = {"fields": ["last_name", "date_of_birth"]}
    assert events() == [
        ("correction.asked", fields), ("correction.accepted", fields), ("client.changed", fields),
    ]  # fmt: skip
    told = OutgoingMessage.objects.get()
    assert (told.kind, told.to) == ("correction_answered", cast.casey_account.email)
    for event in AuditEvent.objects.all():
        assert event.client_uuid == cast.casey.uuid
        assert "Tran" not in str(event.details)


def test_a_record_that_says_it_by_now_is_not_changed_again(cast: Cast, maple: Any) -> None:
    asked = ask(cast)
    Client.objects.filter(pk=cast.casey.pk).update(last_name="Tran")
    accept_correction(request=asked, by=cast.tara)
    assert [action for action, _ in events()] == ["correction.asked", "correction.accepted"]


def test_declining_leaves_the_record_and_keeps_the_reason(cast: Cast, maple: Any) -> None:
    asked = ask(cast)
    decline_correction(request=asked, reason="Bring your new card along.", by=cast.tara)
    cast.casey.refresh_from_db()
    asked.refresh_from_db()
    assert cast.casey.last_name == "Nguyen"
    assert (asked.state, asked.reason) == ("declined", "Bring your new card along.")
    assert [action for action, _ in events()] == ["correction.asked", "correction.declined"]
    assert "card" not in str([details for _, details in events()])


def test_one_request_waits_at_a_time_and_the_next_may_follow(cast: Cast, maple: Any) -> None:
    first = ask(cast)
    with pytest.raises(AlreadyAsked):
        ask(cast, date_of_birth=BORN)
    with pytest.raises(IntegrityError), transaction.atomic():
        DetailsRequest.objects.create(client=cast.casey, asked_by=cast.casey_account)
    withdraw_correction(request=first, by=cast.casey_account)
    second = ask(cast, date_of_birth=BORN)
    assert second.is_waiting
    assert DetailsRequest.objects.count() == 2


def test_one_form_sent_twice_asks_once_also_after_the_answer(cast: Cast, maple: Any) -> None:
    key = uuid.uuid4()
    form = {"key": key, "client": cast.casey, "by": cast.casey_account, "last_name": "Tran"}
    first = ask_for_correction(**form)
    assert ask_for_correction(**form) == first
    withdraw_correction(request=first, by=cast.casey_account)
    assert ask_for_correction(**form) == first
    assert DetailsRequest.objects.count() == 1


@pytest.mark.parametrize("end", ["accept", "decline", "withdraw"])
def test_what_is_answered_is_answered_once(cast: Cast, maple: Any, end: str) -> None:
    asked = ask(cast)
    answers = {
        "accept": lambda: accept_correction(request=asked, by=cast.tara),
        "decline": lambda: decline_correction(request=asked, reason="No", by=cast.tara),
        "withdraw": lambda: withdraw_correction(request=asked, by=cast.casey_account),
    }
    answers[end]()
    before = (events(), OutgoingMessage.objects.count())
    for again in answers.values():
        with pytest.raises(AlreadyAnswered) as quicker:
            again()
        assert quicker.value.request.state == DetailsRequest.objects.get().state
    assert (events(), OutgoingMessage.objects.count()) == before


def test_whoever_may_no_longer_read_the_answer_is_mailed_none(cast: Cast, maple: Any) -> None:
    from roost.clients.models import PortalAccess
    from roost.core.time import now

    asked = ask(cast)
    PortalAccess.objects.filter(client=cast.casey).update(ended_at=now())
    accept_correction(request=asked, by=cast.tara)
    assert not OutgoingMessage.objects.exists()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_two_colleagues_who_answer_at_once_one_wins(cast: Cast) -> None:
    with scope(cast.practice.pk):
        asked = ask(cast)

    def accept() -> None:
        accept_correction(request=DetailsRequest.objects.get(pk=asked.pk), by=cast.olivia)

    def decline() -> None:
        wish = DetailsRequest.objects.get(pk=asked.pk)
        decline_correction(request=wish, reason="No", by=cast.tara)

    assert threading.active_count() < 20
    raised = all_at_once(cast.practice.pk, [accept, decline] * 4)
    assert [type(error) for error in raised] == [AlreadyAnswered] * 7
    with scope(cast.practice.pk):
        asked.refresh_from_db()
        cast.casey.refresh_from_db()
        accepted = asked.state == RequestState.ACCEPTED
        assert cast.casey.last_name == ("Tran" if accepted else "Nguyen")
        answers = AuditEvent.objects.filter(
            action__in=["correction.accepted", "correction.declined"]
        )
        assert answers.count() == 1
        assert OutgoingMessage.objects.count() == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_many_who_ask_at_once_one_is_heard(cast: Cast) -> None:
    raised = all_at_once(cast.practice.pk, [lambda: ask(cast)] * 8)
    assert [type(error) for error in raised] == [AlreadyAsked] * 7
    with scope(cast.practice.pk):
        assert DetailsRequest.objects.count() == 1
