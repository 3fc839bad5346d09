"""What every template may say: icons, fields, error summaries, links, phone numbers."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import phonenumbers
from django import forms, template
from django.conf import settings
from django.contrib.messages.storage.base import Message
from django.core.paginator import Page
from django.forms import BoundField
from django.http import HttpRequest, QueryDict
from django.template import Context, Node
from django.template.base import FilterExpression, Parser, TextNode, Token
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from roost.core import phones, text
from roost.core.flashes import way_back_of

register = template.Library()

# How many letters of an address stand side by side on a phone of 360 px.
FITS_A_LINE = 30
COUNTS = ("Nothing", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


class IconNode(Node):
    """An icon whose name is only known when the page is made."""

    child_nodelists = ()

    def __init__(self, parts: list[FilterExpression]) -> None:
        self.parts = parts

    def render(self, context: Context) -> SafeString:
        return _icon(_sprite(), *(str(part.resolve(context)) for part in self.parts))


@register.tag
def icon(parser: Parser, token: Token) -> Node:
    """A decorative icon of the sprite, hidden from assistive technology: `{% icon "leaf" %}`.

    A second word adds classes. One that is written out is text from the start: dozens stand on
    every page.
    """
    words = token.split_contents()[1:]
    if not 1 <= len(words) <= 2:
        raise template.TemplateSyntaxError("An icon has a name, and maybe classes.")
    node = IconNode([parser.compile_filter(word) for word in words])
    return node if any(part.is_var for part in node.parts) else TextNode(node.render(Context()))


@lru_cache(maxsize=1)
def _sprite() -> str:
    """The address of the sprite, which can only change with a new start."""
    return static("core/icons.svg")


@lru_cache(maxsize=256)
def _icon(sprite: str, name: str, css: str = "") -> SafeString:
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        f" {css}" if css else "",
        sprite,
        name,
    )


def _path(request: HttpRequest, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    door, slug = request.door, request.practice.slug  # type: ignore[attr-defined]
    if args:
        return reverse(f"{door}:{name}", args=(slug, *args))
    if not kwargs:
        return _plain_path(settings.ROOT_URLCONF, door, slug, name)
    return reverse(f"{door}:{name}", kwargs={"practice": slug, **kwargs})


@lru_cache(maxsize=4096)
def _plain_path(urlconf: str, door: str, slug: str, name: str) -> str:
    """The same few links stand on every page of a practice."""
    return reverse(f"{door}:{name}", urlconf=urlconf, kwargs={"practice": slug})


@register.simple_tag(takes_context=True)
def door_url(context: Context, name: str, *args: Any, **kwargs: Any) -> str:
    """The path of a route of the reader's own door and practice.

    Raises NoReverseMatch for a route that the door does not have.
    """
    return _path(context["request"], name, args, kwargs)


@register.simple_tag(takes_context=True)
def here(context: Context, name: str) -> SafeString | str:
    """`aria-current` for a link to the route `name`.

    "page" on that very page, "true" on one below it, nothing elsewhere.
    """
    request = context["request"]
    path = _path(request, name, (), {})
    if request.path == path:
        return format_html(' aria-current="{}"', "page")
    root = f"/{request.door}/{request.practice.slug}/"
    if path != root and request.path.startswith(path):
        return format_html(' aria-current="{}"', "true")
    return ""


def _kind(widget: forms.Widget) -> str:
    if widget.is_hidden:
        return "hidden"
    if isinstance(widget, forms.CheckboxSelectMultiple):
        return "checks"
    if isinstance(widget, forms.RadioSelect):
        return "radios"
    if isinstance(widget, forms.CheckboxInput):
        return "check"
    return "group" if widget.use_fieldset else "input"


def _hint(field: forms.Field, widget: forms.Widget) -> str:
    """The field's own words for what the browser itself finds missing or malformed."""
    messages = field.error_messages
    checked = getattr(widget, "input_type", "") in {"email", "number", "date", "time", "url"}
    if checked and "invalid" in messages:
        return str(messages["invalid"])
    return str(messages.get("required", "")) if field.required else ""


@register.inclusion_tag("core/field.html")
def field(bound_field: BoundField, css: str = "", optional: bool = True) -> dict[str, Any]:
    """One form field with its label, help and error.

    `css` adds classes to the wrapper ("wide" spans both columns of a .form-grid);
    `optional=False` leaves out "(optional)" where it says nothing, as in a filter.
    """
    widget = bound_field.field.widget
    kind = _kind(widget)
    control = ""
    if kind in {"input", "group"}:
        own = widget.attrs.get("class", "")
        control = bound_field.as_widget(attrs={"class": f"input {own}".strip()})
    elif kind in {"check", "hidden"}:
        control = bound_field.as_widget()
    return {
        "bound": bound_field,
        "kind": kind,
        "control": control,
        "css": css,
        "hint": _hint(bound_field.field, widget) if kind == "input" else "",
        "mark_optional": optional and kind != "check" and not bound_field.field.required,
    }


def _anchor(bound_field: BoundField) -> str:
    """The id of the first control of a field: its only one, or its first choice."""
    return bound_field.id_for_label or f"{bound_field.auto_id}_0"


@register.inclusion_tag("core/summary.html")
def summary(
    *form_list: forms.BaseForm | None, heading: str = "", kept: bool = True, anchor: str = ""
) -> dict[str, Any]:
    """What is wrong with the forms, first on the page and focused; nothing when nothing is wrong.

    `heading` replaces the counted one; `kept=False` leaves out the sentence on what was kept;
    `anchor` is its id, for a form further down whose address leads there: the browser then faces
    it by itself.
    """
    bound = [form for form in form_list if form is not None and form.is_bound]
    general = [error for form in bound for error in form.non_field_errors()]
    items: list[dict[str, Any]] = []
    for form in bound:
        for each in form:
            if each.is_hidden:
                general.extend(each.errors)
            else:
                items.extend(
                    {"label": each.label, "id": _anchor(each), "error": error}
                    for error in each.errors
                )
    found = len(items) + len(general)
    count = COUNTS[found] if found < len(COUNTS) else str(found)
    fields = [each for form in bound for each in form.fields.values()]
    secret = any(isinstance(each.widget, forms.PasswordInput) for each in fields)
    return {
        "found": found,
        "anchor": anchor,
        "heading": heading or f"{count} {'thing' if found == 1 else 'things'} to look at",
        "general": general,
        "items": items,
        "kept": kept and bool(items) and any(_is_kept(each) for form in bound for each in form),
        "secret": secret,
    }


def _is_kept(bound_field: BoundField) -> bool:
    """Whether something right was typed here that stands in the field again."""
    own, widget = bound_field.field, bound_field.field.widget
    lost = widget.is_hidden or own.disabled or isinstance(widget, forms.PasswordInput)
    return not lost and not bound_field.errors and bool(bound_field.value())


@register.simple_tag
def page_numbers(page: Page[Any]) -> list[int | None]:
    """The page numbers to offer around a page, None where some are left out."""
    pages = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    return [number if isinstance(number, int) else None for number in pages]


@register.simple_tag
def page_query(query: QueryDict, name: str, number: int) -> str:
    """The query of the page being read, with the page `number` of the list that goes by `name`;
    of one list among several the link leads to its heading, whose id is "<name>-h"."""
    wanted = query.copy()
    wanted[name or "page"] = str(number)
    return f"?{wanted.urlencode()}{f'#{name}-h' if name else ''}"


@register.simple_tag
def way_back(message: Message) -> dict[str, Any] | None:
    """The button beside a flash that takes back what it tells of, or None."""
    return way_back_of(message)


@register.filter
def initials(name: object) -> str:
    """At most two letters for a person: of the first and the last word of the name."""
    return text.initials(str(name or ""))


@register.filter
def breakable(address: object, fits: int = FITS_A_LINE) -> SafeString | str:
    """An e-mail address that may be broken behind @, dots and hyphens rather than inside a word;
    one that fits on a phone's line, or has at most `fits` letters, stays whole."""
    whole = str(address or "")
    if len(whole) <= fits:
        return whole
    parts = re.split(r"(?<=[@.-])", whole)
    return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in parts if part))


@register.filter
def address_line(address: object) -> str:
    """An address of several lines as one, its lines parted by commas."""
    lines = (line.strip(" ,") for line in str(address or "").splitlines())
    return ", ".join(line for line in lines if line)


@register.filter
def phone(number: object) -> str:
    """A phone number as it is read out at home; as it stands when it is none."""
    return phones.spoken(str(number or ""))


@register.filter
def tel(number: object) -> str:
    """The `tel:` address of a phone number; empty when it is none, so that no dead link is made."""
    parsed = phones.parsed(str(number or ""))
    if parsed is None:
        return ""
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.RFC3966))
