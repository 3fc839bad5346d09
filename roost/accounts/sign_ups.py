"""Sign-ups: asked for, mailed, proven. SECURITY.md rule 3 is the reason for most of it.

A sign-up on an address that has an account takes every step that another one takes, and the same
time for it; only the mail is another one, and no link and no code is ever right for it.
"""

import base64
import secrets
import uuid
from datetime import timedelta

from django.contrib.auth.hashers import check_password
from django.db import IntegrityError, transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from roost.accounts import limits
from roost.accounts.errors import AddressTaken, ChangedMeanwhile, LinkDead, WrongCode
from roost.accounts.models import Account, SignUp
from roost.accounts.queries import find_account
from roost.audit.services import record, record_refusal
from roost.core.time import now
from roost.outbox.services import enqueue
from roost.practices.addresses import full_url

LINK_LIVES = timedelta(hours=24)
COOL_DOWN = timedelta(minutes=1)
CODE_DIGITS = 6


def ask_for_account(*, email: str, hashed_password: str, zone_name: str = "") -> SignUp:
    """Write a sign-up and its one mail. The password has been checked and hashed, outside the
    transaction that is open here. Records sign_up.asked."""
    sign_up = SignUp.objects.create(
        email=email, password=hashed_password, zone_name=zone_name, nonce=_new_nonce()
    )
    record("sign_up.asked", subject=sign_up)
    limits.count(limits.resend_subjects(str(sign_up.uuid)))
    _mail(sign_up)
    return sign_up


def _new_nonce() -> str:
    return secrets.token_urlsafe(24)


def is_known(sign_up: SignUp) -> bool:
    """Whether its address has an account that this sign-up did not become."""
    account = find_account(sign_up.email)
    return account is not None and account.pk != sign_up.account_id


def _mail(sign_up: SignUp, *, by: Account | None = None) -> None:
    """Write the one mail: link and code, or to the owner of a known address a note.

    Past the limits of one address none is written: whoever signs up with somebody else's address
    has four of its five mails an hour and 24 a day, so that one is left for a reset. Only staff
    are told (limits.TooMany): anybody else could learn that others have written there.
    """
    moment = now()
    if sign_up.link_expires_at is None or sign_up.link_expires_at <= moment:
        sign_up.nonce = _new_nonce()
    sign_up.mailed_at, sign_up.link_expires_at = moment, moment + LINK_LIVES
    kind = "address_known" if is_known(sign_up) else "verify_email"
    try:
        if by is None:
            limits.count_in_turn(limits.sign_up_mail_subjects(sign_up.email))
        limits.count(limits.mail_subjects(sign_up.email))
    except limits.TooMany:
        if by is not None:
            raise
    else:
        arguments = {"sign_up": str(sign_up.uuid), "address": sign_up.email}
        sign_up.message = enqueue(kind, to=sign_up.email, arguments=arguments)
    sign_up.save(update_fields=["nonce", "mailed_at", "link_expires_at", "message"])


def resend(sign_up: SignUp, *, by: Account | None = None) -> None:
    """Mail the link and code once more: four an hour, a minute apart, or as often as the address
    may have mail when staff ask.

    A link that still works stays the same, so that either mail will do. Raises limits.TooMany.
    Records sign_up.mailed.
    """
    moment = now()
    if by is None:
        if sign_up.mailed_at and moment < sign_up.mailed_at + COOL_DOWN:
            raise limits.TooMany(sign_up.mailed_at + COOL_DOWN - moment)
        limits.count(limits.resend_subjects(str(sign_up.uuid)))
    with transaction.atomic():
        row = SignUp.objects.select_for_update().filter(pk=sign_up.pk).first()
        if row is not None and row.account_id is None:
            _mail(row, by=by)
            record("sign_up.mailed", by=by, subject=row)


def correct_address(sign_up: SignUp, email: str) -> SignUp:
    """Send the proof to another address from now on; links to the old one are dead.

    Raises limits.TooMany, AddressTaken where the sign-up has become an account meanwhile. Records
    sign_up.corrected.
    """
    limits.count(limits.resend_subjects(str(sign_up.uuid)))
    with transaction.atomic():
        row = SignUp.objects.select_for_update().get(pk=sign_up.pk)
        if row.account_id is not None:
            raise AddressTaken
        row.email, row.nonce = email, _new_nonce()
        row.save(update_fields=["email", "nonce"])
        _mail(row)
        record("sign_up.corrected", subject=row, fields=["email"])
    return row


def _derived(sign_up: SignUp, what: str) -> bytes:
    facts = [sign_up.uuid.hex, sign_up.nonce, sign_up.email, what]
    return salted_hmac("roost.accounts.sign_ups", "\x1f".join(facts), algorithm="sha256").digest()


def token_of(sign_up: SignUp) -> str:
    """The token of the mailed link, derived anew each time."""
    return base64.urlsafe_b64encode(_derived(sign_up, "link")).decode().rstrip("=")


def code_of(sign_up: SignUp) -> str:
    """The six digits that are mailed beside the link."""
    number = int.from_bytes(_derived(sign_up, "code")[:8], "big")
    return f"{number % 10**CODE_DIGITS:0{CODE_DIGITS}}"


def url_of(sign_up: SignUp) -> str:
    """The full address that is mailed."""
    return full_url(
        sign_up.practice, "portal", "verify", sign_up=sign_up.uuid, token=token_of(sign_up)
    )


def find_by_link(sign_up_uuid: uuid.UUID, token: str) -> SignUp | None:
    """The sign-up of a mailed link if the token is right, whatever has become of it; else None."""
    sign_up = SignUp.objects.select_related("practice", "account").filter(uuid=sign_up_uuid).first()
    if sign_up is None or not constant_time_compare(token, token_of(sign_up)):
        return None
    return sign_up


def look_at(sign_up: SignUp | None) -> SignUp:
    """The sign-up if its link works now, changing nothing. It still does after staff have vouched,
    for that proves no mailbox. Raises LinkDead, which says whether the same address may have a new
    one."""
    if sign_up is None or is_known(sign_up):
        raise LinkDead(renewable=False)
    account = sign_up.account
    if account is not None and (account.mailbox_proven_at or account.email != sign_up.email):
        raise LinkDead(renewable=False)
    if sign_up.link_expires_at is None or sign_up.link_expires_at <= now():
        raise LinkDead(renewable=account is None)
    return sign_up


def check_its_password(sign_up: SignUp, password: str) -> bool:
    """Whether this is the sign-up's password: the account's, once it has become one."""
    account = sign_up.account
    return check_password(password, sign_up.password if account is None else account.password)


def check_code(sign_up: SignUp, code: str) -> None:
    """Raise WrongCode unless these are the six digits that were mailed, and still work.

    Raises limits.TooMany for a sign-up, or a source, that tries too often. The limit per address is
    kept in silence: it would tell that somebody else is trying there.
    """
    subjects = limits.code_subjects(str(sign_up.uuid))
    limits.count(subjects)
    silent = limits.code_at_address_subjects(sign_up.email)
    try:
        limits.count(silent)
        known = is_known(sign_up)
    except limits.TooMany:
        known = True
    right = constant_time_compare(code, code_of(sign_up))
    live = sign_up.link_expires_at is not None and now() < sign_up.link_expires_at
    if known or not right or not live or sign_up.account_id is not None:
        record_refusal(by=None, status=401, route="code")
        raise WrongCode
    limits.forgive([*subjects, *silent])


def become_account(sign_up: SignUp, *, mailbox_proven: bool) -> Account:
    """Turn a sign-up into the account it asked for; a second call finds the same one.

    `mailbox_proven` says that a mailed link or code came back; else staff vouch for the person.
    `sign_up` is as it was when that was checked: where its address has been corrected since, or it
    is gone, nothing was proven (ChangedMeanwhile). Raises AddressTaken where another account has
    the address. Call it in a transaction.
    """
    row = SignUp.objects.select_for_update().filter(pk=sign_up.pk).first()
    if row is None or (row.email, row.nonce) != (sign_up.email, sign_up.nonce):
        raise ChangedMeanwhile
    if row.account is not None:
        return row.account
    if find_account(row.email) is not None:
        raise AddressTaken
    moment = now()
    try:
        with transaction.atomic():
            account = Account.objects.create(
                email=row.email,
                password=row.password,
                zone_name=row.zone_name,
                mailbox_proven_at=moment if mailbox_proven else None,
                vouched_at=None if mailbox_proven else moment,
            )
    except IntegrityError:
        raise AddressTaken from None
    # The account has it now; a later password leaves no trace of the first.
    row.account, row.password = account, ""
    row.save(update_fields=["account", "password"])
    return account
