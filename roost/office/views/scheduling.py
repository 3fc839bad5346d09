"""Sessions: the day, the week, and booking, moving and cancelling."""

import uuid
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from roost.accounts.doors import door_path
from roost.audit.services import record_read
from roost.billing.owed import bills_of, is_shared_out
from roost.billing.queries import receipts_of_appointment
from roost.billing.rules import say_rate
from roost.clients.models import Client
from roost.clients.queries import clients_visible_to, search_clients
from roost.core.pages import page
from roost.core.time import day_bounds, now, say_day, say_hour, say_hours, say_relative_day
from roost.office.diary import Reader
from roost.office.views.corrections import waiting_corrections
from roost.scheduling.enums import Attendance, Mode
from roost.scheduling.errors import (
    ChangedMeanwhile,
    HasHappened,
    IsCancelled,
    SchedulingError,
)
from roost.scheduling.forms import BookingForm, CancelForm, MoveForm
from roost.scheduling.models import Appointment, Attendee
from roost.scheduling.queries import (
    appointments_in_week,
    appointments_on,
    calendars_visible_to,
    get_appointment_for,
    get_clients_for,
    get_therapist_for,
    taken_spans,
)
from roost.scheduling.rules import (
    MOST_TOGETHER,
    attendance_choices,
    week_of,
)
from roost.scheduling.services import book_appointment, cancel_appointment, move_appointment
from roost.staff.http import OfficeRequest
from roost.staff.models import StaffMember
from roost.staff.permissions import Who, open_to
from roost.video.services import close_room_of

FOUND_AT_MOST = 12


def _today(request: OfficeRequest) -> date:
    return now().astimezone(request.practice.zone).date()


def _read_day(text: str, otherwise: date) -> date:
    """The day a link names. Raises Http404 for one that is in nobody's calendar."""
    if not text:
        return otherwise
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Http404("There is no such day.") from None
    if not 1900 <= day.year <= 2200:
        raise Http404("There is no such day.")
    return day


def _read_id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Http404("There is no such thing.") from None


def _read_whose(request: OfficeRequest) -> StaffMember | None:
    """Whose calendar is asked for, or None for everybody's. Raises Http404.

    Without a word it is the reader's own, or everybody's for who sees no clients.
    """
    text, staff = request.GET.get("whose", ""), request.staff
    if text == "everyone" and staff.runs_practice:
        return None
    if text:
        return get_therapist_for(staff, _read_id(text))
    return staff if staff.sees_clients or not staff.runs_practice else None


def _whose_choices(request: OfficeRequest, whose: StaffMember | None) -> list[StaffMember]:
    """Whom the reader can choose between: nobody, when there is but one calendar to see."""
    if not request.staff.runs_practice:
        return []
    people = list(calendars_visible_to(request.staff))
    return people if whose is None or whose in people else [whose, *people]


def _query(day: date | None, whose: StaffMember | None, request: OfficeRequest) -> str:
    values = {"day": day.isoformat()} if day else {}
    if request.staff.runs_practice:
        values["whose"] = str(whose.uuid) if whose else "everyone"
    return urlencode(values)


def _record_schedule(request: OfficeRequest, reader: Reader) -> None:
    if uuids := reader.client_uuids:
        record_read("schedule.viewed", by=request.account, client_uuids=uuids)


@open_to(Who.STAFF)
def home(request: OfficeRequest) -> HttpResponse:
    """The office begins with today."""
    return redirect(door_path(request, "today"))


@open_to(Who.STAFF)
def today(request: OfficeRequest) -> HttpResponse:
    """One day: its sessions, the free time between, and who is waiting."""
    this_day = _today(request)
    day, whose = _read_day(request.GET.get("day", ""), this_day), _read_whose(request)
    rows = appointments_on(request.staff, day, request.practice.zone, whose)
    reader = Reader(request.staff, request.practice, now(), rows)
    _record_schedule(request, reader)
    before, after = day - timedelta(days=1), day + timedelta(days=1)
    near = say_relative_day(day, this_day)
    waiting, more = waiting_corrections(request) if day == this_day else ([], 0)
    context = {
        "day": day,
        "is_today": day == this_day,
        "corrections": waiting,
        "more_corrections": more,
        "heading": say_day(day, this_day),
        "lines": reader.day(day, with_free=whose is not None),
        "tally": reader.tally(with_free=whose is not None),
        "tally_heading": near,
        "is_past": day < this_day,
        "when": near.lower() if near in ("Today", "Tomorrow", "Yesterday") else f"on {near}",
        "whose": whose,
        "whose_choices": _whose_choices(request, whose),
        "before": (say_day(before, this_day), _query(before, whose, request)),
        "after": (say_day(after, this_day), _query(after, whose, request)),
        "this": _query(None, whose, request),
        "book": urlencode({"day": day.isoformat(), "therapist": whose.uuid if whose else ""}),
    }
    return page(request, "office/scheduling/today.html", context)


@open_to(Who.STAFF)
def sessions(request: OfficeRequest) -> HttpResponse:
    """One week, day by day."""
    this_day = _today(request)
    monday = week_of(_read_day(request.GET.get("day", ""), this_day))
    whose = _read_whose(request)
    rows = appointments_in_week(request.staff, monday, request.practice.zone, whose)
    reader = Reader(request.staff, request.practice, now(), rows)
    _record_schedule(request, reader)
    by_day: dict[date, list[Any]] = {monday + timedelta(days=n): [] for n in range(7)}
    for appointment in reader.appointments:
        local = appointment.starts_at.astimezone(request.practice.zone).date()
        by_day[local].append(reader.row(appointment))
    week = timedelta(days=7)
    context = {
        "monday": monday,
        "heading": f"Week of {monday.day} {monday:%B}"
        + (f" {monday.year}" if monday.year != this_day.year else ""),
        "days": [
            {
                "day": day,
                "name": f"{day:%A}",
                "date": f"{day.day} {day:%B}",
                "is_today": day == this_day,
                "rows": found,
                "query": _query(day, whose, request),
            }
            for day, found in by_day.items()
        ],
        "is_empty": not reader.appointments,
        "whose": whose,
        "whose_choices": _whose_choices(request, whose),
        "before": _query(monday - week, whose, request),
        "after": _query(monday + week, whose, request),
        "this": _query(None, whose, request),
    }
    return page(request, "office/scheduling/sessions.html", context)


# Booking


def _chosen(request: OfficeRequest, values: list[str]) -> list[Client]:
    """The clients whose ids stand in the form or the link, malformed ids left out.

    Raises Http404 for a client that is not the actor's.
    """
    ids = []
    for value in values[: MOST_TOGETHER * 2]:
        try:
            ids.append(uuid.UUID(value))
        except ValueError:
            if request.method != "POST":
                raise Http404("There is no such client.") from None
    return get_clients_for(request.staff, ids) if ids else []


def _people(request: OfficeRequest, chosen: list[Client], text: str) -> dict[str, Any]:
    """Who is chosen and who is found, and one audit row that names them all."""
    found: list[Client] = []
    more = False
    if text.strip():
        keys = [client.pk for client in chosen]
        rows = search_clients(request.staff, text).exclude(pk__in=keys)
        found = list(rows[: FOUND_AT_MOST + 1])
        more, found = len(found) > FOUND_AT_MOST, found[:FOUND_AT_MOST]
    if shown := [*chosen, *found]:
        record_read(
            "clients.searched", by=request.account, client_uuids=[client.uuid for client in shown]
        )
    return {"chosen": chosen, "found": found, "more": more, "text": text, "searched": bool(text)}


def _their_day(
    request: OfficeRequest,
    therapist: StaffMember | None,
    day: date | None,
    but: Appointment | None = None,
) -> Any:
    """When a therapist is booked on a day, without anybody's name; None until both are known.

    `but` is the appointment that is being moved.
    """
    if therapist is None or day is None:
        return None
    tz = request.practice.zone
    spans = taken_spans(therapist, day_bounds(day, tz))
    return {
        "heading": say_day(day, _today(request)),
        "therapist": therapist,
        "taken": [
            say_hours(start, end, tz)
            for start, end in spans
            if but is None or (start, end) != (but.starts_at, but.ends_at)
        ],
    }


def _first_values(request: OfficeRequest, chosen: list[Client]) -> dict[str, Any]:
    """What the booking form begins with: what the link says, and who cares for the client."""
    asked = request.GET
    values = {name: asked[name] for name in ("service", "mode", "hour") if asked.get(name)}
    if asked.get("day"):
        values["day"] = _read_day(asked["day"], _today(request)).isoformat()
    if asked.get("therapist"):
        values["therapist"] = asked["therapist"]
    elif len(chosen) == 1:
        carers = chosen[0].therapists.filter(is_active=True, sees_clients=True)
        values["therapist"] = next(
            (str(t.uuid) for t in sorted(carers, key=lambda t: t.pk != request.staff.pk)), ""
        )
    if not values.get("therapist") and request.staff.sees_clients:
        values["therapist"] = str(request.staff.uuid)
    if values.get("mode") not in Mode.values:
        values.pop("mode", None)
    return values


@open_to(Who.STAFF, methods=("GET", "POST"))
def book(request: OfficeRequest) -> HttpResponse:
    """Book a session. The search for people is a step of the same form, and keeps what was typed;
    with htmx the list of people, and the day beside the form, come by themselves."""
    posted = request.method == "POST"
    sent = request.POST if posted else request.GET
    chosen = _chosen(request, sent.getlist("clients") or request.GET.getlist("client"))
    text = sent.get("q", "")[:100].replace("\x00", "")
    if not posted and request.htmx.target == "people":
        return render(request, "office/scheduling/people.html", _people(request, chosen, text))
    tz = request.practice.zone
    # Enter in the search field, without a script, presses a button that has no name.
    searches = sent.get("do") == "find" or (sent.get("do") != "book" and text.strip())
    if posted and not searches:
        form = BookingForm(request.staff, request.POST, tz=tz)
        if (answer := _book(request, form, chosen)) is not None:
            return answer
    elif posted:
        kept = {name: sent.get(name) for name in BookingForm.field_order if sent.get(name)}
        form = BookingForm(request.staff, initial=kept, tz=tz)
    else:
        form = BookingForm(request.staff, initial=_first_values(request, chosen), tz=tz)
    beside = _their_day(request, form.chosen_therapist, form.chosen_day)
    if not posted and request.htmx.target == "their-day":
        return render(request, "office/scheduling/their_day.html", {"beside": beside})
    context = {
        "form": form,
        "beside": beside,
        "has_clients": clients_visible_to(request.staff).filter(archived_at=None).exists(),
        **_people(request, chosen, text),
    }
    return page(request, "office/scheduling/book.html", context)


def _book(request: OfficeRequest, form: BookingForm, chosen: list[Client]) -> HttpResponse | None:
    """The answer to a booking that went through, or None when the form has more to say."""
    if not form.is_valid():
        return None
    values = form.cleaned_data
    therapist = form.therapists[values["therapist"]]
    try:
        appointment, new = book_appointment(
            by=request.staff,
            key=values["form_key"],
            therapist=therapist,
            clients=chosen,
            service=form.services[values["service"]],
            starts_at=values["starts_at"],
            mode=values["mode"],
        )
    except SchedulingError as error:
        form.refuse(error)
        return None
    if new:
        names = ", ".join(client.name for client in chosen)
        messages.success(request, f"{names}: booked for {_says_when(request, appointment)}.")
    else:
        messages.info(
            request,
            "This form was sent before, and nothing is booked twice. "
            f"The session stands on {_says_when(request, appointment)}.",
        )
    return redirect(_day_of(request, appointment))


def _says_when(request: OfficeRequest, appointment: Appointment) -> str:
    tz = request.practice.zone
    day = appointment.starts_at.astimezone(tz).date()
    hours = say_hours(appointment.starts_at, appointment.ends_at, tz, zone_name=True)
    return f"{say_day(day, _today(request))}, {hours}, with {appointment.therapist.display_name}"


def _day_of(request: OfficeRequest, appointment: Appointment) -> str:
    """The day view that shows an appointment."""
    day = appointment.starts_at.astimezone(request.practice.zone).date()
    return f"{door_path(request, 'today')}?{_query(day, appointment.therapist, request)}"


# One session


def _show(request: OfficeRequest, appointment: Appointment) -> dict[str, Any]:
    """What every page about one session says, after an audit row that names its people."""
    tz, this_day = request.practice.zone, _today(request)
    reader = Reader(request.staff, request.practice, now(), [appointment])
    record_read("appointment.viewed", by=request.account, client_uuids=reader.client_uuids)
    day = appointment.starts_at.astimezone(tz).date()
    row = reader.row(appointment)
    attendees = list(appointment.attendees.all())
    return {
        "appointment": appointment,
        "row": row,
        "day": day,
        "heading": say_day(day, this_day),
        "hours": say_hours(appointment.starts_at, appointment.ends_at, tz, zone_name=True),
        "day_link": _day_of(request, appointment),
        "booked_on": say_day(appointment.booked_at.astimezone(tz).date(), this_day),
        "can_change": not appointment.is_cancelled
        and all(attendee.attendance == "scheduled" for attendee in attendees),
        "again": urlencode(
            [
                *(("client", p.client.uuid) for p in row.people if p.may_open),
                ("therapist", appointment.therapist.uuid),
                ("service", appointment.service.uuid),
                ("mode", appointment.mode),
            ]
        ),
    }


@open_to(Who.STAFF)
def appointment(request: OfficeRequest, appointment: uuid.UUID) -> HttpResponse:
    """One session: when, who, how, and what can be done with it."""
    found = get_appointment_for(request.staff, appointment)
    attendees = list(found.attendees.all())
    choices = attendance_choices(found.is_cancelled, found.starts_at <= now())
    bills = bills_of([found], request.practice)
    context = _show(request, found)
    context |= {
        "attendance": _agreed(attendees),
        "attendees": attendees,
        "choices": [(c.value, c.label) for c in choices if c is not Attendance.SCHEDULED],
        "bills": [
            (each, say_rate(each.rate).replace(" %", "%") if each.rate is not None else "")
            for each in bills
        ],
        "is_shared_out": is_shared_out(found),
        "receipts": list(receipts_of_appointment(found)),
    }
    return page(request, "office/scheduling/appointment.html", context)


def _agreed(attendees: list[Attendee]) -> str:
    """What everybody is marked as, or nothing where they do not agree."""
    states = {each.attendance for each in attendees}
    return states.pop() if len(states) == 1 else ""


def _not_open(request: OfficeRequest, found: Appointment, error: SchedulingError) -> HttpResponse:
    messages.warning(request, str(error))
    return redirect(door_path(request, "appointment", appointment=found.uuid))


@open_to(Who.STAFF, methods=("GET", "POST"))
def move(request: OfficeRequest, appointment: uuid.UUID) -> HttpResponse:
    """Move a session to another day or time."""
    found, tz = get_appointment_for(request.staff, appointment), request.practice.zone
    local = found.starts_at.astimezone(tz)
    first = {"day": local.date(), "hour": local.time(), "seen": found.starts_at.isoformat()}
    if request.method == "GET" and request.GET.get("day"):
        first["day"] = _read_day(request.GET["day"], local.date())
    form = MoveForm(request.POST if request.method == "POST" else None, initial=first, tz=tz)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                moved, is_moved = move_appointment(
                    by=request.staff,
                    appointment=found,
                    starts_at=form.cleaned_data["starts_at"],
                    seen_at=form.cleaned_data["seen"],
                )
                if is_moved:
                    close_room_of(moved, by=request.account)
        except (IsCancelled, HasHappened) as error:
            return _not_open(request, found, error)
        except ChangedMeanwhile as error:
            form.refuse(error)
            found = get_appointment_for(request.staff, appointment)
            form.data = {**request.POST.dict(), "seen": found.starts_at.isoformat()}
        except SchedulingError as error:
            form.refuse(error)
        else:
            when = _says_when(request, moved)
            if is_moved:
                messages.success(request, f"Moved to {when}.")
            else:
                messages.info(request, f"It is on {when}. There was nothing to move.")
            return redirect(_day_of(request, moved))
    beside = _their_day(request, found.therapist, _day_in(form, local), but=found)
    if request.method == "GET" and request.htmx.target == "their-day":
        return render(request, "office/scheduling/their_day.html", {"beside": beside})
    context = _show(request, found)
    if not context["can_change"]:
        return redirect(door_path(request, "appointment", appointment=found.uuid))
    return page(request, "office/scheduling/move.html", {**context, "form": form, "beside": beside})


def _day_in(form: MoveForm, local: datetime) -> date | None:
    value = form["day"].value()
    try:
        day = value if isinstance(value, date) else date.fromisoformat(str(value or ""))
    except ValueError:
        return local.date()
    return day if 1900 <= day.year <= 2200 else None


@open_to(Who.STAFF, methods=("GET", "POST"))
def cancel(request: OfficeRequest, appointment: uuid.UUID) -> HttpResponse:
    """Ask, then cancel a session."""
    found = get_appointment_for(request.staff, appointment)
    first = {"seen": found.starts_at.isoformat()}
    form = CancelForm(request.POST if request.method == "POST" else None, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                cancelled = cancel_appointment(
                    by=request.staff, appointment=found, seen_at=form.cleaned_data["seen"]
                )
                close_room_of(cancelled, by=request.account)
        except ChangedMeanwhile as error:
            form.refuse(error)
            found = get_appointment_for(request.staff, appointment)
            form.data = {"seen": found.starts_at.isoformat()}
        except SchedulingError as error:
            return _not_open(request, found, error)
        else:
            hour = say_hour(cancelled.starts_at, request.practice.zone)
            said = f"The session at {hour} is cancelled. Its time is free again."
            messages.success(request, said)
            return redirect(door_path(request, "appointment", appointment=found.uuid))
    context = _show(request, found)
    if not context["can_change"]:
        return redirect(door_path(request, "appointment", appointment=found.uuid))
    return page(request, "office/scheduling/cancel.html", {**context, "form": form})
