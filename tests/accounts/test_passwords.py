"""Which passwords may be chosen, and what a change of one ends."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as some

from roost.accounts.models import Account, SignIn
from roost.accounts.passwords import (
    LONGEST,
    SHORTEST,
    check_new_password,
    generate_starter_password,
    words_of,
)
from roost.audit.models import AuditEvent
from roost.core.text import search_key
from roost.outbox.models import OutgoingMessage
from roost.practices.models import Practice
from roost.staff.models import StaffMember
from tests.support.cast import PASSWORD
from tests.support.doors import Visitor

Door = Callable[..., Visitor]
OWN = ["Maple Counselling", "maple", "Casey Nguyen", "casey@client.example"]
NEW = "my own quiet sentence"


def _refused(password: str, own_words: Iterable[str] = OWN) -> str:
    with pytest.raises(ValidationError) as error:
        check_new_password(password, own_words)
    [words] = error.value.messages
    return words


# The rules


@pytest.mark.parametrize(
    "password",
    [
        "my own quiet sentence",
        "twelve-chars",
        "            a b c d e f g h",
        "日本語の長い合言葉を覚える",
        "🦊🐌🌲🪁🧦🫖🪴🧵🎻🛶🧭🪵",
        "'; DROP TABLE accounts; --",
        "aB3$" * 64,
    ],
)
def test_any_characters_will_do(password: str) -> None:
    check_new_password(password, OWN)


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("elevenchars", "has 11 characters. It needs 12 or more"),
        ("", "has 0 characters"),
        ("🦊" * 3, "has 3 characters"),
        ("a" * 257, "at most 256 characters"),
        ("aaaaaaaaaaaa", "repeats itself too much"),
        ("abcabcabcabcabc", "repeats itself too much"),
        ("password12345", "on the lists"),
        ("PASSWORD12345", "on the lists"),
        ("maple counselling", "too close to your name"),
        ("Counselling-Maple-2026", "too close to your name"),
        ("caseynguyen1994", "too close to your name"),
        ("casey@client.example", "too close to your name"),
        ("CÁSEY NGUYËN 12", "too close to your name"),
    ],
)
def test_what_is_weak_is_refused_in_words(password: str, words: str) -> None:
    said = _refused(password)
    assert words in said
    assert not password or password not in said


def test_the_edges_of_the_length_count_characters_and_not_bytes() -> None:
    assert (SHORTEST, LONGEST) == (12, 256)
    letters = "áéíóúàèìòùâêîôû"
    longest = (letters * 18)[:256]
    assert len(longest.encode()) == 512
    check_new_password(longest, OWN)
    assert "at most 256" in _refused(longest + "a")
    check_new_password(letters[:12], OWN)
    assert "has 11" in _refused(letters[:11])


def test_nothing_is_cut_at_72_bytes(maple: Practice) -> None:
    account = Account(email="long@client.example")
    long = ("é quiet sentence that goes on " * 20)[:256]
    account.set_password(long)
    assert account.check_password(long)
    for other in (
        long[:72],
        long[:-1],
        long[:-1] + "X",
        long.encode()[:72].decode("utf-8", "ignore"),
    ):
        assert not account.check_password(other)
    assert account.password.startswith("argon2$argon2id$")


@settings(suppress_health_check=[HealthCheck.filter_too_much], deadline=None, database=None)
@given(
    some.text(some.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=300),
    some.lists(some.text(max_size=20), max_size=4),
)
def test_every_password_is_judged_without_fail(password: str, own: list[str]) -> None:
    try:
        check_new_password(password, own)
    except ValidationError:
        return
    assert SHORTEST <= len(password) <= LONGEST
    rest = search_key(password)
    for word in sorted({w for text in own for w in words_of(text)}, key=len, reverse=True):
        rest = rest.replace(word, "")
    assert len(rest) >= 8


@settings(deadline=None, database=None)
@given(some.sampled_from(OWN), some.text("0123456789!-_ ", max_size=5))
def test_own_words_with_a_little_around_them_are_never_enough(own: str, little: str) -> None:
    assume(len(own + little) >= 12)
    assert _refused(own + little)
    assert _refused(little + own.upper())


# The file of breached passwords


def _hashes(passwords: Iterable[str]) -> list[str]:
    return sorted(
        hashlib.sha1(p.encode(), usedforsecurity=False).hexdigest().upper() for p in passwords
    )


@pytest.mark.parametrize("ending", ["\n", "\r\n", ":42\n"])
@pytest.mark.parametrize("number", [1, 2, 3, 50])
def test_each_line_of_the_breached_file_is_found_and_nothing_else(
    tmp_path: Path, settings: Any, ending: str, number: int
) -> None:
    breached = [f"breached sentence number {n}" for n in range(number)]
    file = tmp_path / "breached.txt"
    file.write_bytes("".join(f"{line}{ending}" for line in _hashes(breached)).encode())
    settings.ROOST_BREACHED_PASSWORDS = str(file)
    for password in breached:
        assert "on the lists" in _refused(password)
    for n in range(30):
        check_new_password(f"a fresh sentence number {n}", [])
    settings.ROOST_BREACHED_PASSWORDS = ""
    check_new_password(breached[0], [])


def test_an_empty_breached_file_holds_nothing(tmp_path: Path, settings: Any) -> None:
    file = tmp_path / "breached.txt"
    file.write_text("")
    settings.ROOST_BREACHED_PASSWORDS = str(file)
    check_new_password(NEW, OWN)


# Starter passwords


def test_a_generated_starter_password_may_be_chosen_and_holds_no_own_word() -> None:
    made = {generate_starter_password(OWN) for _ in range(200)}
    assert len(made) == 200
    for password in made:
        check_new_password(password, OWN)
        assert password.isascii()
        assert not {"maple", "casey", "nguyen"} & set(password.split("-"))
        assert len(password.split("-")) == 5


# Changing one's own


@pytest.mark.parametrize("door", ["portal", "office"])
def test_a_change_of_password_ends_every_other_sign_in_and_tells_the_holder(
    maple: Practice,
    parker_account: Account,
    casey_account: Account,
    tara: StaffMember,
    monkeypatch: pytest.MonkeyPatch,
    door: str,
) -> None:
    from roost.accounts import services

    pushed: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(services, "push", lambda group, message: pushed.append((group, message)))
    account = casey_account if door == "portal" else tara.account
    route = "change-password" if door == "portal" else "account"
    here, there = Visitor(maple, door, account), Visitor(maple, door, account)
    other_door = Visitor(maple, "office" if door == "portal" else "portal", account)
    stranger = Visitor(maple, "portal", parker_account)
    key = here.cookies[f"roost-{door}-maple"].value
    answer = here.send(route, {"current_password": PASSWORD, "new_password": NEW})
    assert answer.status_code == 302
    assert here.cookies[f"roost-{door}-maple"].value != key
    assert here.go("account").status_code == 200
    assert there.go("account").status_code == 302
    assert SignIn.objects.filter(account=account).count() == 1
    assert other_door.go("account")["Location"].startswith(f"/{other_door.door}/maple/log-in/")
    assert stranger.go("account").status_code == 200
    assert pushed == [(f"account.{account.pk}", {"type": "account.signed_out"})]
    [message] = OutgoingMessage.objects.all()
    assert (message.kind, message.to) == ("password_changed", account.email)
    [event] = AuditEvent.objects.filter(action="password.changed")
    assert (event.actor, event.details) == (account, {})
    account.refresh_from_db()
    assert account.check_password(NEW)


def test_a_wrong_current_password_changes_nothing_and_keeps_no_password(
    portal: Door, casey_account: Account
) -> None:
    visitor, elsewhere = portal(casey_account), portal(casey_account)
    answer = visitor.send(
        "change-password", {"current_password": "not this one at all", "new_password": NEW}
    )
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "That is not your current password." in text
    assert "not this one at all" not in text
    assert NEW not in text
    assert elsewhere.go("account").status_code == 200
    casey_account.refresh_from_db()
    assert casey_account.check_password(PASSWORD)
    assert AuditEvent.objects.filter(action="password.changed").count() == 0


def test_guesses_at_the_current_password_are_limited(portal: Door, casey_account: Account) -> None:
    visitor = portal(casey_account)
    guess = {"current_password": "not this one at all", "new_password": NEW}
    answers = [visitor.send("change-password", guess).status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]
    right = {"current_password": PASSWORD, "new_password": NEW}
    assert visitor.send("change-password", right).status_code == 429
    casey_account.refresh_from_db()
    assert casey_account.check_password(PASSWORD)


def test_a_new_password_that_is_refused_does_not_count_as_a_guess(
    portal: Door, casey_account: Account
) -> None:
    visitor = portal(casey_account)
    weak = {"current_password": PASSWORD, "new_password": "casey nguyen"}
    assert [visitor.send("change-password", weak).status_code for _ in range(12)] == [422] * 12
