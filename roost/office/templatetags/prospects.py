"""Prospects on office pages: how many wait, and when each signed up."""

from datetime import datetime

from django import template
from django.template import Context
from django.utils import timezone

from roost.clients.prospect_queries import count_waiting
from roost.core.time import now, say_hour

register = template.Library()


@register.simple_tag(takes_context=True)
def waiting_prospects(context: Context) -> int:
    """How many prospects wait for the reader: 0 for a therapist. Asked for once a page, and
    written in no log: it names nobody."""
    request = context["request"]
    staff = getattr(request, "staff", None)
    if not hasattr(request, "_waiting_prospects"):
        request._waiting_prospects = count_waiting(staff) if staff is not None else 0
    count: int = request._waiting_prospects
    return count


@register.filter
def said_short(moment: datetime, where: str = "") -> str:
    """ "Today, 11:52 am", "Yesterday, 9:10 am", "22 Nov", with the year when it is another; in
    lower case "inside" a sentence."""
    zone = timezone.get_current_timezone()
    day, today = moment.astimezone(zone).date(), now().astimezone(zone).date()
    near = {0: "Today", 1: "Yesterday"}.get((today - day).days)
    if near is not None:
        near = near.lower() if where == "inside" else near
        return f"{near}, {say_hour(moment, zone)}"  # type: ignore[arg-type]
    return f"{day.day} {day:%b}" + ("" if day.year == today.year else f" {day.year}")
