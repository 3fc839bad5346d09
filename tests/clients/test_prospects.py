"""Sign-ups become prospects, prospects become clients: what each act leaves behind."""

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from roost.accounts import sign_ups
from roost.accounts.errors import WrongCode, WrongCredentials
from roost.accounts.models import Account, SignUp
from roost.accounts.services import verify_log_in
from roost.audit.models import AuditEvent
from roost.clients import prospects
from roost.clients.confirmation import confirmation_code, good_until, is_right
from roost.clients.enums import ProspectState, Relationship
from roost.clients.errors import (
    AlreadyHandled,
    Archived,
    HasOtherLogIn,
    WrongConfirmationCode,
)
from roost.clients.models import Client, PortalAccess, Prospect
from roost.clients.prospect_queries import (
    count_waiting,
    search_prospects,
    unverified_link_of,
    waiting_at_address,
)
from roost.clients.services import take_access_away
from roost.core.time import now
from roost.outbox.models import OutgoingMessage
from roost.practices.models import Practice
from roost.staff.models import StaffMember
from tests.support.cast import link_stamp

SECRET = "violet umbrella by the door"


def asks(email: str = "una@prospect.example", **facts: Any) -> Prospect:
    """Somebody signs up. Needs a scope."""
    first = {"first_name": "Una", "last_name": "Okoro", "zone_name": "America/Halifax"}
    prospect, _ = prospects.sign_up(
        key=uuid.uuid4(), email=email, password=SECRET, **{**first, **facts}
    )
    return prospect


def proven(prospect: Prospect) -> Account:
    assert prospect.sign_up is not None
    return prospects.prove_mailbox(prospect.sign_up, through="link")


def mails(kind: str) -> list[str]:
    """To whom mails of a kind are in the outbox."""
    return list(
        OutgoingMessage.objects.filter(kind=kind).order_by("to").values_list("to", flat=True)
    )


def test_a_sign_up_is_no_account_and_mails_once(maple: Practice) -> None:
    prospect = asks()
    assert not Account.objects.filter(email="una@prospect.example").exists()
    assert mails("verify_email") == ["una@prospect.example"]
    assert prospect.state == ProspectState.WAITING
    found = verify_log_in("una@prospect.example", SECRET)
    assert isinstance(found, SignUp)
    with pytest.raises(WrongCredentials):
        verify_log_in("una@prospect.example", "another password here")


def test_a_proven_mailbox_makes_the_account_and_tells_staff_once(
    maple: Practice, olivia: StaffMember, adam: StaffMember
) -> None:
    adam.wants_prospect_mail = False
    adam.save(update_fields=["wants_prospect_mail"])
    prospect = asks()
    account = proven(prospect)
    proven(prospect)
    assert account.mailbox_proven_at is not None
    assert account.zone_name == "America/Halifax"
    assert verify_log_in("una@prospect.example", SECRET) == account
    assert mails("prospect_waiting") == ["olivia@maple.example"]
    assert AuditEvent.objects.filter(action="sign_up.verified").count() == 1


def test_a_sign_up_on_a_known_address_never_opens_anything(
    maple: Practice, casey_account: Account, olivia: StaffMember
) -> None:
    before = casey_account.password
    prospect = asks("casey@client.example")
    sign_up = prospect.sign_up
    assert sign_up is not None
    assert mails("address_known") == ["casey@client.example"]
    assert mails("verify_email") == []
    with pytest.raises(WrongCode):
        sign_ups.check_code(sign_up, sign_ups.code_of(sign_up))
    assert verify_log_in("casey@client.example", SECRET) == sign_up
    for act in (
        lambda: prospects.verify(
            prospect=prospect, seen=prospect.email, by=olivia, reason="I know them"
        ),
        lambda: prospects.create_client(
            key=uuid.uuid4(), prospect=prospect, seen=prospect.email, by=olivia, therapists=[],
            first_name="Una", last_name="Okoro",
        ),
    ):  # fmt: skip
        with pytest.raises(HasOtherLogIn):
            act()
    casey_account.refresh_from_db()
    assert casey_account.password == before
    prospect.refresh_from_db()
    assert prospect.state == ProspectState.WAITING
    prospects.dismiss(prospect=prospect, by=olivia)
    assert count_waiting(olivia) == 0


def test_an_account_made_meanwhile_turns_a_sign_up_into_a_decoy(maple: Practice) -> None:
    prospect = asks()
    Account.objects.create(email="una@prospect.example", password="!")
    sign_up = prospect.sign_up
    assert sign_up is not None
    with pytest.raises(WrongCode):
        sign_ups.check_code(sign_up, sign_ups.code_of(sign_up))
    with pytest.raises(sign_ups.LinkDead):
        sign_ups.look_at(sign_up)


def test_create_client_on_an_unverified_sign_up_opens_nothing_until_it_is_proven(
    maple: Practice, olivia: StaffMember
) -> None:
    prospect = asks()
    client = prospects.create_client(
        key=uuid.uuid4(), prospect=prospect, seen=prospect.email, by=olivia, therapists=[],
        first_name="Una", last_name="Okoro", email="una@prospect.example",
    )  # fmt: skip
    assert not PortalAccess.objects.filter(client=client).exists()
    assert unverified_link_of(client) == prospect
    account = proven(prospect)
    access = PortalAccess.objects.get(client=client)
    assert (access.account, access.relationship) == (account, Relationship.SELF)
    assert unverified_link_of(client) is None
    assert mails("prospect_waiting") == []
    assert mails("access_given") == ["una@prospect.example"]


def test_create_client_twice_with_one_form_makes_one_client(
    maple: Practice, olivia: StaffMember, adam: StaffMember
) -> None:
    prospect, key = asks(), uuid.uuid4()
    fields: dict[str, Any] = {"therapists": [], "first_name": "Una", "last_name": "Okoro"}
    fields["seen"] = prospect.email
    first = prospects.create_client(key=key, prospect=prospect, by=olivia, **fields)
    again = prospects.create_client(key=key, prospect=prospect, by=olivia, **fields)
    assert first == again
    with pytest.raises(AlreadyHandled):
        prospects.create_client(key=uuid.uuid4(), prospect=prospect, by=adam, **fields)
    assert Client.objects.filter(last_name="Okoro").count() == 1


def test_associate_and_undo(
    maple: Practice, olivia: StaffMember, noor: Client, casey: Client
) -> None:
    prospect = asks()
    account = proven(prospect)
    prospects.associate(
        prospect=prospect, seen=prospect.email, client=noor, relationship="parent", by=olivia
    )
    assert PortalAccess.objects.get(account=account, ended_at=None).client == noor
    prospects.undo_link(prospect=prospect, stamp=link_stamp(prospect), by=olivia)
    assert not PortalAccess.objects.filter(account=account, ended_at=None).exists()
    prospect.refresh_from_db()
    assert (prospect.state, prospect.client) == (ProspectState.WAITING, None)
    with pytest.raises(AlreadyHandled):
        prospects.undo_link(prospect=prospect, stamp=link_stamp(prospect), by=olivia)
    assert Client.objects.filter(pk=noor.pk).exists()


def test_an_archived_client_is_refused_and_the_prospect_still_waits(
    maple: Practice, olivia: StaffMember, noor: Client
) -> None:
    noor.archived_at = now()
    noor.save(update_fields=["archived_at"])
    prospect = asks()
    with pytest.raises(Archived):
        prospects.associate(
            prospect=prospect, seen=prospect.email, client=noor, relationship="self", by=olivia
        )
    prospect.refresh_from_db()
    assert prospect.state == ProspectState.WAITING


def test_correcting_the_address_drops_the_link_staff_made(
    maple: Practice, olivia: StaffMember, noor: Client
) -> None:
    prospect = asks("noor@client.example")
    sign_up = prospect.sign_up
    assert sign_up is not None
    old = sign_ups.token_of(sign_up)
    prospects.associate(
        prospect=prospect, seen=prospect.email, client=noor, relationship="self", by=olivia
    )
    prospects.correct_address(prospect, "stranger@else.example")
    prospect.refresh_from_db()
    sign_up.refresh_from_db()
    assert (prospect.state, prospect.client) == (ProspectState.WAITING, None)
    assert sign_ups.find_by_link(sign_up.uuid, old) is None
    proven(prospect)
    assert not PortalAccess.objects.filter(client=noor).exists()


def test_staff_verify_by_code_or_by_a_reason(maple: Practice, olivia: StaffMember) -> None:
    una, pat = asks(), asks("pat@prospect.example", first_name="Pat", last_name="Lindqvist")
    with pytest.raises(WrongConfirmationCode):
        prospects.verify(prospect=una, seen=una.email, by=olivia, code="AAAAAA")
    code = confirmation_code(una, now(), maple.zone)
    account = prospects.verify(
        prospect=una, seen=una.email, by=olivia, code=code.lower().replace("-", " ")
    )
    assert account.mailbox_proven_at is None
    assert account.vouched_at is not None
    prospects.verify(prospect=pat, seen=pat.email, by=olivia, reason="Showed ID at the desk")
    pat.refresh_from_db()
    assert (pat.vouched_by, pat.vouched_how, pat.vouched_reason) == (
        olivia, "reason", "Showed ID at the desk",
    )  # fmt: skip
    assert mails("account_vouched") == ["pat@prospect.example", "una@prospect.example"]
    with pytest.raises(AlreadyHandled):
        prospects.verify(prospect=pat, seen=pat.email, by=olivia, reason="Again")
    event = AuditEvent.objects.filter(action="prospect.verified").latest("pk")
    assert event.details == {"how": "reason"}


def test_the_confirmation_code_works_until_noon_of_the_next_day(maple: Practice) -> None:
    prospect, zone = asks(), ZoneInfo("America/Toronto")
    shown = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
    code = confirmation_code(prospect, shown, zone)
    until = datetime(2026, 11, 25, 17, 0, tzinfo=UTC)
    assert good_until(shown, zone) == until
    assert is_right(prospect, code, until - timedelta(seconds=1), zone)
    assert not is_right(prospect, code, until, zone)


def test_an_account_that_opens_nothing_any_more_waits_again(
    maple: Practice, olivia: StaffMember, casey: Client, casey_account: Account
) -> None:
    access = PortalAccess.objects.get(client=casey)
    take_access_away(access=access, by=olivia)
    prospect = Prospect.objects.get(account=casey_account)
    assert (prospect.state, prospect.name) == (ProspectState.WAITING, "casey@client.example")
    assert list(search_prospects(olivia, "casey")) == [prospect]


def test_unproven_sign_ups_are_deleted_after_30_days(maple: Practice) -> None:
    old, proven_one, young = asks(), asks("b@prospect.example"), asks("c@prospect.example")
    proven(proven_one)
    SignUp.objects.exclude(pk=young.sign_up_id).update(created_at=now() - timedelta(days=31))
    prospects.forget_unproven()
    assert set(Prospect.objects.all()) == {proven_one, young}
    assert AuditEvent.objects.get(action="sign_up.expired").subject_uuid == old.sign_up.uuid  # type: ignore[union-attr]


def test_prospects_are_found_by_how_words_begin(maple: Practice, olivia: StaffMember) -> None:
    maria = asks(
        "alex.fdlc@prospect.example", first_name="María-Alejandra", preferred_name="Alex",
        last_name="Fernández-Oyelaran de la Cruz", phone="+16475550155",
    )  # fmt: skip
    una = asks()
    for text in ("maria", "OYEL", "alex cruz", "alex.f", "647 555", "(647) 555-0155", "1647"):
        assert list(search_prospects(olivia, text)) == [maria], text
    assert list(search_prospects(olivia, "")) == [una, maria]
    assert list(search_prospects(olivia, "ernández")) == []
    assert list(search_prospects(olivia, "%")) == []


def test_a_therapist_has_no_prospects(maple: Practice, tara: StaffMember, noor: Client) -> None:
    asks("noor@client.example")
    assert list(search_prospects(tara, "")) == []
    assert count_waiting(tara) == 0
    assert list(waiting_at_address(tara, noor)) == []


def test_a_record_says_who_waits_with_its_address(
    maple: Practice, olivia: StaffMember, noor: Client, casey: Client
) -> None:
    prospect = asks("noor@client.example")
    asks("casey@client.example")
    assert list(waiting_at_address(olivia, noor)) == [prospect]
    assert list(waiting_at_address(olivia, casey)) == []


def test_the_client_is_told_when_somebody_else_is_let_in_and_out(
    maple: Practice, olivia: StaffMember, casey: Client
) -> None:
    prospect = asks(date_of_birth=date(1960, 1, 1))
    proven(prospect)
    prospects.associate(
        prospect=prospect, seen=prospect.email, client=casey, relationship="payer", by=olivia
    )
    assert mails("record_opened") == ["casey@client.example"]
    assert mails("access_given") == ["una@prospect.example"]
    prospects.undo_link(prospect=prospect, stamp=link_stamp(prospect), by=olivia)
    assert mails("record_closed") == ["casey@client.example"]
    assert mails("access_taken") == ["una@prospect.example"]
