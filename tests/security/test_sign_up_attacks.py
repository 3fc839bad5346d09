"""What somebody with bad intent does with a sign-up, a link, a code, a visit or a limit."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from roost.accounts import limits, sign_ups
from roost.accounts.enums import LinkPurpose
from roost.accounts.errors import ChangedMeanwhile, WrongCode
from roost.accounts.links import mail_link
from roost.accounts.models import Account, SignIn, SignUp, SignUpVisit
from roost.audit.models import AnonymousRefusals, AuditEvent
from roost.clients import prospects
from roost.clients.enums import ProspectState
from roost.clients.errors import AddressChanged, AlreadyHandled
from roost.clients.models import Client, PortalAccess, Prospect
from roost.clients.services import send_invitation, take_access_away
from roost.core.context import RequestFacts, request_facts
from roost.core.time import now
from roost.outbox.models import OutgoingMessage
from roost.practices.models import Practice
from roost.staff.models import StaffMember
from tests.support.cast import link_stamp, make_account
from tests.support.doors import Visitor, visit_cookie

Door = Callable[..., Visitor]
SECRET = "violet umbrella by the door"
VICTIM = "victim@client.example"


def asks(email: str = "una@prospect.example", **facts: Any) -> tuple[Prospect, SignUp]:
    """Somebody signs up. Needs a scope."""
    names = {"first_name": "Una", "last_name": "Okoro"}
    prospect, _ = prospects.sign_up(
        key=uuid.uuid4(), email=email, password=SECRET, zone_name="", **{**names, **facts}
    )
    assert prospect.sign_up is not None
    return prospect, prospect.sign_up


def mails(kind: str) -> int:
    return OutgoingMessage.objects.filter(kind=kind).count()


@pytest.mark.parametrize("through", ["link", "code"])
def test_a_proof_is_for_the_address_it_was_mailed_to(maple: Practice, through: str) -> None:
    """The link was right when it was looked at; meanwhile the address was corrected to another."""
    prospect, _ = asks()
    looked_at = SignUp.objects.get(pk=prospect.sign_up_id)
    prospects.correct_address(prospect, VICTIM)
    with pytest.raises(ChangedMeanwhile):
        prospects.prove_mailbox(looked_at, through=through)
    assert not Account.objects.filter(email=VICTIM).exists()


def test_staff_act_on_the_address_they_have_seen(
    maple: Practice, olivia: StaffMember, noor: Client
) -> None:
    prospect, _ = asks("noor@client.example")
    prospects.correct_address(prospect, "stranger@else.example")
    seen: dict[str, Any] = {"prospect": prospect, "seen": "noor@client.example", "by": olivia}
    for act in (
        lambda: prospects.associate(client=noor, relationship="self", **seen),
        lambda: prospects.create_client(key=uuid.uuid4(), therapists=[], first_name="N", **seen),
        lambda: prospects.verify(reason="I know them", **seen),
    ):
        with pytest.raises(AddressChanged):
            act()
    assert not Client.objects.filter(first_name="N").exists()
    prospect.refresh_from_db()
    assert (prospect.state, prospect.account) == (ProspectState.WAITING, None)


def test_the_page_says_in_words_that_the_address_was_corrected(
    office: Door, olivia: StaffMember, noor: Client
) -> None:
    prospect, _ = asks("noor@client.example", first_name="Noor", last_name="Haddad")
    sent = {
        "client": str(noor.uuid), "relationship": "self", "sure": str(noor.uuid),
        "seen": prospect.email,
    }  # fmt: skip
    prospects.correct_address(prospect, "stranger@else.example")
    answer = office(olivia).send("associate", sent, prospect=prospect.uuid)
    assert answer.status_code == 409
    assert "Noor Haddad has corrected their address" in answer.content.decode()
    assert not PortalAccess.objects.filter(client=noor).exists()


def test_a_visit_ends_with_the_sign_ins_of_the_account_it_became(
    portal: Door, maple: Practice, olivia: StaffMember, noor: Client
) -> None:
    prospect, sign_up = asks()
    visitor = portal()
    name, key = visit_cookie(sign_up)
    visitor.cookies[name] = key
    prospects.prove_mailbox(sign_up, through="link")
    prospect.refresh_from_db()
    prospects.associate(
        prospect=prospect, seen=prospect.email, client=noor, relationship="self", by=olivia
    )
    take_access_away(access=PortalAccess.objects.get(client=noor, ended_at=None), by=olivia)
    assert not SignUpVisit.objects.exists()
    assert visitor.send("sign-up")["Location"].startswith("/portal/maple/log-in/")
    assert not SignIn.objects.exists()


def test_a_visit_opens_no_account_that_only_works_in_the_office(
    portal: Door, maple: Practice
) -> None:
    _, sign_up = asks()
    account = prospects.prove_mailbox(sign_up, through="link")
    StaffMember.objects.create(account=account, role="therapist", display_name="Una Okoro")
    visitor = portal()
    name, key = visit_cookie(sign_up)
    visitor.cookies[name] = key
    assert visitor.send("sign-up")["Location"] == "/portal/maple/log-in/"
    assert not SignIn.objects.exists()


def test_strangers_leave_the_owner_of_an_address_a_reset(
    maple: Practice, casey_account: Account
) -> None:
    for _ in range(6):
        asks("casey@client.example")
    assert mails("address_known") == 4
    mail_link(casey_account, LinkPurpose.RESET, door="portal")
    assert mails("reset") == 1


def test_wrong_codes_of_one_sign_up_do_not_lock_out_another(maple: Practice) -> None:
    _, strangers = asks(VICTIM)
    _, owners = asks(VICTIM)
    for _ in range(10):
        with pytest.raises(WrongCode):
            sign_ups.check_code(strangers, "not it")
    with pytest.raises(limits.TooMany):
        sign_ups.check_code(strangers, "not it")
    sign_ups.check_code(owners, sign_ups.code_of(owners))
    assert AnonymousRefusals.objects.get().count == 10


def test_one_source_cannot_try_codes_of_many(maple: Practice) -> None:
    token = request_facts.set(RequestFacts(source="198.51.100.7"))
    tried = 0
    try:
        with pytest.raises(limits.TooMany):
            for number in range(20):
                _, sign_up = asks(f"u{number}@prospect.example")
                for _ in range(5):
                    tried += 1
                    with pytest.raises(WrongCode):
                        sign_ups.check_code(sign_up, "not it")
    finally:
        request_facts.reset(token)
    assert tried == 61


def test_anybody_can_cause_three_mails_an_hour_to_staff(
    maple: Practice, olivia: StaffMember, adam: StaffMember
) -> None:
    for number in range(8):
        _, sign_up = asks(f"u{number}@prospect.example")
        prospects.prove_mailbox(sign_up, through="link")
    to = OutgoingMessage.objects.filter(kind="prospect_waiting").values_list("to", flat=True)
    assert sorted(to) == ["adam@maple.example"] * 3 + ["olivia@maple.example"] * 3
    mail_link(olivia.account, LinkPurpose.RESET, door="office")
    assert mails("reset") == 1


def test_a_link_that_waits_is_over_when_an_account_comes_to_its_address(
    maple: Practice, olivia: StaffMember, tara: StaffMember, noor: Client, casey: Client
) -> None:
    prospect, _ = asks("noor@client.example")
    prospects.associate(
        prospect=prospect, seen=prospect.email, client=casey, relationship="self", by=olivia
    )
    send_invitation(
        key=uuid.uuid4(), client=noor, email="noor@client.example", relationship="self",
        confirmed=True, by=tara,
    )  # fmt: skip
    prospect.refresh_from_db()
    assert (prospect.state, prospect.client) == (ProspectState.WAITING, None)
    event = AuditEvent.objects.get(action="prospect.undone")
    assert (event.client_uuid, event.details) == (casey.uuid, {"why": "address"})


def test_who_opened_a_record_is_who_acted_and_who_decided_is_beside_it(
    maple: Practice, olivia: StaffMember, noor: Client
) -> None:
    prospect, sign_up = asks()
    prospects.associate(
        prospect=prospect, seen=prospect.email, client=noor, relationship="self", by=olivia
    )
    account = prospects.prove_mailbox(sign_up, through="link")
    event = AuditEvent.objects.get(action="access.given")
    assert event.actor == account
    assert event.details["decided_by"] == str(olivia.uuid)


def test_what_is_forgotten_after_30_days_is_on_the_clients_log_and_in_no_mail(
    maple: Practice, olivia: StaffMember, noor: Client
) -> None:
    prospect, sign_up = asks()
    prospects.associate(
        prospect=prospect, seen=prospect.email, client=noor, relationship="self", by=olivia
    )
    SignUp.objects.update(created_at=now() - timedelta(days=31))
    prospects.forget_unproven()
    event = AuditEvent.objects.get(action="prospect.undone")
    assert (event.client_uuid, event.details) == (noor.uuid, {"why": "expired"})
    assert not OutgoingMessage.objects.filter(to="una@prospect.example").exists()
    # One that was proven while the chore was on its way stays.
    _, proven = asks()
    prospects.prove_mailbox(proven, through="link")
    prospects._forget(proven.pk)
    assert Prospect.objects.filter(sign_up=proven).exists()
    assert not SignUp.objects.filter(pk=sign_up.pk).exists()


def test_staff_cannot_verify_what_is_dismissed_or_too_old(
    maple: Practice, olivia: StaffMember
) -> None:
    dismissed, _ = asks()
    prospects.dismiss(prospect=dismissed, by=olivia)
    old, _ = asks("old@prospect.example")
    SignUp.objects.filter(pk=old.sign_up_id).update(created_at=now() - timedelta(days=31))
    for prospect in (dismissed, old):
        with pytest.raises(AlreadyHandled):
            prospects.verify(prospect=prospect, seen=prospect.email, by=olivia, reason="Known")


def test_a_link_after_staff_have_vouched_proves_the_mailbox(
    portal: Door, maple: Practice, olivia: StaffMember
) -> None:
    prospect, sign_up = asks()
    account = prospects.verify(
        prospect=prospect, seen=prospect.email, by=olivia, reason="At the desk"
    )
    assert account.mailbox_proven_at is None
    where = {"sign_up": sign_up.uuid, "token": sign_ups.token_of(sign_up)}
    wrong = portal().send("verify", {"password": "a stranger’s guess"}, **where)
    assert wrong.status_code == 422
    right = portal().send("verify", {"password": SECRET}, **where)
    assert right["Location"] == "/portal/maple/my-account/"
    account.refresh_from_db()
    assert account.mailbox_proven_at is not None
    assert portal().go("verify", **where).status_code == 410


def test_the_first_password_is_kept_once(maple: Practice) -> None:
    _, sign_up = asks()
    account = prospects.prove_mailbox(sign_up, through="link")
    sign_up.refresh_from_db()
    assert sign_up.password == ""
    assert account.check_password(SECRET)


def test_a_key_of_add_client_makes_a_client_of_its_own(
    office: Door, maple: Practice, olivia: StaffMember, noor: Client
) -> None:
    key = uuid.uuid4()
    sent = {"first_name": "Zoe", "last_name": "Quill", "form_key": key}
    office(olivia).send("add-client", sent)
    prospect, _ = asks()
    made = prospects.create_client(
        key=key, prospect=prospect, seen=prospect.email, by=olivia, therapists=[],
        first_name="Una", last_name="Okoro",
    )  # fmt: skip
    assert made.name == "Una Okoro"


def test_a_hidden_page_is_hidden_from_every_method(office: Door, tara: StaffMember) -> None:
    prospect, _ = asks()
    visitor = office(tara)
    for method in (visitor.get, visitor.post, visitor.put, visitor.delete):
        assert method(visitor.path("undo-link", prospect=prospect.uuid)).status_code == 404


def test_a_sign_up_that_is_gone_meanwhile_is_no_500(portal: Door, maple: Practice) -> None:
    _, sign_up = asks()
    gone = SignUp.objects.get(pk=sign_up.pk)
    sign_up.delete()
    sign_ups.resend(gone, by=make_account("x@maple.example"))
    with pytest.raises(ChangedMeanwhile):
        prospects.prove_mailbox(gone, through="link")


def test_an_access_that_ends_leaves_the_prospect_where_it_belongs(
    maple: Practice, olivia: StaffMember, noor: Client, casey: Client
) -> None:
    prospect, sign_up = asks()
    account = prospects.prove_mailbox(sign_up, through="link")
    prospect.refresh_from_db()
    prospects.associate(
        prospect=prospect, seen=prospect.email, client=noor, relationship="self", by=olivia
    )
    send_invitation(
        key=uuid.uuid4(), client=casey, email=account.email, relationship="payer",
        confirmed=True, by=olivia,
    )  # fmt: skip
    take_access_away(access=PortalAccess.objects.get(client=noor, ended_at=None), by=olivia)
    prospect.refresh_from_db()
    assert (prospect.state, prospect.client) == (ProspectState.LINKED, casey)
    StaffMember.objects.create(account=account, role="therapist", display_name="Una Okoro")
    take_access_away(access=PortalAccess.objects.get(account=account, ended_at=None), by=olivia)
    prospect.refresh_from_db()
    assert (prospect.state, prospect.client) == (ProspectState.DISMISSED, None)
    with pytest.raises(AlreadyHandled):
        prospects.undo_link(prospect=prospect, stamp=link_stamp(prospect), by=olivia)
