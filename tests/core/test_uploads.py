"""A file is taken by the one view that asks for it, and by no other."""

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from roost.billing.models import Logo
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


def test_something_enormous_is_not_even_read(owner: Visitor, maple: Any) -> None:
    with mock.patch("django.http.multipartparser.MultiPartParser.parse") as parse:
        answer = owner.send("receipt-logo", {"logo": upload(b"x" * 17 * MEGABYTE)})
    assert answer.status_code == 413
    assert b"too large" in answer.content
    assert not parse.called


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
