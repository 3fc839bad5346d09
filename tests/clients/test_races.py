"""Several hands at one record: access is given once, and nobody's form ends in an error."""

import threading
import uuid
from collections.abc import Callable

import pytest
from django.db import connection

from roost.accounts.models import Account
from roost.clients.models import PortalAccess
from roost.clients.services import give_starter_password, send_invitation
from roost.core.tenancy import scope
from tests.support.cast import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
HANDS = 12


def all_at_once(practice_id: int, acts: list[Callable[[], object]]) -> list[BaseException]:
    """Run every act in a thread of its own, at the same moment. Returns what they raised."""
    barrier, raised = threading.Barrier(len(acts)), []

    def run(act: Callable[[], object]) -> None:
        try:
            with scope(practice_id):
                barrier.wait(20)
                act()
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return raised


def test_one_record_is_given_to_one_new_address_by_many_hands(cast: Cast) -> None:
    def give() -> None:
        give_starter_password(
            key=uuid.uuid4(),
            client=cast.noor,
            email="noor@client.example",
            relationship="self",
            starter_password="kettle-orbit-walnut-acorn-47",
            confirmed=False,
            by=cast.tara,
        )

    assert all_at_once(cast.practice.pk, [give] * HANDS) == []
    with scope(cast.practice.pk):
        account = Account.objects.get(email="noor@client.example")
        assert PortalAccess.objects.filter(account=account, ended_at=None).count() == 1


def test_one_new_address_is_tied_to_two_records_at_once(cast: Cast) -> None:
    def invite(client_name: str) -> Callable[[], object]:
        return lambda: send_invitation(
            key=uuid.uuid4(),
            client=getattr(cast, client_name),
            email="family@client.example",
            relationship="parent",
            confirmed=True,
            by=cast.olivia,
        )

    raised = all_at_once(cast.practice.pk, [invite("noor"), invite("remy")] * 2)
    assert raised == []
    with scope(cast.practice.pk):
        account = Account.objects.get(email="family@client.example")
        held = PortalAccess.objects.filter(account=account, ended_at=None)
        assert set(held.values_list("client", flat=True)) == {cast.noor.pk, cast.remy.pk}
        assert held.count() == 2
