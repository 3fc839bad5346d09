"""Reads of accounts."""

import uuid
from datetime import timedelta

from roost.accounts.enums import LinkPurpose
from roost.accounts.models import Account, MailLink, SignUp
from roost.core.time import now

# Unproven sign-ups are deleted after this (PRODUCT.md, access story 2.7).
SIGN_UP_LIVES = timedelta(days=30)


def find_account(email: str) -> Account | None:
    """The practice's account with this (cleaned) address, or None."""
    return Account.objects.filter(email=email).first()


def newest_sign_up(email: str) -> SignUp | None:
    """The newest sign-up of a (cleaned) address that is still waiting for its proof, or None."""
    rows = SignUp.objects.filter(email=email, account=None, created_at__gt=now() - SIGN_UP_LIVES)
    return rows.order_by("-created_at", "-pk").first()


def newest_link(account: Account, purpose: LinkPurpose) -> MailLink | None:
    """The last link mailed to an account for a purpose, with its message, or None."""
    links = MailLink.objects.filter(account=account, purpose=purpose).select_related("message")
    return links.order_by("-created_at", "-pk").first()


def newest_invitation(client_uuid: uuid.UUID) -> MailLink | None:
    """The last invitation mailed for a client, with its message and account, or None."""
    links = MailLink.objects.filter(client_uuid=client_uuid, purpose=LinkPurpose.INVITATION)
    return links.select_related("message", "account").order_by("-created_at", "-pk").first()
