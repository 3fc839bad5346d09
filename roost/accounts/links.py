"""Mailed links: sent, looked at (which changes nothing), used, done.

SECURITY.md rule 7. A token is an HMAC over the link's own facts and the account's password state,
so it dies with any change of password or address; the database holds only the nonce in it.
"""

import base64
import secrets
import uuid
from datetime import timedelta

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from roost.accounts import limits
from roost.accounts.enums import LinkPurpose
from roost.accounts.errors import LinkDead
from roost.accounts.models import Account, MailLink
from roost.audit.services import record
from roost.core.time import now
from roost.outbox.kinds import Outdated
from roost.outbox.models import OutgoingMessage
from roost.outbox.services import enqueue
from roost.practices.addresses import full_url

LIFETIME = {
    LinkPurpose.INVITATION: timedelta(days=7),
    LinkPurpose.STAFF_INVITATION: timedelta(days=7),
    LinkPurpose.RESET: timedelta(hours=1),
    LinkPurpose.NEW_ADDRESS: timedelta(days=7),
}
PAGE = {
    LinkPurpose.INVITATION: "invitation",
    LinkPurpose.STAFF_INVITATION: "invitation",
    LinkPurpose.RESET: "reset",
    LinkPurpose.NEW_ADDRESS: "new-address",
}
# With these one chooses a password. A link that proves a new address must never do that.
FOR_A_PASSWORD = frozenset(PAGE) - {LinkPurpose.NEW_ADDRESS}


def token_of(link: MailLink) -> str:
    """The token that goes into the mail, derived anew each time."""
    account = link.account
    facts = [link.uuid.hex, link.purpose, link.nonce, link.address, account.email, account.password]
    digest = salted_hmac("roost.accounts.links", "\x1f".join(facts), algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def url_of(link: MailLink) -> str:
    """The full address that is mailed."""
    return full_url(
        link.practice, link.door, PAGE[LinkPurpose(link.purpose)],
        link=link.uuid, token=token_of(link),
    )  # fmt: skip


def make_link(
    account: Account,
    purpose: LinkPurpose,
    *,
    door: str,
    client_uuid: uuid.UUID | None = None,
    address: str = "",
) -> MailLink:
    """Make a link that takes the place of earlier ones for the same purpose. Mails nothing. It is
    for the account's address unless another is given."""
    with transaction.atomic():
        moment = now()
        Account.objects.select_for_update().get(pk=account.pk)
        MailLink.objects.filter(account=account, purpose=purpose, replaced_at=None).update(
            replaced_at=moment
        )
        return MailLink.objects.create(
            account=account,
            purpose=purpose,
            door=door,
            address=address or account.email,
            nonce=secrets.token_urlsafe(24),
            client_uuid=client_uuid,
            expires_at=moment + LIFETIME[purpose],
        )


def mail_link(
    account: Account,
    purpose: LinkPurpose,
    *,
    door: str,
    client_uuid: uuid.UUID | None = None,
    address: str = "",
) -> MailLink:
    """Make a link and write its mail into the outbox. Raises limits.TooMany past five mails an
    hour to one address, however they were asked for."""
    with transaction.atomic():
        link = make_link(account, purpose, door=door, client_uuid=client_uuid, address=address)
        limits.count(limits.mail_subjects(link.address))
        link.message = enqueue(
            purpose.value,
            to=link.address,
            arguments={"link": str(link.uuid)},
            client_uuid=client_uuid,
        )
        link.save(update_fields=["message"])
        return link


def drop_links(account: Account, *, door: str = "") -> None:
    """With a new password or address, no link that was mailed before may open anything, nor one
    whose mail is still to leave: its token would be made of what is there then. `door` leaves those
    of the other door."""
    rows = MailLink.objects.filter(account=account, done_at=None, replaced_at=None)
    (rows.filter(door=door) if door else rows).update(replaced_at=now())


def has_newer(link: MailLink) -> bool:
    """Whether another link was made for the same purpose since."""
    rows = MailLink.objects.filter(account=link.account_id, purpose=link.purpose)
    return rows.filter(pk__gt=link.pk).exists()


def fill_in(message: OutgoingMessage) -> dict[str, object]:
    """What a mail with a link needs at delivery. Raises Outdated for a link that is dead."""
    link = MailLink.objects.select_related("account", "practice").filter(
        uuid=message.arguments["link"]
    )
    found = link.first()
    if found is None or not found.is_live(now()):
        raise Outdated("its link was used, replaced or has expired.")
    return {"url": url_of(found), "days": LIFETIME[LinkPurpose(found.purpose)].days}


def find_link(
    link_uuid: uuid.UUID,
    token: str,
    door: str,
    purposes: frozenset[LinkPurpose] = FOR_A_PASSWORD,
) -> MailLink | None:
    """The link with this id at this door, for one of these purposes, if the token is right, live or
    not; else None."""
    rows = MailLink.objects.select_related("account", "practice", "message")
    rows = rows.filter(purpose__in=purposes)
    link = rows.filter(uuid=link_uuid, door=door).first()
    if link is None or not constant_time_compare(token, token_of(link)):
        return None
    return link


def look_at(link: MailLink | None) -> MailLink:
    """The link if it can be used now, changing nothing. Raises LinkDead, which says whether the
    same address may have a new one."""
    if link is None or not link.account.is_active or link.done_at is not None:
        raise LinkDead(renewable=False)
    if link.replaced_at is not None:
        raise LinkDead(renewable=False, replaced=has_newer(link))
    if not link.is_live(now()):
        raise LinkDead(renewable=True)
    return link


def note_used(link: MailLink) -> None:
    """Somebody has pressed the button on the link's page. Records link.used, once."""
    with transaction.atomic():
        if MailLink.objects.filter(pk=link.pk, used_at=None).update(used_at=now()):
            record("link.used", by=link.account, subject=link, client_uuid=link.client_uuid)


def finish(link: MailLink, password: str) -> Account:
    """Choose a password through a link: consumes it, proves the mailbox, ends other sign-ins.

    The password has been checked already. Raises LinkDead if somebody was quicker. Records
    password.chosen.
    """
    from roost.accounts.services import end_sign_ins

    hashed = make_password(password)
    with transaction.atomic():
        moment = now()
        # The account first, as everywhere: two transactions must not wait for each other.
        account = Account.objects.select_for_update().get(pk=link.account_id)
        mine = MailLink.objects.filter(pk=link.pk, done_at=None, replaced_at=None)
        if not mine.filter(expires_at__gt=moment).update(done_at=moment):
            raise LinkDead(renewable=False)
        if account.password != link.account.password or account.email != link.address:
            raise LinkDead(renewable=False)
        drop_links(account)
        account.password = hashed
        account.starter_password, account.starter_expires_at = "", None
        account.mailbox_proven_at = account.mailbox_proven_at or moment
        account.save(
            update_fields=[
                "password",
                "starter_password",
                "starter_expires_at",
                "mailbox_proven_at",
            ]
        )
        end_sign_ins(account)
        record("password.chosen", by=account, subject=account, through=link.purpose)
    return account


def renew(link: MailLink) -> None:
    """Mail a new link in place of an expired one, to the same address only.

    Raises limits.TooMany. Records link.renewed.
    """
    with transaction.atomic():
        new = mail_link(
            link.account, LinkPurpose(link.purpose), door=link.door, client_uuid=link.client_uuid
        )
        record("link.renewed", subject=new, client_uuid=link.client_uuid)
