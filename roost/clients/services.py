"""Clients are added and edited; portal access is given and taken away."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from roost.accounts.enums import LinkPurpose
from roost.accounts.links import drop_links, mail_link
from roost.accounts.models import Account, MailLink
from roost.accounts.moving import finish_move, move_log_in
from roost.accounts.services import (
    account_at,
    end_sign_ins,
    set_starter_password,
    take_starter_back,
)
from roost.audit.services import record
from roost.clients.enums import ProspectState, Relationship, WayIn
from roost.clients.errors import EditedMeanwhile, HasLogInAlready, StarterNeeded
from roost.clients.models import Assignment, Client, PortalAccess, Prospect, ProspectWord
from roost.clients.queries import (
    access_held_by,
    access_of,
    clients_visible_to,
    is_settled,
    opens,
)
from roost.core.submissions import once
from roost.core.time import now
from roost.outbox.services import enqueue
from roost.staff.models import StaffMember
from roost.staff.services import set_fields


@dataclass(frozen=True)
class HandOff:
    """What the hand-off card says. The starter password lives in one answer only: in no row, no
    session, no log. `is_again`: this form has done its work before, and the card was shown then."""

    email: str
    way_in: WayIn
    starter_password: str = ""
    expires_at: datetime | None = None
    is_again: bool = False


def add_client(
    *, key: uuid.UUID, by: StaffMember, therapists: list[StaffMember], **fields: Any
) -> Client:
    """Add a client. A therapist who adds one is assigned. Records client.added."""

    def make() -> Client:
        client = Client.objects.create(**fields)
        own = [] if by.runs_practice else [by]
        for therapist in {t.pk: t for t in [*therapists, *own]}.values():
            Assignment.objects.create(client=client, therapist=therapist)
        record("client.added", by=by.account, subject=client, client_uuid=client.uuid)
        return client

    return once(key, "client", Client, make, by=by.account.uuid, about="")[0]


def edit_client(
    *,
    client: Client,
    by: StaffMember,
    seen: dict[str, Any] | None = None,
    assign: Iterable[StaffMember] = (),
    unassign: Iterable[StaffMember] = (),
    **fields: Any,
) -> list[str]:
    """Change a record, and who cares for the client. `seen` is what `fields` said when they were
    changed; without it they are written over whatever stands there.

    Returns the changed field names. Raises EditedMeanwhile. Records client.changed with the names.
    """
    with transaction.atomic():
        client = Client.objects.select_for_update().get(pk=client.pk)
        _check_unchanged(client, fields, seen or {})
        changes = set_fields(client, **fields)
        gone, _ = client.assignments.filter(therapist__in=list(unassign)).delete()
        # Somebody else, or a booking, may have assigned the same therapist.
        come = [Assignment.objects.get_or_create(client=client, therapist=t)[1] for t in assign]
        if gone or any(come):
            changes.append("therapists")
        if changes:
            record(
                "client.changed",
                by=by.account,
                subject=client,
                client_uuid=client.uuid,
                fields=changes,
            )
        return changes


def _check_unchanged(client: Client, fields: dict[str, Any], seen: dict[str, Any]) -> None:
    newer = {
        name: there
        for name, value in fields.items()
        if (there := getattr(client, name)) not in (value, seen.get(name, there))
    }
    if newer:
        raise EditedMeanwhile(newer)


def edit_own_details(
    *, client: Client, by: Account, seen: dict[str, Any] | None = None, **fields: Any
) -> list[str]:
    """What a client changes under My details: phone, address, preferred name, and the e-mail once
    its mailbox is proven. Staff see it on the record at once. `seen` as in `edit_client`. Raises
    EditedMeanwhile. Records client.changed."""
    with transaction.atomic():
        client = Client.objects.select_for_update().get(pk=client.pk)
        _check_unchanged(client, fields, seen or {})
        changes = set_fields(client, **fields)
        if changes:
            record("client.changed", by=by, subject=client, client_uuid=client.uuid, fields=changes)
        return changes


def give_starter_password(
    *,
    key: uuid.UUID,
    client: Client,
    email: str,
    relationship: str,
    starter_password: str,
    confirmed: bool,
    by: StaffMember,
) -> HandOff:
    """Give portal access with a starter password (PRODUCT.md, access story 1).

    Makes the account or, where it is tied only to clients that `by` may edit, replaces its earlier
    starter password; one that is not theirs to replace stays, and a link is mailed. A password
    somebody chose, and one of staff, is never touched: then access is given and the holder told.
    Raises HasLogInAlready unless `confirmed`, when the address has a log-in that opens other
    records or has a password of its own; limits.TooMany. Records access.given, starter.given,
    invitation.sent.
    """
    hand_off: list[HandOff] = []

    def make() -> PortalAccess:
        account = _account_for(client, email, relationship, confirmed=confirmed, by=by)
        access, is_new = tie(account, client, relationship, by=by)
        way_in = _way_in(account, by)
        if way_in == WayIn.STARTER:
            if not starter_password:
                raise StarterNeeded
            days = client.practice.starter_password_days
            expires_at = set_starter_password(account, starter_password, days=days)
            record("starter.given", by=by.account, subject=account, client_uuid=client.uuid)
            hand_off.append(HandOff(account.email, way_in, starter_password, expires_at))
            return access
        if way_in == WayIn.LINK:
            _mail_invitation(account, client, by=by)
        elif not is_new:
            way_in = WayIn.BEFORE
        hand_off.append(HandOff(account.email, way_in))
        return access

    own, about = _key_for(key, email, relationship), str(client.uuid)
    access, _ = once(own, "starter", PortalAccess, make, by=by.account.uuid, about=about)
    if hand_off:
        return hand_off[0]
    way_in = WayIn.ENDED if access.ended_at else _way_in(access.account, by)
    said = WayIn.BEFORE if way_in == WayIn.OWN else way_in
    return HandOff(access.account.email, said, is_again=True)


def send_invitation(
    *,
    key: uuid.UUID,
    client: Client,
    email: str,
    relationship: str,
    confirmed: bool,
    by: StaffMember,
) -> WayIn:
    """Give portal access and mail a link with which the person chooses a password alone.

    Who has a password already is only told of the new access. Raises HasLogInAlready,
    limits.TooMany. Records access.given, invitation.sent.
    """
    way_in: list[WayIn] = []

    def make() -> PortalAccess:
        account = _account_for(client, email, relationship, confirmed=confirmed, by=by)
        access, is_new = tie(account, client, relationship, by=by)
        if is_settled(account):
            way_in.append(WayIn.OWN if is_new else WayIn.BEFORE)
            return access
        _mail_invitation(account, client, by=by)
        way_in.append(WayIn.LINK)
        return access

    own, about = _key_for(key, email, relationship), str(client.uuid)
    access, _ = once(own, "invitation", PortalAccess, make, by=by.account.uuid, about=about)
    if way_in:
        return way_in[0]
    if access.ended_at:
        return WayIn.ENDED
    return WayIn.BEFORE if is_settled(access.account) else WayIn.LINK


def _key_for(key: uuid.UUID, email: str, relationship: str) -> uuid.UUID:
    """The key of a form as it was sent: whoever goes back and corrects the address or the
    relationship sends another one."""
    return uuid.uuid5(key, f"{relationship} {email}")


def _mail_invitation(account: Account, client: Client, *, by: StaffMember) -> None:
    mail_link(account, LinkPurpose.INVITATION, door="portal", client_uuid=client.uuid)
    record("invitation.sent", by=by.account, subject=account, client_uuid=client.uuid)


def _account_for(
    client: Client, email: str, relationship: str, *, confirmed: bool, by: StaffMember
) -> Account:
    """The account of an address, made if need be. Raises HasLogInAlready where to ask first."""
    account = account_at(email)
    held = list(access_held_by(account))
    tied_here = any(access.client_id == client.pk for access in held)
    if not confirmed and not tied_here and (held or is_settled(account)):
        raise HasLogInAlready(account)
    _remember_email(client, account.email, relationship, by=by)
    drop_waiting_links(account.email)
    return account


def drop_waiting_links(email: str) -> None:
    """An account has come to an address: what staff have linked with unverified sign-ups there
    opens no more, and those wait again to be dismissed. Records prospect.undone."""
    rows = Prospect.objects.select_for_update().filter(
        email=email, account=None, state=ProspectState.LINKED
    )
    for prospect in rows.order_by("pk"):
        assert prospect.client is not None
        record("prospect.undone", subject=prospect, client_uuid=prospect.client.uuid, why="address")
        prospect.state, prospect.client, prospect.relationship = ProspectState.WAITING, None, ""
        prospect.save(update_fields=["state", "client", "relationship"])


def _way_in(account: Account, by: StaffMember) -> WayIn:
    """How an account gets in that `by` gives access to with a starter password."""
    if is_settled(account):
        return WayIn.OWN
    return WayIn.STARTER if _may_replace_starter(account, by) else WayIn.LINK


def _may_replace_starter(account: Account, by: StaffMember) -> bool:
    if is_settled(account):
        return False
    tied = set(access_held_by(account).values_list("client_id", flat=True))
    mine = set(clients_visible_to(by).filter(pk__in=tied).values_list("pk", flat=True))
    return tied == mine


def _remember_email(client: Client, email: str, relationship: str, *, by: StaffMember) -> None:
    # A payer's or a parent's address is no evidence of who the client is.
    if not client.email and relationship == Relationship.SELF:
        edit_client(client=client, by=by, email=email)
        client.email = email


def tie(
    account: Account,
    client: Client,
    relationship: str,
    *,
    by: StaffMember,
    opened_by: Account | None = None,
) -> tuple[PortalAccess, bool]:
    """Give access, or give it anew where the relationship is another than before. `opened_by` is
    who acts now, where staff (`by`) decided it earlier. Returns it and whether it is new."""
    earlier = PortalAccess.objects.filter(account=account, client=client, ended_at=None).first()
    if earlier is not None:
        if earlier.relationship == relationship:
            return earlier, False
        earlier.ended_at = now()
        earlier.save(update_fields=["ended_at"])
        end_sign_ins(account)
    access = PortalAccess.objects.create(
        account=account, client=client, relationship=Relationship(relationship), given_by=by
    )
    record(
        "access.given",
        by=opened_by or by.account,
        subject=access,
        client_uuid=client.uuid,
        relationship=relationship,
        account=str(account.uuid),
        **({"decided_by": str(by.uuid)} if opened_by else {}),
    )
    Prospect.objects.filter(account=account).exclude(state=ProspectState.LINKED).update(
        state=ProspectState.LINKED, client=client, relationship=relationship,
        acted_by=by, acted_at=now(),
    )  # fmt: skip
    if is_settled(account):
        enqueue("access_given", to=account.email, client_uuid=client.uuid)
    _tell_the_others(client, "record_opened", but=account)
    return access, True


def _tell_the_others(client: Client, kind: str, *, but: Account) -> None:
    """Tell the client that somebody else was let into the record, or no longer is: whoever has
    access as the client; where nobody has, the parents and guardians."""
    held = [a for a in access_of(client).exclude(account=but) if a.account.has_own_password]
    told = [a for a in held if a.relationship == Relationship.SELF] or [
        a for a in held if a.relationship in (Relationship.PARENT, Relationship.GUARDIAN)
    ]
    for access in told:
        enqueue(kind, to=access.account.email, client_uuid=client.uuid)


def _wait_again(account: Account) -> None:
    """Put an account that opens nothing any more among the prospects; let the prospect of one that
    opens something else point there."""
    linked = Prospect.objects.filter(account=account, state=ProspectState.LINKED)
    if (other := access_held_by(account).first()) is not None:
        linked.update(client=other.client, relationship=other.relationship)
        return
    if StaffMember.objects.filter(account=account).exists():
        linked.update(state=ProspectState.DISMISSED, client=None, relationship="")
        return
    waiting = {"state": ProspectState.WAITING, "client": None, "relationship": ""}
    if not Prospect.objects.filter(account=account).update(**waiting):
        prospect = Prospect.objects.create(account=account, email=account.email, **waiting)
        ProspectWord.objects.create(prospect=prospect, word=account.email[:100])


def take_access_away(*, access: PortalAccess, by: StaffMember) -> None:
    """End portal access. Every sign-in of the account is dead within 5 seconds; where it opens
    nothing else, its starter password and its links to the portal die too. Records access.taken,
    starter.taken.
    """
    with transaction.atomic():
        account = Account.objects.select_for_update().get(pk=access.account_id)
        ended = PortalAccess.objects.filter(pk=access.pk, ended_at=None).update(ended_at=now())
        if not ended:
            return
        record(
            "access.taken",
            by=by.account,
            subject=access,
            client_uuid=access.client.uuid,
            account=str(account.uuid),
        )
        end_sign_ins(account)
        _tell_the_others(access.client, "record_closed", but=account)
        _wait_again(account)
        if account.has_own_password:
            enqueue("access_taken", to=account.email, client_uuid=access.client.uuid)
        elif not access_held_by(account).exists():
            take_starter_back(account, by=by.account, client_uuid=access.client.uuid)
            # A colleague's way into the office is another matter.
            drop_links(account, door="portal")


def account_to_move(client: Client, *, by: StaffMember) -> PortalAccess | None:
    """The access whose log-in has another e-mail than the record, so that it may be asked whether
    it moves too: the client's own. None where there is none, or it is not for `by` to ask.

    A log-in that its holder chose a password for is moved by owners and admins only, and that of a
    colleague by nobody here (SECURITY.md, "Who may do what").
    """
    own = access_of(client).filter(relationship=Relationship.SELF).first()
    if own is None or not client.email or own.account.email == client.email:
        return None
    if StaffMember.objects.filter(account=own.account).exists():
        return None
    if own.account.has_own_password:
        return own if by.runs_practice else None
    return own if _may_replace_starter(own.account, by) else None


def move_client_log_in(*, access: PortalAccess, email: str, by: StaffMember) -> bool:
    """Move a client's log-in to another address (see `move_log_in`). Returns whether it has moved
    already. Raises AddressTaken, limits.TooMany. Records account.move_asked or account.moved."""
    with transaction.atomic():
        moved = move_log_in(access.account, email, by=by.account, client_uuid=access.client.uuid)
        if moved:
            keep_prospect_address(access.account)
        return moved


def finish_client_move(link: MailLink) -> Account:
    """A log-in moves to the address that a link was mailed to, and so do the records that had the
    old one for mail. Raises LinkDead, AddressTaken. Records account.moved, client.changed."""
    old = link.account.email
    with transaction.atomic():
        account = finish_move(link)
        keep_prospect_address(account)
        for access in access_held_by(account):
            # A record with yet another address keeps it: the practice has it from somewhere else.
            is_own = access.relationship == Relationship.SELF and not access.client.email
            if opens(access).details and (access.client.email == old or is_own):
                edit_own_details(client=access.client, by=account, email=account.email)
        return account


def keep_prospect_address(account: Account) -> None:
    """Let the prospect that an account was be found by its present address, where no other link
    waits any more."""
    drop_waiting_links(Account.objects.get(pk=account.pk).email)
    for prospect in Prospect.objects.filter(account_id=account.pk):
        fresh = Account.objects.get(pk=account.pk)
        ProspectWord.objects.filter(prospect=prospect, word=prospect.email[:100]).delete()
        ProspectWord.objects.create(prospect=prospect, word=fresh.email[:100])
        prospect.email = fresh.email
        prospect.save(update_fields=["email"])
