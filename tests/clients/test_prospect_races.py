"""Two admins, one prospect: one wins, the other is told, and nothing is doubled."""

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from roost.accounts.models import Account
from roost.audit.models import AuditEvent
from roost.clients import prospects
from roost.clients.enums import ProspectState
from roost.clients.errors import AlreadyHandled
from roost.clients.models import Client, PortalAccess, Prospect
from roost.clients.services import send_invitation, take_access_away
from roost.core.tenancy import scope
from tests.clients.test_races import all_at_once
from tests.support.cast import Cast, link_stamp

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ROUNDS = 100


def waiting(number: int, *, verified: bool) -> Prospect:
    """A prospect of this round. Needs a scope."""
    prospect, _ = prospects.sign_up(
        key=uuid.uuid4(), email=f"una{number}@prospect.example", zone_name="",
        password="violet umbrella by the door", first_name="Una", last_name=f"Okoro-{number}",
    )  # fmt: skip
    if verified:
        assert prospect.sign_up is not None
        prospects.prove_mailbox(prospect.sign_up, through="link")
    return prospect


def test_two_admins_act_on_one_prospect_a_hundred_times(cast: Cast) -> None:
    before = Client.objects.model._base_manager.count()
    created = 0
    for number in range(ROUNDS):
        with scope(cast.practice.pk):
            prospect = waiting(number, verified=number % 2 == 0)

        def create(by: Any = cast.olivia, found: Prospect = prospect) -> None:
            prospects.create_client(
                key=uuid.uuid4(), prospect=found, seen=found.email, by=by, therapists=[cast.tara],
                first_name=found.first_name, last_name=found.last_name, email=found.email,
            )  # fmt: skip

        def associate(by: Any = cast.adam, found: Prospect = prospect) -> None:
            prospects.associate(
                prospect=found, seen=found.email, client=cast.noor, relationship="self", by=by
            )

        pairs: list[list[Callable[[], object]]] = [
            [create, associate],
            [create, lambda: create(cast.adam)],
            [associate, lambda: associate(cast.olivia)],
            [associate, partial(prospects.dismiss, prospect=prospect, by=cast.olivia)],
        ]
        raised = all_at_once(cast.practice.pk, pairs[number % 4])
        assert [type(each) for each in raised] == [AlreadyHandled], (number, raised)
        with scope(cast.practice.pk):
            prospect.refresh_from_db()
            made = Client.objects.filter(last_name=f"Okoro-{number}").count()
            access = PortalAccess.objects.filter(account__email=prospect.email).count()
            done = AuditEvent.objects.filter(subject_uuid=prospect.uuid).exclude(
                action__startswith="sign_up"
            )
            assert done.count() == 1, [each.action for each in done]
            if prospect.state == ProspectState.DISMISSED:
                assert (made, access) == (0, 0)
            else:
                assert prospect.client is not None
                assert made == (prospect.client != cast.noor)
                assert access == (prospect.account is not None)
            created += made
    assert Client.objects.model._base_manager.count() == before + created


def test_one_form_sent_from_many_hands_makes_one_client(cast: Cast) -> None:
    with scope(cast.practice.pk):
        prospect = waiting(0, verified=True)
    key = uuid.uuid4()

    def create() -> None:
        prospects.create_client(
            key=key, prospect=prospect, seen=prospect.email, by=cast.olivia, therapists=[],
            first_name="Una", last_name="Okoro-0",
        )  # fmt: skip

    assert all_at_once(cast.practice.pk, [create] * 12) == []
    with scope(cast.practice.pk):
        assert Client.objects.filter(last_name="Okoro-0").count() == 1
        assert PortalAccess.objects.filter(account__email=prospect.email).count() == 1


def test_link_code_and_staff_verify_at_once_make_one_account(cast: Cast) -> None:
    for number in range(10):
        with scope(cast.practice.pk):
            prospect = waiting(number, verified=False)
            prospects.associate(
                prospect=prospect,
                seen=prospect.email,
                client=cast.casey,
                relationship="payer",
                by=cast.olivia,
            )
        sign_up = prospect.sign_up
        assert sign_up is not None
        raised = all_at_once(
            cast.practice.pk,
            [
                partial(prospects.prove_mailbox, sign_up, through="link"),
                partial(prospects.prove_mailbox, sign_up, through="code"),
                partial(
                    prospects.verify,
                    prospect=prospect,
                    seen=prospect.email,
                    by=cast.adam,
                    reason="At the desk",
                ),
            ],
        )
        assert {type(each) for each in raised} <= {AlreadyHandled}, raised
        with scope(cast.practice.pk):
            account = Account.objects.get(email=prospect.email)
            assert PortalAccess.objects.filter(account=account, ended_at=None).count() == 1


def test_one_sign_up_form_from_many_hands_makes_one_sign_up(cast: Cast) -> None:
    key = uuid.uuid4()

    def ask() -> None:
        prospects.sign_up(
            key=key, email="una@prospect.example", password="violet umbrella by the door",
            zone_name="", first_name="Una", last_name="Okoro",
        )  # fmt: skip

    assert all_at_once(cast.practice.pk, [ask] * 12) == []
    with scope(cast.practice.pk):
        assert Prospect.objects.count() == 1


def test_undo_by_two_hands_ends_access_once(cast: Cast) -> None:
    with scope(cast.practice.pk):
        prospect = waiting(0, verified=True)
        prospects.associate(
            prospect=prospect,
            seen=prospect.email,
            client=cast.noor,
            relationship="self",
            by=cast.olivia,
        )
        stamp = link_stamp(prospect)
    undo: list[Callable[[], object]] = [
        partial(prospects.undo_link, prospect=prospect, stamp=stamp, by=by)
        for by in (cast.olivia, cast.adam)
    ]
    raised = all_at_once(cast.practice.pk, undo)
    assert [type(each) for each in raised] == [AlreadyHandled]
    with scope(cast.practice.pk):
        assert AuditEvent.objects.filter(action="access.taken").count() == 1
        prospect.refresh_from_db()
        assert prospect.state == ProspectState.WAITING


def test_undo_take_away_and_give_again_at_once_leave_one_truth(cast: Cast) -> None:
    """The prospect's page, the client's record and a form sent again: nobody waits in a circle."""
    for number in range(10):
        with scope(cast.practice.pk):
            prospect = waiting(number, verified=True)
            prospects.associate(
                prospect=prospect,
                seen=prospect.email,
                client=cast.noor,
                relationship="self",
                by=cast.olivia,
            )
            access = PortalAccess.objects.get(account__email=prospect.email, ended_at=None)
            stamp = link_stamp(prospect)
        raised = all_at_once(
            cast.practice.pk,
            [
                partial(prospects.undo_link, prospect=prospect, stamp=stamp, by=cast.olivia),
                partial(take_access_away, access=access, by=cast.adam),
                partial(
                    send_invitation, key=uuid.uuid4(), client=cast.noor, email=prospect.email,
                    relationship="parent", confirmed=True, by=cast.tara,
                ),
            ],
        )  # fmt: skip
        assert {type(each) for each in raised} <= {AlreadyHandled}, raised
        with scope(cast.practice.pk):
            prospect.refresh_from_db()
            held = PortalAccess.objects.filter(account__email=prospect.email, ended_at=None)
            assert (prospect.state == ProspectState.LINKED) == held.exists()
