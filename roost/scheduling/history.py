"""All sessions that one portal access opens, told apart into those to come and those that were."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import overload

from django.db.models import Count, Max, Min, Q, QuerySet
from django.utils import timezone

from roost.clients.models import PortalAccess
from roost.scheduling.models import Attendee
from roost.scheduling.queries import NEWEST_FIRST, attendances_open_to
from roost.scheduling.rules import LONGEST_MINUTES

# Whoever has more years than that finds the oldest under "All".
MOST_YEARS = 40


@dataclass(frozen=True)
class YearCount:
    """How many sessions start in a calendar year of the reader's zone."""

    year: int
    sessions: int


def years_of(access: PortalAccess) -> list[YearCount]:
    """The years in which an access opens sessions, the newest first: two queries, however many.

    A year is one of the zone that is active.
    """
    rows = attendances_open_to(access).order_by()
    ends = rows.aggregate(first=Min("starts_at"), last=Max("starts_at"))
    if ends["first"] is None:
        return []
    zone = timezone.get_current_timezone()
    first, last = (ends[name].astimezone(zone).year for name in ("first", "last"))
    years = range(last, max(first, last - MOST_YEARS + 1) - 1, -1)
    found = rows.aggregate(
        **{f"in_{year}": Count("pk", filter=Q(starts_at__year=year)) for year in years}
    )
    counts = [YearCount(year, found[f"in_{year}"]) for year in years]
    return [each for each in counts if each.sessions]


class History(Sequence[Attendee]):
    """The sessions to come, the next one first, and then those that were, the last one first: one
    sequence, to be paged through. `year` is a calendar year of the zone that is active.

    What is going on counts as to come; so does a cancelled one whose time has not come.
    """

    def __init__(self, access: PortalAccess, *, moment: datetime, year: int | None = None) -> None:
        rows = attendances_open_to(access)
        if year is not None:
            rows = rows.filter(starts_at__year=year)
        self._all = rows
        # What began longer ago than any session lasts is over: the index begins there.
        since = moment - timedelta(minutes=LONGEST_MINUTES)
        coming = rows.filter(starts_at__gt=since, appointment__ends_at__gt=moment)
        self.coming: QuerySet[Attendee] = coming.order_by("starts_at", "appointment_id")
        was = rows.filter(starts_at__lte=moment, appointment__ends_at__lte=moment)
        self.was: QuerySet[Attendee] = was.order_by(*NEWEST_FIRST)
        self._counts: tuple[int, int] | None = None

    def counts(self) -> tuple[int, int]:
        """How many there are altogether, and how many of them are to come: asked for once."""
        if self._counts is None:
            self._counts = (self._all.order_by().count(), self.coming.order_by().count())
        return self._counts

    def __len__(self) -> int:
        return self.counts()[0]

    @overload
    def __getitem__(self, at: int) -> Attendee: ...

    @overload
    def __getitem__(self, at: slice) -> list[Attendee]: ...

    def __getitem__(self, at: int | slice) -> Attendee | list[Attendee]:
        if isinstance(at, int):
            return self[at : at + 1][0]
        first, last, _ = at.indices(len(self))
        coming = self.counts()[1]
        rows = list(self.coming[first : min(last, coming)]) if first < coming else []
        if last > coming:
            rows += self.was[max(0, first - coming) : last - coming]
        return rows
