"""A practice is an island: what no query, no write and no thread may do."""

import asyncio
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.checks import run_checks
from django.db import DatabaseError, models, transaction
from django.db.models import F, Value
from django.test.utils import isolate_apps

from roost.accounts.models import Account
from roost.clients.models import Assignment, Client, PortalAccess
from roost.core import checks
from roost.core.tenancy import (
    NoScope,
    OtherPractice,
    TenantManager,
    TenantModel,
    across_practices,
    current_practice_id,
    has_scope,
    scope,
)
from roost.practices.models import Practice
from roost.staff.models import StaffMember
from tests.support.cast import Cast, make_cast

# Without a scope


def test_no_tenant_row_is_read_or_written_without_a_practice(cast: Cast) -> None:
    with scope(cast.practice.pk):
        assert Client.objects.count() == 4
    for ask in (
        lambda: Client.objects.all(),
        lambda: Client.objects.count(),
        lambda: Client.objects.filter(pk=1).update(first_name="X"),
        lambda: Client.objects.create(first_name="X", last_name="Y"),
        lambda: Client.objects.get_or_create(first_name="X"),
        lambda: cast.casey.save(),
        lambda: cast.casey.delete(),
        lambda: cast.casey.assignments.all(),
        lambda: cast.casey.here(),
        current_practice_id,
    ):
        with pytest.raises(NoScope):
            ask()
    assert not has_scope()


def test_a_scope_ends_with_its_block_also_when_it_fails(cast: Cast, other: Cast) -> None:
    with pytest.raises(ZeroDivisionError), scope(cast.practice.pk):
        with scope(other.practice.pk):
            assert current_practice_id() == other.practice.pk
        assert current_practice_id() == cast.practice.pk
        _ = 1 / 0
    assert not has_scope()


# Reads


def test_reads_see_one_practice(cast: Cast, other: Cast) -> None:
    with across_practices():
        assert Client.objects.count() == 8
    for mine, theirs in ((cast, other), (other, cast)):
        with scope(mine.practice.pk):
            assert {c.practice_id for c in Client.objects.all()} == {mine.practice.pk}
            assert Client.objects.count() == 4
            assert not Client.objects.filter(pk=theirs.casey.pk).exists()
            assert not Client.objects.filter(uuid=theirs.casey.uuid).exists()
            assert not Assignment.objects.filter(client_id=theirs.casey.pk).exists()
            assert not theirs.casey.assignments.exists()
            assert not theirs.tara.clients.exists()
            assert list(mine.casey.assignments.values_list("therapist_id", flat=True)) == [
                mine.tara.pk
            ]


def test_a_row_is_here_only_in_its_own_practice(cast: Cast, other: Cast) -> None:
    with scope(cast.practice.pk):
        assert cast.casey.here() is cast.casey
        with pytest.raises(OtherPractice):
            other.casey.here()


# Writes to another practice


@pytest.fixture
def foreign(maple: Practice, other: Cast) -> Cast:
    """Cedar's people, while Maple is being served."""
    return other


def _names(cast: Cast) -> list[tuple[str, str]]:
    with scope(cast.practice.pk):
        return sorted(Client.objects.values_list("first_name", "last_name"))


def test_no_row_of_another_practice_is_saved_or_made(
    cast: Cast, maple: Practice, foreign: Cast
) -> None:
    before = _names(foreign)
    assert ("Casey", "Nguyen") in before
    foreign.casey.first_name = "Changed"
    stray = Client(first_name="A", last_name="B", practice=foreign.practice)
    for act in (
        foreign.casey.save,
        lambda: foreign.casey.save(update_fields=["first_name"]),
        foreign.casey.delete,
        stray.save,
        lambda: Client.objects.create(first_name="A", last_name="B", practice=foreign.practice),
        lambda: Client.objects.create(
            first_name="A", last_name="B", practice_id=foreign.practice.pk
        ),
        lambda: Client.objects.bulk_create([stray]),
        lambda: Client.objects.bulk_update([foreign.casey], ["first_name"]),
        lambda: Client.objects.get_or_create(
            first_name="A", defaults={"practice": foreign.practice}
        ),
        lambda: Client.objects.update_or_create(
            pk=cast.casey.pk, defaults={"practice": foreign.practice}
        ),
        lambda: Client.objects.update(practice=foreign.practice),
        lambda: Client.objects.update(practice_id=foreign.practice.pk),
        lambda: Client.objects.update(practice_id=F("practice_id") + 1),
    ):
        with pytest.raises(OtherPractice):
            act()
    assert _names(foreign) == before
    assert Client.objects.count() == 4


def test_update_and_delete_of_a_query_reach_no_other_practice(
    maple: Practice, foreign: Cast
) -> None:
    before = _names(foreign)
    assert Client.objects.update(first_name="Maple") == 4
    assert Client.objects.filter(pk=foreign.casey.pk).update(first_name="X") == 0
    assert Client.objects.filter(pk=foreign.casey.pk).delete()[0] == 0
    assert PortalAccess.objects.all().delete()[0] == 3
    assert _names(foreign) == before
    with scope(foreign.practice.pk):
        assert PortalAccess.objects.count() == 3


def test_a_row_given_the_key_of_a_foreign_row_does_not_overwrite_it(
    cast: Cast, maple: Practice, foreign: Cast
) -> None:
    before = _names(foreign)
    thief = Client(pk=foreign.casey.pk, first_name="Stolen", last_name="Row")
    cast.noor.pk = foreign.casey.pk
    for act in (thief.save, cast.noor.save, lambda: cast.noor.save(update_fields=["first_name"])):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()
    with pytest.raises(OtherPractice):
        Client.objects.bulk_create(
            [Client(uuid=foreign.casey.uuid, first_name="Stolen", last_name="Row")],
            update_conflicts=True,
            unique_fields=["uuid"],
            update_fields=["first_name"],
        )
    assert _names(foreign) == before


def test_nothing_is_written_across_practices(cast: Cast, other: Cast) -> None:
    with across_practices():
        for act in (
            lambda: Client.objects.create(first_name="A", last_name="B"),
            lambda: Client.objects.update(first_name="A"),
            lambda: Client.objects.bulk_create([Client(first_name="A", last_name="B")]),
            lambda: Client.objects.get_or_create(first_name="A", last_name="B"),
            cast.casey.save,
            cast.casey.delete,
        ):
            with pytest.raises(NoScope):
                act()
        assert Client.objects.filter(first_name="Casey").count() == 2
        assert Client.objects.count() == 8


# Relations to another practice

Act = Callable[[Cast, Cast], Any]
RELATIONS: dict[str, Act] = {
    "create by instance": lambda mine, theirs: Assignment.objects.create(
        client=theirs.casey, therapist=mine.tara
    ),
    "create by id": lambda mine, theirs: Assignment.objects.create(
        client_id=theirs.casey.pk, therapist=mine.tara
    ),
    "get_or_create": lambda mine, theirs: Assignment.objects.get_or_create(
        client=mine.noor, therapist=theirs.theo
    ),
    "update_or_create": lambda mine, theirs: Assignment.objects.update_or_create(
        client=mine.casey, therapist=mine.tara, defaults={"therapist": theirs.tara}
    ),
    "bulk_create by instance": lambda mine, theirs: Assignment.objects.bulk_create(
        [Assignment(client=mine.noor, therapist=theirs.theo)]
    ),
    "bulk_create by id": lambda mine, theirs: Assignment.objects.bulk_create(
        [Assignment(client=mine.noor, therapist_id=theirs.theo.pk)]
    ),
    "update by instance": lambda mine, theirs: Assignment.objects.update(therapist=theirs.tara),
    "update by id": lambda mine, theirs: Assignment.objects.update(therapist_id=theirs.tara.pk),
    "update by expression": lambda mine, theirs: Assignment.objects.update(
        therapist_id=Value(theirs.tara.pk)
    ),
    "update by arithmetic": lambda mine, theirs: Assignment.objects.update(
        therapist_id=F("therapist_id") + (theirs.tara.pk - mine.tara.pk)
    ),
    "save by instance": lambda mine, theirs: _with(mine, therapist=theirs.tara).save(),
    "save by id": lambda mine, theirs: _with(mine, therapist_id=theirs.tara.pk).save(),
    "save by expression": lambda mine, theirs: _with(
        mine, therapist_id=Value(theirs.tara.pk)
    ).save(),
    "save of fields by id": lambda mine, theirs: _with(mine, therapist_id=theirs.tara.pk).save(
        update_fields=["therapist"]
    ),
    "save of fields by instance": lambda mine, theirs: _with(mine, therapist=theirs.tara).save(
        update_fields=["therapist_id"]
    ),
    "bulk_update by id": lambda mine, theirs: Assignment.objects.bulk_update(
        [_with(mine, therapist_id=theirs.tara.pk)], ["therapist"]
    ),
    "bulk_update by instance": lambda mine, theirs: Assignment.objects.bulk_update(
        [_with(mine, therapist=theirs.tara)], ["therapist_id"]
    ),
    "the other way round": lambda mine, theirs: mine.casey.therapists.add(theirs.tara),
    "through the reverse side": lambda mine, theirs: mine.casey.assignments.create(
        therapist=theirs.tara
    ),
    "reverse add": lambda mine, theirs: mine.casey.assignments.add(
        Assignment(therapist=theirs.tara), bulk=False
    ),
    "an account": lambda mine, theirs: PortalAccess.objects.create(
        account=theirs.casey_account, client=mine.casey, relationship="self"
    ),
}


def _with(cast: Cast, **values: Any) -> Assignment:
    row = Assignment.objects.get(client=cast.casey)
    for name, value in values.items():
        setattr(row, name, value)
    return row


@pytest.mark.parametrize("name", RELATIONS)
def test_no_relation_leaves_the_practice(
    name: str, cast: Cast, maple: Practice, foreign: Cast
) -> None:
    before = sorted(Assignment.objects.values_list("client_id", "therapist_id"))
    assert len(before) == 4
    with pytest.raises(OtherPractice), transaction.atomic():
        RELATIONS[name](cast, foreign)
    assert sorted(Assignment.objects.values_list("client_id", "therapist_id")) == before


def test_relations_within_the_practice_are_free(cast: Cast, maple: Practice) -> None:
    Assignment.objects.create(client_id=cast.casey.pk, therapist_id=cast.theo.pk).delete()
    _with(cast, therapist_id=cast.theo.pk).save()
    _with(cast, therapist=cast.tara).save(update_fields=["therapist"])
    assert Assignment.objects.filter(client=cast.casey).update(therapist_id=cast.theo.pk) == 1
    cast.robin.therapists.add(cast.tara)
    row = _with(cast, therapist_id=cast.tara.pk)
    assert Assignment.objects.bulk_update([row], ["therapist"]) == 1
    assert list(cast.casey.therapists.all()) == [cast.tara]
    assert set(cast.robin.therapists.all()) == {cast.tara, cast.theo}


def test_the_practice_is_filled_in_from_the_scope(maple: Practice) -> None:
    made = Client.objects.bulk_create([Client(first_name="A", last_name="B")])
    assert made[0].practice_id == maple.pk
    assert Client.objects.create(first_name="C", last_name="D").practice_id == maple.pk


# The system check


@pytest.fixture
def models_of_roost(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[type[models.Model]]]:
    found: list[type[models.Model]] = []
    monkeypatch.setattr(checks.apps, "get_models", lambda: found)
    with isolate_apps("roost.core"):
        yield found


def _check() -> list[tuple[str | None, Any]]:
    return [(e.id, e.obj) for e in checks.every_model_has_a_tenancy_rule(None)]


def test_every_model_of_roost_has_a_rule() -> None:
    assert [m for m in run_checks(tags=["models"]) if str(m.id).startswith("roost.")] == []


def test_a_model_without_a_rule_fails_the_check(
    models_of_roost: list[type[models.Model]],
) -> None:
    class Stray(models.Model):
        __module__ = "roost.core.stray"

        class Meta:
            app_label = "core"

    class Excused(models.Model):
        __module__ = "roost.core.stray"
        tenancy_exempt = "It holds nothing of anybody."

        class Meta:
            app_label = "core"

    class Unscoped(TenantModel):
        __module__ = "roost.core.stray"
        objects = models.Manager()  # type: ignore[assignment]

        class Meta:
            app_label = "core"

    class Theirs(models.Model):
        __module__ = "django.contrib.stray"

        class Meta:
            app_label = "core"

    models_of_roost += [Stray, Excused, Unscoped, Theirs]
    assert _check() == [("roost.E001", Stray), ("roost.E002", Unscoped)]


def test_every_way_to_a_tenant_row_is_scoped() -> None:
    from django.apps import apps

    tenants = [m for m in apps.get_models() if issubclass(m, TenantModel)]
    assert {Client, Account, StaffMember} <= set(tenants)
    for model in tenants:
        assert [m for m in model._meta.managers if not isinstance(m, TenantManager)] == [], model


# Threads, tasks and workers


def test_a_bare_thread_has_no_practice(cast: Cast, maple: Practice) -> None:
    seen: list[bool] = []
    thread = threading.Thread(target=lambda: seen.append(has_scope()))
    thread.start()
    thread.join()
    assert seen == [False]
    assert has_scope()


def test_tasks_side_by_side_keep_to_their_practices(db: None) -> None:
    served: dict[int, set[int]] = {}

    async def serve(number: int) -> None:
        with scope(number):
            for _ in range(5):
                await asyncio.sleep(0)
                served.setdefault(number, set()).add(current_practice_id())
                served[number].add(await sync_to_async(current_practice_id)())

    async def all_at_once() -> None:
        await asyncio.gather(*(serve(n) for n in range(1, 9)))
        assert not has_scope()

    async_to_sync(all_at_once)()
    assert served == {n: {n} for n in range(1, 9)}


@pytest.mark.django_db(transaction=True)
def test_rows_read_by_tasks_are_those_of_their_practice() -> None:
    casts = [
        make_cast(slug, slug.title(), "America/Toronto") for slug in ("maple", "cedar", "birch")
    ]

    async def read(cast: Cast) -> set[uuid.UUID]:
        with scope(cast.practice.pk):
            await asyncio.sleep(0)
            return {row.uuid async for row in Client.objects.filter(first_name="Casey")}

    async def all_at_once() -> list[set[uuid.UUID]]:
        return await asyncio.gather(*(read(cast) for cast in casts))

    assert async_to_sync(all_at_once)() == [{cast.casey.uuid} for cast in casts]
