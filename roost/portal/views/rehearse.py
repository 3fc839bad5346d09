"""Test camera and sound, days before a session."""

from django.http import Http404, HttpResponse

from roost.accounts.doors import door_path
from roost.staff.http import DoorRequest
from roost.staff.permissions import Who, open_to
from roost.video.rehearsal_pages import answer_findings, answer_relay, rehearsal_page
from roost.video.rehearsals import can_rehearse, next_video_session


def _check_may(request: DoorRequest) -> None:
    if not can_rehearse(request.account):
        raise Http404("There is no session to rehearse for.")


@open_to(Who.ACCOUNT, methods=("GET", "POST"))
def rehearse(request: DoorRequest) -> HttpResponse:
    """The device check. POST keeps what it found."""
    _check_may(request)
    home = door_path(request, "account")
    if request.method == "POST":
        return answer_findings(request, home=home)
    return rehearsal_page(request, home=home, coming=next_video_session(request.account))


@open_to(Who.ACCOUNT, methods=("POST",))
def rehearse_relay(request: DoorRequest) -> HttpResponse:
    """The relay, for the length of one check."""
    _check_may(request)
    return answer_relay(request, home=door_path(request, "account"))
