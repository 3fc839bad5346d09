"""A prepared read answers as the query set it is made of does, and stays on its island."""

from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import BigAutoField, CharField, DateTimeField
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from roost.clients.models import Client, PortalAccess
from roost.core import prepared
from roost.core.prepared import Prepared, Slot
from roost.core.tenancy import NoScope, current_practice_id, scope
from roost.core.time import now
from roost.practices.models import Practice
from tests.support.cast import Cast, make_client


@pytest.fixture
def by_name() -> Prepared[Client]:
    return Prepared(
        lambda: Client.objects.filter(last_name=Slot("name", CharField())).order_by("pk")
    )


def test_each_call_fills_in_its_own_values(
    cast: Cast, maple: Practice, by_name: Prepared[Client]
) -> None:
    assert by_name(name="Nguyen") == [cast.casey]
    assert by_name(name="Parker") == [cast.robin, cast.remy]
    assert by_name(name="' OR 1=1 --") == []


def test_no_practice_gets_what_was_prepared_in_another(
    cast: Cast, other: Cast, by_name: Prepared[Client]
) -> None:
    for each in (cast, other, cast):
        with scope(each.practice.pk):
            assert by_name(name="Nguyen") == [each.casey]


def test_rows_are_locked_where_the_query_set_locks_them(cast: Cast, maple: Practice) -> None:
    locking = Prepared(
        lambda: Client.objects.select_for_update().filter(last_name=Slot("name", CharField()))
    )
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        for _ in range(2):
            assert locking(name="Nguyen") == [cast.casey]
    locked = ["FOR UPDATE" in query["sql"] for query in asked]
    assert locked == [connection.features.has_select_for_update] * 2


@pytest.mark.django_db(transaction=True)
def test_nothing_is_locked_outside_a_transaction(cast: Cast) -> None:
    locking = Prepared(lambda: Client.objects.select_for_update())
    with scope(cast.practice.pk):
        with transaction.atomic():
            assert locking()
        with pytest.raises(TransactionManagementError):
            locking()


def test_outside_a_practice_nothing_is_asked(cast: Cast, by_name: Prepared[Client]) -> None:
    with scope(cast.practice.pk):
        assert by_name(name="Nguyen") == [cast.casey]
    with pytest.raises(NoScope):
        by_name(name="Nguyen")


def test_what_is_joined_and_what_is_left_out_comes_as_from_a_query_set(
    cast: Cast, maple: Practice
) -> None:
    given_before = Prepared(
        lambda: (
            PortalAccess.objects.filter(
                account=Slot("account", BigAutoField()),
                given_at__lt=Slot("moment", DateTimeField()),
            )
            .select_related("client")
            .only("uuid", "practice", "client__first_name", "client__practice", "account")
        )
    )
    with CaptureQueriesContext(connection) as asked:
        found = given_before(account=cast.casey_account.pk, moment=now())
        assert [access.client.first_name for access in found] == ["Casey"]
    assert len(asked) == 1
    left_out = {"relationship", "given_at", "given_by_id", "ended_at"}
    assert found[0].get_deferred_fields() == left_out


def test_a_missing_value_is_an_error(maple: Practice, by_name: Prepared[Client]) -> None:
    with pytest.raises(KeyError):
        by_name()


def test_no_more_is_kept_than_for_so_many_practices(
    cast: Cast, other: Cast, by_name: Prepared[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a thousand practices those that are used stay; one that comes back is built anew."""
    monkeypatch.setattr(prepared, "MOST_KEPT", 2)
    third = Practice.objects.create(slug="birch", name="Birch Practice")
    built: list[int] = []
    build = by_name._build

    def counting() -> Any:
        built.append(current_practice_id())
        return build()

    by_name._build = counting
    first, second = cast.practice.pk, other.practice.pk
    for practice_id in (first, second, first, third.pk, first, second):
        with scope(practice_id):
            found = [client.first_name for client in by_name(name="Nguyen")]
        assert found == ([] if practice_id == third.pk else ["Casey"])
        assert len(by_name._kept) <= 2
    assert built == [first, second, third.pk, second]


@pytest.mark.django_db(transaction=True)
def test_threads_that_push_each_other_out_get_their_own(
    by_name: Prepared[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "MOST_KEPT", 1)
    practices = [Practice.objects.create(slug=f"p{n}", name=f"P{n}") for n in range(3)]
    for practice in practices:
        with scope(practice.pk):
            make_client(f"{practice.slug} Same")
    wrong: list[Any] = []

    def ask(practice: Practice) -> None:
        try:
            with scope(practice.pk):
                for _ in range(50):
                    found = [client.first_name for client in by_name(name="Same")]
                    if found != [practice.slug]:
                        wrong.append(found)
        except Exception as error:
            wrong.append(error)
        finally:
            connection.close()

    threads = [Thread(target=ask, args=(each,)) for each in practices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.django_db(transaction=True)
def test_threads_that_ask_together_each_get_their_own(by_name: Prepared[Client]) -> None:
    practice = Practice.objects.create(slug="maple", name="Maple Counselling")
    with scope(practice.pk):
        names = [f"Name{n}" for n in range(4)]
        for name in names:
            make_client(f"Sam {name}")
    wrong: list[Any] = []

    def ask(name: str) -> None:
        try:
            with scope(practice.pk):
                for _ in range(50):
                    found = [client.last_name for client in by_name(name=name)]
                    if found != [name]:
                        wrong.append(found)
        except Exception as error:
            wrong.append(error)
        finally:
            connection.close()

    threads = [Thread(target=ask, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
