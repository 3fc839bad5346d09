"""Amounts as people read them."""

from decimal import Decimal

from django import template

from roost.billing.rules import say_money

register = template.Library()


@register.simple_tag
def money(amount: Decimal, currency: str) -> str:
    """An amount with its currency: "$150.00"."""
    return say_money(amount, currency)
