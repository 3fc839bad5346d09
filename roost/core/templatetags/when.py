"""Times as people say them, in the zone of whoever reads the page."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone

from roost.core.time import now, say_day, say_hour, say_hours, say_relative_day

register = template.Library()


def _zone() -> ZoneInfo:
    zone = timezone.get_current_timezone()
    return zone if isinstance(zone, ZoneInfo) else ZoneInfo("UTC")


@register.filter
def said_day(moment: datetime) -> str:
    """ "24 November", with its year when that is not this year's."""
    day = moment.astimezone(_zone()).date()
    today = now().astimezone(_zone()).date()
    return f"{day.day} {day:%B}" + ("" if day.year == today.year else f" {day.year}")


@register.filter
def said_at(moment: datetime) -> str:
    """ "today, 5:00 pm", "Tuesday 24 November, 2:00 pm", "tomorrow at noon", "tonight at
    midnight"."""
    local = moment.astimezone(_zone())
    day = say_relative_day(local.date(), now().astimezone(_zone()).date())
    day = day.lower() if day in ("Today", "Tomorrow", "Yesterday") else day
    if (local.hour, local.minute) == (12, 0):
        return f"{day} at noon"
    if (local.hour, local.minute) == (0, 0) and day == "tomorrow":
        return "tonight at midnight"
    return f"{day}, {say_hour(moment, _zone())}"


@register.filter
def said_full(moment: datetime) -> str:
    """ "Tuesday 24 November, 2:00 pm", with the year when that is not this year's."""
    today = now().astimezone(_zone()).date()
    return f"{say_day(moment.astimezone(_zone()).date(), today)}, {say_hour(moment, _zone())}"


@register.filter
def said_hour(moment: datetime) -> str:
    """ "2:00 pm"."""
    return say_hour(moment, _zone())


@register.simple_tag
def said_hours(start: datetime, end: datetime) -> str:
    """ "2:00 – 2:50 pm"."""
    return say_hours(start, end, _zone())
