"""Reads of services and appointments: whose calendar who may see, and what portal access opens."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import BigAutoField, Exists, OuterRef, QuerySet
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


def _is_attended_by(client_id: int) -> Exists:
    return Exists(Attendee.objects.filter(appointment=OuterRef("pk"), client=client_id))


# The portal


# What the portal shows of a session; more would only be carried about.
SHOWN = [
    "uuid", "practice_id", "client_id", "attendance",
    "appointment__uuid", "appointment__practice_id", "appointment__mode",
    "appointment__starts_at", "appointment__ends_at", "appointment__cancelled_at",
    "appointment__therapist__display_name", "appointment__therapist__title",
    "appointment__service__name",
]  # fmt: skip
NEWEST_FIRST = ("-starts_at", "-appointment_id")
# Six, and one more to tell that there are more.
ON_MY_ACCOUNT = 7


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


_newest_of = Prepared(
    lambda: _shown(Attendee.objects.filter(client=Slot("client", BigAutoField()))).order_by(
        *NEWEST_FIRST
    )[:ON_MY_ACCOUNT]
)


def my_account_sessions(
    access: PortalAccess, *, moment: datetime, grace: timedelta
) -> tuple[Attendee | None, list[Attendee]]:
    """What My Account shows: the attendance put first, and the newest ones, up to ON_MY_ACCOUNT.

    One query where the next session is among the newest, as it nearly always is; else two.
    """
    if OPENS[access.relationship].sessions == "all" and access.ended_at is None:
        newest = _newest_of(client=access.client_id)
    else:
        newest = list(history_for_access(access)[:ON_MY_ACCOUNT])
    if len(newest) < ON_MY_ACCOUNT or newest[-1].appointment.ends_at <= moment - grace:
        coming = [
            row
            for row in reversed(newest)
            if not row.appointment.is_cancelled and row.appointment.ends_at > moment - grace
        ]
        return _first_of(coming, moment, grace), newest
    return next_for_access(access, moment=moment, grace=grace), newest


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
