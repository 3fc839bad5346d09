"""Prospects: they sign up, are verified, and are linked with a client, or dismissed.

Each act holds the prospect's row and looks at its state first, so that of two people who act on
one, one wins and the other is told (AlreadyHandled). Rows are held in one order everywhere, so that
nobody waits in a circle: account, prospect, sign-up, access, client. PRODUCT.md, access stories 2
and 3.
"""

import uuid
from contextlib import suppress
from datetime import date
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction

from roost.accounts import limits, sign_ups
from roost.accounts.errors import AddressTaken, ChangedMeanwhile
from roost.accounts.models import Account, SignUp
from roost.accounts.queries import SIGN_UP_LIVES
from roost.audit.services import record
from roost.clients.confirmation import is_right
from roost.clients.enums import ProspectState, Relationship, Vouching
from roost.clients.errors import (
    AddressChanged,
    AlreadyHandled,
    Archived,
    HasOtherLogIn,
    WrongConfirmationCode,
)
from roost.clients.models import Client, PortalAccess, Prospect, ProspectWord
from roost.clients.queries import access_held_by
from roost.clients.services import add_client, drop_waiting_links, take_access_away, tie
from roost.core.phones import parsed
from roost.core.submissions import once
from roost.core.tenancy import scope
from roost.core.text import search_key
from roost.core.time import now
from roost.outbox.models import OutgoingMessage
from roost.outbox.services import enqueue
from roost.practices.models import Practice
from roost.staff.models import StaffMember
from roost.staff.queries import told_of_prospects


def sign_up(
    *,
    key: uuid.UUID,
    email: str,
    password: str,
    zone_name: str,
    first_name: str,
    last_name: str,
    preferred_name: str = "",
    phone: str = "",
    date_of_birth: date | None = None,
) -> tuple[Prospect, bool]:
    """Ask for an account: a sign-up, its prospect, and one mail, the same for every address.

    The password has been checked. Returns the prospect and whether it is new: a second send of one
    form finds the first. Records sign_up.asked.
    """
    hashed_password = make_password(password)

    def make() -> Prospect:
        asked = sign_ups.ask_for_account(
            email=email, hashed_password=hashed_password, zone_name=zone_name
        )
        prospect = Prospect.objects.create(
            sign_up=asked,
            email=email,
            first_name=first_name,
            last_name=last_name,
            preferred_name=preferred_name,
            phone=phone,
            date_of_birth=date_of_birth,
        )
        _write_words(prospect)
        return prospect

    return once(key, "sign-up", Prospect, make, by=None, about="")


def _write_words(prospect: Prospect) -> None:
    """Note the words that a prospect is found by."""
    ProspectWord.objects.filter(prospect=prospect).delete()
    names = search_key(prospect.first_name, prospect.last_name, prospect.preferred_name)
    words = {*names.split(), *names.replace("-", " ").split(), prospect.email}
    number = parsed(prospect.phone) if prospect.phone else None
    if number is not None:
        national = str(number.national_number)
        words |= {national, f"{number.country_code}{national}"}
    ProspectWord.objects.bulk_create(
        ProspectWord(prospect=prospect, word=word[:100]) for word in sorted(words) if word
    )


def correct_address(prospect: Prospect, email: str) -> None:
    """Send the proof to another address from now on.

    Staff who have linked the prospect did so with the earlier address before them: it waits again,
    and nothing opens by the new one. Raises limits.TooMany, AddressTaken. Records
    sign_up.corrected, and prospect.undone where it was linked.
    """
    with transaction.atomic():
        row = _held(prospect)
        if row.sign_up is None:
            raise AddressTaken
        sign_ups.correct_address(row.sign_up, email)
        if row.state == ProspectState.LINKED:
            assert row.client is not None
            record("prospect.undone", subject=row, client_uuid=row.client.uuid, why="address")
            row.state, row.client, row.relationship = ProspectState.WAITING, None, ""
        row.email = email
        row.save(update_fields=["email", "state", "client", "relationship"])
        _write_words(row)


def prove_mailbox(sign_up: SignUp, *, through: str) -> Account:
    """A mailed link or code came back (`through` says which): the sign-up becomes an account, and
    what staff have linked it with opens now. Else staff are told, once. Where staff have vouched
    already, it proves the account's mailbox after the fact.

    `sign_up` is as it was when its link or code was checked. Raises ChangedMeanwhile, AddressTaken.
    Records sign_up.verified.
    """
    with transaction.atomic():
        found = Prospect.objects.filter(sign_up_id=sign_up.pk).first()
        if found is None:
            raise ChangedMeanwhile
        prospect = _held(found)
        account = sign_ups.become_account(sign_up, mailbox_proven=True)
        if prospect.account_id is None:
            record("sign_up.verified", by=account, subject=sign_up, through=through)
            _settle(prospect, account)
            _tell_staff(prospect)
        elif account.mailbox_proven_at is None and account.email == sign_up.email:
            account.mailbox_proven_at = now()
            account.save(update_fields=["mailbox_proven_at"])
            record("sign_up.verified", by=account, subject=sign_up, through=through)
        return account


def verify(
    *, prospect: Prospect, seen: str, by: StaffMember, code: str = "", reason: str = ""
) -> Account:
    """Staff vouch for a person whose mailbox is not proven: by the confirmation code they read
    out, else for a stated `reason`. A notice goes to the address. `seen` is the address that staff
    had before them.

    Raises WrongConfirmationCode, HasOtherLogIn, AlreadyHandled, AddressChanged. Records
    prospect.verified, apart from sign_up.verified; the reason stands on the prospect.
    """
    moment = now()
    if code and not is_right(prospect, code, moment, by.practice.zone):
        raise WrongConfirmationCode
    if not code and not reason:
        raise ValueError("Say how you know the person.")
    how = Vouching.CODE if code else Vouching.REASON
    with transaction.atomic():
        row = _held(prospect)
        over = moment - SIGN_UP_LIVES
        if row.account_id is not None or row.sign_up is None or row.sign_up.created_at <= over:
            raise AlreadyHandled(row)
        if row.state == ProspectState.DISMISSED:
            raise AlreadyHandled(row)
        if row.email != seen:
            raise AddressChanged(row)
        try:
            account = sign_ups.become_account(row.sign_up, mailbox_proven=False)
        except AddressTaken:
            raise HasOtherLogIn from None
        row.vouched_by, row.vouched_at, row.vouched_how = by, moment, how
        row.vouched_reason = "" if code else reason
        row.save(update_fields=["vouched_by", "vouched_at", "vouched_how", "vouched_reason"])
        record("prospect.verified", by=by.account, subject=row, how=how.value)
        _settle(row, account)
        enqueue("account_vouched", to=account.email)
        return account


def _settle(prospect: Prospect, account: Account) -> None:
    """Give a prospect its account, and open what it has been linked with. Other links to that
    address that wait for their proof are over."""
    prospect.account = account
    prospect.save(update_fields=["account"])
    drop_waiting_links(account.email)
    if prospect.state == ProspectState.LINKED:
        assert prospect.client is not None and prospect.acted_by is not None
        tie(
            account, prospect.client, prospect.relationship,
            by=prospect.acted_by, opened_by=account,
        )  # fmt: skip


def _tell_staff(prospect: Prospect) -> None:
    """One mail to each owner and admin who wants one, once for each prospect who waits; past three
    an hour the badge alone says it."""
    mine = Prospect.objects.filter(pk=prospect.pk, told_at=None, state=ProspectState.WAITING)
    if mine.update(told_at=now()):
        for member in told_of_prospects():
            with suppress(limits.TooMany):
                limits.count_in_turn(limits.prospect_mail_subjects(member.account.email))
                enqueue("prospect_waiting", to=member.account.email)


def create_client(
    *,
    key: uuid.UUID,
    prospect: Prospect,
    seen: str,
    by: StaffMember,
    therapists: list[StaffMember],
    **fields: Any,
) -> Client:
    """Make a client of a prospect, who is that client (relationship self).

    Opens the record to the account at once, or once the sign-up is verified. `seen` is the
    prospect's address that staff had before them. A second send of one form finds the client it
    made. Raises AlreadyHandled, HasOtherLogIn, AddressChanged. Records client.added,
    prospect.linked, access.given.
    """

    def make() -> Client:
        row = _claim(prospect, seen)
        # A key of its own: one that Add Client knows must not find the client made there.
        own_key = uuid.uuid5(key, "client of prospect")
        client = add_client(key=own_key, by=by, therapists=therapists, **fields)
        _link(row, client, Relationship.SELF, by=by, how="created")
        return client

    own, about = by.account.uuid, str(prospect.uuid)
    return once(key, "client of prospect", Client, make, by=own, about=about)[0]


def associate(
    *, prospect: Prospect, seen: str, client: Client, relationship: str, by: StaffMember
) -> None:
    """Link a prospect with a client who has a record already.

    Opens the record to the account at once, or once the sign-up is verified. `seen` is the
    prospect's address that staff had before them. Raises AlreadyHandled, HasOtherLogIn, Archived,
    AddressChanged. Records prospect.linked, access.given.
    """
    with transaction.atomic():
        row = _claim(prospect, seen)
        fresh = Client.objects.select_for_update().get(pk=client.pk)
        if fresh.archived_at is not None:
            raise Archived
        _link(row, fresh, Relationship(relationship), by=by, how="associated")


def _claim(prospect: Prospect, seen: str) -> Prospect:
    """Take a waiting prospect for oneself, in the open transaction. Whoever comes second raises
    AlreadyHandled; a sign-up on an address with a log-in raises HasOtherLogIn, and one whose
    address is no longer the one that was `seen` AddressChanged."""
    row = _held(prospect)
    if row.state != ProspectState.WAITING:
        raise AlreadyHandled(row)
    if row.account is None and row.sign_up is not None and sign_ups.is_known(row.sign_up):
        raise HasOtherLogIn
    if row.email != seen:
        raise AddressChanged(row)
    return row


def _held(prospect: Prospect) -> Prospect:
    """The prospect as it stands, and its account, held until the open transaction ends."""
    # Asked anew: it may have become an account since it was looked up.
    became = Prospect.objects.filter(pk=prospect.pk).values_list("account_id", flat=True).get()
    if became is not None:
        Account.objects.select_for_update().get(pk=became)
    return Prospect.objects.select_for_update().get(pk=prospect.pk)


def _link(
    prospect: Prospect, client: Client, relationship: Relationship, *, by: StaffMember, how: str
) -> None:
    prospect.state, prospect.client, prospect.relationship = (
        ProspectState.LINKED, client, relationship,
    )  # fmt: skip
    prospect.acted_by, prospect.acted_at = by, now()
    prospect.save(update_fields=["state", "client", "relationship", "acted_by", "acted_at"])
    record(
        "prospect.linked",
        by=by.account,
        subject=prospect,
        client_uuid=client.uuid,
        relationship=relationship.value,
        how=how,
    )
    if prospect.account is not None:
        tie(prospect.account, client, relationship, by=by)


def undo_link(*, prospect: Prospect, stamp: str, by: StaffMember) -> Client:
    """Take a link back: access ends at once, nothing else is lost, and the prospect waits again.

    `stamp` is the link's (`Prospect.link_stamp`), so that an old page undoes no newer one. Returns
    the client it was linked with. Raises AlreadyHandled where that link is no more. Records
    prospect.undone, access.taken.
    """
    with transaction.atomic():
        row = _held(prospect)
        if row.state != ProspectState.LINKED or row.client is None or row.link_stamp != stamp:
            raise AlreadyHandled(row)
        record("prospect.undone", by=by.account, subject=row, client_uuid=row.client.uuid)
        client = row.client
        if row.account is not None:
            given = PortalAccess.objects.filter(account=row.account, client=client, ended_at=None)
            if (access := given.first()) is not None:
                take_access_away(access=access, by=by)
        row.state, row.client, row.relationship = ProspectState.WAITING, None, ""
        # Later than the end of the access: this one waits (see `has_lost_access`).
        row.acted_by, row.acted_at = by, now()
        row.save(update_fields=["state", "client", "relationship", "acted_by", "acted_at"])
        if row.account is None:
            return client
        if (other := access_held_by(row.account).first()) is not None:
            row.state, row.client = ProspectState.LINKED, other.client
            row.relationship = other.relationship
            row.save(update_fields=["state", "client", "relationship"])
        return client


def dismiss(*, prospect: Prospect, by: StaffMember) -> None:
    """Take a prospect off the list; it can be undone. Raises AlreadyHandled. Records
    prospect.dismissed."""
    _move(prospect, ProspectState.WAITING, ProspectState.DISMISSED, "prospect.dismissed", by)


def undo_dismissal(*, prospect: Prospect, by: StaffMember) -> None:
    """Put a dismissed prospect back on the list. Raises AlreadyHandled. Records
    prospect.restored."""
    _move(prospect, ProspectState.DISMISSED, ProspectState.WAITING, "prospect.restored", by)


def _move(
    prospect: Prospect, before: ProspectState, after: ProspectState, action: str, by: StaffMember
) -> None:
    with transaction.atomic():
        row = _held(prospect)
        if row.state != before:
            raise AlreadyHandled(row)
        row.state, row.acted_by, row.acted_at = after, by, now()
        row.save(update_fields=["state", "acted_by", "acted_at"])
        record(action, by=by.account, subject=row)


def resend(*, prospect: Prospect, by: StaffMember) -> None:
    """Mail the verification once more for a prospect. Raises limits.TooMany, AlreadyHandled where
    there is nothing left to verify. Records sign_up.mailed."""
    if prospect.sign_up is None or prospect.account_id is not None:
        raise AlreadyHandled(prospect)
    sign_ups.resend(prospect.sign_up, by=by.account)


def forget_unproven() -> None:
    """Delete the sign-ups that nobody has proven within 30 days, with what they typed and the
    mails they caused. Records sign_up.expired, and prospect.undone where one was linked."""
    for practice_id in Practice.objects.values_list("pk", flat=True):
        with scope(practice_id):
            old = SignUp.objects.filter(account=None, created_at__lte=now() - SIGN_UP_LIVES)
            for pk in old.order_by("pk").values_list("pk", flat=True)[:500]:
                _forget(pk)


def _forget(sign_up_pk: int) -> None:
    with transaction.atomic():
        prospect = Prospect.objects.select_for_update().filter(sign_up_id=sign_up_pk).first()
        # Looked at once more: it may have been proven a moment ago.
        mine = SignUp.objects.select_for_update().filter(pk=sign_up_pk, account=None)
        if (sign_up := mine.first()) is None:
            return
        if prospect is not None and prospect.client is not None:
            client_uuid = prospect.client.uuid
            record("prospect.undone", subject=prospect, client_uuid=client_uuid, why="expired")
        record("sign_up.expired", subject=sign_up)
        OutgoingMessage.objects.filter(
            kind__in=["verify_email", "address_known"], arguments__sign_up=str(sign_up.uuid)
        ).delete()
        sign_up.delete()
