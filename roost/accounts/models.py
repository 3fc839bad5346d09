"""Accounts and the sign-ups before them, who is signed in, mailed links, and counted attempts."""

import uuid
from datetime import datetime
from typing import ClassVar, Self

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from roost.accounts.enums import LinkPurpose
from roost.core.models import PublicId
from roost.core.tenancy import TenantManager, TenantModel
from roost.core.time import now


def _new_log_in_key() -> str:
    return uuid.uuid4().hex


class Account(PublicId, TenantModel, AbstractBaseUser):
    """A log-in: one per practice and e-mail, for staff and clients alike.

    `password` is the one its holder chose; `starter_password` is the one that staff handed over,
    and opens one page only, until it expires. At most one of the two is set.
    """

    log_in_key = models.CharField(
        max_length=32, unique=True, default=_new_log_in_key, editable=False
    )
    email = models.CharField(max_length=254)
    is_active = models.BooleanField(default=True)
    zone_name = models.CharField(max_length=50, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    starter_password = models.CharField(max_length=160, blank=True)
    starter_expires_at = models.DateTimeField(null=True)
    # Staff who give a starter password vouch for the person; that proves no mailbox.
    vouched_at = models.DateTimeField(null=True)
    mailbox_proven_at = models.DateTimeField(null=True)

    USERNAME_FIELD = "log_in_key"
    EMAIL_FIELD = "email"
    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        constraints = [models.UniqueConstraint("practice", "email", name="one_account_per_address")]

    def __str__(self) -> str:
        return str(self.uuid)

    @property
    def has_own_password(self) -> bool:
        """Whether the holder has chosen a password."""
        return bool(self.password) and self.has_usable_password()

    @property
    def has_starter_password(self) -> bool:
        """Whether staff have handed over a password that nobody has replaced yet."""
        return bool(self.starter_password) and not self.has_own_password


class SignIn(PublicId, TenantModel, AbstractBaseSession):
    """One browser signed in at one door. Its key is kept as a hash: no row opens a door."""

    session_key = models.CharField(max_length=64, primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="sign_ins")
    door = models.CharField(max_length=10)
    started_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(default=now)
    user_agent = models.CharField(max_length=200, blank=True)

    objects: ClassVar[TenantManager[Self]] = TenantManager()  # type: ignore[assignment]

    class Meta(AbstractBaseSession.Meta):
        abstract = False

    @classmethod
    def get_session_store_class(cls) -> type:
        from roost.accounts.sessions import SessionStore

        return SessionStore


class MailLink(PublicId, TenantModel):
    """A link that was mailed. Its token is derived from `nonce` and the secret key at delivery."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="links")
    purpose = models.CharField(max_length=20, choices=LinkPurpose.choices)
    door = models.CharField(max_length=10)
    address = models.CharField(max_length=254)
    nonce = models.CharField(max_length=64)
    client_uuid = models.UUIDField(null=True)
    message = models.OneToOneField(
        "outbox.OutgoingMessage", null=True, on_delete=models.SET_NULL, related_name="link"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    replaced_at = models.DateTimeField(null=True)

    def is_live(self, moment: datetime) -> bool:
        """Whether it could still be used, were its token right."""
        return self.done_at is None and self.replaced_at is None and moment < self.expires_at


class SignUp(PublicId, TenantModel):
    """A request for an account whose mailbox is not proven yet. It is no account.

    It stays a row of its own until somebody proves the mailbox or staff vouch for the person; then
    `account` is what became of it. On an address that has an account already it stays what it is
    for good, and looks just like any other to the person who made it (SECURITY.md rule 3).
    """

    email = models.CharField(max_length=254)
    password = models.CharField(max_length=160)
    zone_name = models.CharField(max_length=50, blank=True)
    # What the mailed link and code are derived from; a new one with every new address.
    nonce = models.CharField(max_length=64)
    mailed_at = models.DateTimeField(null=True)
    link_expires_at = models.DateTimeField(null=True)
    message = models.ForeignKey(
        "outbox.OutgoingMessage", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    account = models.OneToOneField(
        Account, null=True, on_delete=models.PROTECT, related_name="sign_up"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["practice", "email", "-created_at"], name="sign_up_by_address")
        ]


class SignUpVisit(TenantModel):
    """A browser in which somebody has given a sign-up's password. It opens the Account page only,
    and is never a sign-in of an account. Its key is kept as a hash."""

    key = models.CharField(max_length=64, unique=True)
    sign_up = models.ForeignKey(SignUp, on_delete=models.CASCADE, related_name="visits")
    started_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()


class AttemptCount(models.Model):
    """How often something was tried in one stretch of time. Who tried it is kept as a hash."""

    tenancy_exempt = "One source may knock at many practices; it holds a hash and a number only."

    subject = models.CharField(max_length=64, unique=True)
    count = models.PositiveIntegerField(default=0)
    ends_at = models.DateTimeField(db_index=True)
