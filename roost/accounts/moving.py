"""A log-in moves to another e-mail address.

One that its holder chose a password for moves once the new mailbox is proven and that password
given: a typing mistake must not hand a log-in to whoever reads the mistyped mailbox.
"""

import uuid

from django.db import IntegrityError, transaction

from roost.accounts import limits
from roost.accounts.enums import LinkPurpose
from roost.accounts.errors import AddressTaken, LinkDead
from roost.accounts.links import drop_links, mail_link, make_link
from roost.accounts.models import Account, MailLink
from roost.accounts.queries import find_account
from roost.accounts.services import end_sign_ins
from roost.audit.services import record, record_refusal
from roost.core.time import now
from roost.outbox.services import enqueue

PURPOSE = frozenset({LinkPurpose.NEW_ADDRESS})


def move_log_in(
    account: Account, email: str, *, by: Account, client_uuid: uuid.UUID | None = None
) -> bool:
    """Move a log-in to another (cleaned) address; the caller has checked who may.

    Where the holder has a password of their own, a link goes to the new address and a note to the
    old one, and False is returned: it has not moved yet. Else it moves at once, and both are told.
    Raises
    AddressTaken, limits.TooMany. Records account.move_asked or account.moved.
    """
    with transaction.atomic():
        row = Account.objects.select_for_update().get(pk=account.pk)
        if (other := find_account(email)) is not None and other.pk != row.pk:
            raise AddressTaken
        if not row.has_own_password:
            _move(row, email, by=by, client_uuid=client_uuid)
            return True
        link = mail_link(
            row, LinkPurpose.NEW_ADDRESS, door="portal", client_uuid=client_uuid, address=email
        )
        enqueue("address_move_asked", to=row.email, client_uuid=client_uuid)
        record("account.move_asked", by=by, subject=link, client_uuid=client_uuid)
        return False


def ask_to_move(account: Account, email: str, *, client_uuid: uuid.UUID | None = None) -> None:
    """The holder asks that their log-in move to another (cleaned) address: a link goes there, a
    note to the present one. It moves once the link is used and the password given. `client_uuid` is
    whose record the holder is, if any.

    At an address that has a log-in already everything is the same but for the mail, which is a note
    to whoever reads it there: nobody learns here which addresses are known (SECURITY.md rule 3).
    Raises limits.TooMany for who asks too often; the limit of the other address is kept in silence.
    Records account.move_asked.
    """
    limits.count(limits.ask_for_mail_subjects())
    with transaction.atomic():
        row = Account.objects.select_for_update().get(pk=account.pk)
        limits.count(limits.mail_subjects(row.email))
        try:
            limits.count(limits.mail_subjects(email))
            may_mail = True
        except limits.TooMany:
            # In silence: resets fill the limit of an address that is known, and of no other.
            may_mail = False
            record_refusal(by=account, status=429, route="change-address")
        link = waiting_move(row)
        if may_mail or link is None or link.address != email:
            link = make_link(
                row, LinkPurpose.NEW_ADDRESS, door="portal", client_uuid=client_uuid, address=email
            )
        kind = LinkPurpose.NEW_ADDRESS.value if find_account(email) is None else "address_in_use"
        if may_mail:
            link.message = enqueue(
                kind, to=email, arguments={"link": str(link.uuid)}, client_uuid=client_uuid
            )
            link.save(update_fields=["message"])
        enqueue("address_move_asked", to=row.email, client_uuid=client_uuid)
        record("account.move_asked", by=account, subject=link, client_uuid=client_uuid)


def take_back_move(account: Account) -> bool:
    """The log-in stays where it is; a link on its way is dead. Returns whether there was one.
    Records account.move_taken_back."""
    with transaction.atomic():
        link = waiting_move(account)
        if link is None:
            return False
        rows = MailLink.objects.filter(pk=link.pk, done_at=None, replaced_at=None)
        if not rows.update(replaced_at=now()):
            return False
        record("account.move_taken_back", by=account, subject=link, client_uuid=link.client_uuid)
        return True


def waiting_move(account: Account) -> MailLink | None:
    """The link that a log-in waits for to move, or None. It may be at an address that has a log-in
    already: then it is never used."""
    rows = MailLink.objects.filter(
        account=account, purpose=LinkPurpose.NEW_ADDRESS, done_at=None, replaced_at=None
    )
    return rows.filter(expires_at__gt=now()).order_by("-created_at", "-pk").first()


def finish_move(link: MailLink) -> Account:
    """The new mailbox is proven and the password given: the log-in has the new address now. Every
    sign-in ends, and both addresses are told.

    Raises LinkDead, AddressTaken. Records account.moved.
    """
    with transaction.atomic():
        account = Account.objects.select_for_update().get(pk=link.account_id)
        if account.password != link.account.password or account.email != link.account.email:
            raise LinkDead(renewable=False)
        moment = now()
        mine = MailLink.objects.filter(pk=link.pk, done_at=None, replaced_at=None)
        if not mine.filter(expires_at__gt=moment).update(done_at=moment, used_at=moment):
            raise LinkDead(renewable=False)
        if find_account(link.address) is not None:
            raise AddressTaken
        account.mailbox_proven_at = moment
        account.save(update_fields=["mailbox_proven_at"])
        _move(account, link.address, by=account, client_uuid=link.client_uuid)
        return account


def _move(account: Account, email: str, *, by: Account, client_uuid: uuid.UUID | None) -> None:
    drop_links(account)
    old, account.email = account.email, email
    try:
        with transaction.atomic():
            account.save(update_fields=["email"])
    except IntegrityError:
        raise AddressTaken from None
    end_sign_ins(account)
    for address in (old, email):
        enqueue("address_moved", to=address, client_uuid=client_uuid)
    record("account.moved", by=by, subject=account, client_uuid=client_uuid)
