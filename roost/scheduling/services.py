"""What happens to services and appointments: each act whole, with its audit events, or not at all.

No therapist has two sessions at once. Every booking takes the therapist's row as a lock: on
PostgreSQL by SELECT … FOR NO KEY UPDATE; on SQLite the transaction itself is exclusive.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from roost.audit.services import record
from roost.clients.models import Assignment, Client
from roost.clients.queries import clients_visible_to
from roost.core.submissions import once
from roost.core.tenancy import current_practice_id
from roost.core.time import day_bounds, now, say_hour, say_hours
from roost.practices.models import Practice
from roost.scheduling.enums import Attendance, Mode, ServiceType
from roost.scheduling.errors import (
    AttendanceTooEarly,
    BadDuration,
    ChangedMeanwhile,
    ClientArchived,
    DayOutOfRange,
    DuplicateService,
    HasHappened,
    IsCancelled,
    NotAttending,
    NotTheirCalendar,
    NotTheirClient,
    SchedulingError,
    SeesNoClients,
    ServiceArchived,
    SlotTaken,
    TypeInUse,
    UnknownMode,
    WrongNumberOfClients,
)
from roost.scheduling.models import Appointment, Attendee, Service
from roost.scheduling.queries import taken_spans
from roost.scheduling.rules import (
    LONGEST_MINUTES,
    SHORTEST_MINUTES,
    Span,
    attendance_choices,
    is_in_reach,
    nearest_free,
    opening_hours,
    words_on_number,
)
from roost.staff.models import StaffMember

# Appointments


def book_appointment(
    *,
    by: StaffMember,
    key: uuid.UUID,
    therapist: StaffMember,
    clients: Sequence[Client],
    service: Service,
    starts_at: datetime,
    mode: str,
) -> tuple[Appointment, bool]:
    """Book a session from `starts_at` (UTC) on, for as long as the service takes.

    Returns the appointment and whether it is new: a form sent again finds its first result.
    Raises a SchedulingError, whose words can be shown. A client whom the therapist did not care
    for yet becomes one of theirs. Records appointment.booked, once for each client, and
    client.assigned.
    """
    people = list({client.pk: client for client in clients}.values())
    span = (starts_at, starts_at + timedelta(minutes=service.duration_minutes))

    def make() -> Appointment:
        _lock(therapist)
        _check_calendar(by, therapist)
        _check_people(by, people, service)
        _check_service_and_mode(service, mode)
        _check_reach(starts_at)
        _check_free(therapist, span)
        appointment = Appointment.objects.create(
            therapist=therapist,
            service=service,
            mode=mode,
            starts_at=span[0],
            ends_at=span[1],
            booked_by=by,
        )
        for client in people:
            Attendee.objects.create(appointment=appointment, client=client)
            _assign(by, therapist, client)
        _record("appointment.booked", by, appointment, people, therapist=str(therapist.uuid))
        return appointment

    return once(key, "appointment", Appointment, make, by=by.account.uuid, about="")


def move_appointment(
    *,
    by: StaffMember,
    appointment: Appointment,
    starts_at: datetime,
    seen_at: datetime | None = None,
) -> tuple[Appointment, bool]:
    """Move a session to `starts_at` (UTC). Its length, people and mode stay as they are.

    `seen_at` is the start that the actor saw; where somebody else has moved the session since,
    nothing happens and ChangedMeanwhile says where it is now. Returns the session and whether it
    was moved: to where it is changes nothing. Raises a SchedulingError. Records appointment.moved,
    once for each client.
    """
    with transaction.atomic():
        _lock(appointment.therapist)
        fresh = _fresh(appointment)
        _check_calendar(by, fresh.therapist)
        _check_open(fresh)
        if fresh.starts_at == starts_at:
            return fresh, False
        _check_seen(fresh, seen_at, "If your time is the right one, press Move again.")
        _check_reach(starts_at)
        span = (starts_at, starts_at + (fresh.ends_at - fresh.starts_at))
        _check_free(fresh.therapist, span, but=fresh)
        fresh.starts_at, fresh.ends_at = span
        fresh.save(update_fields=["starts_at", "ends_at"])
        Attendee.objects.filter(appointment=fresh).update(starts_at=fresh.starts_at)
        _record("appointment.moved", by, fresh, _people(fresh), fields=["starts_at", "ends_at"])
        return fresh, True


def cancel_appointment(
    *, by: StaffMember, appointment: Appointment, seen_at: datetime | None = None
) -> Appointment:
    """Cancel a session: its time is free again, its people's attendance says cancelled.

    `seen_at` as in `move_appointment`. Cancelling it twice changes nothing. Raises a
    SchedulingError. Records appointment.cancelled, once for each client.
    """
    with transaction.atomic():
        _lock(appointment.therapist)
        fresh = _fresh(appointment)
        _check_calendar(by, fresh.therapist)
        if fresh.is_cancelled:
            return fresh
        _check_open(fresh)
        words = "If it is to be cancelled all the same, press Cancel session again."
        _check_seen(fresh, seen_at, words)
        fresh.cancelled_at = now()
        fresh.save(update_fields=["cancelled_at"])
        Attendee.objects.filter(appointment=fresh).update(attendance=Attendance.CANCELLED)
        _record("appointment.cancelled", by, fresh, _people(fresh))
        return fresh


def mark_attendance(
    *, by: StaffMember, appointment: Appointment, attendance: str | Mapping[uuid.UUID, str]
) -> dict[uuid.UUID, str]:
    """Say whether a session was held: one state for everybody booked for it, or a state for each
    attendee that `attendance` names by its uuid. Who is not named stays as they are.

    One that has begun is attended, no show or late cancel, or scheduled again while nothing is
    decided; one that was cancelled is cancelled or late cancel. Returns what each attendee was
    before, which marked again takes it back. Raises a SchedulingError. Records attendance.marked
    with the state, once for each client whose changes; the same mark twice changes nothing.
    """
    with transaction.atomic():
        _lock(appointment.therapist)
        fresh = _fresh(appointment)
        _check_calendar(by, fresh.therapist)
        attendees = list(Attendee.objects.filter(appointment=fresh).select_related("client"))
        before = {attendee.uuid: attendee.attendance for attendee in attendees}
        marks = dict.fromkeys(before, attendance) if isinstance(attendance, str) else attendance
        choices = attendance_choices(fresh.is_cancelled, fresh.starts_at <= now())
        if not marks or any(mark not in choices for mark in marks.values()):
            raise AttendanceTooEarly if not fresh.is_cancelled else IsCancelled
        if not set(marks) <= set(before):
            raise NotAttending
        for attendee in attendees:
            mark = marks.get(attendee.uuid, attendee.attendance)
            if mark != attendee.attendance:
                attendee.attendance = mark
                attendee.save(update_fields=["attendance"])
                _record("attendance.marked", by, fresh, [attendee.client], attendance=mark)
        return before


def _lock(therapist: StaffMember) -> None:
    # NO KEY: a booking by a colleague only points to this row, and need not wait.
    StaffMember.objects.select_for_update(no_key=True).get(pk=therapist.pk)


def _fresh(appointment: Appointment) -> Appointment:
    return Appointment.objects.select_related("therapist", "service").get(pk=appointment.pk)


def _people(appointment: Appointment) -> list[Client]:
    return list(Client.objects.filter(attendances__appointment=appointment))


def _record(
    action: str, by: StaffMember, appointment: Appointment, people: list[Client], **details: object
) -> None:
    for client in people:
        record(action, by=by.account, subject=appointment, client_uuid=client.uuid, **details)


def _assign(by: StaffMember, therapist: StaffMember, client: Client) -> None:
    if Assignment.objects.get_or_create(client=client, therapist=therapist)[1]:
        record(
            "client.assigned",
            by=by.account,
            subject=client,
            client_uuid=client.uuid,
            therapist=str(therapist.uuid),
        )


def _check_calendar(by: StaffMember, therapist: StaffMember) -> None:
    if not by.runs_practice and by.pk != therapist.pk:
        raise NotTheirCalendar


def _check_people(by: StaffMember, people: list[Client], service: Service) -> None:
    if words := words_on_number(service.type, len(people)):
        raise WrongNumberOfClients(words)
    keys = [client.pk for client in people]
    mine = {client.pk: client for client in clients_visible_to(by).filter(pk__in=keys)}
    for key in keys:
        if key not in mine:
            raise NotTheirClient
        if mine[key].archived_at is not None:
            raise ClientArchived(mine[key].name)


def _check_service_and_mode(service: Service, mode: str) -> None:
    if not Service.objects.filter(pk=service.pk, is_active=True).exists():
        raise ServiceArchived
    if mode not in Mode.values:
        raise UnknownMode


def _check_reach(starts_at: datetime) -> None:
    tz = _zone()
    if not is_in_reach(starts_at.astimezone(tz).date(), now().astimezone(tz).date()):
        raise DayOutOfRange


def _check_open(appointment: Appointment) -> None:
    if appointment.is_cancelled:
        raise IsCancelled
    taken = Attendee.objects.filter(appointment=appointment)
    if taken.exclude(attendance=Attendance.SCHEDULED).exists():
        raise HasHappened


def _check_seen(appointment: Appointment, seen_at: datetime | None, then: str) -> None:
    if seen_at is None or appointment.starts_at == seen_at:
        return
    tz = _zone()
    local = appointment.starts_at.astimezone(tz)
    raise ChangedMeanwhile(
        f"Somebody else has moved this session to {local:%A} {local.day} {local:%B}, "
        f"{say_hours(appointment.starts_at, appointment.ends_at, tz)}. {then}"
    )


def _check_free(therapist: StaffMember, span: Span, but: Appointment | None = None) -> None:
    if not (therapist.is_active and therapist.sees_clients):
        raise SeesNoClients(therapist.display_name)
    rows = Appointment.objects.filter(
        therapist=therapist, cancelled_at=None, starts_at__lt=span[1], ends_at__gt=span[0]
    )
    if but is not None:
        rows = rows.exclude(pk=but.pk)
    first = rows.order_by("starts_at").first()
    if first is not None:
        raise _slot_taken(therapist, span, first, but)


def _slot_taken(
    therapist: StaffMember, span: Span, other: Appointment, but: Appointment | None
) -> SlotTaken:
    tz = _zone()
    day = span[0].astimezone(tz).date()
    taken = taken_spans(therapist, day_bounds(day, tz))
    if but is not None and (but.starts_at, but.ends_at) in taken:
        taken.remove((but.starts_at, but.ends_at))
    before, after = nearest_free(span, taken, opening_hours(day, tz))
    words = (
        f"{therapist.display_name} has another session "
        f"{_from_to(other.starts_at, other.ends_at, tz)}. "
    )
    minutes = round((span[1] - span[0]).total_seconds() / 60)
    starts = [say_hour(moment, tz) for moment in (before, after) if moment is not None]
    if starts:
        words += f"Nearest free {'start' if len(starts) == 1 else 'starts'} for {minutes} minutes: "
        words += f"{' or '.join(starts)}."
    else:
        words += f"That day has no free {minutes} minutes left. Choose another day."
    return SlotTaken(words, before=before, after=after)


def _from_to(start: datetime, end: datetime, tz: ZoneInfo) -> str:
    return f"from {say_hour(start, tz)} to {say_hour(end, tz)}"


def _zone() -> ZoneInfo:
    return Practice.objects.get(pk=current_practice_id()).zone


# Services


def add_service(
    *,
    by: StaffMember,
    key: uuid.UUID,
    name: str,
    type: str,
    duration_minutes: int,
    fee: Decimal | None = None,
    billing_code: str = "",
) -> tuple[Service, bool]:
    """Offer a new service. Owners and admins only; the page has checked it.

    `fee` is in the practice's currency, None while it is not known. Returns the service and
    whether it is new. Raises DuplicateService, BadDuration. Records service.added.
    """

    def make() -> Service:
        _check_service(name, type, duration_minutes)
        service = Service.objects.create(
            name=name,
            type=type,
            duration_minutes=duration_minutes,
            fee=fee,
            billing_code=billing_code,
        )
        record("service.added", by=by.account, subject=service)
        return service

    try:
        return once(key, "service", Service, make, by=by.account.uuid, about="")
    except IntegrityError:
        raise DuplicateService(f"{name}, {duration_minutes} min") from None


def edit_service(
    *,
    by: StaffMember,
    service: Service,
    name: str,
    type: str,
    duration_minutes: int,
    fee: Decimal | None = None,
    billing_code: str = "",
) -> list[str]:
    """Change a service. Sessions already booked keep their length, and what was paid for its fee.

    Returns the names of the fields that changed. Raises DuplicateService, BadDuration, TypeInUse.
    Records service.changed if anything did.
    """
    wanted: dict[str, Any] = {
        "name": name,
        "type": type,
        "duration_minutes": duration_minutes,
        "fee": fee,
        "billing_code": billing_code,
    }
    try:
        with transaction.atomic():
            changes = [field for field, value in wanted.items() if getattr(service, field) != value]
            if not changes:
                return []
            _check_service(name, type, duration_minutes, but=service)
            _check_type(service, type)
            for field in changes:
                setattr(service, field, wanted[field])
            service.save(update_fields=changes)
            record("service.changed", by=by.account, subject=service, fields=changes)
            return changes
    except IntegrityError:
        raise DuplicateService(f"{name}, {duration_minutes} min") from None


def archive_service(*, by: StaffMember, service: Service) -> None:
    """Stop offering a service; what is booked stays booked. Records service.archived."""
    with transaction.atomic():
        if Service.objects.filter(pk=service.pk, is_active=True).update(is_active=False):
            record("service.archived", by=by.account, subject=service)


def restore_service(*, by: StaffMember, service: Service) -> None:
    """Offer an archived service again. Raises DuplicateService. Records service.restored."""
    try:
        with transaction.atomic():
            if Service.objects.filter(pk=service.pk, is_active=False).update(is_active=True):
                record("service.restored", by=by.account, subject=service)
    except IntegrityError:
        raise DuplicateService(service.label) from None


def _check_type(service: Service, wanted: str) -> None:
    changes = (service.type == ServiceType.GROUP) != (wanted == ServiceType.GROUP)
    if changes and Appointment.objects.filter(service=service).exists():
        raise TypeInUse


def _check_service(name: str, type: str, minutes: int, but: Service | None = None) -> None:
    if not SHORTEST_MINUTES <= minutes <= LONGEST_MINUTES:
        raise BadDuration
    if type not in ServiceType.values:
        raise SchedulingError("Choose what kind of service it is.")
    twins = Service.objects.filter(is_active=True, name__iexact=name, duration_minutes=minutes)
    if but is not None:
        twins = twins.exclude(pk=but.pk)
    if (but is None or but.is_active) and twins.exists():
        raise DuplicateService(f"{name}, {minutes} min")
