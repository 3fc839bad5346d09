"""Days and weeks as the office shows them: rows of sessions, the free time between, and now."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from roost.clients.models import Client
from roost.clients.queries import clients_visible_to
from roost.core.time import say_hour, say_hours
from roost.practices.models import Practice
from roost.scheduling.enums import Attendance, Mode
from roost.scheduling.models import Appointment, Attendee
from roost.scheduling.queries import with_portal_access
from roost.scheduling.rules import attendance_of, free_between
from roost.staff.models import StaffMember
from roost.video.models import DeviceCheck, Presence
from roost.video.queries import waiting_for
from roost.video.rehearsals import checks_of, describe_check
from roost.video.rules import join_window

MODE_ICONS = {Mode.VIDEO: "video", Mode.IN_PERSON: "map-pin", Mode.PHONE: "phone"}
MARKS = [Attendance.ATTENDED, Attendance.NO_SHOW, Attendance.LATE_CANCEL]
_BADGES = {
    Attendance.ATTENDED: "badge-ok",
    Attendance.SCHEDULED: "",
    Attendance.NO_SHOW: "",
    Attendance.LATE_CANCEL: "",
    Attendance.CANCELLED: "",
}


@dataclass(frozen=True)
class Person:
    """A client on a session, as this reader sees them."""

    client: Client
    may_open: bool
    has_access: bool
    check: DeviceCheck | None = None


@dataclass(frozen=True)
class Row:
    """One session in words. `state` is what its badge says; `note` stands under the names;
    `waiting` is the id of whoever has waited longest in its waiting room; `marks` are what a
    session that is over can be marked as, while nobody has; `checks` say how each client's
    rehearsal went, before a session on video."""

    appointment: Appointment
    people: list[Person]
    hours: str
    icon: str
    state: str
    badge: str
    note: str
    is_past: bool
    waiting: uuid.UUID | None
    can_enter: bool
    is_open: bool
    lacks_access: list[Person] = field(default_factory=list)
    marks: list[Attendance] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)

    kind = "session"

    @property
    def names(self) -> str:
        return ", ".join(person.client.name for person in self.people)

    @property
    def is_attended(self) -> bool:
        return self.state == Attendance.ATTENDED.label

    @property
    def is_over(self) -> bool:
        """Whether it took its place in the day and is behind us, whoever came."""
        return self.is_past and not self.appointment.is_cancelled


@dataclass(frozen=True)
class Mark:
    """A line between sessions: "free" time, or "now"."""

    kind: str
    words: str


@dataclass(frozen=True)
class Tally:
    """What a day comes to."""

    sessions: int
    cancelled: int
    free: str


class Reader:
    """Whoever looks at a calendar: what they may open and what they are told, looked up once for
    all the sessions on the page, in a number of queries that does not grow with them."""

    def __init__(
        self, staff: StaffMember, practice: Practice, moment: datetime, rows: Iterable[Appointment]
    ) -> None:
        self.staff, self.practice, self.moment = staff, practice, moment
        self.tz: ZoneInfo = practice.zone
        self.appointments = list(rows)
        clients = {
            attendee.client_id for row in self.appointments for attendee in row.attendees.all()
        }
        self._mine = set(
            clients_visible_to(staff).filter(pk__in=clients).values_list("pk", flat=True)
        )
        self._with_access = with_portal_access(clients)
        self._checks = checks_of(self._with_checks(), moment)
        self._waiting: dict[int, list[Presence]] = {}
        for presence in waiting_for(staff):
            self._waiting.setdefault(presence.room.appointment_id, []).append(presence)

    def _with_checks(self) -> set[int]:
        """The reader's own clients (by primary key) who have a session on video before them."""
        coming = [row for row in self.appointments if self._is_coming_on_video(row)]
        return {each.client_id for row in coming for each in row.attendees.all()} & self._mine

    def _is_coming_on_video(self, appointment: Appointment) -> bool:
        return (
            appointment.is_video
            and not appointment.is_cancelled
            and appointment.ends_at > self.moment
        )

    @property
    def client_uuids(self) -> list[uuid.UUID]:
        """Whose names are on the page."""
        found = {
            attendee.client.uuid: None
            for row in self.appointments
            for attendee in row.attendees.all()
        }
        return list(found)

    def row(self, appointment: Appointment) -> Row:
        """One session, as this reader sees it now."""
        attendees = list(appointment.attendees.all())
        people = [
            Person(
                attendee.client,
                may_open=attendee.client_id in self._mine,
                has_access=attendee.client_id in self._with_access,
                check=self._checks.get(attendee.client_id),
            )
            for attendee in attendees
        ]
        waiting = self._waiting.get(appointment.pk, [])
        is_past = appointment.ends_at <= self.moment
        attendance = attendance_of(attendee.attendance for attendee in attendees)
        if appointment.is_cancelled and attendance == Attendance.SCHEDULED:
            attendance = Attendance.CANCELLED
        to_come = attendance == Attendance.SCHEDULED and not is_past
        lacking = [p for p in people if appointment.is_video and to_come and not p.has_access]
        state, badge = attendance.label, _BADGES[attendance]
        if waiting:
            state, badge = f"Waiting, {self._waited(waiting)}", "badge-wait"
        elif lacking:
            state, badge = "No portal access", "badge-wait"
        return Row(
            appointment=appointment,
            people=people,
            hours=" – ".join(
                say_hour(moment, self.tz, half=False)
                for moment in (appointment.starts_at, appointment.ends_at)
            ),
            icon=MODE_ICONS[Mode(appointment.mode)],
            state=state,
            badge=badge,
            note=self._note(people, waiting) or self._unmarked(attendees, attendance, is_past),
            is_past=is_past or appointment.is_cancelled,
            waiting=waiting[0].uuid if waiting else None,
            can_enter=self._can_enter(appointment) and any(p.has_access for p in people),
            is_open=self._is_open(appointment),
            lacks_access=[p for p in lacking if p.may_open],
            marks=MARKS if attendance == Attendance.SCHEDULED and is_past else [],
            checks=self._say_checks(people) if self._is_coming_on_video(appointment) else [],
        )

    def _can_enter(self, appointment: Appointment) -> bool:
        """Only the session's own therapist opens its room, until the join window ends."""
        return (
            appointment.is_video
            and not appointment.is_cancelled
            and appointment.therapist_id == self.staff.pk
            and self.moment < join_window(appointment, self.practice).closes_at
        )

    def _is_open(self, appointment: Appointment) -> bool:
        """Whether people may be in the room now."""
        window = join_window(appointment, self.practice)
        return appointment.is_video and window.opens_at <= self.moment < window.closes_at

    def _note(self, people: list[Person], waiting: list[Presence]) -> str:
        since = [p.waiting_since for p in waiting if p.waiting_since]
        if since:
            return f"arrived {say_hour(min(since), self.tz)}"
        called = [p.client.preferred_name for p in people if p.client.preferred_name]
        return f"goes by {called[0]}" if len(people) == 1 and called else ""

    def _say_checks(self, people: list[Person]) -> list[str]:
        """How the rehearsals of a session's clients went, with their names where there are
        several."""
        said = []
        for person in people:
            if person.check is not None:
                whose = f"{person.client.calling_name}: " if len(people) > 1 else ""
                said.append(whose + describe_check(person.check, self.moment, self.tz))
        return said

    def _unmarked(self, attendees: list[Attendee], together: Attendance, is_past: bool) -> str:
        """Who of several has been forgotten where the others are marked."""
        left = sum(1 for each in attendees if each.attendance == Attendance.SCHEDULED)
        if not left or not is_past or together == Attendance.SCHEDULED:
            return ""
        return f"{left} of {len(attendees)} not marked yet"

    def _waited(self, waiting: list[Presence]) -> str:
        since = min((p.waiting_since for p in waiting if p.waiting_since), default=self.moment)
        minutes = int((self.moment - since).total_seconds() // 60)
        return f"{minutes} min" if minutes else "just now"

    def day(self, day: date, *, with_free: bool) -> list[Row | Mark]:
        """The rows of one day. `with_free` names the time between, which makes sense for one
        therapist only; today's now stands where it belongs."""
        marked: list[tuple[datetime, int, Row | Mark]] = [
            (row.starts_at, 1, self.row(row)) for row in self.appointments
        ]
        if with_free:
            marked += [
                (free[0], 2, Mark("free", f"{say_hours(*free, self.tz)} free"))
                for free in self._free()
            ]
        if marked and day == self.moment.astimezone(self.tz).date():
            marked.append((self.moment, 3, Mark("now", f"Now {say_hour(self.moment, self.tz)}")))
        return [line for _, _, line in sorted(marked, key=lambda each: each[:2])]

    def _free(self) -> list[tuple[datetime, datetime]]:
        spans = [(a.starts_at, a.ends_at) for a in self.appointments if not a.is_cancelled]
        return [(free.starts_at, free.ends_at) for free in free_between(spans)]

    def tally(self, *, with_free: bool) -> Tally:
        """What the day comes to: sessions, cancelled ones, and the free time between."""
        cancelled = sum(1 for row in self.appointments if row.is_cancelled)
        free = sum((end - start for start, end in self._free()), timedelta())
        return Tally(
            sessions=len(self.appointments) - cancelled,
            cancelled=cancelled,
            free=say_hours_and_minutes(free) if with_free and free else "",
        )


def say_hours_and_minutes(span: timedelta) -> str:
    """A length of time for a tally: "2 h 15 min"."""
    hours, minutes = divmod(round(span.total_seconds() / 60), 60)
    return " ".join(
        part
        for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "")
        if part
    )
