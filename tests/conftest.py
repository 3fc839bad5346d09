"""What every test may ask for: the cast of two practices, and visitors at their doors."""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import time_machine
from django.conf import settings as configuration
from django.contrib.auth.hashers import get_hashers, get_hashers_by_algorithm

from roost.accounts import allowances
from roost.accounts.models import Account
from roost.clients.models import Client
from roost.core.tenancy import scope
from roost.core.time import from_wall_time, now, zone
from roost.practices.models import Practice
from roost.staff.models import StaffMember
from tests.support.cast import Cast, make_cast
from tests.support.doors import Visitor
from tests.support.server import MIGRATE, Server

# The same Argon2id, at a cost that a suite can bear.
configuration.PASSWORD_HASHERS = ["tests.support.hashers.QuickArgon2"]
# Django has looked the hashers up already, for the password that nobody has.
get_hashers.cache_clear()
get_hashers_by_algorithm.cache_clear()
# Pages link to files by their own names; the hashed names are made by a real start only.
configuration.STORAGES = {
    **configuration.STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

MARKS = {"journeys": "journey", "faults": "fault"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What lies in tests/journeys is a journey, what lies in tests/faults a fault. Where several
    processes share the tests, what takes long begins first: none is left to it at the end."""
    here = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(here).parts[0] if item.path.is_relative_to(here) else ""
        if folder in MARKS:
            item.add_marker(getattr(pytest.mark, MARKS[folder]))
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=_is_short)


def _is_short(item: pytest.Item) -> bool:
    """Calls are not begun all at once: they take long, but mostly the processor."""
    return item.get_closest_marker("slow") is None or bool(item.get_closest_marker("journey"))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SQLite as Roost runs it: in a file, so that threads meet as they do in life."""
    database = configuration.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(
            tmp_path_factory.mktemp("database") / "test.sqlite3"
        )
        # Backwards where no order is asked for: who counts on one anyhow is found out.
        database["OPTIONS"]["init_command"] += " PRAGMA reverse_unordered_selects = ON;"


@pytest.fixture(autouse=True)
def late_morning(request: pytest.FixtureRequest) -> Iterator[None]:
    """It is about eleven in Toronto, whenever the tests run: "today", "in an hour" and "five hours
    ago" are one day then. `TESTS_HOUR=23` tries another hour.

    Not where a browser takes part, or a server of its own: their clocks are the machine's.
    """
    real = (request.node.get_closest_marker(mark) for mark in (*MARKS.values(), "real_clock"))
    if {"database", "relay"} & set(request.fixturenames) or any(real):
        yield
        return
    toronto = zone("America/Toronto")
    hour = time(int(os.environ.get("TESTS_HOUR", "11")))
    with time_machine.travel(from_wall_time(now().astimezone(toronto).date(), hour, toronto)):
        yield


@pytest.fixture(autouse=True)
def fresh_allowances(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accounts of two tests have one number often, and never one event loop."""
    monkeypatch.setattr(allowances, "_allowances", {})


@pytest.fixture
def cast(db: None) -> Cast:
    """Everybody at Maple Counselling, Toronto."""
    return make_cast("maple", "Maple Counselling", "America/Toronto")


@pytest.fixture
def other(db: None) -> Cast:
    """Everybody at Cedar Practice, Vancouver: the same names, another island."""
    return make_cast("cedar", "Cedar Practice", "America/Vancouver")


@pytest.fixture
def maple(cast: Cast) -> Iterator[Practice]:
    """Maple Counselling, being served for the length of the test."""
    with scope(cast.practice.pk):
        yield cast.practice


@pytest.fixture
def cedar(other: Cast) -> Practice:
    """Cedar Practice, not being served."""
    return other.practice


@contextmanager
def _made(url: str, *, like: str = "template1") -> Iterator[tuple[str, str]]:
    """A database of its own in a cluster, for the length of a block: its name, and its address."""
    import psycopg

    name = f"server_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {like}")
    yield name, urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def migrated_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database as a first start leaves it, or "" without a PostgreSQL cluster."""
    url = os.environ.get("ROOST_DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield ""
        return
    with _made(url) as (name, address):
        Server(tmp_path_factory.mktemp("migrated"), ROOST_DATABASE_URL=address).run(
            MIGRATE, seconds=180
        )
        yield name


@pytest.fixture(scope="module")
def database(migrated_once: str) -> Iterator[dict[str, str]]:
    """The database of a module's real server, as settings of its own: none for SQLite in its data
    folder, or one in the cluster that the tests run beside, migrated and empty."""
    if not migrated_once:
        yield {}
        return
    with _made(os.environ["ROOST_DATABASE_URL"], like=migrated_once) as (_, address):
        yield {"ROOST_DATABASE_URL": address}


def _member(name: str) -> Any:
    @pytest.fixture(name=name)
    def member(cast: Cast, maple: Practice) -> StaffMember | Client | Account:
        return getattr(cast, name)

    return member


olivia, adam, tara, theo = (_member(name) for name in ("olivia", "adam", "tara", "theo"))
casey, noor, robin, remy = (_member(name) for name in ("casey", "noor", "robin", "remy"))
casey_account, parker_account = (_member(n) for n in ("casey_account", "parker_account"))


@pytest.fixture
def office(maple: Practice) -> Callable[[StaffMember | None], Visitor]:
    """A browser at Maple's office: `office(tara)` is signed in, `office()` is not."""

    def visit(member: StaffMember | None = None) -> Visitor:
        return Visitor(maple, "office", member.account if member else None)

    return visit


@pytest.fixture
def portal(maple: Practice) -> Callable[[Account | None], Visitor]:
    """A browser at Maple's portal: `portal(casey_account)` is signed in, `portal()` is not."""

    def visit(account: Account | None = None) -> Visitor:
        return Visitor(maple, "portal", account)

    return visit
