"""Clients: the list, the record, and portal access."""

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, QuerySet, Subquery
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_post_parameters

from roost.accounts import limits
from roost.accounts.doors import door_path
from roost.accounts.models import Account
from roost.accounts.passwords import generate_starter_password
from roost.accounts.queries import find_account, newest_invitation
from roost.audit.queries import portal_changes_of
from roost.audit.services import record_read
from roost.billing.balances import balance_of_client
from roost.billing.invoices import with_states
from roost.billing.queries import invoices_of_client, receipts_of_client, refunds_of_client
from roost.billing.statement_pdf import unpriced_words
from roost.clients.enums import Relationship, WayIn
from roost.clients.errors import EditedMeanwhile, HasLogInAlready, StarterNeeded
from roost.clients.forms import ClientForm, EditClientForm, PortalSettingsForm
from roost.clients.models import Assignment, Client, PortalAccess
from roost.clients.prospect_queries import (
    unverified_link_of,
    unverified_links,
    waiting_at_address,
)
from roost.clients.queries import (
    access_of,
    get_client_for,
    is_settled,
    last_request_of,
    search_clients,
)
from roost.clients.services import (
    account_to_move,
    add_client,
    edit_client,
    give_starter_password,
    send_invitation,
    take_access_away,
)
from roost.core.pages import page
from roost.core.submissions import is_otherwise
from roost.core.text import clean_email
from roost.core.time import now, say_span
from roost.office import qr
from roost.office.diary import MARKS
from roost.office.duplicates import records_alike
from roost.office.trail import is_needless, trail_of
from roost.outbox.queries import messages_of_client
from roost.practices.addresses import portal_url
from roost.scheduling.queries import appointments_of_client, next_appointment_of_client
from roost.staff.http import OfficeRequest
from roost.staff.permissions import Who, open_to
from roost.staff.services import own_words_of
from roost.video.services import recheck_rooms_of

PER_PAGE = 25
# Of invoices and of credit given back, above the receipts.
PAPERS_PER_PAGE = 10


@open_to(Who.STAFF)
def clients(request: OfficeRequest) -> HttpResponse:
    """All Clients: search by name, e-mail or phone; one audit row names the ids shown."""
    text = request.GET.get("q", "")[:100].replace("\x00", "")
    rows: QuerySet[Client] = search_clients(request.staff, text)
    access = PortalAccess.objects.filter(client=OuterRef("pk"), ended_at=None)
    rows = rows.annotate(
        has_access=Exists(access),
        has_log_in=Exists(access.exclude(account__password__startswith=UNUSABLE_PASSWORD_PREFIX)),
        unverified=Subquery(
            unverified_links()
            .filter(client=OuterRef("pk"))
            .order_by("-acted_at", "-pk")
            .values("uuid")[:1]
        ),
    ).prefetch_related(Prefetch("assignments", Assignment.objects.select_related("therapist")))
    found = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    record_read(
        "clients.listed", by=request.account, client_uuids=[c.uuid for c in found.object_list]
    )
    context: dict[str, Any] = {"found": found, "text": text}
    if not request.htmx and request.staff.runs_practice:
        count = search_clients(request.staff, "").count
        context["clients_count"] = count() if text else found.paginator.count
    part = "office/clients/list_part.html" if request.htmx else "office/clients/list.html"
    return page(request, part, context)


@open_to(Who.STAFF, methods=("GET", "POST"))
def add(request: OfficeRequest) -> HttpResponse:
    """Add Client. Asks first where the person seems to have a record that the reader may see."""
    form = ClientForm(request.staff, request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        if alike := records_alike(request, values):
            context = {"form": form, "alike": alike}
            return page(request, "office/clients/add.html", context, status=409)
        client = add_client(
            key=values.pop("form_key"),
            by=request.staff,
            therapists=list(values.pop("therapists", [])),
            **values,
        )
        if (typed := Client(**values).name) != client.name:
            words = f"This form has added {client.name}, and adds nobody else."
            messages.warning(request, f"{words} To add {typed}, begin anew.")
        elif is_otherwise(client, values):
            messages.warning(
                request,
                f"This form has added {client.name} before. What you have changed in it since is "
                "not saved: change it under Edit.",
            )
        else:
            messages.success(request, f"{client.name} is added.")
        return redirect(door_path(request, "client", client=client.uuid))
    return page(request, "office/clients/add.html", {"form": form})


def _record(request: OfficeRequest, client_uuid: uuid.UUID) -> tuple[Client, dict[str, Any]]:
    """The client and what the head of each of its pages shows. Raises Http404."""
    client = get_client_for(request.staff, client_uuid)
    assigned = client.assignments.select_related("therapist")
    context = {
        "client": client,
        "age": client.age_on(now().astimezone(request.practice.zone).date()),
        "therapists": [a.therapist for a in assigned],
        "next_appointment": next_appointment_of_client(client),
    }
    return client, context


def _read(request: OfficeRequest, client: Client, part: str) -> None:
    record_read("client.viewed", by=request.account, client_uuids=[client.uuid], part=part)


@open_to(Who.STAFF)
def client(request: OfficeRequest, client: uuid.UUID) -> HttpResponse:
    """Contact & Clinical."""
    record, context = _record(request, client)
    _read(request, record, "contact")
    context |= _access_context(record)
    context["to_move"] = account_to_move(record, by=request.staff)
    context |= _prospects_context(request, record)
    asked = last_request_of(record)
    context["asked"] = asked if asked and asked.is_waiting else None
    context["portal_changes"] = portal_changes_of(record.uuid)[:3]
    return page(request, "office/clients/contact.html", context)


def _prospects_context(request: OfficeRequest, client: Client) -> dict[str, Any]:
    """The link with this record that nobody has verified yet, and who waits with its e-mail."""
    waiting = list(waiting_at_address(request.staff, client))
    if waiting:
        shown = [str(prospect.uuid) for prospect in waiting]
        record_read("prospects.listed", by=request.account, client_uuids=[], prospects=shown)
    return {"unverified": unverified_link_of(client), "waiting_here": waiting}


def _access_context(client: Client) -> dict[str, Any]:
    invitation = newest_invitation(client.uuid)
    held = access_of(client).select_related("account__prospect__vouched_by")
    return {
        "access": [(a, state_of(a.account)) for a in held],
        "invitation": invitation,
        "may_invite_again": invitation and not invitation.done_at and not is_needless(invitation),
        "trail": trail_of(invitation) if invitation else [],
    }


def state_of(account: Account) -> tuple[str, str]:
    """How far somebody with portal access has come, and the badge that says so."""
    if account.has_own_password:
        return ("Can log in", "ok")
    if account.has_starter_password:
        live = account.starter_expires_at and account.starter_expires_at > now()
        return ("Starter password given", "wait") if live else ("Starter password expired", "wait")
    return ("Invited, not in yet", "wait")


@open_to(Who.STAFF)
def client_sessions(request: OfficeRequest, client: uuid.UUID) -> HttpResponse:
    """All sessions of a client."""
    record, context = _record(request, client)
    _read(request, record, "sessions")
    rows = Paginator(appointments_of_client(record), 50)
    context |= {"found": rows.get_page(request.GET.get("page")), "moment": now(), "marks": MARKS}
    return page(request, "office/clients/sessions.html", context)


@open_to(Who.STAFF)
def client_receipts(request: OfficeRequest, client: uuid.UUID) -> HttpResponse:
    """A client's balance and receipts; a therapist sees those of their own sessions. Owners and
    admins see invoices and credit that was given back as well."""
    record, context = _record(request, client)
    _read(request, record, "receipts")
    rows = Paginator(receipts_of_client(request.staff, record), 50)
    context["found"] = rows.get_page(request.GET.get("page"))
    runs_practice = request.staff.runs_practice
    only = None if runs_practice else request.staff
    balance = balance_of_client(record, request.practice, only)
    context |= {"balance": balance, "unpriced": unpriced_words(balance.unpriced)}
    if runs_practice:
        today = now().astimezone(request.practice.zone).date()
        invoices = Paginator(invoices_of_client(record), PAPERS_PER_PAGE)
        refunds = Paginator(refunds_of_client(record), PAPERS_PER_PAGE)
        found = invoices.get_page(request.GET.get("invoices"))
        context |= {
            "invoices_found": found,
            "invoices": with_states(found.object_list, today),
            "refunds": refunds.get_page(request.GET.get("refunds")),
        }
    return page(request, "office/clients/receipts.html", context)


@open_to(Who.STAFF)
def client_messages(request: OfficeRequest, client: uuid.UUID) -> HttpResponse:
    """Messages sent to or about a client, with what became of each."""
    record, context = _record(request, client)
    _read(request, record, "messages")
    rows = Paginator(messages_of_client(record.uuid), 50)
    context["found"] = rows.get_page(request.GET.get("page"))
    return page(request, "office/clients/messages.html", context)


@open_to(Who.STAFF, methods=("GET", "POST"))
def edit(request: OfficeRequest, client: uuid.UUID) -> HttpResponse:
    """Edit contact and clinical facts. What somebody else has changed meanwhile stays; where that
    is a field that was changed here too, Save asks."""
    record, context = _record(request, client)
    sent = request.POST if request.method == "POST" else None
    form = EditClientForm(request.staff, record, sent)
    status = 200
    if form.is_valid():
        try:
            seen, typed = form.cleaned_data["shown"], form.typed
            changed = edit_client(
                client=record, by=request.staff, seen=seen, **form.ticked, **typed
            )
        except EditedMeanwhile as edited:
            form.refuse(edited.newer)
            status = 409
        else:
            messages.success(request, "Saved.")
            record.refresh_from_db()
            if "email" in changed and account_to_move(record, by=request.staff):
                return redirect(door_path(request, "move-log-in", client=record.uuid))
            return redirect(door_path(request, "client", client=record.uuid))
    _read(request, record, "contact")
    return page(request, "office/clients/edit.html", {**context, "form": form}, status=status)


@sensitive_post_parameters("starter_password")
@open_to(Who.STAFF, methods=("GET", "POST"))
def access(request: OfficeRequest, client: uuid.UUID) -> HttpResponse:
    """Account Details → Edit: Client Portal Settings. Generate, Save, Send invitation.

    The hand-off card is the answer to Save itself: no redirect, no store, shown once.
    """
    record, context = _record(request, client)
    context |= _access_context(record)
    words = own_words_of(request.account, record.name, record.preferred_name)
    do = request.POST.get("do", "save")
    if request.method != "POST":
        held = context["access"][0][0] if context["access"] else None
        first = {
            "email": held.account.email if held else record.email,
            "relationship": held.relationship if held else Relationship.SELF,
        }
        form = PortalSettingsForm(words, initial=first)
        return _show_access(request, record, {**context, "form": form})
    if do == "generate":
        values = {k: request.POST.get(k, "") for k in ("email", "relationship", "form_key")}
        form = PortalSettingsForm(
            words, initial={**values, "starter_password": generate_starter_password(words)}
        )
    else:
        form = PortalSettingsForm(words, request.POST)
    question = _question_again(request, do)
    context |= {"form": form, **question}
    if question or not request.POST.get("relationship"):
        form.choose_nothing()
    if do == "generate":
        return _show_access(request, record, context)
    if form.is_valid():
        try:
            if do == "invite":
                return _invite(request, record, form)
            return _hand_off(request, record, form, context)
        except HasLogInAlready as known:
            context |= _question(known.account, asked=form.cleaned_data["email"], do=do)
            context["form"] = PortalSettingsForm.asking_again(words, request.POST)
            return _show_access(request, record, context, status=409)
        except StarterNeeded:
            form.add_error(
                "starter_password",
                "Type one, or press Generate. Send invitation works without.",
            )
        except limits.TooMany as limit:
            form.add_error(
                "email",
                "Five e-mails went to this address within the hour. "
                f"Wait {say_span(limit.wait)}, or give a starter password by phone.",
            )
    return _show_access(request, record, context)


def _show_access(
    request: OfficeRequest, client: Client, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    _read(request, client, "access")
    return page(request, "office/clients/access.html", context, status=status)


def _question(account: Account, *, asked: str, do: str) -> dict[str, Any]:
    """What the question before a second tie says: that the address has a log-in, and how it is
    kept. Whose else it is stays unsaid; the record may be none of the reader's."""
    known = {
        "asked": asked,
        "email": account.email,
        "own_password": account.has_own_password,
        "proven": account.mailbox_proven_at is not None or not account.has_own_password,
        "told": do == "invite" or is_settled(account),
    }
    return {"known": known, "known_do": do}


def _question_again(request: OfficeRequest, do: str) -> dict[str, Any]:
    """The question that the form stood under when it was sent: it stands there until it has been
    answered, or the address corrected."""
    try:
        email = clean_email(request.POST.get("email", ""))
    except ValidationError:
        return {}
    account = find_account(email) if _asked_again(request, email) else None
    return _question(account, asked=email, do=do) if account else {}


def _asked_again(request: OfficeRequest, email: str) -> bool:
    """Whether the question was asked of this very address: it can be changed beside it."""
    return request.POST.get("confirmed") == email


def _hand_off(
    request: OfficeRequest, client: Client, form: PortalSettingsForm, context: dict[str, Any]
) -> HttpResponse:
    values = form.cleaned_data
    card = give_starter_password(
        key=values["form_key"],
        client=client,
        email=values["email"],
        relationship=values["relationship"],
        starter_password=values["starter_password"],
        confirmed=_asked_again(request, values["email"]),
        by=request.staff,
    )
    if card.is_again:
        _say_way_in(request, card.way_in, card.email)
        return redirect(door_path(request, "client", client=client.uuid))
    url = portal_url(request.practice)
    context |= {"card": card, "portal": url, "qr": qr.path_of(url)}
    context |= _access_context(client)
    _read(request, client, "access")
    return page(request, "office/clients/hand_off.html", context)


def _invite(request: OfficeRequest, client: Client, form: PortalSettingsForm) -> HttpResponse:
    values = form.cleaned_data
    way_in = send_invitation(
        key=values["form_key"],
        client=client,
        email=values["email"],
        relationship=values["relationship"],
        confirmed=_asked_again(request, values["email"]),
        by=request.staff,
    )
    _say_way_in(request, way_in, values["email"])
    return redirect(door_path(request, "client", client=client.uuid))


WAYS_IN = {
    WayIn.STARTER: "That starter password was shown once, and can’t be shown again. "
    "Under Edit, Generate makes a new one.",
    WayIn.LINK: "An invitation to {email} is in the outbox. Its state is below.",
    WayIn.OWN: "{email} has access now, with the password they already have. "
    "They are told by e-mail.",
    WayIn.ENDED: "This form was sent before, and the access that it gave to {email} has been "
    "changed or taken away since. Nothing was done now. To give it again, choose Edit.",
    WayIn.BEFORE: "{email} has access already. No e-mail was sent.",
}


def _say_way_in(request: OfficeRequest, way_in: WayIn, email: str) -> None:
    is_done = way_in not in (WayIn.STARTER, WayIn.ENDED)
    say = messages.success if is_done else messages.warning
    say(request, WAYS_IN[way_in].format(email=email))


@open_to(Who.STAFF, methods=("GET", "POST"))
def take_away(request: OfficeRequest, client: uuid.UUID, access: uuid.UUID) -> HttpResponse:
    """Take portal access away, after asking."""
    record, context = _record(request, client)
    held = get_access_of(record, access)
    if request.method == "POST":
        with transaction.atomic():
            take_access_away(access=held, by=request.staff)
            recheck_rooms_of(record)
        messages.success(
            request, f"{held.account.email} can no longer open this record, from now on."
        )
        return redirect(door_path(request, "client", client=record.uuid))
    _read(request, record, "access")
    return page(request, "office/clients/take_away.html", {**context, "held": held})


def get_access_of(client: Client, access_uuid: uuid.UUID) -> PortalAccess:
    """One access to a record that has been looked up for the actor. Raises Http404."""
    held = access_of(client).filter(uuid=access_uuid).first()
    if held is None:
        raise Http404("There is no such access.")
    return held
