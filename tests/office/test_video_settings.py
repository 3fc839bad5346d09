"""Settings → Video: whether there is a relay, how it is, and whether every call must use it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings as configuration

from roost.audit.models import AuditEvent
from roost.core.findings import Finding, Grade
from roost.office.views import settings as views
from roost.practices.models import Practice
from roost.staff.models import StaffMember
from tests.support.doors import Visitor
from tests.support.relay import SECRET, Relay, relaying

Office = Callable[..., Visitor]
URLS = "turn:turn.example.com:3478, turns:turn.example.com:5349"


@pytest.fixture
def set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay is configured."""
    monkeypatch.setattr(configuration, "ROOST_TURN_URL", URLS)
    monkeypatch.setattr(configuration, "ROOST_TURN_SECRET", SECRET)


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    with relaying(tmp_path_factory.mktemp("relay")) as running:
        yield running


def test_without_a_relay_it_says_that_some_calls_fail(office: Office, olivia: StaffMember) -> None:
    text = office(olivia).go("video").content.decode()
    assert "some calls will not connect" in text
    assert "Test the relay" not in text


def test_with_one_it_says_where_and_never_the_secret(
    office: Office, olivia: StaffMember, set_up: None
) -> None:
    text = office(olivia).go("video").content.decode()
    assert "A relay is set up" in text
    assert "turns:turn.example.com:5349" in text
    assert "some calls will not connect" not in text
    assert SECRET not in text


def test_relay_only_is_kept_and_recorded(
    office: Office, olivia: StaffMember, maple: Practice, set_up: None
) -> None:
    visitor = office(olivia)
    kept = {name: getattr(maple, name) for name in ("after_call_words", "fallback_words")}
    assert visitor.send("video", {"relay_only": "yes", **kept}).status_code == 302
    maple.refresh_from_db()
    assert maple.relay_only is True
    (event,) = AuditEvent.objects.filter(action="video_settings.changed")
    assert (event.actor, event.details) == (olivia.account, {"fields": ["relay_only"]})
    chosen = re.findall(
        r"<input[^>]*relay_only[^>]*checked[^>]*>", visitor.go("video").content.decode()
    )
    assert len(chosen) == 1 and 'value="yes"' in chosen[0]
    assert "Every call goes through" in visitor.go("video").content.decode()
    assert visitor.send("video", {"relay_only": "no", **kept}).status_code == 302
    maple.refresh_from_db()
    assert maple.relay_only is False


def test_relay_only_without_a_relay_is_refused_in_words(
    office: Office, olivia: StaffMember, maple: Practice
) -> None:
    page = office(olivia).send("video", {"relay_only": "yes"})
    assert page.status_code == 422
    assert "There is no relay that calls could go through" in page.content.decode()
    maple.refresh_from_db()
    assert maple.relay_only is False


def test_a_relay_that_went_away_is_said_where_it_is_needed(
    office: Office, olivia: StaffMember, maple: Practice
) -> None:
    Practice.objects.filter(pk=maple.pk).update(relay_only=True)
    visitor = office(olivia)
    assert "no call will connect" in visitor.go("video").content.decode()
    # And it can be taken back without one.
    assert visitor.send("video", {"relay_only": "no"}).status_code == 302


@pytest.mark.slow
def test_the_relay_is_tested_in_words(
    office: Office, olivia: StaffMember, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configuration, "ROOST_TURN_URL", relay.urls["udp"])
    monkeypatch.setattr(configuration, "ROOST_TURN_SECRET", SECRET)
    visitor = office(olivia)
    text = visitor.send("test-relay").content.decode()
    # It is on loopback.
    assert "It relays at 127.0.0.1, which nobody outside can reach" in text
    monkeypatch.setattr(configuration, "ROOST_TURN_SECRET", "another secret than the relay has")
    text = visitor.send("test-relay").content.decode()
    assert "the secrets differ" in text
    assert "another secret" not in text
    assert AuditEvent.objects.filter(action="relay.tested", actor=olivia.account).count() == 2


def test_tests_of_the_relay_are_counted(
    office: Office,
    olivia: StaffMember,
    adam: StaffMember,
    set_up: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tested: list[int] = []

    def check() -> list[Finding]:
        tested.append(1)
        return [Finding("Relay", Grade.RIGHT, "It answers.")]

    monkeypatch.setattr(views, "check_relay", check)
    visitors = [office(olivia), office(adam)]
    pages = [visitors[n % 2].send("test-relay") for n in range(8)]
    assert [page.status_code for page in pages] == [200] * 6 + [302] * 2
    assert len(tested) == 6
    assert "It answers." in pages[0].content.decode()
    assert "Six tests within ten minutes are enough" in visitors[0].go("video").content.decode()
