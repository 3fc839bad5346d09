"""One form, one result: double clicks, resubmits and failures."""

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from roost.clients.models import Client
from roost.core.models import Submission
from roost.core.submissions import OtherForm, is_done, once
from roost.core.tenancy import scope
from roost.practices.models import Practice
from tests.support.cast import Cast, make_cast

BY = uuid.UUID(int=1)


def _make(name: str = "Casey") -> Callable[[], Client]:
    return lambda: Client.objects.create(first_name=name, last_name="Once")


def _made() -> int:
    return Client.objects.filter(last_name="Once").count()


def test_a_form_sent_again_finds_its_first_result(maple: Practice) -> None:
    key = uuid.uuid4()
    first, new = once(key, "client", Client, _make(), by=BY, about="")
    again, anew = once(key, "client", Client, _make("Another"), by=BY, about="")
    assert (new, anew) == (True, False)
    assert again == first
    assert _made() == 1
    assert once(uuid.uuid4(), "client", Client, _make(), by=BY, about="")[1]
    assert _made() == 2


def test_a_key_counts_for_one_kind_and_one_practice(maple: Practice, other: Cast) -> None:
    key = uuid.uuid4()
    once(key, "client", Client, _make(), by=BY, about="")
    assert once(key, "prospect", Client, _make(), by=BY, about="")[1]
    with scope(other.practice.pk):
        made, new = once(key, "client", Client, _make(), by=BY, about="")
        assert new
        assert made.practice_id == other.practice.pk
    assert _made() == 2


@pytest.mark.parametrize(
    "other", [{"by": uuid.UUID(int=2)}, {"about": "theirs"}, {"by": None}, {"about": ""}]
)
def test_a_key_is_no_good_for_another_person_or_object(
    maple: Practice, other: dict[str, Any]
) -> None:
    key, own = uuid.uuid4(), {"by": BY, "about": "mine"}
    first, _ = once(key, "client", Client, _make(), **own)
    with pytest.raises(OtherForm):
        once(key, "client", Client, _make("Another"), **{**own, **other})
    assert is_done(key, "client", **own)
    assert not is_done(key, "client", **{**own, **other})
    assert once(key, "client", Client, _make("Again"), **own) == (first, False)
    assert _made() == 1


def test_a_form_of_before_keys_were_bound_still_finds_its_result(maple: Practice) -> None:
    key, own = uuid.uuid4(), {"by": BY, "about": "mine"}
    first, _ = once(key, "client", Client, _make(), **own)
    Submission.objects.update(by=None, about="")
    assert once(key, "client", Client, _make("Again"), **own) == (first, False)


def test_what_fails_leaves_nothing_and_may_be_sent_again(maple: Practice) -> None:
    key = uuid.uuid4()

    def fail() -> Client:
        Client.objects.create(first_name="Half", last_name="Once")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        once(key, "client", Client, fail, by=BY, about="")
    assert _made() == 0
    assert Submission.objects.count() == 0
    assert once(key, "client", Client, _make(), by=BY, about="")[1]


def test_a_result_is_undone_with_the_transaction_around_it(maple: Practice) -> None:
    key = uuid.uuid4()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        once(key, "client", Client, _make(), by=BY, about="")
        _ = 1 / 0
    assert (_made(), Submission.objects.count()) == (0, 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(3))
def test_eight_sends_at_once_make_one_row(round_: int) -> None:
    practice = make_cast("maple", "Maple Counselling", "America/Toronto").practice
    key, gate = uuid.uuid4(), threading.Barrier(8)
    results: list[tuple[uuid.UUID, bool]] = []
    troubles: list[BaseException] = []

    def send() -> None:
        try:
            with scope(practice.pk):
                gate.wait(10)
                row, new = once(key, "client", Client, _make(), by=BY, about="")
                results.append((row.uuid, new))
        except BaseException as error:
            troubles.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert troubles == []
    assert len({row for row, _ in results}) == 1
    assert sorted(new for _, new in results) == [False] * 7 + [True]
    with scope(practice.pk):
        assert _made() == 1
        assert Submission.objects.count() == 1
