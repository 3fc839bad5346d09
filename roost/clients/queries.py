"""Reads of clients: which record who may see. Every look-up goes through here."""

import uuid
from dataclasses import fields

from django.db.models import BigAutoField, Q, QuerySet
from django.http import Http404

from roost.accounts.models import Account
from roost.clients.enums import RequestState
from roost.clients.matching import Facts
from roost.clients.models import Client, DetailsRequest, PortalAccess
from roost.clients.rules import OPENS, Opens
from roost.core.prepared import Prepared, Slot
from roost.core.text import search_key
from roost.staff.models import StaffMember
from roost.staff.queries import is_or_was_staff, therapists


def clients_visible_to(actor: StaffMember) -> QuerySet[Client]:
    """All clients for owners and admins; for a therapist those assigned to them."""
    if actor.runs_practice:
        return Client.objects.all()
    return Client.objects.filter(assignments__therapist=actor)


def get_client_for(actor: StaffMember, client_uuid: uuid.UUID) -> Client:
    """A record the actor may see and edit. Raises Http404 for any other."""
    client = clients_visible_to(actor).filter(uuid=client_uuid).first()
    if client is None:
        raise Http404("There is no such client.")
    return client


def search_clients(actor: StaffMember, text: str) -> QuerySet[Client]:
    """The actor's current clients whose name, e-mail or phone holds every word of `text`."""
    rows = clients_visible_to(actor).filter(archived_at=None)
    for word in search_key(text).split()[:6]:
        digits = "".join(c for c in word if c.isdigit())
        match = Q(search_text__contains=word)
        if len(digits) >= 3 and len(digits) == len(word.strip("+()-.")):
            match |= Q(search_text__contains=digits)
        rows = rows.filter(match)
    return rows


def facts_of_clients(actor: StaffMember) -> list[tuple[uuid.UUID, Facts]]:
    """What tells the actor's current clients apart, by name: one query, to be compared with."""
    names = [field.name for field in fields(Facts)]
    rows = clients_visible_to(actor).filter(archived_at=None).values_list("uuid", *names)
    return [(key, Facts(**dict(zip(names, values, strict=True)))) for key, *values in rows]


def access_of(client: Client) -> QuerySet[PortalAccess]:
    """Who has portal access to a record now, oldest first."""
    return (
        PortalAccess.objects.filter(client=client, ended_at=None)
        .select_related("account", "given_by")
        .order_by("given_at", "pk")
    )


def access_held_by(account: Account) -> QuerySet[PortalAccess]:
    """The records an account has portal access to now, oldest first."""
    return (
        PortalAccess.objects.filter(account=account, ended_at=None)
        .select_related("client")
        .order_by("given_at", "pk")
    )


_held = Prepared(lambda: access_held_by(Slot("account", BigAutoField())))  # type: ignore[arg-type]


def all_access_held_by(account: Account) -> list[PortalAccess]:
    """`access_held_by` for every page of the portal: all of it, in a read that is prepared."""
    return _held(account=account.pk)


def opens(access: PortalAccess) -> Opens:
    """What an access opens."""
    return OPENS[access.relationship]


def get_access_for(account: Account, client_uuid: uuid.UUID) -> PortalAccess:
    """The account's access to one record. Raises Http404."""
    access = access_held_by(account).filter(client__uuid=client_uuid).first()
    if access is None:
        raise Http404("There is no such client.")
    return access


def has_portal_access(account: Account) -> bool:
    """Whether an account opens any record at all."""
    return access_held_by(account).exists()


def is_settled(account: Account) -> bool:
    """Whether its password may never be touched: one was chosen, or it is a colleague's."""
    return account.has_own_password or is_or_was_staff(account)


# Corrections that were asked for


def last_request_of(client: Client) -> DetailsRequest | None:
    """The last correction that was asked for on a record, unless it was withdrawn; or None."""
    rows = DetailsRequest.objects.filter(client=client).select_related("answered_by")
    last = rows.order_by("-created_at", "-pk").first()
    return None if last is None or last.state == RequestState.WITHDRAWN else last


def open_requests_visible_to(actor: StaffMember) -> QuerySet[DetailsRequest]:
    """The corrections that wait for an answer on records the actor may edit, oldest first."""
    rows = DetailsRequest.objects.filter(
        state=RequestState.WAITING, client__in=clients_visible_to(actor)
    )
    return rows.select_related("client", "asked_by").order_by("created_at", "pk")


def get_request_of(client: Client, request_uuid: uuid.UUID) -> DetailsRequest:
    """One correction asked for on a record that has been looked up for the actor. Raises
    Http404."""
    rows = DetailsRequest.objects.filter(client=client, uuid=request_uuid)
    request = rows.select_related("asked_by", "answered_by").first()
    if request is None:
        raise Http404("There is no such request.")
    return request


def therapists_for(client: Client | None) -> QuerySet[StaffMember]:
    """Whom a client can be assigned to: active staff who see clients, and who has them already."""
    if client is None:
        return therapists()
    assigned = client.assignments.values("therapist_id")
    return StaffMember.objects.filter(Q(is_active=True, sees_clients=True) | Q(pk__in=assigned))
