"""What happens in rooms. Each act is one transaction with its audit event, and is pushed to the
sockets once it has been committed. Nothing here, or anywhere, keeps SDP or ICE candidates."""

from roost.video.services.admission import (
    admit_everybody,
    admit_person,
    decline_person,
    enter_waiting_room,
    remove_person,
)
from roost.video.services.ending import (
    close_room_of,
    end_by_time,
    end_room,
    recheck_rooms_of,
    reopen_room,
)
from roost.video.services.presence import (
    Joined,
    leave_room,
    note_connected,
    note_here,
    note_lost,
    note_regained,
)
from roost.video.services.told import note_shown, note_told

__all__ = [
    "Joined",
    "admit_everybody",
    "admit_person",
    "close_room_of",
    "decline_person",
    "end_by_time",
    "end_room",
    "enter_waiting_room",
    "leave_room",
    "note_connected",
    "note_here",
    "note_lost",
    "note_regained",
    "note_shown",
    "note_told",
    "recheck_rooms_of",
    "remove_person",
    "reopen_room",
]
