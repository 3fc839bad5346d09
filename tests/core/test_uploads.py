"""A file is taken by the one view that asks for it, and by no other."""

import threading
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from roost.audit.models import AuditEvent
from roost.billing.models import Logo
from roost.core.uploads import NoUploads, SmallUpload, takes_upload
from tests.support.cast import Cast
from tests.support.doors import Visitor
from tests.support.pictures import picture

Door = Callable[..., Visitor]
MEGABYTE = 1024 * 1024


def upload(content: bytes, name: str = "logo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "image/png")


@pytest.fixture
def owner(office: Door, cast: Cast) -> Visitor:
    return office(cast.olivia)


def test_no_other_form_takes_a_file(owner: Visitor, portal: Door, cast: Cast) -> None:
    with mock.patch("tempfile.NamedTemporaryFile") as to_disk:
        for route in ("practice", "receipt-settings", "invite-staff"):
            assert owner.send(route, {"logo": upload(picture())}).status_code == 400
        at_portal = portal(cast.casey_account)
        answer = at_portal.send("details", {"x": upload(b"x")}, client=cast.casey.uuid)
        assert answer.status_code == 400
        assert portal().send("log-in", {"email": upload(b"x" * 4 * MEGABYTE)}).status_code == 400
    assert not to_disk.called


def test_the_logo_is_taken_in_memory(owner: Visitor, maple: Any) -> None:
    with mock.patch("tempfile.NamedTemporaryFile") as to_disk:
        answer = owner.send("receipt-logo", {"logo": upload(picture())})
    assert answer.status_code == 302
    assert not to_disk.called
    assert Logo.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"x" * (2 * MEGABYTE + 1), "larger than 2 MB"),
        (b"x" * 9 * MEGABYTE, "larger than 2 MB"),
        (b"x" * 2 * MEGABYTE, "no PNG or JPEG"),
        (b"", "empty"),
    ],
    ids=["too large", "far too large", "just small enough", "empty"],
)
def test_what_is_no_logo_is_refused_in_words(
    owner: Visitor, maple: Any, content: bytes, words: str
) -> None:
    answer = owner.send("receipt-logo", {"logo": upload(content)})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Logo.objects.exists()


def test_no_more_than_the_limit_is_held(owner: Visitor, maple: Any) -> None:
    seen = []

    def spy(content: bytes) -> bytes:
        seen.append(len(content))
        raise AssertionError

    with mock.patch("roost.billing.logos.clean_logo", spy), pytest.raises(AssertionError):
        owner.send("receipt-logo", {"logo": upload(b"x" * 9 * MEGABYTE)})
    assert seen == [2 * MEGABYTE + 1]


@pytest.mark.parametrize("length", ["x", "-1"])
def test_something_whose_length_is_unknown_is_not_read_either(
    owner: Visitor, maple: Any, length: str
) -> None:
    with mock.patch("django.http.multipartparser.MultiPartParser.parse") as parse:
        answer = owner.post(
            owner.path("receipt-logo"), {"logo": upload(picture())}, CONTENT_LENGTH=length
        )
    assert answer.status_code == 413
    assert not parse.called


@pytest.mark.django_db(transaction=True)
def test_uploads_at_the_same_time_stay_apart() -> None:
    """Each is written in pieces while the others are: what the view gets is its own."""
    most, gate, wrong = 64 * 1024, threading.Barrier(6), []

    @takes_upload(most)
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(request.FILES["logo"].read())

    def send(number: int) -> None:
        content = bytes([65 + number]) * (most - number)
        for _ in range(5):
            gate.wait(10)
            request = RequestFactory(enforce_csrf_checks=False).post("/", {"logo": upload(content)})
            request.upload_handlers = [NoUploads(request)]
            request._dont_enforce_csrf_checks = True
            if view(request).content != content:
                wrong.append(number)

    with mock.patch.object(SmallUpload, "chunk_size", 512):
        threads = [threading.Thread(target=send, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert wrong == []


def test_something_enormous_is_not_even_read(owner: Visitor, maple: Any) -> None:
    with mock.patch("django.http.multipartparser.MultiPartParser.parse") as parse:
        answer = owner.send("receipt-logo", {"logo": upload(b"x" * 17 * MEGABYTE)})
    assert answer.status_code == 413
    assert b"too large" in answer.content
    assert not parse.called
    event = AuditEvent.objects.get(action="access.refused")
    assert event.actor == owner.account
    assert (event.details["status"], event.details["route"]) == (413, "office:receipt-logo")


def test_two_files_are_one_too_many(owner: Visitor, maple: Any) -> None:
    answer = owner.send("receipt-logo", {"logo": upload(picture()), "more": upload(picture())})
    assert answer.status_code == 400
    assert not Logo.objects.exists()


def test_it_needs_the_form_of_this_page(cast: Cast, maple: Any) -> None:
    """The CSRF check is made in the view, and made."""
    visitor = Visitor(cast.practice, "office", cast.olivia.account, enforce_csrf_checks=True)
    assert visitor.send("receipt-logo", {"logo": upload(picture())}).status_code == 403
    token = visitor.go("receipt-settings").context["csrf_token"]
    fields = {"logo": upload(picture()), "csrfmiddlewaretoken": str(token)}
    assert visitor.send("receipt-logo", fields).status_code == 302
    assert Logo.objects.count() == 1


def test_nothing_is_read_from_somebody_who_may_not_send_it(
    office: Door, cast: Cast, maple: Any
) -> None:
    for member in (None, cast.tara):
        with mock.patch("django.http.multipartparser.MultiPartParser.parse") as parse:
            answer = office(member).send("receipt-logo", {"logo": upload(picture())})
        assert answer.status_code == (302 if member is None else 403)
        assert not parse.called
    assert not Logo.objects.exists()
