"""Files from a browser: refused everywhere but in the one view that says it takes one."""

import io
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import TooManyFilesSent
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect

# A request this many times the file's limit is not even read, to say in words what was wrong.
FAR_TOO_LARGE = 8


class NoUploads(FileUploadHandler):
    """What every form gets: a file in it ends the request before a byte of it is kept."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise TooManyFilesSent("This form takes no file.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        return None

    def file_complete(self, file_size: int) -> None:
        return None


class SmallUpload(FileUploadHandler):
    """Keeps one file in memory, never on a disk, and of a larger one a byte more than `most`."""

    def __init__(self, request: HttpRequest, most: int) -> None:
        super().__init__(request)
        self.most = most
        self.kept = io.BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.kept.write(raw_data[: self.most + 1 - self.kept.tell()])

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        size = self.kept.tell()
        self.kept.seek(0)
        return InMemoryUploadedFile(
            self.kept, self.field_name, self.file_name or "", self.content_type or "", size, None
        )


def takes_upload(most: int) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Let a view take one file, of which it is given at most `most` bytes and one more.

    Stands below `open_to`, so that nothing is read from somebody who may not send it. The CSRF
    check, which reads the form, is made here, after the handler is in its place.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        checked = csrf_protect(view)

        @csrf_exempt
        @wraps(view)
        def receiving(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            length = request.META.get("CONTENT_LENGTH") or "0"
            if not length.isdecimal() or int(length) > FAR_TOO_LARGE * most:
                return render(request, "400.html", status=413)
            request.upload_handlers = [SmallUpload(request, most)]
            return checked(request, *args, **kwargs)

        return receiving

    return decorate
