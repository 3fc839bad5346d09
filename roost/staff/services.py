"""Practices are made, staff are invited, their roles change."""

import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model

from roost.accounts.enums import LinkPurpose
from roost.accounts.links import mail_link, make_link, url_of
from roost.accounts.models import Account
from roost.accounts.services import account_at, end_sign_ins, take_starter_back
from roost.audit.services import record
from roost.core.submissions import once
from roost.core.tenancy import scope
from roost.core.text import one_line
from roost.core.time import ZONES
from roost.outbox.models import OutgoingMessage
from roost.outbox.services import enqueue, send_again
from roost.practices.models import Practice
from roost.staff.enums import Role
from roost.staff.errors import AlreadyStaff, LastOwner, NotProven, OwnersOnly
from roost.staff.models import StaffMember


def create_practice(
    *, slug: str, name: str, zone_name: str, owner_email: str, owner_name: str
) -> str:
    """Make a practice with its first owner. Returns the one-time link with which the owner chooses
    a password; it works for 7 days and is mailed to nobody.

    Raises ValidationError in words. Records practice.created.
    """
    if zone_name not in ZONES:
        raise ValidationError(f"{zone_name} is no time zone. Write it like America/Toronto.")
    if Practice.objects.filter(slug=slug).exists():
        raise ValidationError(f"There is a practice at {slug} already.")
    practice = Practice(slug=slug, name=one_line(name), zone_name=zone_name)
    try:
        practice.full_clean()
    except ValidationError as error:
        wrong = error.message_dict.items()
        raise ValidationError(
            [f"{field}: {words}" for field, all_words in wrong for words in all_words]
        ) from None
    with transaction.atomic():
        practice.save()
        with scope(practice.pk):
            account = account_at(owner_email)
            owner = StaffMember.objects.create(
                account=account, role=Role.OWNER, display_name=one_line(owner_name)
            )
            record("practice.created", subject=owner)
            return url_of(make_link(account, LinkPurpose.STAFF_INVITATION, door="office"))


def invite_staff_member(
    *, key: uuid.UUID, email: str, role: str, profile: dict[str, Any], by: StaffMember
) -> StaffMember:
    """Make a colleague and mail the link with which they choose a password.

    An address that has a log-in already (a client's, say) keeps its password, if its mailbox is
    proven; that person is told. A starter password ends here: it never opens the office, whoever
    knows it (PRODUCT.md 1.6). Raises OwnersOnly, AlreadyStaff, NotProven, limits.TooMany. Records
    staff.invited, starter.taken.
    """
    if role == Role.OWNER and not by.is_owner:
        raise OwnersOnly

    def make() -> StaffMember:
        account = account_at(email)
        if StaffMember.objects.filter(account=account).exists():
            raise AlreadyStaff
        if account.has_own_password and account.mailbox_proven_at is None:
            raise NotProven
        member = StaffMember.objects.create(account=account, role=role, **profile)
        if account.has_own_password:
            enqueue("staff_added", to=account.email)
        else:
            take_starter_back(account, by=by.account)
            end_sign_ins(account)
            mail_link(account, LinkPurpose.STAFF_INVITATION, door="office")
        record("staff.invited", by=by.account, subject=member, role=role)
        return member

    return once(key, "staff", StaffMember, make, by=by.account.uuid, about="")[0]


def invite_again(*, member: StaffMember, by: StaffMember) -> None:
    """Mail a new link to a colleague who has not chosen a password yet. Raises limits.TooMany."""
    with transaction.atomic():
        mail_link(member.account, LinkPurpose.STAFF_INVITATION, door="office")
        record("staff.invited", by=by.account, subject=member, role=member.role)


def change_staff_member(
    *, member: StaffMember, by: StaffMember, role: str, is_active: bool, profile: dict[str, Any]
) -> list[str]:
    """Change a colleague's role, profile, or whether they work here. Returns the changed fields.

    The last active owner stays one. A change of role, and an end, sign the person out everywhere
    within 5 seconds. Raises OwnersOnly, LastOwner. Records staff.changed with the field names.
    """
    with transaction.atomic():
        # All owners are locked in one order, so that two of them cannot demote each other.
        owners = StaffMember.objects.select_for_update().filter(role=Role.OWNER, is_active=True)
        owner_ids = set(owners.order_by("pk").values_list("pk", flat=True))
        current = StaffMember.objects.select_for_update().get(pk=member.pk)
        if by.pk not in owner_ids and (current.is_owner or role == Role.OWNER):
            raise OwnersOnly
        stays_owner = role == Role.OWNER and is_active
        if owner_ids == {current.pk} and not stays_owner:
            raise LastOwner
        changes = set_fields(current, role=role, is_active=is_active, **profile)
        if changes:
            record("staff.changed", by=by.account, subject=current, fields=changes)
        if {"role", "is_active"} & set(changes):
            end_sign_ins(current.account)
        return changes


def choose_prospect_mail(*, member: StaffMember, wants: bool) -> None:
    """Note whether an owner or admin wants one e-mail for each prospect. Records staff.changed."""
    with transaction.atomic():
        current = StaffMember.objects.select_for_update().get(pk=member.pk)
        changes = set_fields(current, wants_prospect_mail=wants)
        if changes:
            record("staff.changed", by=member.account, subject=current, fields=changes)


def send_message_again(*, message: OutgoingMessage, by: StaffMember) -> bool:
    """Try a message that has not left yet once more, now. Returns whether there was anything to
    do. Records message.sent_again."""
    with transaction.atomic():
        if not send_again(message):
            return False
        record(
            "message.sent_again", by=by.account, subject=message, client_uuid=message.client_uuid
        )
        return True


def set_fields(row: Model, **values: Any) -> list[str]:
    """Set the fields of a row whose values differ, save them, and return their names."""
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    if changed:
        row.save(update_fields=changed)
    return changed


def own_words_of(account: Account, *names: str) -> list[str]:
    """The words that may not make up an account's password: the practice's and the person's."""
    return [account.practice.name, account.practice.slug, *names]
