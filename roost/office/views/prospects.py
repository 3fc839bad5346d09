"""Clients → Prospects: the list, its edit bar, and what is done with prospects there. For a
therapist none of it exists."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode

from roost.accounts import limits
from roost.accounts.doors import door_path
from roost.audit.services import record_read
from roost.clients.enums import ProspectState
from roost.clients.errors import AlreadyHandled
from roost.clients.matching import Files
from roost.clients.models import Prospect
from roost.clients.prospect_queries import prospects_visible_to, search_prospects
from roost.clients.prospects import dismiss, resend, undo_dismissal
from roost.clients.queries import facts_of_clients, search_clients
from roost.core.flashes import flash_with_way_back
from roost.core.pages import page
from roost.core.time import say_span
from roost.office.evidence import facts_of, is_proven
from roost.office.handled import Handled, what_became_of
from roost.outbox.enums import MessageState
from roost.staff.http import OfficeRequest
from roost.staff.permissions import Who, open_to

PER_PAGE = 50
STATES = {
    "": "Any state",
    "unverified": "E-mail not verified",
    "verified": "Verified",
    "dismissed": "Dismissed",
}
# The buttons of the edit bar, and where those for one prospect lead.
LABELS = {
    "create": "Create Client", "associate": "Associate", "verify": "Verify",
    "resend": "Resend", "dismiss": "Dismiss", "restore": "Put back",
}  # fmt: skip
FOR_ONE = {
    "create": "create-from-prospect", "associate": "associate", "verify": "verify-prospect",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One line of the list: the words and kind of its badge, and how many files are like it, None
    where that is not asked."""

    prospect: Prospect
    badge: tuple[str, str]
    likely: int | None


@dataclass(eq=False)
class Trouble(Exception):
    """Why an act on chosen prospects was not done. Nothing of it was."""

    heading: str
    words: str = ""
    handled: tuple[Handled, ...] = ()
    status: int = 409
    dismissable: Prospect | None = None


def show_trouble(request: OfficeRequest, trouble: Trouble) -> HttpResponse:
    """A page of its own for what was not done, with the ways on."""
    _record_named(request, trouble)
    context = {"trouble": trouble}
    return page(request, "office/prospects/trouble.html", context, status=trouble.status)


def _record_named(request: OfficeRequest, trouble: Trouble) -> None:
    clients = [handled.client.uuid for handled in trouble.handled if handled.client is not None]
    if clients:
        record_read("client.viewed", by=request.account, client_uuids=clients, part="prospect")


def badge_of(prospect: Prospect) -> tuple[str, str]:
    """How far a prospect has come, and the badge that says so."""
    if prospect.has_other_log_in:  # type: ignore[attr-defined]
        return ("Has a log-in already", "wait")
    if prospect.account is not None:
        proven = prospect.account.mailbox_proven_at is not None
        return ("Verified" if proven else "Verified by staff", "ok")
    message = prospect.sign_up.message if prospect.sign_up is not None else None
    if message is not None and message.state == MessageState.FAILED:
        return ("E-mail failed", "wait")
    return ("E-mail not verified", "wait")


@open_to(Who.OWNER_OR_ADMIN, methods=("GET", "POST"), hidden=True)
def prospects(request: OfficeRequest) -> HttpResponse:
    """The list, newest first; one audit row names the prospects shown. POST is the edit bar: what
    to `do` with the ticked ones. What cannot be done is said above the list, the ticks kept."""
    if request.method != "POST":
        return _list(request)
    ticked = request.POST.getlist("prospect")
    try:
        return _do(request, request.POST.get("do", ""), ticked)
    except Trouble as trouble:
        return _list(request, trouble=trouble, ticked=ticked)


def _list(
    request: OfficeRequest, trouble: Trouble | None = None, ticked: Iterable[str] = ()
) -> HttpResponse:
    text = request.GET.get("q", "")[:100].replace("\x00", "")
    state = request.GET.get("state", "")
    state = state if state in STATES else ""
    found = Paginator(_rows(request, text, state), PER_PAGE).get_page(request.GET.get("page"))
    shown = list(found.object_list)
    record_read(
        "prospects.listed",
        by=request.account,
        client_uuids=[],
        prospects=[str(prospect.uuid) for prospect in shown],
    )
    if trouble is not None:
        _record_named(request, trouble)
    kept = set(ticked)
    context: dict[str, Any] = {
        "found": found,
        "rows": _with_matches(request, shown),
        "ticked": kept & {str(prospect.uuid) for prospect in shown},
        "text": text,
        "state": state,
        "states": STATES,
        "trouble": trouble,
    }
    if request.htmx:
        return page(request, "office/prospects/list_part.html", context)
    context["clients_count"] = search_clients(request.staff, "").count()
    status = trouble.status if trouble is not None else 200
    return page(request, "office/prospects/list.html", context, status=status)


def _with_matches(request: OfficeRequest, shown: list[Prospect]) -> list[Row]:
    """How many files each prospect is like: one read of the clients' facts for the page. Who is
    dismissed, or can only be, is compared with nobody."""
    files = Files(facts_of_clients(request.staff))

    def likely(prospect: Prospect) -> int | None:
        if prospect.state != ProspectState.WAITING or prospect.has_other_log_in:  # type: ignore[attr-defined]
            return None
        return len(files.likely(facts_of(prospect), mailbox_proven=is_proven(prospect)))

    return [Row(prospect, badge_of(prospect), likely(prospect)) for prospect in shown]


def _rows(request: OfficeRequest, text: str, state: str) -> QuerySet[Prospect]:
    if state == "dismissed":
        return search_prospects(request.staff, text, state=ProspectState.DISMISSED)
    verified = {"unverified": False, "verified": True}.get(state)
    return search_prospects(request.staff, text, verified=verified)


# The edit bar


def _do(request: OfficeRequest, do: str, ids: list[str]) -> HttpResponse:
    if do not in LABELS:
        raise Trouble("Choose what to do", "Tick a prospect, then press a button.", status=422)
    if not ids:
        words = f"Tick a prospect, then press {LABELS[do]}."
        raise Trouble("Nobody is ticked", words, status=422)
    if do in FOR_ONE and len(set(ids)) > 1:
        words = "Untick all but one, then press it again."
        raise Trouble(f"{LABELS[do]} is for one prospect at a time", words, status=422)
    chosen = _chosen(request, ids)
    if do in FOR_ONE:
        return redirect(door_path(request, FOR_ONE[do], prospect=chosen[0].uuid))
    if do == "resend":
        check_state(request, chosen, ProspectState.WAITING)
        resend_to(request, chosen)
        return redirect(door_path(request, "prospects"))
    if do == "restore":
        return _restore(request, chosen)
    check_state(request, chosen, ProspectState.WAITING)
    asked = urlencode({"prospect": [str(prospect.uuid) for prospect in chosen]}, doseq=True)
    return redirect(f"{door_path(request, 'dismiss-prospects')}?{asked}")


def _chosen(request: OfficeRequest, ids: list[str]) -> list[Prospect]:
    """The prospects of ticked boxes. Raises Trouble where one is nobody's whom the reader sees."""
    wanted = set()
    for each in ids[: PER_PAGE + 1]:
        try:
            wanted.add(uuid.UUID(each))
        except ValueError:
            wanted.add(uuid.UUID(int=0))
    rows = prospects_visible_to(request.staff).filter(uuid__in=wanted)
    chosen = list(rows.select_related("client", "acted_by").order_by("-created_at", "-pk"))
    if len(chosen) != len(wanted) or len(wanted) > PER_PAGE:
        words = "Nothing was done. Look at the list again, and choose anew."
        raise Trouble("Somebody you chose isn’t on the list any more", words)
    return chosen


def check_state(request: OfficeRequest, chosen: list[Prospect], state: ProspectState) -> None:
    """Raise Trouble unless all of them are in a state."""
    others = [prospect for prospect in chosen if prospect.state != state]
    if others:
        raise too_late(request, others)


def too_late(request: OfficeRequest, prospects: list[Prospect]) -> Trouble:
    """The trouble of somebody who comes second."""
    handled = tuple(what_became_of(prospect, request.staff) for prospect in prospects)
    mine = all(prospect.acted_by == request.staff for prospect in prospects)
    # Their own link did it, and no colleague has.
    by_staff = any(each.vouched_at or each.acted_by for each in prospects)
    own = not by_staff and all(each.is_verified for each in prospects)
    heading = "This has been done already" if mine else "Somebody was quicker"
    heading = "Already verified" if own else heading
    return Trouble(heading, "Nothing was done just now.", handled)


def resend_to(request: OfficeRequest, chosen: list[Prospect]) -> None:
    """Mail the verification to each once more, and say on the next page what became of it.

    Raises Trouble where one of them has nothing to verify; then nobody is mailed.
    """
    for prospect in chosen:
        if prospect.has_other_log_in:  # type: ignore[attr-defined]
            words = "Nothing was sent. They know how to log in; all you can do here is Dismiss."
            raise Trouble(f"{prospect.email} has a log-in already", words)
        if prospect.is_verified:
            raise Trouble(f"{prospect.name} is verified already", "Nothing was sent.")
    sent, waits = [], []
    for prospect in chosen:
        try:
            resend(prospect=prospect, by=request.staff)
            sent.append(prospect)
        except AlreadyHandled as late:
            raise too_late(request, [late.prospect]) from None
        except limits.TooMany as limit:
            waits.append((prospect, limit.wait))
    if sent:
        whom = sent[0].email if len(sent) == 1 else f"{len(sent)} people"
        messages.success(request, f"Another verification e-mail to {whom} is in the outbox.")
    for prospect, wait in waits:
        words = "Five e-mails went to {} within the hour. Wait {}, or verify them by phone."
        messages.warning(request, words.format(prospect.email, say_span(wait)))


@open_to(Who.OWNER_OR_ADMIN, methods=("GET", "POST"), hidden=True)
def dismiss_prospects(request: OfficeRequest) -> HttpResponse:
    """Ask before taking prospects off the list, then do it; the next page can undo it."""
    ids = (request.POST if request.method == "POST" else request.GET).getlist("prospect")
    try:
        if not ids:
            raise Trouble("Nobody is ticked", "Tick a prospect, then press Dismiss.", status=422)
        chosen = _chosen(request, ids)
        check_state(request, chosen, ProspectState.WAITING)
        if request.method == "POST":
            return _dismiss(request, chosen)
    except Trouble as trouble:
        return show_trouble(request, trouble)
    shown = [str(prospect.uuid) for prospect in chosen]
    record_read("prospects.listed", by=request.account, client_uuids=[], prospects=shown)
    return page(request, "office/prospects/dismiss.html", {"chosen": chosen})


def _dismiss(request: OfficeRequest, chosen: list[Prospect]) -> HttpResponse:
    try:
        with transaction.atomic():
            for prospect in chosen:
                dismiss(prospect=prospect, by=request.staff)
    except AlreadyHandled as late:
        raise too_late(request, [late.prospect]) from None
    flash_with_way_back(
        request,
        f"{_all_of(chosen)} dismissed.",
        path=door_path(request, "restore-prospects"),
        fields=[("prospect", str(prospect.uuid)) for prospect in chosen],
        label="Undo",
    )
    return redirect(door_path(request, "prospects"))


def _all_of(chosen: list[Prospect]) -> str:
    return f"{chosen[0].name} is" if len(chosen) == 1 else f"{len(chosen)} prospects are"


@open_to(Who.OWNER_OR_ADMIN, methods=("POST",), hidden=True)
def restore_prospects(request: OfficeRequest) -> HttpResponse:
    """Put dismissed prospects back on the list."""
    ids = request.POST.getlist("prospect")
    try:
        if not ids:
            words = "Tick somebody who was dismissed, then press Put back."
            raise Trouble("Nobody is ticked", words, status=422)
        return _restore(request, _chosen(request, ids))
    except Trouble as trouble:
        return show_trouble(request, trouble)


def _restore(request: OfficeRequest, chosen: list[Prospect]) -> HttpResponse:
    check_state(request, chosen, ProspectState.DISMISSED)
    try:
        with transaction.atomic():
            for prospect in chosen:
                undo_dismissal(prospect=prospect, by=request.staff)
    except AlreadyHandled as late:
        raise too_late(request, [late.prospect]) from None
    messages.success(request, f"{_all_of(chosen)} back on the list.")
    return redirect(door_path(request, "prospects"))
