"""Test camera and sound, for staff."""

from django.http import HttpResponse

from roost.accounts.doors import door_path
from roost.staff.http import OfficeRequest
from roost.staff.permissions import Who, open_to
from roost.video.rehearsal_pages import answer_findings, answer_relay, rehearsal_page


@open_to(Who.STAFF, methods=("GET", "POST"))
def rehearse(request: OfficeRequest) -> HttpResponse:
    """The device check. POST keeps what it found."""
    home = door_path(request, "today")
    if request.method == "POST":
        return answer_findings(request, home=home)
    return rehearsal_page(request, home=home)


@open_to(Who.STAFF, methods=("POST",))
def rehearse_relay(request: OfficeRequest) -> HttpResponse:
    """The relay, for the length of one check."""
    return answer_relay(request, home=door_path(request, "today"))
