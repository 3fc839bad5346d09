"""A start with a mistake in it stops with one clear line; a right one makes what it needs."""

import re
import stat
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.support.command import roost
from tests.support.server import prepared, serving

pytestmark = pytest.mark.one_database

MAKE = ["create-practice", "willow", "Willow Practice", "sam@willow.example", "Sam Owner"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"ROOST_DEMO": "ture"}, "ROOST_DEMO"),
        ({"ROOST_PORT": "eight"}, "ROOST_PORT"),
        ({"ROOST_PORT": "70000"}, "a port is a number from 1 to 65535"),
        ({"ROOST_ORIGN": "x"}, "no setting named ROOST_ORIGN. Did you mean ROOST_ORIGIN?"),
        ({"ROOST_ORIGIN": "portal.example.com"}, "it must look like https://portal.example.com"),
        ({"ROOST_ORIGIN": "http://portal.example.com"}, "must begin with https://"),
        ({"ROOST_DEMO": "1", "ROOST_HOST": "0.0.0.0"}, "serves this machine only"),
        ({"ROOST_DEMO": "1", "ROOST_ORIGIN": "https://x.example"}, "leave ROOST_ORIGIN out"),
        ({"ROOST_DATABASE_URL": "mysql://x/y"}, "PostgreSQL or SQLite"),
        ({"ROOST_SMTP_URL": "mail.example.com"}, "ROOST_SMTP_URL must look like"),
        ({"ROOST_MAIL_FROM": "Willow\nBcc: x@y.example"}, "one plain address"),
        ({"ROOST_TURN_URL": "turn:x:3478"}, "belong together"),
        (
            {"ROOST_TURN_URL": "turn:x:3478, turn://y", "ROOST_TURN_SECRET": "s"},
            "'turn://y' must look like turn:turn.example.com:3478",
        ),
        ({"ROOST_SECRET_KEY": "short"}, "32 characters or more"),
        ({"ROOST_SECRET_KEY_FILE": "/nowhere"}, "cannot be read"),
    ],
)
def test_a_mistake_stops_the_start_in_one_line(
    tmp_path: Path, settings: dict[str, str], words: str
) -> None:
    done = roost(tmp_path, "worker", **settings)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_create_practice_prints_a_link_that_lets_the_owner_in(tmp_path: Path) -> None:
    made = roost(tmp_path, *MAKE)
    assert made.returncode == 0, made.stderr
    link = re.search(r"http://\S+", made.stdout)
    assert link is not None
    again = roost(tmp_path, *MAKE)
    assert (again.returncode, again.stderr) == (
        2,
        "roost: There is a practice at willow already.\n",
    )
    key = tmp_path / "secret-key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    with serving(tmp_path) as server:
        path = link[0].split("/office/", 1)[1]
        page = urlopen(f"{server.origin}/office/{path}").read().decode()
        assert "sam@willow.example" in page
        assert "Save and go in" in page
        # Looking at it has not used it up.
        assert "Save and go in" in urlopen(f"{server.origin}/office/{path}").read().decode()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["create-practice", "Bad Slug", "N", "a@b.example", "S"], "slug"),
        (["create-practice", "ok", "N", "not-an-address", "S"], "needs an @"),
        (["create-practice", "ok", "N", "a@b.example", "S", "--zone", "Mars/X"], "no time zone"),
    ],
)
def test_create_practice_refuses_in_words_and_makes_nothing(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    prepared(tmp_path)
    done = roost(tmp_path, *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_demo_and_a_real_practice_never_share_a_folder(tmp_path: Path) -> None:
    demo, real = tmp_path / "demo", tmp_path / "real"
    for folder in (demo, real):
        prepared(folder)
    assert roost(demo, "demo", ROOST_DEMO="1").returncode == 0
    for arguments in (["serve"], ["worker"], MAKE):
        refused = roost(demo, *arguments)
        assert refused.returncode == 2
        assert "holds the demo, whose passwords everybody knows" in refused.stderr
    assert roost(real, *MAKE).returncode == 0
    refused = roost(real, "demo", ROOST_DEMO="1")
    assert refused.returncode == 2
    assert "holds a real practice" in refused.stderr
    assert roost(real, "demo").returncode == 2


@pytest.mark.slow
def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    with serving(tmp_path / "one") as server:
        second = roost(tmp_path / "two", "serve", ROOST_PORT=str(server.port))
    assert second.returncode == 2
    assert f"port {server.port} cannot be used" in second.stderr


def test_a_worker_alone_says_what_it_waits_for(tmp_path: Path) -> None:
    done = roost(tmp_path, "worker")
    assert done.returncode == 2
    assert done.stderr == (
        "roost: the database is not made yet, or is away: start `roost serve` first.\n"
    )
