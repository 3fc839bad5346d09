"""Reads of prospects. Owners and admins see them; for a therapist they do not exist."""

import uuid

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from roost.accounts.models import Account, SignUp
from roost.clients.enums import ProspectState
from roost.clients.models import Client, PortalAccess, Prospect, ProspectWord
from roost.core.text import search_key
from roost.staff.models import StaffMember

MOST_WORDS = 6


def prospects_visible_to(actor: StaffMember) -> QuerySet[Prospect]:
    """All prospects for owners and admins, none for a therapist, each with `has_other_log_in`:
    a sign-up whose address has a log-in that it did not become."""
    if not actor.runs_practice:
        return Prospect.objects.none()
    rows = Prospect.objects.select_related("sign_up__message", "account")
    return rows.annotate(has_other_log_in=_has_other_log_in())


def _has_other_log_in() -> Q:
    return Q(account=None) & Q(Exists(Account.objects.filter(email=OuterRef("email"))))


def get_prospect_for(actor: StaffMember, prospect_uuid: uuid.UUID) -> Prospect:
    """A prospect that the actor may act on. Raises Http404."""
    found = prospects_visible_to(actor).select_related("client", "acted_by")
    prospect = found.filter(uuid=prospect_uuid).first()
    if prospect is None:
        raise Http404("There is no such prospect.")
    return prospect


def search_prospects(
    actor: StaffMember,
    text: str,
    *,
    state: str = ProspectState.WAITING,
    verified: bool | None = None,
) -> QuerySet[Prospect]:
    """The prospects in a state, newest first, for whom every word of `text` begins a name, the
    e-mail or the phone number. `verified` keeps those who are, or are not."""
    rows = prospects_visible_to(actor).filter(state=state)
    if verified is not None:
        rows = rows.filter(account__isnull=not verified)
    for word in _sought(text):
        rows = rows.filter(pk__in=ProspectWord.objects.filter(word__starts=word).values("prospect"))
    return rows.order_by("-created_at", "-pk")


def _sought(text: str) -> list[str]:
    """The words of a search. A phone number is one, however it is spaced."""
    digits = "".join(c for c in text if c.isdigit())
    if len(digits) >= 3 and not any(c.isalpha() for c in text):
        return [digits]
    return search_key(text).split()[:MOST_WORDS]


def count_waiting(actor: StaffMember) -> int:
    """How many prospects wait for this member of staff; 0 for a therapist."""
    if not actor.runs_practice:
        return 0
    return Prospect.objects.filter(state=ProspectState.WAITING).count()


def prospect_of_sign_up(sign_up: SignUp) -> Prospect:
    """The prospect of a sign-up."""
    return Prospect.objects.select_related("sign_up__message", "account").get(sign_up=sign_up)


def prospect_of_account(account: Account) -> Prospect | None:
    """The prospect that an account is or was, or None."""
    return Prospect.objects.select_related("sign_up", "account").filter(account=account).first()


def has_lost_access(prospect: Prospect) -> bool:
    """Whether access was taken away from the prospect's account, and nobody has acted on the
    prospect since: staff have looked at it already."""
    ended = PortalAccess.objects.filter(account=prospect.account, ended_at__isnull=False)
    if prospect.acted_at is not None:
        ended = ended.filter(ended_at__gt=prospect.acted_at)
    return ended.exists()


def unverified_links() -> QuerySet[Prospect]:
    """Links with a client that open nothing yet, for nobody has verified the sign-up."""
    rows = Prospect.objects.filter(state=ProspectState.LINKED, account=None)
    return rows.exclude(_has_other_log_in())


def unverified_link_of(client: Client) -> Prospect | None:
    """The newest link with this client that waits to be verified, or None."""
    rows = unverified_links().filter(client=client).select_related("sign_up__message")
    return rows.order_by("-acted_at", "-pk").first()


def waiting_at_address(actor: StaffMember, client: Client) -> QuerySet[Prospect]:
    """The waiting prospects with the e-mail of a client's record, for those who see prospects."""
    rows = prospects_visible_to(actor).filter(state=ProspectState.WAITING)
    if not client.email:
        return rows.none()
    rows = rows.filter(email=client.email).exclude(_has_other_log_in())
    return rows.order_by("-created_at", "-pk")
