"""A change of role or of password ends every other page and socket of the person within five
seconds, on a real server, however many browsers they are signed in with."""

import json
import re
import time
from collections.abc import Iterator
from http.cookies import SimpleCookie
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from roost.accounts.sockets import SIGNED_OUT
from tests.support.rooms import Booked, book
from tests.support.server import Server, serving
from tests.video.test_sockets import CASEY, TARA, Talk, bring_in, on

pytestmark = pytest.mark.slow

OLD, NEW = "a long enough passphrase", "three herons under a bridge"
SECONDS = 5

# Somebody signs in with one more browser. Who is not there yet comes to own the practice.
SIGN_IN = """
import json, sys
from roost.accounts.models import Account
from roost.core.tenancy import scope
from roost.practices.models import Practice
from roost.staff.models import StaffMember
from tests.support.cast import make_account
from tests.support.doors import session_cookie
slug, email, door = sys.argv[1:]
with scope(Practice.objects.get(slug=slug).pk):
    account = Account.objects.filter(email=email).first()
    if account is None:
        account = make_account(email)
        StaffMember.objects.create(account=account, role="owner", display_name="Olivia Osei")
    tara = StaffMember.objects.get(display_name="Tara Okafor")
    print(json.dumps(["=".join(session_cookie(account, door)), str(tara.uuid)]))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database: dict[str, str]) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("roost"), **database) as running:
        yield running


def sign_in(booked: Booked, email: str, door: str) -> tuple[str, str]:
    """Somebody's cookie in one more browser, and Tara's public id."""
    cookie, tara = json.loads(booked.server.run(SIGN_IN, booked.slug, email, door))
    return cookie, tara


def first_cookie(booked: Booked, door: str) -> str:
    """The cookie of the browser that is in the call."""
    cookie = booked.cookie(door)
    return f"{cookie['name']}={cookie['value']}"


def lands_on(url: str, cookie: str) -> str:
    """Where a page leads whoever has this cookie."""
    with urlopen(Request(url, headers={"Cookie": cookie})) as answer:
        return str(answer.url).partition("?")[0]


def send_form(url: str, cookie: str, fields: dict[str, str], *, to: str = "") -> None:
    """Look at the page of a form, and send it with what is hidden in it, to another address where
    the form says so."""
    with urlopen(Request(url, headers={"Cookie": cookie})) as page:
        text, given = page.read().decode(), SimpleCookie(page.headers["Set-Cookie"])
    names = "csrfmiddlewaretoken|form_key"
    hidden = dict(re.findall(rf'name="({names})" value="([^"]+)"', text))
    held = "; ".join([cookie, *(f"{name}={each.value}" for name, each in given.items())])
    form = urlencode({**hidden, **fields}).encode()
    with urlopen(Request(to or url, form, {"Cookie": held})) as answer:
        assert answer.url != (to or url), "The form came back."


@pytest.fixture
def call(server: Server) -> Iterator[tuple[Booked, Talk, Talk]]:
    """A call of Tara's and Casey's, in a practice of its own."""
    booked = book(server, slug=f"call-{time.monotonic_ns()}")
    with on(booked, "office") as tara, on(booked, "portal") as casey:
        tara.say(type="hello", cid=TARA)
        tara.say(type="ready", name="Tara")
        tara.say(type="join")
        tara.hear("joined", cid=TARA)
        casey.say(type="hello", cid=CASEY)
        casey.say(type="ready", name="Casey")
        casey.hear("state", state="waiting")
        bring_in(tara, casey)
        yield booked, tara, casey


def test_a_change_of_role_ends_the_call_and_the_bell(call: tuple[Booked, Talk, Talk]) -> None:
    booked, tara, casey = call
    today = f"{booked.office}/today/"
    assert lands_on(today, first_cookie(booked, "office")) == today
    with on(booked, "office", path=f"{booked.office}/bell/socket/") as bell:
        bell.hear("waiting")
        olivia, member = sign_in(booked, "olivia@maple.example", "office")
        fields = {"display_name": "Tara Okafor", "role": "admin", "is_active": "on"}
        begun = time.monotonic()
        send_form(f"{booked.office}/settings/staff/{member}/", olivia, fields)
        assert tara.ended() == SIGNED_OUT
        assert bell.ended() == SIGNED_OUT
        casey.hear("left", cid=TARA)
        assert lands_on(today, first_cookie(booked, "office")) == f"{booked.office}/log-in/"
        assert time.monotonic() - begun < SECONDS
    assert lands_on(today, olivia) == today


@pytest.mark.parametrize(
    ("door", "email", "form"),
    [
        ("portal", "casey@client.example", "my-account/password/"),
        ("office", "tara@maple.example", "my-account/"),
    ],
)
def test_a_change_of_password_ends_the_call_in_the_other_browser(
    call: tuple[Booked, Talk, Talk], door: str, email: str, form: str
) -> None:
    booked, tara, casey = call
    mine, other, cid = (casey, tara, CASEY) if door == "portal" else (tara, casey, TARA)
    root = booked.portal if door == "portal" else booked.office
    page = f"{root}/my-account/"
    assert lands_on(page, first_cookie(booked, door)) == page
    second, _ = sign_in(booked, email, door)
    begun = time.monotonic()
    send_form(f"{root}/{form}", second, {"current_password": OLD, "new_password": NEW})
    assert mine.ended() == SIGNED_OUT
    other.hear("left", cid=cid)
    assert lands_on(page, first_cookie(booked, door)) == f"{root}/log-in/"
    assert time.monotonic() - begun < SECONDS


@pytest.mark.parametrize(
    ("door", "email", "page", "form"),
    [
        ("portal", "casey@client.example", "my-account/security/", "end-others/"),
        ("office", "tara@maple.example", "my-account/", "devices/end-others/"),
    ],
)
def test_signing_out_everywhere_ends_the_call_and_the_pages_of_the_other_browser(
    call: tuple[Booked, Talk, Talk], door: str, email: str, page: str, form: str
) -> None:
    booked, tara, casey = call
    mine, other, cid = (casey, tara, CASEY) if door == "portal" else (tara, casey, TARA)
    where = f"{booked.portal if door == 'portal' else booked.office}/{page}"
    assert lands_on(where, first_cookie(booked, door)) == where
    second, _ = sign_in(booked, email, door)
    begun = time.monotonic()
    send_form(where, second, {}, to=where + form)
    assert mine.ended() == SIGNED_OUT
    other.hear("left", cid=cid)
    assert lands_on(where, first_cookie(booked, door)).endswith("/log-in/")
    assert time.monotonic() - begun < SECONDS
    assert lands_on(where, second) == where


def test_one_device_that_is_ended_leaves_the_call_and_its_pages(
    call: tuple[Booked, Talk, Talk],
) -> None:
    booked, tara, casey = call
    where = f"{booked.portal}/my-account/security/"
    second, _ = sign_in(booked, "casey@client.example", "portal")
    third, _ = sign_in(booked, "casey@client.example", "portal")
    with urlopen(Request(where, headers={"Cookie": third})) as answer:
        text = answer.read().decode()
    forms = re.findall(r'action="([^"]+/security/[0-9a-f-]+/end/)"', text)
    assert len(forms) == 2
    begun = time.monotonic()
    root = where.removesuffix("/portal/" + where.partition("/portal/")[2])
    # The browser in the call is the one that was used first, and so the last of the list.
    send_form(where, third, {}, to=root + forms[-1])
    assert casey.ended() == SIGNED_OUT
    tara.hear("left", cid=CASEY)
    assert lands_on(where, first_cookie(booked, "portal")).endswith("/log-in/")
    assert time.monotonic() - begun < SECONDS
    assert lands_on(where, second) == where
