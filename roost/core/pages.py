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


def pdf_answer(pdf: bytes, name: str) -> HttpResponse:
    """A PDF as a download of that file name."""
    return HttpResponse(
        pdf,
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
