"""Associate: whose file is a prospect's? Ranked matches, side by side, asked again in doubt."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import redirect

from roost.accounts.doors import door_path
from roost.audit.services import record_read
from roost.clients import prospects
from roost.clients.confirmation import confirmation_code
from roost.clients.enums import Relationship
from roost.clients.errors import AddressChanged, AlreadyHandled, Archived, HasOtherLogIn
from roost.clients.matching import (
    Files,
    Kind,
    Match,
    Speaks,
    Verdict,
    compare,
    side_by_side,
)
from roost.clients.models import Assignment, Client, Prospect
from roost.clients.prospect_forms import AssociateForm
from roost.clients.prospect_queries import get_prospect_for
from roost.clients.queries import (
    access_of,
    clients_visible_to,
    facts_of_clients,
    get_client_for,
    search_clients,
)
from roost.clients.rules import OPENS
from roost.core.pages import page
from roost.core.time import now
from roost.office.evidence import facts_of, is_proven
from roost.office.views.linking import check_free, tell_of_link
from roost.office.views.prospects import Trouble, show_trouble, too_late
from roost.office.views.verifying import address_changed, known_address
from roost.staff.http import OfficeRequest
from roost.staff.permissions import Who, open_to

MOST_FOUND = 20


@dataclass(frozen=True)
class Found:
    """A client who is offered, with the reasons and the badge of each."""

    client: Client
    reasons: list[tuple[str, str]]


def what_opens(relationship: str) -> str:
    """What somebody with this relationship gets to see now, in a short line."""
    opens = OPENS[relationship]
    if opens.sessions == "none":
        return "receipts and balance only"
    if opens.sessions == "shared":
        return "only sessions that both of them attend, and receipts that name them as payer"
    return "everything: sessions, Join, receipts, details"


@open_to(Who.OWNER_OR_ADMIN, methods=("GET", "POST"), hidden=True)
def associate(request: OfficeRequest, prospect: uuid.UUID) -> HttpResponse:
    """Choose a client, look at both side by side, say the relationship. Where too little agrees,
    or something contradicts, a second question comes first."""
    found = get_prospect_for(request.staff, prospect)
    try:
        check_free(request, found)
        if request.method == "POST":
            return _associate(request, found)
    except Trouble as trouble:
        return show_trouble(request, trouble)
    return _show(request, found, _client_named(request, request.GET.get("client", "")))


def _client_named(request: OfficeRequest, text: str) -> Client | None:
    """The client whose id was sent, None for what is no id. Raises Http404 for any other's."""
    try:
        return get_client_for(request.staff, uuid.UUID(text))
    except ValueError:
        return None


def _associate(request: OfficeRequest, prospect: Prospect) -> HttpResponse:
    client = _client_named(request, request.POST.get("client", ""))
    form = AssociateForm(request.POST)
    if client is None:
        return _show(request, prospect, None, unchosen=True)
    if client.archived_at is not None or not form.is_valid():
        return _show(request, prospect, client, form=form)
    relationship = form.cleaned_data["relationship"]
    match = compare(facts_of(prospect), facts_of(client), mailbox_proven=is_proven(prospect))
    doubtful = match.only_name_agrees or match.contradicts
    if doubtful and request.POST.get("sure") != str(client.uuid):
        return _show(request, prospect, client, form=form, asks=True)
    try:
        prospects.associate(
            prospect=prospect,
            seen=request.POST.get("seen", ""),
            client=client,
            relationship=relationship,
            by=request.staff,
        )
    except Archived:
        client.refresh_from_db()
        return _show(request, prospect, client, form=form)
    except HasOtherLogIn:
        raise known_address(prospect) from None
    except AlreadyHandled as late:
        raise too_late(request, [late.prospect]) from None
    except AddressChanged as changed:
        raise address_changed(changed.prospect) from None
    words = f"{prospect.name} is associated with {client.name}’s record"
    label = Relationship(relationship).label.lower()
    tell_of_link(request, prospect, client, f"{words}, as {label}.")
    return redirect(door_path(request, "client", client=client.uuid))


def _show(
    request: OfficeRequest,
    prospect: Prospect,
    client: Client | None,
    *,
    form: AssociateForm | None = None,
    asks: bool = False,
    unchosen: bool = False,
) -> HttpResponse:
    """The page: matches on the left, and the chosen client beside the prospect."""
    text = request.GET.get("q", "")[:100].replace("\x00", "")
    found = _searched(request, prospect, text) if text else _likely(request, prospect)
    _record_list(request, prospect, found)
    context: dict[str, Any] = {"prospect": prospect, "found": found, "text": text, "chosen": client}
    if prospect.is_verified:
        # To compare with what the person reads out; for somebody unverified it is typed instead.
        context["code"] = confirmation_code(prospect, now(), request.practice.zone)
    if request.htmx:
        return page(request, "office/prospects/matches.html", context)
    context["unchosen"] = unchosen
    status = 422 if unchosen else 200
    if client is not None and client.archived_at is not None:
        record_read(
            "client.viewed", by=request.account, client_uuids=[client.uuid], part="associate"
        )
        context["archived"] = True
        status = 422
    elif client is not None:
        context |= _compared(request, prospect, client)
        context |= {"form": form or AssociateForm(), "asks": asks}
        if asks:
            status = 409
    return page(request, "office/prospects/associate.html", context, status=status)


def _searched(request: OfficeRequest, prospect: Prospect, text: str) -> list[Found]:
    """The clients of a search, the likeliest first."""
    rows = _with_therapists(search_clients(request.staff, text))[:MOST_FOUND]
    facts, proven = facts_of(prospect), is_proven(prospect)
    matched = [(row, compare(facts, facts_of(row), mailbox_proven=proven)) for row in rows]
    matched.sort(key=lambda pair: -pair[1].score)
    return [_found(row, match) for row, match in matched]


def _likely(request: OfficeRequest, prospect: Prospect) -> list[Found]:
    """The likely matches, best first."""
    files = Files(facts_of_clients(request.staff))
    matches = files.likely(facts_of(prospect), mailbox_proven=is_proven(prospect))
    wanted = [key for key, _ in matches]
    rows = _with_therapists(clients_visible_to(request.staff).filter(uuid__in=wanted))
    by_id = {row.uuid: row for row in rows}
    return [_found(by_id[key], match) for key, match in matches if key in by_id]


def _with_therapists(rows: Any) -> Any:
    return rows.prefetch_related(
        Prefetch("assignments", Assignment.objects.select_related("therapist"))
    )


def _found(client: Client, match: Match) -> Found:
    css = {Speaks.FOR: "ok", Speaks.WEAKLY: "wait", Speaks.AGAINST: "wait"}
    return Found(client, [(reason.words, css[reason.speaks]) for reason in match.reasons])


def _record_list(request: OfficeRequest, prospect: Prospect, found: list[Found]) -> None:
    """One row for the page: the prospect, and the clients that are offered."""
    record_read(
        "prospects.listed",
        by=request.account,
        client_uuids=[each.client.uuid for each in found],
        prospects=[str(prospect.uuid)],
        part="associate",
    )


def _compared(request: OfficeRequest, prospect: Prospect, client: Client) -> dict[str, Any]:
    """Prospect and client side by side. Records that the client's facts were looked at."""
    ours, theirs = facts_of(prospect), facts_of(client)
    match = compare(ours, theirs, mailbox_proven=is_proven(prospect))
    lines = [line for line in side_by_side(ours, theirs) if line.verdict != Verdict.NEITHER]
    record_read("client.viewed", by=request.account, client_uuids=[client.uuid], part="associate")
    differing = {line.label for line in lines if line.verdict == Verdict.DIFFERS}
    return {
        "lines": lines,
        "held": list(access_of(client)),
        "match": match,
        "agrees_by_name": match.has(Kind.SAME_NAME, Kind.SIMILAR_NAME, Kind.SAME_FIRST_NAME),
        "unproven": match.has(Kind.UNPROVEN_EMAIL),
        "addresses_differ": "E-mail" in differing,
        "choices": [(value, label, what_opens(value)) for value, label in Relationship.choices],
    }
