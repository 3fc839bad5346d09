"""Answering with a page."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def page(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """Render a page. With a form in it that holds errors the status is 422, and what was typed
    stands in the fields again."""
    context = context or {}
    wrong = any(
        isinstance(thing, forms.BaseForm) and thing.is_bound and thing.errors
        for thing in context.values()
    )
    return render(request, template, context, status=422 if wrong and status == 200 else status)
