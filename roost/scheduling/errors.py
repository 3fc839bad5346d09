"""What can stand in the way of a booking. The text of each can be shown as it is."""

from datetime import datetime


class SchedulingError(Exception):
    """The family. `field` names the part of the booking form that the words belong beside."""

    field: str | None = None


class SlotTaken(SchedulingError):
    """The therapist has another session then.

    `before` and `after` are the nearest free starts (UTC) of that length on the same day, or None.
    """

    field = "hour"

    def __init__(
        self, words: str, *, before: datetime | None = None, after: datetime | None = None
    ) -> None:
        super().__init__(words)
        self.before, self.after = before, after


class NotTheirCalendar(SchedulingError):
    """A therapist books in nobody's calendar but their own."""

    field = "therapist"

    def __init__(self) -> None:
        super().__init__("You can book in your own calendar only. Ask an owner or an admin.")


class NotTheirClient(SchedulingError):
    """A therapist books their own clients only."""

    field = "clients"

    def __init__(self) -> None:
        super().__init__("You can book your own clients only. Ask an owner or an admin.")


class SeesNoClients(SchedulingError):
    """The staff member has left, or does not see clients."""

    field = "therapist"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} isn’t seeing clients now. Choose somebody else.")


class ClientArchived(SchedulingError):
    """A record that is put away gets no new session."""

    field = "clients"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}’s record is archived. Bring it back before you book.")


class WrongNumberOfClients(SchedulingError):
    """More or fewer people than that kind of service is for."""

    field = "clients"


class ServiceArchived(SchedulingError):
    """A service that is no longer offered cannot be booked."""

    field = "service"

    def __init__(self) -> None:
        super().__init__("That service is no longer offered. Choose another one.")


class UnknownMode(SchedulingError):
    """A session is by video, in person or by phone."""

    field = "mode"

    def __init__(self) -> None:
        super().__init__("Choose video, in person or phone.")


class DayOutOfRange(SchedulingError):
    """Too long ago or too far ahead to be meant."""

    field = "day"

    def __init__(self) -> None:
        super().__init__("Choose a day within two years from today. Check the year.")


class IsCancelled(SchedulingError):
    """A cancelled session cannot be moved; its people are booked again."""

    def __init__(self) -> None:
        super().__init__("This session has been cancelled. Book a new one instead.")


class HasHappened(SchedulingError):
    """Attendance has been taken: the session is history."""

    def __init__(self) -> None:
        super().__init__("This session has taken place, so it can’t be moved or cancelled.")


class AttendanceTooEarly(SchedulingError):
    """Nobody can have attended a session that has not begun."""

    def __init__(self) -> None:
        super().__init__(
            "Attendance can be marked once the session has begun. Until then it can be cancelled."
        )


class NotAttending(SchedulingError):
    """Attendance is of those who were booked."""

    def __init__(self) -> None:
        super().__init__("Choose one of the people the session was for.")


class ChangedMeanwhile(SchedulingError):
    """Somebody else moved it since the page was opened."""


class DuplicateService(SchedulingError):
    """Two services that look the same in the booking form."""

    field = "name"

    def __init__(self, label: str) -> None:
        super().__init__(f"There is a service “{label}” already. Give this one another name.")


class TypeInUse(SchedulingError):
    """In a group each pays for themself: turning one into another kind would change old bills."""

    field = "type"

    def __init__(self) -> None:
        super().__init__(
            "Sessions of this service are booked, and a group is billed in another way than the "
            "other kinds. Add a new service, and archive this one."
        )


class BadDuration(SchedulingError):
    """A session takes from 5 minutes to 8 hours."""

    field = "duration_minutes"

    def __init__(self) -> None:
        super().__init__("A session takes from 5 to 480 minutes.")
