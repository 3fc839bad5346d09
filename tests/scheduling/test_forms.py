from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from roost.practices.models import Practice
from roost.scheduling.forms import BookingForm, MoveForm, ServiceForm
from tests.support.cast import Cast

TORONTO = ZoneInfo("America/Toronto")
HOSTILE = [
    "",
    " ",
    "x" * 100_000,
    "<script>alert(1)</script>",
    "\u202e10:00",
    "14:00\r\nSet-Cookie: a=b",
    "\x00",
    "'; drop table appointment; --",
    "9" * 5000,
    "-1",
    "٣",
]


def moved(day: str, hour: str, **more: str) -> MoveForm:
    return MoveForm({"day": day, "hour": hour, **more}, tz=TORONTO)


@pytest.mark.parametrize("hour", ["14:00", "14:00:59", "2:00 pm", "2 PM", "2pm"])
def test_a_time_is_read_as_people_write_it(hour: str) -> None:
    form = moved("2026-11-25", hour)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["starts_at"] == datetime(2026, 11, 25, 19, 0, tzinfo=UTC)


def test_summer_time_is_read_in_summer() -> None:
    form = moved("2027-07-01", "14:00")
    assert form.is_valid()
    assert form.cleaned_data["starts_at"] == datetime(2027, 7, 1, 18, 0, tzinfo=UTC)


def test_a_gap_is_refused_with_the_reason() -> None:
    form = moved("2027-03-14", "02:30")
    assert not form.is_valid()
    assert form.errors["hour"] == [
        "On Sunday 14 March 2027 the clocks go forward from 2:00 am to 3:00 am, "
        "so 2:30 am doesn’t exist. Choose another time."
    ]
    assert not form.asks_which


def test_a_fold_is_asked_and_the_typed_time_stays() -> None:
    form = moved("2027-11-07", "01:30")
    assert not form.is_valid()
    assert form.asks_which
    assert form.errors["which"] == [
        "On Sunday 7 November 2027 the clocks go back, so 1:30 am comes twice. "
        "Say which one you mean."
    ]
    assert [label for _, label in form.fields["which"].widget.choices] == [
        "The first 1:30 am (EDT)",
        "The second 1:30 am (EST)",
    ]
    assert (form["day"].value(), form["hour"].value()) == ("2027-11-07", "01:30")


@pytest.mark.parametrize(("which", "hour"), [("0", 5), ("1", 6)])
def test_a_fold_is_booked_as_answered(which: str, hour: int) -> None:
    form = moved("2027-11-07", "01:30", which=which)
    assert form.is_valid()
    assert form.asks_which
    assert form.cleaned_data["starts_at"] == datetime(2027, 11, 7, hour, 30, tzinfo=UTC)


def test_an_answer_without_a_question_means_nothing() -> None:
    form = moved("2026-11-25", "14:00", which="1")
    assert form.is_valid()
    assert not form.asks_which
    assert not moved("2027-11-07", "01:30", which="2").is_valid()


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2023-01-01", "2029-01-01"])
def test_days_nobody_means_are_refused(day: str) -> None:
    form = moved(day, "14:00")
    assert not form.is_valid()
    assert form.errors["day"] == ["Choose a day within two years from today. Check the year."]


@pytest.mark.parametrize("value", [*HOSTILE, "2026-02-30", "0000-00-00", "2026-11-24T10:00"])
@pytest.mark.parametrize("name", ["day", "hour", "which", "seen"])
def test_hostile_values_are_refused_in_words(name: str, value: str) -> None:
    data = {"day": "2026-11-25", "hour": "14:00", name: value}
    form = MoveForm(data, tz=TORONTO)
    form.is_valid()
    for messages in form.errors.values():
        assert all(message.endswith(".") for message in messages)
    if name in ("day", "hour") and value != "\x00":
        assert name in form.errors


@pytest.mark.parametrize("name", ["form_key", "clients", "therapist", "service", "mode"])
def test_hostile_booking_is_refused(cast: Cast, maple: Practice, name: str) -> None:
    data: dict[str, Any] = {
        "form_key": "5b0f4ba9-57a6-4b4e-a2ad-3a6cc1a7d6a4",
        "clients": [str(cast.casey.uuid)],
        "therapist": str(cast.tara.uuid),
        "service": str(cast.individual.uuid),
        "mode": "video",
        "day": "2026-11-25",
        "hour": "14:00",
    }
    assert BookingForm(cast.olivia, data, tz=TORONTO).is_valid()
    for value in HOSTILE:
        sent = data | {name: [value] if name == "clients" else value}
        form = BookingForm(cast.olivia, sent, tz=TORONTO)
        assert not form.is_valid()
        assert set(form.errors) == {name}


def test_the_same_client_twice_is_one(cast: Cast, maple: Practice) -> None:
    data = {"clients": [str(cast.casey.uuid), cast.casey.uuid.hex, str(cast.noor.uuid)]}
    form = BookingForm(cast.tara, data, tz=TORONTO)
    form.is_valid()
    assert form.cleaned_data["clients"] == [cast.casey.uuid, cast.noor.uuid]


def test_a_therapist_is_offered_their_own_calendar(cast: Cast, maple: Practice) -> None:
    form = BookingForm(cast.tara, tz=TORONTO)
    assert form.fields["therapist"].choices == [(str(cast.tara.uuid), "Tara Okafor, RP")]
    assert form.chosen_therapist == cast.tara
    everybody = BookingForm(cast.adam, tz=TORONTO)
    assert [label for _, label in everybody.fields["therapist"].choices] == [
        "Choose…",
        "Tara Okafor, RP",
        "Theo Lang, RSW",
    ]
    assert everybody.chosen_therapist is None


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("name", ["name", "type", "duration_minutes"])
def test_hostile_service_is_refused_or_cleaned(name: str, value: str) -> None:
    form = ServiceForm(
        {"name": "Couple", "type": "couple", "duration_minutes": "80", name: value}, currency="CAD"
    )
    if form.is_valid():
        said = form.cleaned_data["name"]
        assert said and len(said) <= 80 and not {"\r", "\n", "\u202e", "\x00"} & set(said)
    else:
        assert set(form.errors) == {name}
