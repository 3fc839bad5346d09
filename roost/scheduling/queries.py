"""Reads of services and appointments: whose calendar who may see, and what portal access opens."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import BigAutoField, DateTimeField, Exists, Min, OuterRef, QuerySet
from django.http import Http404

from roost.clients.enums import Relationship
from roost.clients.models import Client, PortalAccess
from roost.clients.queries import clients_visible_to
from roost.clients.rules import OPENS
from roost.core.prepared import Prepared, Slot
from roost.core.time import day_bounds, now
from roost.scheduling.models import Appointment, Attendee, Service
from roost.scheduling.rules import LONGEST_MINUTES, Span
from roost.staff.models import StaffMember
from roost.staff.queries import therapists

# Services


def active_services() -> QuerySet[Service]:
    """What can be booked now."""
    return Service.objects.filter(is_active=True)


def all_services() -> QuerySet[Service]:
    """Every service, those on offer first."""
    return Service.objects.order_by("-is_active", "name", "duration_minutes", "pk")


def get_service_for(actor: StaffMember, service_uuid: uuid.UUID) -> Service:
    """A service that the actor may edit: owners and admins any. Raises Http404."""
    service = Service.objects.filter(uuid=service_uuid).first()
    if service is None or not actor.runs_practice:
        raise Http404("There is no such service.")
    return service


# Calendars


def with_people(rows: QuerySet[Appointment]) -> QuerySet[Appointment]:
    """The same appointments with therapist, supervisor, service and clients, in two queries however
    many."""
    return rows.select_related("therapist__supervisor", "service").prefetch_related(
        "attendees__client"
    )


def calendars_visible_to(actor: StaffMember) -> QuerySet[StaffMember]:
    """Whose days the actor may look at and book in: everybody's, or one's own."""
    rows = therapists()
    return rows if actor.runs_practice else rows.filter(pk=actor.pk)


def get_therapist_for(actor: StaffMember, staff_uuid: uuid.UUID) -> StaffMember:
    """A therapist whose calendar the actor may see, also of one who has left. Raises Http404."""
    rows = StaffMember.objects.filter(uuid=staff_uuid)
    therapist = (rows if actor.runs_practice else rows.filter(pk=actor.pk)).first()
    if therapist is None:
        raise Http404("There is no such therapist.")
    return therapist


def appointments_visible_to(actor: StaffMember) -> QuerySet[Appointment]:
    """All appointments for owners and admins; for a therapist those in their own calendar."""
    rows = Appointment.objects.all()
    return rows if actor.runs_practice else rows.filter(therapist=actor)


def get_appointment_for(actor: StaffMember, appointment_uuid: uuid.UUID) -> Appointment:
    """An appointment that the actor may see, move and cancel. Raises Http404 for any other."""
    rows = with_people(appointments_visible_to(actor)).select_related("booked_by")
    appointment = rows.filter(uuid=appointment_uuid).first()
    if appointment is None:
        raise Http404("There is no such session.")
    return appointment


def _between(
    actor: StaffMember, span: Span, therapist: StaffMember | None
) -> QuerySet[Appointment]:
    rows = appointments_visible_to(actor).filter(starts_at__gte=span[0], starts_at__lt=span[1])
    return with_people(rows if therapist is None else rows.filter(therapist=therapist))


def appointments_on(
    actor: StaffMember, day: date, tz: ZoneInfo, therapist: StaffMember | None = None
) -> QuerySet[Appointment]:
    """What starts on `day` in the zone `tz`, cancelled ones too, earliest first.

    Of one therapist, or of everybody the actor may see.
    """
    return _between(actor, day_bounds(day, tz), therapist)


def appointments_in_week(
    actor: StaffMember, monday: date, tz: ZoneInfo, therapist: StaffMember | None = None
) -> QuerySet[Appointment]:
    """What starts in the seven days from `monday` on. As `appointments_on`."""
    return _between(actor, day_bounds(monday, tz, days=7), therapist)


def taken_spans(therapist: StaffMember, span: Span) -> list[Span]:
    """When the therapist is booked within `span` (UTC), earliest first, cancelled ones left out."""
    rows = Appointment.objects.filter(
        therapist=therapist, cancelled_at=None, starts_at__lt=span[1], ends_at__gt=span[0]
    )
    return list(rows.values_list("starts_at", "ends_at"))


def with_portal_access(client_ids: Iterable[int]) -> set[int]:
    """Which of these clients (by primary key) somebody can join video sessions for."""
    rows = PortalAccess.objects.filter(
        client_id__in=set(client_ids),
        ended_at=None,
        relationship__in=[name for name, opens in OPENS.items() if opens.join],
    )
    return set(rows.values_list("client_id", flat=True))


# Clients


def get_clients_for(actor: StaffMember, client_uuids: Sequence[uuid.UUID]) -> list[Client]:
    """The actor's clients of these ids, in this order. Raises Http404 if one is not theirs."""
    rows = clients_visible_to(actor).filter(uuid__in=client_uuids)
    found = {client.uuid: client for client in rows}
    if any(client_uuid not in found for client_uuid in client_uuids):
        raise Http404("There is no such client.")
    return [found[client_uuid] for client_uuid in dict.fromkeys(client_uuids)]


def appointments_of_client(client: Client) -> QuerySet[Appointment]:
    """Every appointment of a client, past and future, cancelled ones too, newest first.

    The caller has looked the client up with `get_client_for`.
    """
    rows = Appointment.objects.filter(_is_attended_by(client.pk))
    return with_people(rows).order_by("-starts_at", "-pk")


def next_appointment_of_client(
    client: Client, moment: datetime | None = None
) -> Appointment | None:
    """The client's next appointment that is neither cancelled nor over, or None."""
    rows = Appointment.objects.filter(
        _is_attended_by(client.pk), cancelled_at=None, ends_at__gt=moment or now()
    )
    return with_people(rows).order_by("starts_at", "pk").first()


def coming_along(mine: Attendee, held: Iterable[PortalAccess]) -> list[Client]:
    """Who else comes to a session of those whose attendance the same account sees, `held` being its
    accesses, by the rule of `attendances_open_to`. Nobody else is named: a partner with a log-in of
    their own is not, nor the other parent at a child's session that oneself has no part in."""
    seen = [access for access in held if OPENS[access.relationship].sessions != "none"]
    if not {access.client_id for access in seen} - {mine.client_id}:
        return []
    rows = Attendee.objects.filter(
        appointment=mine.appointment_id, client__in=[access.client_id for access in seen]
    )
    come = {row.client_id: row.client for row in rows.select_related("client").order_by("pk")}
    oneself = {a.client_id for a in seen if a.relationship == Relationship.SELF} & come.keys()
    named = {
        access.client_id
        for access in seen
        if OPENS[access.relationship].sessions == "all" or oneself - {access.client_id}
    }
    return [client for pk, client in come.items() if pk in named - {mine.client_id}]


def next_starts_of(
    actor: StaffMember, clients: Iterable[Client], *, but: Appointment | None, moment: datetime
) -> dict[int, datetime]:
    """When each client (by primary key) begins their next session that the actor may see and that
    is not `but`; who has none is left out. One query."""
    rows = Attendee.objects.filter(
        client__in=clients,
        starts_at__gt=moment,
        appointment__cancelled_at=None,
        appointment__in=appointments_visible_to(actor),
    )
    if but is not None:
        rows = rows.exclude(appointment=but)
    return dict(
        rows.order_by()
        .values("client")
        .annotate(Min("starts_at"))
        .values_list("client", "starts_at__min")
    )


def _is_attended_by(client_id: int) -> Exists:
    return Exists(Attendee.objects.filter(appointment=OuterRef("pk"), client=client_id))


# The portal


# What the portal shows of a session; more would only be carried about.
SHOWN = [
    "uuid", "practice_id", "client_id", "attendance",
    "appointment__uuid", "appointment__practice_id", "appointment__mode",
    "appointment__starts_at", "appointment__ends_at", "appointment__cancelled_at",
    "appointment__therapist__display_name", "appointment__therapist__title",
    "appointment__service__name", "appointment__service__type",
]  # fmt: skip
NEWEST_FIRST = ("-starts_at", "-appointment_id")
# How many rows the short list of My Account has, and how many of them are to come where as many
# were.
ON_MY_ACCOUNT = 6
COMING_ON_MY_ACCOUNT = 3


def attendances_open_to(access: PortalAccess) -> QuerySet[Attendee]:
    """What one portal access opens, as `clients.rules.OPENS` says: the client's own attendances,
    each with its appointment, therapist and service, in one query however many.

    "shared" opens those at which both are attendees: the client of this access, and a client that
    the same account is itself. Nobody else's name or attendance comes along.
    """
    extent = OPENS[access.relationship].sessions
    if access.ended_at is not None or extent == "none":
        return Attendee.objects.none()
    rows = Attendee.objects.filter(client=access.client_id)
    if extent == "shared":
        oneself = (
            PortalAccess.objects.filter(
                account=access.account_id, relationship=Relationship.SELF, ended_at=None
            )
            .exclude(client=access.client_id)
            .values("client")
        )
        together = Attendee.objects.filter(
            appointment=OuterRef("appointment"), client__in=oneself
        ).order_by()
        rows = rows.filter(Exists(together))
    return _shown(rows)


def is_open_to(access: PortalAccess, attendee: Attendee) -> bool:
    """Whether one attendance is among those that an access opens (`attendances_open_to`)."""
    if access.client_id != attendee.client_id:
        return False
    if OPENS[access.relationship].sessions == "all" and access.ended_at is None:
        return True
    return attendances_open_to(access).filter(pk=attendee.pk).exists()


def _shown(rows: QuerySet[Attendee]) -> QuerySet[Attendee]:
    return rows.select_related("appointment__therapist", "appointment__service").only(*SHOWN)


def upcoming_for_access(
    access: PortalAccess, *, moment: datetime | None = None, grace: timedelta = timedelta()
) -> QuerySet[Attendee]:
    """What is still to come or going on, earliest first.

    `grace` is how long after its end a session still counts: the join window's minutes after.
    """
    since = (moment or now()) - grace
    rows = attendances_open_to(access).filter(
        # What began longer ago than any session lasts is over: the index begins there.
        starts_at__gt=since - timedelta(minutes=LONGEST_MINUTES),
        appointment__cancelled_at=None,
        appointment__ends_at__gt=since,
    )
    return rows.order_by("starts_at", "appointment_id")


def next_for_access(
    access: PortalAccess, *, moment: datetime | None = None, grace: timedelta = timedelta()
) -> Attendee | None:
    """The attendance that My Account puts first, or None. `grace` as in `upcoming_for_access`."""
    moment = moment or now()
    return _first_of(
        list(upcoming_for_access(access, moment=moment, grace=grace)[:6]), moment, grace
    )


def _coming_of(rows: QuerySet[Attendee], since: Any, begun: Any) -> QuerySet[Attendee]:
    """What is not over at `since`, cancelled ones too, earliest first. `begun` is when a session
    that is not over began at the earliest: there the index begins."""
    coming = rows.filter(starts_at__gt=begun, appointment__ends_at__gt=since)
    return coming.order_by("starts_at", "appointment_id")[:ON_MY_ACCOUNT]


def _past_of(rows: QuerySet[Attendee], moment: Any) -> QuerySet[Attendee]:
    past = rows.filter(starts_at__lte=moment, appointment__ends_at__lte=moment)
    return past.order_by(*NEWEST_FIRST)[: ON_MY_ACCOUNT - COMING_ON_MY_ACCOUNT]


def _all_of_one() -> QuerySet[Attendee]:
    return _shown(Attendee.objects.filter(client=Slot("client", BigAutoField())))


_newest_of_one = Prepared(lambda: _all_of_one().order_by(*NEWEST_FIRST)[: ON_MY_ACCOUNT + 1])
_coming_of_one = Prepared(
    lambda: _coming_of(
        _all_of_one(), Slot("since", DateTimeField()), Slot("begun", DateTimeField())
    )
)
_past_of_one = Prepared(lambda: _past_of(_all_of_one(), Slot("moment", DateTimeField())))


def my_account_sessions(
    access: PortalAccess, *, moment: datetime, grace: timedelta
) -> tuple[Attendee | None, list[Attendee], bool]:
    """What My Account shows: the attendance put first; those to come, the next one first, and then
    those that were, the last one first, up to ON_MY_ACCOUNT; and whether there are more.

    One query where all that is to come is among the newest; else three, each of a few rows.
    """
    is_whole = OPENS[access.relationship].sessions == "all" and access.ended_at is None
    # Its SQL stands already; any other's is written for the access.
    rows = None if is_whole else attendances_open_to(access)
    one, since = access.client_id, moment - grace
    if rows is None:
        newest = _newest_of_one(client=one)
    else:
        newest = list(rows.order_by(*NEWEST_FIRST)[: ON_MY_ACCOUNT + 1])
    if len(newest) <= ON_MY_ACCOUNT or newest[-1].appointment.ends_at <= since:
        live = [row for row in reversed(newest) if row.appointment.ends_at > since]
        past = [row for row in newest if row.appointment.ends_at <= moment]
    else:
        begun = since - timedelta(minutes=LONGEST_MINUTES)
        if rows is None:
            live = _coming_of_one(client=one, since=since, begun=begun)
            past = _past_of_one(client=one, moment=moment)
        else:
            live, past = list(_coming_of(rows, since, begun)), list(_past_of(rows, moment))
    first = _first_of([row for row in live if not row.appointment.is_cancelled], moment, grace)
    if first is None and len(live) == ON_MY_ACCOUNT:
        # As many as were read are cancelled.
        first = next_for_access(access, moment=moment, grace=grace)
    coming = [row for row in live if row.appointment.ends_at > moment]
    coming = coming[: max(COMING_ON_MY_ACCOUNT, ON_MY_ACCOUNT - len(past))]
    return first, (coming + past)[:ON_MY_ACCOUNT], len(newest) > ON_MY_ACCOUNT


def _first_of(rows: list[Attendee], moment: datetime, grace: timedelta) -> Attendee | None:
    """Of rows in order of time: the one going on or to come; but one that is over and still within
    `grace` goes before one that does not begin within the same time."""
    live = [row for row in rows if row.appointment.ends_at > moment]
    over = [row for row in rows if row.appointment.ends_at <= moment]
    if not live or (over and live[0].appointment.starts_at > moment + grace):
        return over[-1] if over else None
    return live[0]


def history_for_access(access: PortalAccess, *, year: int | None = None) -> QuerySet[Attendee]:
    """Everything an access opens, past and future, cancelled ones too, newest first.

    `year` is a calendar year in the zone that is active.
    """
    rows = attendances_open_to(access)
    if year is not None:
        in_year = rows.filter(starts_at__year=year)
        rows = in_year if 1900 <= year <= 2200 else rows.none()
    return rows.order_by(*NEWEST_FIRST)
