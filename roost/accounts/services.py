"""What happens to accounts: signing in and out, passwords chosen, handed over and changed."""

import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import cache

from django.contrib.auth import login, logout
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.http import HttpRequest

from roost.accounts import limits
from roost.accounts.enums import LinkPurpose
from roost.accounts.errors import ChangedMeanwhile, StarterExpired, WrongCredentials
from roost.accounts.links import drop_links, mail_link
from roost.accounts.models import Account, SignIn, SignUp, SignUpVisit
from roost.accounts.passwords import check_new_password
from roost.accounts.queries import find_account, newest_sign_up, sign_ins_of
from roost.accounts.sessions import hashed
from roost.audit.services import record, record_refusal
from roost.core.push import push
from roost.core.text import clean_email
from roost.core.time import now
from roost.outbox.services import enqueue


@cache
def _nobodys_password() -> str:
    """Stands in for the password of an account that does not exist: the same work, never right."""
    return make_password(uuid.uuid4().hex)


def socket_group(account_id: int) -> str:
    """The group that every socket of an account listens to."""
    return f"account.{account_id}"


def verify_log_in(email: str, password: str) -> Account | SignUp:
    """The account whose e-mail and password these are, its own password or a starter one; else the
    newest sign-up of that address that still waits for its proof.

    Takes two Argon2 checks whatever exists (SECURITY.md rule 3). Raises WrongCredentials,
    StarterExpired (right, but over), and limits.TooMany. A failure is counted, for nobody is signed
    in whose act it could be.
    """
    subjects = limits.log_in_subjects(email)
    limits.count(subjects)
    account = find_account(email)
    sign_up = newest_sign_up(email)
    right = _is_password(password, _stored_password(account))
    right_for_sign_up = _is_password(password, sign_up.password if sign_up else None)
    if account is not None and right:
        limits.forgive(subjects)
        if account.has_starter_password and not _starter_is_live(account, now()):
            raise StarterExpired
        return account
    if sign_up is not None and right_for_sign_up:
        limits.forgive(subjects)
        return sign_up
    record_refusal(by=None, status=401, route="log-in")
    raise WrongCredentials


def _stored_password(account: Account | None) -> str | None:
    """The hash that an account's password is held against, or None where there is none."""
    if account is None or not account.is_active:
        return None
    if account.has_own_password:
        return account.password
    return account.starter_password if account.has_starter_password else None


def _is_password(password: str, stored: str | None) -> bool:
    """One Argon2 check, whether or not there is something to hold the password against."""
    return check_password(password, stored or _nobodys_password()) and stored is not None


def _starter_is_live(account: Account, moment: datetime) -> bool:
    return account.starter_expires_at is not None and moment < account.starter_expires_at


def start_sign_in(request: HttpRequest, account: Account) -> None:
    """Sign this browser in at the request's door, under a new session id.

    With a starter password the sign-in opens one page only (`must_choose_password`). Records
    account.signed_in.
    """
    with transaction.atomic():
        # Django keeps the id of somebody who is in already, as one is after the idle limit.
        request.session.flush()
        login(request, account, backend="roost.accounts.backend.PracticeBackend")
        record("account.signed_in", by=account, subject=account)


def must_choose_password(account: Account) -> bool:
    """Whether the account is in by a starter password, and may do nothing but choose its own."""
    return not account.has_own_password


def sign_out(request: HttpRequest, account: Account) -> None:
    """End this browser's sign-in at this door. Records account.signed_out."""
    with transaction.atomic():
        record("account.signed_out", by=account, subject=account)
        logout(request)
        push(socket_group(account.pk), {"type": "account.signed_out"})


def end_sign_in(sign_in: SignIn, *, by: Account) -> None:
    """End one of the account's own sign-ins; its pages and sockets are dead within 5 seconds. One
    that has ended meanwhile leaves nothing to do. Records sign_in.ended."""
    with transaction.atomic():
        ended, _ = SignIn.objects.filter(pk=sign_in.pk, account=by).delete()
        if not ended:
            return
        SignUpVisit.objects.filter(sign_up__account=by).delete()
        record("sign_in.ended", by=by, subject=sign_in, at_door=sign_in.door)
        push(socket_group(by.pk), {"type": "account.signed_out"})


def end_other_sign_ins(account: Account, *, but: str) -> int:
    """Sign out everywhere else: at both doors, in every browser but the one with session key `but`;
    their pages and sockets are dead within 5 seconds.

    Returns how many there were. Records sign_ins.ended.
    """
    with transaction.atomic():
        others = sign_ins_of(account).exclude(session_key=hashed(but)).count()
        end_sign_ins(account, but=but)
        record("sign_ins.ended", by=account, subject=account, count=others)
        return others


def end_sign_ins(account: Account, *, but: str | None = None) -> None:
    """End every sign-in of an account, sockets included, but the one with session key `but`."""
    rows = SignIn.objects.filter(account=account)
    if but is not None:
        rows = rows.exclude(session_key=hashed(but))
    rows.delete()
    # A browser that knew the sign-up it came from could go on from there without a password.
    SignUpVisit.objects.filter(sign_up__account=account).delete()
    push(socket_group(account.pk), {"type": "account.signed_out"})


def choose_first_password(request: HttpRequest, account: Account, password: str) -> None:
    """Replace the starter password by one of the holder's own, and stay signed in.

    Other sign-ins end. Raises ChangedMeanwhile. Records password.chosen.
    """
    hashed_password = make_password(password)
    with transaction.atomic():
        _set_own_password(account, hashed_password)
        end_sign_ins(account)
        login(request, account, backend="roost.accounts.backend.PracticeBackend")
        record("password.chosen", by=account, subject=account, through="starter")


def change_password(request: HttpRequest, account: Account, password: str) -> None:
    """Change one's own password; the current one has been checked. Every other sign-in ends, and
    the holder is told by mail. Raises ChangedMeanwhile. Records password.changed."""
    hashed_password = make_password(password)
    with transaction.atomic():
        _set_own_password(account, hashed_password)
        end_sign_ins(account)
        login(request, account, backend="roost.accounts.backend.PracticeBackend")
        record("password.changed", by=account, subject=account)
        enqueue("password_changed", to=account.email, arguments={"door": _door(request)})


def _door(request: HttpRequest) -> str:
    return str(request.door)  # type: ignore[attr-defined]


def _set_own_password(account: Account, hashed_password: str) -> None:
    """Raises ChangedMeanwhile if the account has another password than when it was looked up: by
    a link, in another browser, or because the starter password was replaced or taken back."""
    fresh = Account.objects.select_for_update().get(pk=account.pk)
    had = (account.password, account.starter_password)
    if (fresh.password, fresh.starter_password) != had or not fresh.is_active:
        raise ChangedMeanwhile
    drop_links(account)
    account.password = hashed_password
    account.starter_password, account.starter_expires_at = "", None
    account.save(update_fields=["password", "starter_password", "starter_expires_at"])


def ask_for_reset(email: str, *, door_of: Callable[[Account], str]) -> None:
    """Mail a reset link if there is such an account; do as if, if there is not.

    The link leads to the door that `door_of` names, whichever door it was asked for at: nobody
    learns here where an account belongs, and nobody ends up at a door that is not theirs.
    Raises limits.TooMany for a source that asks too often. The limit per address is kept in
    silence, since it would tell that the address is known. Records password.reset_asked.
    """
    limits.count(limits.ask_for_mail_subjects())
    account = find_account(email)
    if account is None or not account.is_active:
        record_refusal(by=None, status=404, route="forgot-password")
        return
    try:
        with transaction.atomic():
            mail_link(account, LinkPurpose.RESET, door=door_of(account))
            record("password.reset_asked", subject=account)
    except limits.TooMany:
        record_refusal(by=None, status=429, route="forgot-password")


def account_at(email: str) -> Account:
    """The account of an address, made if there is none; nobody can log in to a new one yet.

    Call it in a transaction: the row is locked until that ends, so that two hands at one address
    take turns. Raises ValidationError for what is no address.
    """
    account, _ = Account.objects.get_or_create(
        email=clean_email(email), defaults={"password": make_password(None)}
    )
    return Account.objects.select_for_update().get(pk=account.pk)


def set_starter_password(account: Account, password: str, *, days: int) -> datetime:
    """Hand over a starter password: replaces an earlier one, never a password somebody chose.

    `days` is how long it works. Returns when it expires, in UTC. Raises ValueError for an account
    with a password of its own; the caller has checked who may do this.
    """
    if account.has_own_password:
        raise ValueError("This account has a password of its own.")
    moment = now()
    account.starter_password = make_password(password)
    account.starter_expires_at = moment + timedelta(days=days)
    account.vouched_at = moment
    account.save(update_fields=["starter_password", "starter_expires_at", "vouched_at"])
    end_sign_ins(account)
    return account.starter_expires_at


def take_starter_back(
    account: Account, *, by: Account, client_uuid: uuid.UUID | None = None
) -> None:
    """The account's starter password opens nothing any more; who is in by it is for the caller to
    sign out. Records starter.taken where there was one."""
    if account.has_starter_password:
        record("starter.taken", by=by, subject=account, client_uuid=client_uuid)
    account.starter_password, account.starter_expires_at = "", None
    account.save(update_fields=["starter_password", "starter_expires_at"])


def check_own_password(account: Account, password: str) -> bool:
    """Whether this is the password the holder chose."""
    return account.has_own_password and check_password(password, account.password)


def check_password_choice(password: str, own_words: Iterable[str], account: Account) -> None:
    """Raise ValidationError, in words, unless the account may choose this password."""
    check_new_password(password, [*own_words, account.email])
    if account.has_starter_password and check_password(password, account.starter_password):
        from django.core.exceptions import ValidationError

        raise ValidationError("That is the starter password. Choose one that only you know.")


def keep_zone(account: Account, zone_name: str) -> None:
    """Keep the reader's own zone, an IANA name that has been checked."""
    if account.zone_name != zone_name:
        account.zone_name = zone_name
        account.save(update_fields=["zone_name"])
