"""The therapist is told who waits: by a page of hers that shows it, and says that it does."""

from collections.abc import Collection

from django.db import transaction

from roost.core.time import now
from roost.staff.models import StaffMember
from roost.video.enums import PersonState
from roost.video.errors import NotAllowed
from roost.video.models import Presence, VideoRoom
from roost.video.queries import Seat, waiting_for
from roost.video.services.held import tell_person


def note_told(*, staff: StaffMember, shown: Collection[str]) -> list[Presence]:
    """A page of a therapist's shows these people, named by their uuids. Those of them who wait for
    that therapist read from now on that she has been told. Returns of whom it is new."""
    wanted = frozenset(shown)
    found = [p for p in waiting_for(staff) if p.told_at is None and str(p.uuid) in wanted]
    if not found:
        return []
    with transaction.atomic():
        # Whoever comes or goes meanwhile saves their whole row, under the same lock.
        rooms = VideoRoom.objects.filter(pk__in={person.room_id for person in found})
        list(rooms.select_for_update().order_by("pk"))
        noted = [person for person in found if _note(person)]
        for person in noted:
            tell_person(person.room.appointment, person)
        return noted


def _note(person: Presence) -> bool:
    waiting = Presence.objects.filter(pk=person.pk, state=PersonState.WAITING, told_at=None)
    return bool(waiting.update(told_at=now()))


def note_shown(*, by: Seat, ids: Collection[str]) -> list[Presence]:
    """The therapist's page in a room lists these people. As `note_told`. Raises NotAllowed."""
    if not by.is_therapist:
        raise NotAllowed
    return note_told(staff=by.appointment.therapist, shown=ids)
