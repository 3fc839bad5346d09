"""Who may make whom what: owners, admins, and the last owner."""

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import Http404

from roost.accounts.models import Account, MailLink, SignIn
from roost.accounts.services import account_at, set_starter_password
from roost.audit.models import AuditEvent
from roost.core.tenancy import scope
from roost.core.time import now
from roost.outbox.models import OutgoingMessage
from roost.staff.enums import Role
from roost.staff.errors import LastOwner, OwnersOnly
from roost.staff.models import StaffMember
from roost.staff.queries import get_staff_member_for
from roost.staff.services import change_staff_member
from tests.support.cast import make_cast, make_staff
from tests.support.doors import Visitor

Door = Callable[..., Visitor]


def _typed(member: StaffMember, **changes: Any) -> dict[str, Any]:
    """The form about a colleague as a browser sends it."""
    typed = {
        "form_key": str(uuid.uuid4()),
        "display_name": member.display_name,
        "role": member.role,
        "sees_clients": "on" if member.sees_clients else None,
        "is_active": "on" if member.is_active else None,
        "title": member.title,
    }
    return {name: value for name, value in {**typed, **changes}.items() if value is not None}


def _change(visitor: Visitor, member: StaffMember, **changes: Any) -> Any:
    return visitor.send("staff-member", _typed(member, **changes), member=member.uuid)


def _is_now(member: StaffMember) -> tuple[str, bool]:
    member.refresh_from_db()
    return member.role, member.is_active


def _demote(by: StaffMember, whom: StaffMember) -> list[str]:
    return change_staff_member(member=whom, by=by, role=Role.THERAPIST, is_active=True, profile={})


# The last owner


@pytest.mark.parametrize("change", [{"role": "admin"}, {"role": "therapist"}, {"is_active": None}])
def test_the_last_owner_stays_one(
    office: Door, olivia: StaffMember, change: dict[str, Any]
) -> None:
    visitor = office(olivia)
    answer = _change(visitor, olivia, **change)
    assert answer.status_code == 422
    assert "A practice needs an owner" in answer.content.decode()
    assert _is_now(olivia) == ("owner", True)
    assert visitor.go("today").status_code == 200


def test_an_owner_may_go_when_another_stays(office: Door, olivia: StaffMember) -> None:
    second = make_staff("Oscar Other", Role.OWNER, "maple")
    visitor = office(olivia)
    assert _change(visitor, olivia, role="admin").status_code == 302
    assert _is_now(olivia) == ("admin", True)
    # What they are now they are from the next log-in on, here too.
    assert visitor.go("staff")["Location"].startswith("/office/maple/log-in/?next=")
    assert not SignIn.objects.filter(account=olivia.account).exists()
    assert _change(office(second), second, role="admin").status_code == 422
    assert _is_now(second) == ("owner", True)


def test_an_owner_who_has_left_does_not_count(olivia: StaffMember) -> None:
    make_staff("Oscar Other", Role.OWNER, "maple", is_active=False)
    with pytest.raises(LastOwner):
        _demote(olivia, olivia)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(4))
def test_two_owners_who_demote_each_other_at_once_leave_one(round_: int) -> None:
    cast = make_cast("maple", "Maple Counselling", "America/Toronto")
    with scope(cast.practice.pk):
        second = make_staff("Oscar Other", Role.OWNER, "maple")
    gate, troubles = threading.Barrier(2), []

    def act(by: StaffMember, whom: StaffMember) -> None:
        try:
            with scope(cast.practice.pk):
                gate.wait(10)
                _demote(by, whom)
        except Exception as error:
            troubles.append(type(error))
        finally:
            connection.close()

    threads = [
        threading.Thread(target=act, args=pair)
        for pair in ((cast.olivia, second), (second, cast.olivia))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    # Whoever comes second is no owner any more, or finds that one must stay.
    assert troubles in ([LastOwner], [OwnersOnly])
    with scope(cast.practice.pk):
        owners = StaffMember.objects.filter(role=Role.OWNER, is_active=True)
        assert owners.count() == 1
        assert AuditEvent.objects.filter(action="staff.changed").count() == 1


# Admins


def test_an_admin_cannot_touch_an_owner(
    office: Door, adam: StaffMember, olivia: StaffMember
) -> None:
    make_staff("Oscar Other", Role.OWNER, "maple")
    for change in ({"role": "admin"}, {"is_active": None}, {"display_name": "Mallory"}):
        answer = _change(office(adam), olivia, **change)
        assert answer.status_code == 422
        assert "Only an owner can change an owner" in answer.content.decode()
    assert (*_is_now(olivia), olivia.display_name) == ("owner", True, "Olivia Osei")


def test_an_admin_cannot_make_an_owner_of_anybody(
    office: Door, adam: StaffMember, tara: StaffMember
) -> None:
    for member in (adam, tara):
        answer = _change(office(adam), member, role="owner")
        assert answer.status_code == 422
        assert "Only an owner can change an owner" in answer.content.decode()
    assert (_is_now(adam)[0], _is_now(tara)[0]) == ("admin", "therapist")
    invited = {
        "form_key": str(uuid.uuid4()),
        "display_name": "Eve",
        "email": "eve@maple.example",
        "role": "owner",
    }
    answer = office(adam).send("invite-staff", invited)
    assert answer.status_code == 422
    assert not Account.objects.filter(email="eve@maple.example").exists()
    assert OutgoingMessage.objects.count() == 0


def test_an_admin_manages_everybody_else(
    office: Door, adam: StaffMember, theo: StaffMember
) -> None:
    assert _change(office(adam), theo, role="admin", title="RSW, MSW").status_code == 302
    theo.refresh_from_db()
    assert (theo.role, theo.title) == ("admin", "RSW, MSW")
    [event] = AuditEvent.objects.filter(action="staff.changed")
    assert (event.actor, event.subject_uuid) == (adam.account, theo.uuid)
    assert sorted(event.details["fields"]) == ["role", "title"]


def test_somebody_demoted_a_moment_ago_acts_as_what_they_are_now(
    adam: StaffMember, olivia: StaffMember, tara: StaffMember
) -> None:
    second = make_staff("Oscar Other", Role.OWNER, "maple")
    stale = StaffMember.objects.get(pk=second.pk)
    _demote(olivia, second)
    assert stale.is_owner
    with pytest.raises(OwnersOnly):
        change_staff_member(member=tara, by=stale, role=Role.OWNER, is_active=True, profile={})
    assert _is_now(tara)[0] == "therapist"


# What a change ends


@pytest.mark.parametrize(
    ("change", "ends"),
    [({"role": "admin"}, True), ({"is_active": None}, True), ({"title": "RP (Q)"}, False)],
)
def test_a_change_of_role_and_an_end_sign_out_everywhere(
    office: Door,
    portal: Door,
    olivia: StaffMember,
    tara: StaffMember,
    theo: StaffMember,
    change: dict[str, Any],
    ends: bool,
) -> None:
    visitors = [office(tara), office(tara), portal(tara.account)]
    bystander = office(theo)
    assert _change(office(olivia), tara, **change).status_code == 302
    codes = {v.go("account").status_code for v in visitors}
    assert codes == ({302} if ends else {200})
    assert bystander.go("account").status_code == 200


def test_a_change_of_nothing_leaves_no_trace(
    office: Door, olivia: StaffMember, tara: StaffMember
) -> None:
    assert _change(office(olivia), tara).status_code == 302
    assert not AuditEvent.objects.filter(action="staff.changed").exists()


# Inviting


def _invite(visitor: Visitor, email: str, key: str = "", **changes: Any) -> Any:
    typed = {
        "form_key": key or str(uuid.uuid4()),
        "display_name": "Nina New",
        "email": email,
        "role": "therapist",
        "sees_clients": "on",
    }
    return visitor.send("invite-staff", {**typed, **changes})


def test_a_colleague_is_invited_once_by_one_form(office: Door, olivia: StaffMember) -> None:
    key = str(uuid.uuid4())
    for _ in range(2):
        assert _invite(office(olivia), "nina@maple.example", key).status_code == 302
    member = StaffMember.objects.get(account__email="nina@maple.example")
    assert (member.role, member.display_name) == ("therapist", "Nina New")
    assert not member.account.has_own_password
    assert [(m.kind, m.to) for m in OutgoingMessage.objects.all()] == [
        ("staff_invitation", "nina@maple.example")
    ]
    assert AuditEvent.objects.filter(action="staff.invited").count() == 1


def test_a_form_that_has_invited_somebody_invites_nobody_else_and_says_so(
    office: Door, olivia: StaffMember
) -> None:
    visitor, key = office(olivia), str(uuid.uuid4())
    _invite(visitor, "nina@maple.example", key)
    assert "Nina New is invited, by e-mail." in visitor.go("staff").content.decode()
    _invite(visitor, "nils@maple.example", key)
    page = visitor.go("staff").content.decode()
    assert "This form has invited Nina New, and invites nobody else." in page
    assert "is invited, by e-mail" not in page
    assert not StaffMember.objects.filter(account__email="nils@maple.example").exists()
    _invite(visitor, "nina@maple.example", key, role="admin")
    page = visitor.go("staff").content.decode()
    assert "What you have changed in it since is not saved" in page
    assert "is invited, by e-mail" not in page
    assert StaffMember.objects.get(account__email="nina@maple.example").role == "therapist"


def test_a_clients_address_keeps_its_password_and_gets_the_office_too(
    office: Door, olivia: StaffMember, casey_account: Account
) -> None:
    before = casey_account.password
    casey_account.mailbox_proven_at = now()
    casey_account.save()
    assert _invite(office(olivia), casey_account.email).status_code == 302
    casey_account.refresh_from_db()
    assert casey_account.password == before
    assert MailLink.objects.count() == 0
    assert [m.kind for m in OutgoingMessage.objects.all()] == ["staff_added"]


def test_a_log_in_whose_mailbox_is_not_proven_gets_no_office(
    office: Door, olivia: StaffMember, casey_account: Account
) -> None:
    """Staff verified a stranger's sign-up, or handed over a starter password: nobody knows yet
    whether the person behind it reads that address."""
    answer = _invite(office(olivia), casey_account.email)
    assert answer.status_code == 422
    assert "has not shown yet that the mailbox is theirs" in answer.content.decode()
    assert 'value="Nina New"' in answer.content.decode()
    assert not StaffMember.objects.filter(account=casey_account).exists()
    assert not OutgoingMessage.objects.exists()


def test_a_starter_password_given_before_opens_no_office(
    office: Door, portal: Door, olivia: StaffMember
) -> None:
    """Whoever handed it over knows it, and would be an admin with it (PRODUCT.md 1.6)."""
    account = account_at("nina@maple.example")
    set_starter_password(account, "kettle-orbit-walnut-47", days=30)
    assert _invite(office(olivia), account.email, role="admin").status_code == 302
    typed = {"email": account.email, "password": "kettle-orbit-walnut-47"}
    for door in (office, portal):
        assert door(None).send("log-in", typed).status_code in (401, 422)
    account.refresh_from_db()
    assert not account.has_starter_password
    assert [m.kind for m in OutgoingMessage.objects.all()] == ["staff_invitation"]
    taken = AuditEvent.objects.get(action="starter.taken")
    assert (taken.actor, taken.subject_uuid) == (olivia.account, account.uuid)


def test_who_had_no_starter_password_loses_none(office: Door, olivia: StaffMember) -> None:
    assert _invite(office(olivia), "nina@maple.example").status_code == 302
    assert not AuditEvent.objects.filter(action="starter.taken").exists()


def test_a_colleague_is_not_invited_a_second_time(
    office: Door, olivia: StaffMember, tara: StaffMember
) -> None:
    answer = _invite(office(olivia), tara.account.email)
    assert answer.status_code == 422
    assert "belongs to somebody on the staff already" in answer.content.decode()


def test_an_invitation_is_sent_again_to_who_has_no_password_yet(
    office: Door, olivia: StaffMember, tara: StaffMember
) -> None:
    _invite(office(olivia), "nina@maple.example")
    member = StaffMember.objects.get(account__email="nina@maple.example")
    office(olivia).send("invite-staff-again", member=member.uuid)
    assert OutgoingMessage.objects.count() == 2
    office(olivia).send("invite-staff-again", member=tara.uuid)
    assert OutgoingMessage.objects.count() == 2


def test_a_therapist_looks_up_only_themselves(
    olivia: StaffMember, adam: StaffMember, tara: StaffMember, theo: StaffMember
) -> None:
    for actor, member in ((olivia, tara), (adam, olivia), (tara, tara)):
        assert get_staff_member_for(actor, member.uuid) == member
    with pytest.raises(Http404):
        get_staff_member_for(tara, theo.uuid)
