"""Paths behind the door of a request, and the way to its log-in page."""

from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse


def door_path(request: HttpRequest, name: str, **kwargs: Any) -> str:
    """The path of a page behind the request's own door."""
    kwargs = {"practice": request.practice.slug, **kwargs}  # type: ignore[attr-defined]
    return reverse(f"{request.door}:{name}", kwargs=kwargs)  # type: ignore[attr-defined]


def to_log_in(request: HttpRequest, *, idle: bool = False) -> HttpResponse:
    """Send somebody to the log-in page, and remember where they were going."""
    query = {"next": request.get_full_path()} if request.method in ("GET", "HEAD") else {}
    if idle:
        query["idle"] = "1"
    target = door_path(request, "log-in") + (f"?{urlencode(query)}" if query else "")
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    return redirect(target)


def safe_next(request: HttpRequest, path: str) -> str | None:
    """`path` if it leads to a page behind the same door of the same practice, else None.

    Only a plain path is taken: no host, no scheme, no way up, no backslash, no control character.
    """
    root = f"/{request.door}/{request.practice.slug}/"  # type: ignore[attr-defined]
    if not path.startswith(root) or "\\" in path or "//" in path:
        return None
    if {".", ".."} & set(unquote(urlsplit(path).path).split("/")):
        return None
    if any(ord(c) < 33 or ord(c) == 127 for c in path):
        return None
    return None if path.startswith(door_path(request, "log-in")) else path
