"""Who waits for the therapist: on every office page, live where there is JavaScript."""

from typing import Any

from django import template
from django.template import Context

from roost.core.time import now, say_hour, say_span
from roost.video.queries import waiting_for

register = template.Library()


def _waiting(context: Context) -> dict[str, Any]:
    """The same list for both parts of one page, asked for once."""
    request = context["request"]
    staff = getattr(request, "staff", None)
    if not hasattr(request, "_waiting"):
        request._waiting = waiting_for(staff) if staff is not None else []
    return {
        "waiting": request._waiting,
        "idle": False,
        "moment": now(),
        "practice": request.practice,
        "request": request,
    }


@register.inclusion_tag("office/knocks.html", takes_context=True)
def knocks(context: Context) -> dict[str, Any]:
    """One short link for each person who waits, for the head of the page."""
    return _waiting(context)


@register.inclusion_tag("office/arrivals.html", takes_context=True)
def arrivals(context: Context) -> dict[str, Any]:
    """A banner for each person who waits. Its page puts it into an element with id="arrivals"."""
    return _waiting(context)


@register.simple_tag(takes_context=True)
def bell_path(context: Context) -> str:
    """The path of the socket that rings."""
    return f"/office/{context['request'].practice.slug}/bell/socket/"


@register.filter
def span_since(moment: Any, past: Any) -> str:
    """How long ago a moment is: "2 minutes"."""
    return say_span(moment - past)


@register.filter
def minutes_since(moment: Any, past: Any) -> int:
    """How long ago a moment is, in full minutes."""
    return max(int((moment - past).total_seconds() // 60), 0)


@register.filter
def clock(moment: Any, zone: Any) -> str:
    """The time of day in a zone: "2:00 pm"."""
    return say_hour(moment, zone)
