"""Reads of accounts."""

import uuid
from datetime import timedelta

from django.db.models import QuerySet
from django.http import Http404

from roost.accounts.enums import LinkPurpose
from roost.accounts.models import Account, MailLink, SignIn, SignUp
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


def sign_ins_of(account: Account) -> QuerySet[SignIn]:
    """The browsers that an account is signed in with, at either door; the last used first."""
    rows = SignIn.objects.filter(account=account, expire_date__gt=now())
    return rows.order_by("-used_at", "-started_at", "uuid")


def get_sign_in_for(account: Account, sign_in_uuid: uuid.UUID) -> SignIn:
    """One of the account's own sign-ins. Raises Http404 for any other, and for one that is over."""
    sign_in = sign_ins_of(account).filter(uuid=sign_in_uuid).first()
    if sign_in is None:
        raise Http404("There is no such sign-in.")
    return sign_in
