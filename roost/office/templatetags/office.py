"""What only office pages say."""

from django import template

from roost.audit.models import AuditEvent
from roost.outbox.kinds import label_of

register = template.Library()


@register.filter
def kind_label(kind: str) -> str:
    """What people call a kind of mail."""
    return label_of(kind)


@register.filter
def changed_words(event: AuditEvent) -> str:
    """The fields that a `client.changed` event names: "preferred name, phone"."""
    fields: list[str] = event.details.get("fields", [])
    return ", ".join("e-mail" if name == "email" else name.replace("_", " ") for name in fields)
