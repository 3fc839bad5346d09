"""What only office pages say."""

from django import template

from roost.outbox.kinds import label_of

register = template.Library()


@register.filter
def kind_label(kind: str) -> str:
    """What people call a kind of mail."""
    return label_of(kind)
