"""A client's e-mail was changed on the record: move the portal log-in too?"""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from roost.accounts import limits
from roost.accounts.doors import door_path
from roost.accounts.errors import AddressTaken
from roost.audit.services import record_read
from roost.clients.queries import get_client_for
from roost.clients.services import account_to_move, move_client_log_in
from roost.core.pages import page
from roost.core.time import say_span
from roost.staff.http import OfficeRequest
from roost.staff.permissions import Who, open_to


@open_to(Who.STAFF, methods=("GET", "POST"))
def move_log_in(request: OfficeRequest, client: uuid.UUID) -> HttpResponse:
    """Ask, and do it. A log-in with a password of its own moves once the new mailbox is proven."""
    record = get_client_for(request.staff, client)
    access = account_to_move(record, by=request.staff)
    if access is None:
        raise Http404("There is no log-in to move.")
    trouble, status = "", 200
    if request.method == "POST":
        try:
            moved = move_client_log_in(access=access, email=record.email, by=request.staff)
        except AddressTaken:
            trouble, status = f"{record.email} has a log-in of its own already.", 409
        except limits.TooMany as limit:
            trouble, status = (
                f"Five e-mails went there within the hour. Wait {say_span(limit.wait)}.",
                429,
            )
        else:
            messages.success(
                request,
                f"{record.calling_name} logs in with {record.email} from now on."
                if moved
                else f"A link is on its way to {record.email}. The log-in moves once it is used; "
                f"until then {access.account.email} works. Both addresses are told.",
            )
            return redirect(door_path(request, "client", client=record.uuid))
    record_read("client.viewed", by=request.account, client_uuids=[record.uuid], part="access")
    context = {"client": record, "access": access, "trouble": trouble}
    return page(request, "office/clients/move_log_in.html", context, status=status)
