"""`roost doctor` in health and in each sickness, made real."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import sqlite3
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configuration
from django.db import connection

from roost.config import doctor
from roost.core.findings import Finding, Grade, note, right, wrong
from roost.practices.models import Practice
from tests.support.cast import Cast
from tests.support.command import roost
from tests.support.post import Post, post_office
from tests.support.redis import redis
from tests.support.relay import BEHIND_ROUTER, SECRET, make_certificate, relaying
from tests.support.server import free_port, serving

MAKE = ["create-practice", "willow", "Willow Practice", "sam@willow.example", "Sam Owner"]
SECRETS = ["hunter2-in-the-url", SECRET, "a-secret-key-of-more-than-32-characters"]

Setting = Callable[..., None]


@pytest.fixture
def set_to(monkeypatch: pytest.MonkeyPatch) -> Setting:
    """Settings as the environment would make them."""

    def put(**values: Any) -> None:
        for name, value in values.items():
            monkeypatch.setattr(configuration, name, value)

    return put


def one(findings: list[Finding]) -> Finding:
    (found,) = findings
    for each in SECRETS:
        assert each not in f"{found}"
    return found


# -- the command -----------------------------------------------------------------------------


@pytest.mark.slow
def test_in_health_it_says_so_and_ends_with_0(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    with serving(folder) as server, post_office() as post, _relay(tmp_path) as relay:
        server.run("from roost.practices.models import Practice\n"
                   "Practice.objects.create(slug='maple', name='Maple')")  # fmt: skip
        settings = {
            "ROOST_PORT": str(server.port),
            "ROOST_SMTP_URL": post.url,
            "ROOST_TURN_URL": relay,
            "ROOST_TURN_SECRET": SECRET,
        }
        done = roost(folder, "doctor", **settings)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert done.stdout.endswith("\nAll is well.\n")
        assert "WRONG" not in done.stdout
        for words in ("is up to date", "sockets pass", "takes mail", "passes on to the internet"):
            assert words in done.stdout, done.stdout
        assert post.received == []
        told = json.loads(roost(folder, "doctor", "--json", **settings).stdout)
        assert told["well"] is True
        assert {row["grade"] for row in told["findings"]} == {"right", "note"}


@contextmanager
def _relay(folder: Path) -> Iterator[str]:
    with relaying(folder / "relay", host="127.0.0.2", more=BEHIND_ROUTER) as relay:
        yield relay.urls["udp"]


@pytest.mark.slow
def test_in_sickness_it_says_what_to_do_ends_with_1_and_tells_no_secret(tmp_path: Path) -> None:
    settings = {
        "ROOST_SECRET_KEY": SECRETS[2],
        "ROOST_SMTP_URL": f"smtp+tls://roost:{SECRETS[0]}@127.0.0.1:{free_port()}",
        "ROOST_REDIS_URL": f"redis://:{SECRETS[0]}@127.0.0.1:{free_port()}/0",
        "ROOST_DATABASE_URL": f"postgres://roost:{SECRETS[0]}@127.0.0.1:{free_port()}/roost",
        "ROOST_TURN_URL": f"turn:127.0.0.1:{free_port()}?transport=tcp",
        "ROOST_TURN_SECRET": SECRET,
        "ROOST_ORIGIN": "https://portal.example.com",
    }
    for arguments in (["doctor"], ["doctor", "--json"]):
        done = roost(tmp_path, *arguments, **settings)
        assert (done.returncode, done.stderr) == (1, ""), done.stdout
        for each in SECRETS:
            assert each not in done.stdout
    told = json.loads(done.stdout)
    assert told["well"] is False
    sick = {row["about"] for row in told["findings"] if row["grade"] == "wrong"}
    assert sick == {
        "Database", "Web server in front", "Mail server", "Redis",
        f"Relay {settings['ROOST_TURN_URL']}",
    }  # fmt: skip
    assert all(row["advice"] for row in told["findings"] if row["grade"] == "wrong")


def test_a_check_that_fails_itself_is_a_finding_without_its_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken() -> list[Finding]:
        raise RuntimeError(SECRETS[0])

    monkeypatch.setattr(doctor, "CHECKS", {"Mail server": broken, "Redis": list})
    found = one(doctor.examine())
    assert (found.about, found.grade) == ("Mail server", Grade.WRONG)
    assert "RuntimeError" in found.words


def test_it_counts_what_is_to_be_mended() -> None:
    said: list[str] = []
    sick = wrong("Redis", "It does not answer.", "Start it.")
    doctor.say([right("Practice", "There is one."), note("Demo", "It is."), sick], said.append)
    assert said == [
        "ok     Practice: There is one.",
        "note   Demo: It is.",
        "WRONG  Redis: It does not answer.",
        "       → Start it.",
        "\nOne thing has to be mended.",
    ]
    said.clear()
    doctor.say([sick, sick], said.append)
    assert said[-1] == "\n2 things have to be mended."


# -- the database and the folder ---------------------------------------------------------------


@pytest.mark.slow
def test_a_database_is_missing_then_right_then_behind_then_ahead_then_broken(
    tmp_path: Path,
) -> None:
    def ask() -> tuple[int, str]:
        done = roost(tmp_path, "doctor")
        return done.returncode, done.stdout

    file = tmp_path / "roost.sqlite3"
    status, said = ask()
    assert (status, f"{file} is not there" in said) == (1, True)
    # To ask has not made one.
    assert not file.exists()
    assert roost(tmp_path, *MAKE).returncode == 0
    status, said = ask()
    assert (status, "answers and is up to date" in said) == (0, True), said
    assert "There is willow." in said

    def change(*statements: str) -> None:
        with contextlib.closing(sqlite3.connect(file)) as database:
            for statement in statements:
                database.execute(statement)
            database.commit()

    change("DELETE FROM django_migrations WHERE app = 'practices' AND name = '0006_after_the_call'")
    status, said = ask()
    assert (status, "is not up to date; steps missing: 1." in said) == (1, True), said
    row = "INSERT INTO django_migrations (app, name, applied) VALUES ('practices', '{}', '2026')"
    change(row.format("0006_after_the_call"), row.format("9999_of_tomorrow"))
    status, said = ask()
    assert (status, "was made by a newer Roost" in said) == (1, True), said
    file.write_bytes(b"this is no database" * 1000)
    for rest in ("-wal", "-shm"):
        Path(f"{file}{rest}").unlink(missing_ok=True)
    status, said = ask()
    assert (status, "cannot be read" in said) == (1, True), said


@pytest.mark.postgres
def test_a_postgresql_that_lets_nobody_in_is_told(tmp_path: Path) -> None:
    facts = connection.settings_dict
    url = f"postgres://nobody:{SECRETS[0]}@{facts['HOST']}:{facts['PORT']}/nothing"
    done = roost(tmp_path, "doctor", ROOST_DATABASE_URL=url)
    assert done.returncode == 1
    assert "does not let Roost in" in done.stdout
    assert SECRETS[0] not in done.stdout


def test_the_demo_and_no_practice_are_told(cast: Cast, set_to: Setting) -> None:
    assert one(doctor.check_practices()).grade == Grade.RIGHT
    Practice.objects.filter(slug="maple").update(is_demo=True)
    found = one(doctor.check_practices())
    assert (found.about, found.grade) == ("Demo", Grade.WRONG)
    set_to(ROOST_DEMO=True)
    assert one(doctor.check_practices()).grade == Grade.NOTE


@pytest.mark.django_db
def test_no_practice_is_told() -> None:
    assert "There is none yet" in one(doctor.check_practices()).words


def test_relay_only_without_a_relay_is_told(cast: Cast, set_to: Setting) -> None:
    Practice.objects.filter(slug="maple").update(relay_only=True)
    _, found = doctor.check_practices()
    assert (found.grade, "maple wants its calls" in found.words) == (Grade.WRONG, True)
    set_to(ROOST_TURN_URL="turn:turn.example.com")
    assert one(doctor.check_practices()).grade == Grade.RIGHT


def test_a_folder_that_others_can_read_is_told(tmp_path: Path, set_to: Setting) -> None:
    tmp_path.chmod(0o700)
    key = tmp_path / "secret-key"
    key.write_text("x")
    key.chmod(0o600)
    set_to(ROOST_DATA_DIR=tmp_path)
    assert one(doctor.check_data_folder()).grade == Grade.RIGHT
    key.chmod(0o640)
    found = one(doctor.check_data_folder())
    assert (found.grade, str(key) in found.words) == (Grade.WRONG, True)
    tmp_path.chmod(0o755)
    assert f"chmod go= {tmp_path} {key}" in one(doctor.check_data_folder()).advice


def test_a_folder_that_cannot_be_written_to_is_told(set_to: Setting) -> None:
    folder = Path(tempfile.mkdtemp())
    set_to(ROOST_DATA_DIR=folder)
    folder.chmod(0o555)
    # Nothing is closed to root.
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        found = one(doctor.check_data_folder())
    finally:
        os.seteuid(was)
        folder.rmdir()
    assert (found.grade, "cannot be written to: Permission denied" in found.words) == (
        Grade.WRONG,
        True,
    )


def test_a_full_disk_is_told(
    tmp_path: Path, set_to: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    set_to(ROOST_DATA_DIR=tmp_path)
    monkeypatch.setattr(doctor, "LITTLE_SPACE", shutil.disk_usage(tmp_path).total + 1)
    assert "are left on its disk" in one(doctor.check_data_folder()).words


# -- the address -----------------------------------------------------------------------------------


class Front(BaseHTTPRequestHandler):
    """A web server in front, which passes on what its server's `passes` says."""

    def do_GET(self) -> None:
        status, body = self.server.answers(self.path)  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is said."""


READY = {"ready": True, "database": True, "migrations": True, "sockets": True, "worker": True}


@contextmanager
def front(
    tmp_path: Path,
    set_to: Setting,
    answers: Callable[[str], tuple[int, bytes]],
    monkeypatch: pytest.MonkeyPatch,
    *,
    trusted: bool = True,
) -> Iterator[None]:
    """An https address with a web server behind it."""
    certificate, key = make_certificate(tmp_path, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with ThreadingHTTPServer(("127.0.0.1", 0), Front) as server:
        server.answers = answers  # type: ignore[attr-defined]
        server.socket = context.wrap_socket(server.socket, server_side=True)
        port = server.server_address[1]
        set_to(
            ROOST_ORIGIN=f"https://127.0.0.1:{port}", ORIGIN_IS_SECURE=True, ROOST_PORT=port,
            ROOST_TRUSTED_PROXIES=["127.0.0.1"],
        )  # fmt: skip
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, json.dumps(READY).encode(), "Sockets do not pass"),
        (200, b"<h1>Welcome to nginx</h1>", "Something else than Roost answers"),
        (502, b"Bad Gateway", "answers 502"),
        (404, b"", "answers 404"),
        (503, b"<h1>Maintenance</h1>", "answers 503"),
        (503, json.dumps(READY | {"worker": False}).encode(), "no worker delivers mail"),
    ],
)
def test_a_web_server_in_front_that_is_wrong_is_told(
    tmp_path: Path, set_to: Setting, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes,
    words: str,
) -> None:  # fmt: skip
    def answers(path: str) -> tuple[int, bytes]:
        return (status, body) if path == "/readyz" else (404, b"")

    with front(tmp_path, set_to, answers, monkeypatch):
        found = one(doctor.check_address())
    assert (found.grade, words in found.words) == (Grade.WRONG, True), found


def test_a_certificate_that_is_not_good_is_told(
    tmp_path: Path, set_to: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    with front(tmp_path, set_to, lambda path: (200, b"{}"), monkeypatch, trusted=False):
        found = one(doctor.check_address())
    assert (found.grade, "The certificate of" in found.words) == (Grade.WRONG, True), found


def test_https_without_a_trusted_proxy_is_told(set_to: Setting) -> None:
    set_to(ORIGIN_IS_SECURE=True, ROOST_TRUSTED_PROXIES=[], ROOST_PORT=free_port())
    proxy, stopped = doctor.check_address()
    assert (proxy.grade, "ROOST_TRUSTED_PROXIES" in proxy.words) == (Grade.WRONG, True)
    assert (stopped.grade, "does not run just now" in stopped.words) == (Grade.NOTE, True)


def test_an_address_that_leads_elsewhere_is_told(set_to: Setting) -> None:
    with socket.create_server(("127.0.0.1", 0)) as here:
        set_to(
            ORIGIN_IS_SECURE=True, ROOST_TRUSTED_PROXIES=["127.0.0.1"],
            ROOST_PORT=here.getsockname()[1], ROOST_ORIGIN=f"https://127.0.0.1:{free_port()}",
        )  # fmt: skip
        assert "does not answer, though Roost runs" in one(doctor.check_address()).words
        set_to(ROOST_ORIGIN="https://portal.invalid")
        assert "is not known" in one(doctor.check_address()).words


@pytest.mark.slow
def test_a_running_roost_is_reached_pages_and_sockets(tmp_path: Path, set_to: Setting) -> None:
    with serving(tmp_path) as server:
        set_to(ROOST_ORIGIN=server.origin, ROOST_PORT=server.port)
        local, reached = doctor.check_address()
    assert (local.grade, reached.grade) == (Grade.NOTE, Grade.RIGHT)
    assert "sockets pass" in reached.words


# -- mail, Redis, relay ------------------------------------------------------------------------


def _smtp(post: Post, **values: Any) -> dict[str, Any]:
    return post.settings | values


def test_a_mail_server_is_greeted_and_sent_nothing(set_to: Setting) -> None:
    with post_office() as post:
        set_to(ROOST_SMTP=post.settings)
        assert one(doctor.check_mail()).grade == Grade.RIGHT
        assert post.received == []


def test_no_mail_server_is_told(set_to: Setting) -> None:
    set_to(ROOST_SMTP=None)
    assert one(doctor.check_mail()).grade == Grade.NOTE


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"use_tls": True}, "does not offer what ROOST_SMTP_URL asks for"),
        ({"use_ssl": True}, "does not speak TLS"),
        ({"username": "roost", "password": SECRETS[0]}, "does not offer what ROOST_SMTP_URL"),
    ],
)
def test_a_mail_server_that_is_asked_wrongly_is_told(
    set_to: Setting, values: dict[str, Any], words: str
) -> None:
    with post_office() as post:
        set_to(ROOST_SMTP=_smtp(post, **values))
        found = one(doctor.check_mail())
    assert (found.grade, words in found.words) == (Grade.WRONG, True), found


def test_a_mail_server_that_refuses_the_password_is_told(set_to: Setting) -> None:
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult

    controller = Controller(
        object(), hostname="127.0.0.1", port=free_port(), auth_require_tls=False,
        authenticator=lambda *_: AuthResult(success=False, handled=False),
    )  # fmt: skip
    controller.start()
    try:
        facts = _smtp(Post(controller.port), username="roost", password=SECRETS[0])
        set_to(ROOST_SMTP=facts)
        found = one(doctor.check_mail())
    finally:
        controller.stop()
    assert "does not take Roost’s user and password" in found.words, found


def test_a_closed_port_and_no_mail_server_are_told(set_to: Setting) -> None:
    set_to(ROOST_SMTP=_smtp(Post(free_port())))
    assert "does not answer" in one(doctor.check_mail()).words
    with socket.create_server(("127.0.0.1", 0)) as odd:

        def answer() -> None:
            line, _ = odd.accept()
            with line:
                line.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        threading.Thread(target=answer, daemon=True).start()
        set_to(ROOST_SMTP=_smtp(Post(odd.getsockname()[1])))
        found = one(doctor.check_mail())
    assert "is no mail server" in found.words, found


def test_mail_in_the_clear_is_told(set_to: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    with post_office() as post:
        # A host by another name than loopback's.
        monkeypatch.setattr(configuration, "LOOPBACK", set())
        set_to(ROOST_SMTP=post.settings)
        assert "for all to read" in one(doctor.check_mail()).words


@pytest.mark.slow
def test_redis_is_asked(set_to: Setting, tmp_path: Path) -> None:
    set_to(ROOST_REDIS_URL="")
    assert doctor.check_redis() == []
    port = free_port()
    set_to(ROOST_REDIS_URL=f"redis://127.0.0.1:{port}/0")
    assert "It does not answer" in one(doctor.check_redis()).words
    with redis(tmp_path, port=port, password=SECRETS[0]) as running:
        set_to(ROOST_REDIS_URL=running.url)
        assert one(doctor.check_redis()).grade == Grade.RIGHT
        for wrong_one in (f"redis://127.0.0.1:{port}/0", f"redis://:wrong@127.0.0.1:{port}/0"):
            set_to(ROOST_REDIS_URL=wrong_one)
            assert "does not let Roost in" in one(doctor.check_redis()).words


@pytest.mark.slow
def test_the_relay_is_asked(set_to: Setting, tmp_path: Path) -> None:
    assert "some calls will not connect" in one(doctor.check_relays()).words
    with relaying(tmp_path / "relay") as relay:
        set_to(ROOST_TURN_URL=relay.urls["udp"], ROOST_TURN_SECRET="not the relay's secret at all")
        found = one(doctor.check_relays())
    assert (found.grade, "the secrets differ" in found.words) == (Grade.WRONG, True)


# -- letters ---------------------------------------------------------------------------------


def test_writings_that_no_font_has_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "lacking_letters", lambda text: {"张", "ਅ"}.intersection(text))
    found = one(doctor.check_letters())
    assert found.grade == Grade.NOTE
    assert "letters for Chinese, Punjabi:" in found.words
    assert "fonts-noto-cjk" in found.advice


def test_with_every_letter_all_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "lacking_letters", lambda text: set())
    assert one(doctor.check_letters()).grade == Grade.RIGHT
