"""The card that comes first on My Account, at every moment and in every zone."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from roost.accounts.models import Account
from roost.clients.enums import Relationship
from roost.clients.models import Client
from roost.core.time import now
from roost.portal.next_session import NextSession, describe_next
from roost.practices.models import Practice
from roost.scheduling.enums import Mode
from roost.scheduling.models import Appointment
from tests.support.cast import Cast, give, make_account, make_appointment
from tests.support.doors import Visitor

Door = Callable[..., Visitor]
TORONTO, VANCOUVER = ZoneInfo("America/Toronto"), ZoneInfo("America/Vancouver")
# 2:00 pm in Toronto, 11:00 am in Vancouver.
STARTS = datetime(2026, 11, 24, 19, tzinfo=UTC)


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>|&nbsp;", " ", answer.content.decode()).split())


@pytest.fixture
def describe(cast: Cast, maple: Practice) -> Callable[..., NextSession]:
    """Casey's session of 24 November as the card says it so long before its start."""

    def card(
        before: timedelta, *, reader: ZoneInfo = TORONTO, mode: str = Mode.VIDEO, out: bool = False
    ) -> NextSession:
        session = make_appointment(
            cast.tara, cast.casey, service=cast.individual, starts_at=STARTS, mode=mode
        )
        return describe_next(session, maple, reader=reader, moment=STARTS - before, stepped_out=out)

    return card


def test_a_day_before_it_says_when_join_opens_and_how_long_that_is(
    describe: Callable[..., NextSession],
) -> None:
    card = describe(timedelta(hours=25))
    assert (card.kicker, card.day, card.hours) == (
        "Starts in 25 hours", "Tomorrow", "2:00 – 2:50 pm EST",
    )  # fmt: skip
    assert card.join == "early"
    assert card.why == "Join opens tomorrow at 1:30 pm, 30 minutes before you start."
    assert card.until_open == "That is in 24 hours."
    assert card.practice_hours == ""


@pytest.mark.parametrize(
    ("minutes", "join", "kicker"),
    [
        (31, "early", "Starts in 31 minutes"),
        (30, "open", "Starts in 30 minutes"),
        (0, "open", "Started less than a minute ago"),
        (-49, "open", "Started 49 minutes ago"),
        (-60, "open", "Ended 10 minutes ago"),
    ],
)
def test_join_opens_half_an_hour_before(
    describe: Callable[..., NextSession], minutes: int, join: str, kicker: str
) -> None:
    card = describe(timedelta(minutes=minutes))
    assert (card.join, card.kicker) == (join, kicker)
    assert bool(card.until_open) == (join == "early")


def test_a_reader_elsewhere_is_told_their_own_time_first_and_then_the_practices(
    describe: Callable[..., NextSession],
) -> None:
    card = describe(timedelta(hours=25), reader=VANCOUVER)
    assert card.hours == "11:00 – 11:50 am PST"
    assert card.practice_hours == "2:00 – 2:50 pm EST at Maple Counselling"
    assert "at 10:30 am" in card.why
    far = describe(timedelta(hours=25), reader=ZoneInfo("Asia/Tokyo"))
    assert far.practice_hours == "Tuesday, 2:00 – 2:50 pm EST at Maple Counselling"


def test_somebody_who_stepped_out_returns(describe: Callable[..., NextSession]) -> None:
    card = describe(timedelta(minutes=-10), out=True)
    assert card.join == "return"
    assert "until 3:20 pm" in card.why


@pytest.mark.parametrize(
    ("mode", "where", "why"),
    [
        (Mode.PHONE, "By phone", "Tara phones you for this one, so there’s no call to join."),
        (Mode.IN_PERSON, "In person, 214 Harbord Street, Toronto",
         "This one is in person, so there’s no call to join."),
    ],
)  # fmt: skip
def test_what_is_no_video_says_so_beside_join(
    describe: Callable[..., NextSession], mode: str, where: str, why: str
) -> None:
    card = describe(timedelta(hours=3), mode=mode)
    assert (card.join, card.where, card.why) == ("none", where, why)


def test_the_page_shows_join_always_its_countdown_without_script_and_whom_to_call(
    portal: Door, cast: Cast, casey: Client, casey_account: Account
) -> None:
    session = make_appointment(
        cast.tara, casey, service=cast.individual, starts_at=now() + timedelta(hours=26)
    )
    visitor = portal(casey_account)
    page = visitor.go("account")
    room = visitor.path("room", appointment=session.uuid)
    assert f'href="{room}"' in page.content.decode()
    words = text_of(page)
    assert "Starts in 26 hours" in words
    assert re.search(r"Join opens [\w ,]+ at [\d:]+ [ap]m, 30 minutes before you start\.", words)
    assert re.search(r"That is in 2[56] hours\.", words)
    assert "Trouble?" not in words
    session.starts_at, session.ends_at = now(), now() + timedelta(minutes=50)
    session.save()
    page = visitor.go("account")
    assert f'href="{room}"' in page.content.decode()
    words = text_of(page)
    assert "Open now" in words
    assert "Trouble? Call 416 555 0142 ." in words


@pytest.mark.parametrize(
    ("along", "words"),
    [
        ([], "Tara Okafor, RP"),
        (["Remy Parker"], "Tara Okafor, RP, and Remy Parker"),
        (["Robin Parker", "Remy Parker"], "Tara Okafor, RP, Robin Parker and Remy Parker"),
    ],
)
def test_the_card_names_who_comes_along(
    cast: Cast, maple: Practice, along: list[str], words: str
) -> None:
    session = make_appointment(cast.tara, cast.casey, service=cast.family, starts_at=STARTS)
    card = describe_next(
        session, maple, reader=TORONTO, moment=STARTS, stepped_out=False, along=along
    )
    assert card.with_whom == words


def test_without_a_title_no_comma_comes_before_the_and(cast: Cast, maple: Practice) -> None:
    session = make_appointment(cast.tara, cast.casey, service=cast.family, starts_at=STARTS)
    session.therapist.title = ""
    card = describe_next(
        session, maple, reader=TORONTO, moment=STARTS, stepped_out=False, along=["Remy Parker"]
    )
    assert card.with_whom == "Tara Okafor and Remy Parker"


def test_a_family_session_says_so_and_names_only_who_is_of_the_same_log_in(
    cast: Cast, maple: Practice, portal: Door
) -> None:
    make_appointment(
        cast.theo, cast.robin, cast.remy, cast.noor, service=cast.family, starts_at=now()
    )
    parker = portal(cast.parker_account)
    assert "Family session with Theo Lang, RSW, and Remy Parker" in text_of(parker.go("account"))
    said = text_of(parker.go("account", {"person": cast.remy.uuid}))
    assert "Family session with Theo Lang, RSW, and Robin Parker" in said
    assert "Noor" not in said
    # Who is at the session with a log-in of their own is told of nobody.
    noor = make_account("noor@client.example")
    give(noor, cast.noor)
    said = text_of(portal(noor).go("account"))
    assert "Family session with Theo Lang, RSW" in said
    assert "Parker" not in said


def test_a_partner_at_a_session_without_oneself_is_not_named(
    cast: Cast, maple: Practice, portal: Door
) -> None:
    """Of a partner only shared sessions are seen, also where a child of both comes to them."""
    give(cast.casey_account, cast.remy, Relationship.PARENT)
    give(cast.casey_account, cast.noor, Relationship.PARTNER)
    apart = make_appointment(cast.tara, cast.remy, cast.noor, service=cast.family, starts_at=now())
    casey = portal(cast.casey_account)
    said = text_of(casey.go("account", {"person": cast.remy.uuid}))
    assert "Family session with Tara Okafor, RP" in said
    assert "RP, and Noor" not in said
    Appointment.objects.filter(pk=apart.pk).update(cancelled_at=now())
    make_appointment(
        cast.tara, cast.remy, cast.noor, cast.casey, service=cast.family, starts_at=now()
    )
    said = text_of(casey.go("account", {"person": cast.remy.uuid}))
    assert "Family session with Tara Okafor, RP, Noor Haddad and Casey Nguyen" in said


def test_a_payer_of_one_who_comes_along_is_told_of_nobody(
    cast: Cast, maple: Practice, portal: Door
) -> None:
    make_appointment(cast.tara, cast.casey, cast.noor, service=cast.family, starts_at=now())
    give(cast.casey_account, cast.noor, Relationship.PAYER)
    said = text_of(portal(cast.casey_account).go("account"))
    assert "Family session with Tara Okafor, RP" in said
    assert "RP, and Noor" not in said


def test_a_session_of_one_is_just_a_session(cast: Cast, maple: Practice, portal: Door) -> None:
    make_appointment(cast.tara, cast.casey, service=cast.individual, starts_at=now())
    said = text_of(portal(cast.casey_account).go("account"))
    assert "with Tara Okafor, RP" in said
    assert "ession with" not in said
