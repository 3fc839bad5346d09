"""Who is signed in, for how long, and what refusals leave behind."""

from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth import HASH_SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from roost.accounts.models import Account, SignIn
from roost.audit.services import record_refusal
from roost.core.time import now

# A sign-in's last use is written at most this often.
STEP = timedelta(minutes=1)


class SignInMiddleware:
    """Sets `request.account` (None for the anonymous, and for accounts of other practices).

    `request.is_idle` says that the idle limit has passed: every page but the room of somebody who
    has been admitted then asks for log-in (roost.staff.permissions decides).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.account, request.is_idle = None, False  # type: ignore[attr-defined]
        practice = request.practice  # type: ignore[attr-defined]
        if practice is not None and request.session.session_key:
            request.account = self._account_of(request)  # type: ignore[attr-defined]
            if request.account is not None:  # type: ignore[attr-defined]
                self._keep_alive(request, practice)
        request.user = request.account  # type: ignore[attr-defined, assignment]
        response = self.get_response(request)
        if practice is not None and response.status_code in (403, 404, 413):
            self._note_refusal(request, response.status_code)
        return response

    def _account_of(self, request: HttpRequest) -> Account | None:
        """The account of the sign-in that came with the session, in the same query.

        As `django.contrib.auth.get_user` does, it holds the password's hash against the one at
        sign-in, so that no sign-in outlives a change of password.
        """
        told = request.session.get(HASH_SESSION_KEY, "")
        row: SignIn | None = request.session.row  # type: ignore[attr-defined]
        if row is None or not row.account.is_active:
            return None
        if not constant_time_compare(told, row.account.get_session_auth_hash()):
            request.session.flush()
            return None
        return row.account

    def _keep_alive(self, request: HttpRequest, practice) -> None:  # type: ignore[no-untyped-def]
        row: SignIn | None = request.session.row  # type: ignore[attr-defined]
        if row is None:
            return
        minutes = (
            practice.staff_idle_minutes if row.door == "office" else practice.client_idle_minutes
        )
        moment = now()
        if moment - row.used_at > timedelta(minutes=minutes):
            request.is_idle = True  # type: ignore[attr-defined]
        elif moment - row.used_at > STEP:
            SignIn.objects.filter(pk=row.pk).update(used_at=moment)

    def _note_refusal(self, request: HttpRequest, status: int) -> None:
        match = request.resolver_match
        route = match.view_name if match else ""
        ids = {k: str(v)[:80] for k, v in (match.kwargs if match else {}).items() if k != "token"}
        record_refusal(by=request.account, status=status, route=route, **ids)  # type: ignore[attr-defined]
