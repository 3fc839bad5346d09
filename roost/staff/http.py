"""Requests as views get them: what the middleware has put on them, named for the type checker.

A view that is open to anyone takes Django's own `HttpRequest`; its reader may be nobody.
"""

from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from roost.accounts.models import Account, SignUp
from roost.practices.models import Practice
from roost.staff.models import StaffMember


class DoorRequest(HttpRequest):
    """A request of somebody who is signed in at a door of a practice."""

    practice: Practice
    door: str
    account: Account
    is_idle: bool
    zone: ZoneInfo
    htmx: HtmxDetails


class SignUpRequest(HttpRequest):
    """A request of somebody whose sign-up is not verified yet, or just now."""

    practice: Practice
    door: str
    sign_up: SignUp
    zone: ZoneInfo
    htmx: HtmxDetails


class OfficeRequest(DoorRequest):
    """A request of a member of staff, in the office."""

    staff: StaffMember
