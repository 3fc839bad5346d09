"""What can go wrong in a room. Views and sockets turn these into words."""

from roost.video.enums import Closed


class VideoError(Exception):
    """The family."""


class RoomClosed(VideoError):
    """Nobody, or not this person, can be in the room now. `reason` says why."""

    def __init__(self, reason: Closed) -> None:
        super().__init__(reason.label)
        self.reason = reason


class NotAllowed(VideoError):
    """Only the therapist of the appointment may do this."""


class NotAdmitted(VideoError):
    """The therapist has not let this person in, or another page speaks for them now."""


class NoSuchPerson(VideoError):
    """Nobody in this room has that cid."""


class CidTaken(VideoError):
    """Somebody else in the room speaks under that cid."""


class RoomFull(VideoError):
    """As many people as a call among browsers carries are in the room."""


class NotAFinding(VideoError):
    """A device check sent something that none finds."""
