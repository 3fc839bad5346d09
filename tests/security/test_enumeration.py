"""Nobody can ask whether an address is known: pairs of a known and an unknown one, step by step.

Status, headers, body, steps and number of mails are compared here, with the mail server alive and
dead; how long each takes is in bench/enumeration.py.
"""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from roost.accounts.models import Account, AttemptCount, SignUp
from roost.core.time import now
from roost.outbox.models import OutgoingMessage
from roost.outbox.services import deliver_due
from roost.practices.models import Practice
from tests.support.cast import make_account
from tests.support.doors import Visitor
from tests.support.post import Post, post_office
from tests.support.server import free_port

SECRET = "violet umbrella by the door"
KNOWN, UNKNOWN = "kestrel@client.example", "sparrow@client.example"
Steps = Callable[[Visitor, str], list[Any]]


@pytest.fixture(autouse=True)
def known(maple: Practice) -> Account:
    """An address with a log-in of its own, at a practice that lets people sign up."""
    maple.allow_sign_up = True
    maple.save(update_fields=["allow_sign_up"])
    return make_account(KNOWN)


@pytest.fixture(params=["alive", "dead"])
def post(request: pytest.FixtureRequest, settings: Any) -> Iterator[Post | None]:
    """The mail server, in both of its moods."""
    with ExitStack() as stack:
        if request.param == "alive":
            post = stack.enter_context(post_office())
            settings.ROOST_SMTP = post.settings
            yield post
        else:
            settings.ROOST_SMTP = Post(free_port()).settings
            yield None


def create(visitor: Visitor, email: str) -> list[Any]:
    names = {"first_name": "Kit", "last_name": "Rook", "password": SECRET}
    first = visitor.go("create-account")
    form = {"form_key": uuid.uuid4(), "email": email, **names}
    return [first, visitor.send("create-account", form), visitor.go("sign-up")]


def wrong_log_in(visitor: Visitor, email: str) -> list[Any]:
    return [visitor.send("log-in", {"email": email, "password": "no such password here"})]


def many_wrong_log_ins(visitor: Visitor, email: str) -> list[Any]:
    return [wrong_log_in(visitor, email)[0] for _ in range(12)]


def reset(visitor: Visitor, email: str) -> list[Any]:
    return [visitor.go("forgot-password"), visitor.send("forgot-password", {"email": email})]


def sign_up_then_log_in(visitor: Visitor, email: str) -> list[Any]:
    steps = create(visitor, email)
    again = Visitor(visitor.practice, "portal")
    steps.append(again.send("log-in", {"email": email, "password": SECRET}))
    steps += [again.go("sign-up"), again.go("account"), again.go("correct-address")]
    wrong = Visitor(visitor.practice, "portal")
    steps.append(wrong.send("log-in", {"email": email, "password": "not that password"}))
    office = Visitor(visitor.practice, "office")
    return [*steps, office.send("log-in", {"email": email, "password": SECRET})]


def resend(visitor: Visitor, email: str) -> list[Any]:
    steps = create(visitor, email)
    steps.append(visitor.send("sign-up", {"do": "resend"}))
    for _ in range(6):
        SignUp.objects.filter(email=email).update(mailed_at=now() - timedelta(minutes=2))
        steps += [visitor.send("sign-up", {"do": "resend"}), visitor.go("sign-up")]
    return steps


def wrong_codes(visitor: Visitor, email: str) -> list[Any]:
    steps = create(visitor, email)
    return steps + [
        visitor.send("sign-up", {"do": "verify", "code": f"{number:06}"}) for number in range(17)
    ]


def corrected_to_it(visitor: Visitor, email: str) -> list[Any]:
    """The sign-up was for an address of one's own first."""
    create(visitor, "my-own@client.example")
    steps = [visitor.send("correct-address", {"email": email}), visitor.go("sign-up")]
    return [*steps, visitor.send("sign-up", {"do": "verify", "code": "123456"})]


def form_sent_twice(visitor: Visitor, email: str) -> list[Any]:
    form = {
        "form_key": uuid.uuid4(), "email": email, "first_name": "Kit", "last_name": "Rook",
        "password": SECRET,
    }  # fmt: skip
    again = Visitor(visitor.practice, "portal")
    return [visitor.send("create-account", form), again.send("create-account", form)]


def seen(answer: Any, email: str) -> tuple[Any, ...]:
    """What somebody learns from an answer, without what is drawn anew each time."""
    body = answer.content.decode().replace(email, "ADDRESS")
    body = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "CSRF", body)
    body = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "UUID", body)
    body = re.sub(r"[A-Z0-9]{3}-[A-Z0-9]{3}\b", "CODE", body)
    body = re.sub(r"Confirmation code: [A-Z0-9 ,]+", "CODE", body)
    body = re.sub(r'data-pause="\d+"|in \d+ seconds?;|\d{1,2}:\d\d [ap]m', "TIME", body)
    cookies = {
        name: (morsel["httponly"], morsel["samesite"], morsel["path"], morsel["max-age"])
        for name, morsel in answer.cookies.items()
    }
    length = "Content-Length"
    headers = {name: value for name, value in answer.headers.items() if name != length}
    return answer.status_code, headers, cookies, body


@pytest.mark.parametrize(
    "steps",
    [
        create, wrong_log_in, many_wrong_log_ins, reset, sign_up_then_log_in, resend,
        wrong_codes, corrected_to_it, form_sent_twice,
    ],
)  # fmt: skip
def test_a_known_and_an_unknown_address_get_the_same(
    maple: Practice, post: Post | None, steps: Steps
) -> None:
    answers, mails = {}, {}
    for email in (KNOWN, UNKNOWN):
        AttemptCount.objects.all().delete()
        before = OutgoingMessage.objects.count()
        # The clock stands: on a slow machine a pause would be over for one of the two only.
        with time_machine.travel(now(), tick=False):
            answers[email] = [seen(each, email) for each in steps(Visitor(maple, "portal"), email)]
        deliver_due()
        answers[email].append(OutgoingMessage.objects.count() - before)
        mails[email] = len([m for m in post.received if m.to == [email]]) if post else 0
    known, unknown = answers[KNOWN], answers[UNKNOWN]
    if steps is reset:
        # The link itself goes to a known address only; the row stays inside.
        assert (known.pop(), unknown.pop()) == (1, 0)
        mails = {}
    assert len(known) == len(unknown) > 0
    for number, (one, other) in enumerate(zip(known, unknown, strict=True)):
        assert one == other, f"step {number}"
    assert mails.get(KNOWN) == mails.get(UNKNOWN)


def test_the_pairs_above_would_notice(maple: Practice) -> None:
    """Two answers that differ do differ in what is compared."""
    visitor = Visitor(maple, "portal")
    wrong, forgot = wrong_log_in(visitor, KNOWN)[0], reset(visitor, KNOWN)[1]
    assert seen(wrong, KNOWN) != seen(forgot, KNOWN)
    assert "ADDRESS" in seen(forgot, KNOWN)[3]
