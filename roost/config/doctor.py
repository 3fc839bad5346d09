"""`roost doctor`: what is right with this installation, what is wrong, and what to do about it.

Each check looks at one thing and returns findings. Checks change nothing, send no mail, wait a few
seconds at most, and never put a secret into words.
"""

import http.client
import json
import os
import shutil
import smtplib
import socket
import ssl
import stat
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from roost.billing.typeset import lacking_letters
from roost.core.findings import Finding, Grade, note, right, wrong
from roost.practices.models import Practice
from roost.video.relay_check import check_relay
from roost.video.turn import relay_urls

PATIENCE = 5.0
LITTLE_SPACE = 1024**3
# One letter of each.
WRITINGS = {
    "Arabic": "ع",
    "Chinese": "张",
    "Hebrew": "ש",
    "Hindi": "अ",
    "Japanese": "あ",
    "Korean": "김",
    "Punjabi": "ਅ",
    "Tamil": "அ",
    "Thai": "ก",
}
PARTS = {
    "database": "the database does not answer",
    "migrations": "the database is not up to date",
    "sockets": "sockets cannot be pushed to",
    "worker": "no worker delivers mail",
}


def examine() -> list[Finding]:
    """Everything that was found, in the order of CHECKS."""
    found: list[Finding] = []
    for about, check in CHECKS.items():
        try:
            found += check()
        except Exception as error:
            # Its message may hold a password.
            words = f"It could not be looked at ({type(error).__name__})."
            found.append(wrong(about, words, "Look at its setting, and at the log of Roost."))
    return found


def say(findings: list[Finding], write: Callable[[str], None]) -> None:
    """The findings as people read them in a terminal, with what is wrong counted at the end."""
    marks = {Grade.RIGHT: "ok   ", Grade.NOTE: "note ", Grade.WRONG: "WRONG"}
    for each in findings:
        write(f"{marks[each.grade]}  {each.about}: {each.words}")
        if each.advice:
            write(f"       → {each.advice}")
    count = sum(each.grade == Grade.WRONG for each in findings)
    things = "One thing has" if count == 1 else f"{count} things have"
    write("\nAll is well." if is_well(findings) else f"\n{things} to be mended.")


def as_json(findings: list[Finding]) -> str:
    """The findings for programs."""
    rows = [
        {"about": f.about, "grade": f.grade, "words": f.words, "advice": f.advice} for f in findings
    ]
    return json.dumps({"well": is_well(findings), "findings": rows}, indent=2, ensure_ascii=False)


def is_well(findings: list[Finding]) -> bool:
    """Whether nothing has to be mended."""
    return all(each.grade != Grade.WRONG for each in findings)


# -- the database --------------------------------------------------------------------------


def check_database() -> list[Finding]:
    """It answers, and is as this version of Roost needs it."""
    about, where = "Database", _database()
    is_sqlite = connection.vendor == "sqlite"
    if not _has_database():
        if is_sqlite:
            advice = (
                "Make the practice with `roost create-practice`, or set ROOST_DATA_DIR to the "
                "folder that has it."
            )
            return [wrong(about, f"{where} is not there.", advice)]
        advice = "Start it, or correct ROOST_DATABASE_URL."
        return [wrong(about, f"{where} does not answer.", advice)]
    try:
        connection.ensure_connection()
        executor = MigrationExecutor(connection)
        missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError:
        if is_sqlite:
            advice = "Put the newest backup in its place."
            return [wrong(about, f"{where} cannot be read.", advice)]
        advice = "See that user, password and database in ROOST_DATABASE_URL are right."
        return [wrong(about, f"{where} does not let Roost in.", advice)]
    loader = executor.loader
    unknown = set(loader.applied_migrations) - set(loader.disk_migrations)
    if any(app in loader.migrated_apps for app, _ in unknown):
        words = f"{where} was made by a newer Roost than this one."
        return [wrong(about, words, "Install that version again. UPGRADE.md says how to go back.")]
    if missing:
        words = f"{where} is not up to date; steps missing: {missing}."
        return [wrong(about, words, "Start `roost serve` again. It makes them.")]
    return [right(about, f"{where} answers and is up to date.")]


def _database() -> str:
    """The database in words, without its password."""
    facts = connection.settings_dict
    if connection.vendor == "sqlite":
        return str(facts["NAME"])
    return f"PostgreSQL on {facts['HOST'] or 'this machine'}, port {facts['PORT'] or 5432},"


def _has_database() -> bool:
    """Whether there is something to connect to. For SQLite, connecting would make it; elsewhere,
    it could take minutes to fail."""
    facts = connection.settings_dict
    if connection.vendor == "sqlite":
        return Path(facts["NAME"]).exists()
    host = facts["HOST"]
    return not host or host.startswith("/") or _answers(host, int(facts["PORT"] or 5432))


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=PATIENCE).close()
    except OSError:
        return False
    return True


def check_practices() -> list[Finding]:
    """There is a practice, and it is not the demo unless it is meant to be."""
    if not _has_database():
        # That has been said.
        return []
    try:
        practices = list(Practice.objects.order_by("slug"))
    except DatabaseError:
        return []
    if settings.ROOST_DEMO:
        words = "This is the demo, whose passwords everybody knows. It serves this machine only."
        return [note("Demo", words, "For a real practice, leave ROOST_DEMO out.")]
    if any(practice.is_demo for practice in practices):
        return [
            wrong(
                "Demo",
                "The database holds the demo, whose passwords everybody knows.",
                "Set ROOST_DATA_DIR or ROOST_DATABASE_URL to one of the practice’s own.",
            )
        ]
    if not practices:
        return [note("Practice", "There is none yet.", "Make it with `roost create-practice`.")]
    found = [right("Practice", f"There is {', '.join(p.slug for p in practices)}.")]
    stuck = [practice.slug for practice in practices if practice.relay_only]
    if stuck and not relay_urls():
        found.append(
            wrong(
                "Relay only",
                f"{', '.join(stuck)} wants its calls to go through a relay only, and none is set "
                "up: no call connects.",
                "Set ROOST_TURN_URL and ROOST_TURN_SECRET, or choose No under Settings → Video.",
            )
        )
    return found


# -- this machine --------------------------------------------------------------------------


def check_data_folder() -> list[Finding]:
    """Roost can write to its folder, and nobody else can read it."""
    folder = Path(settings.ROOST_DATA_DIR)
    about = "Data folder"
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return [
            wrong(
                about,
                f"{folder} cannot be written to: {error.strerror}.",
                f"Give it to the user that Roost runs as: chown -R roost: {folder}",
            )
        ]
    found = []
    owner = folder.stat().st_uid
    if owner != os.geteuid():
        words = f"{folder} belongs to another user than the one who asks."
        found.append(note(about, words, "Run `roost doctor` as the user that Roost runs as."))
    open_to_others = [
        path
        for path in (folder, folder / "secret-key")
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    if open_to_others:
        names = " ".join(map(str, open_to_others))
        words = f"Other users of this machine can get at {names}."
        found.append(wrong(about, words, f"Close it: chmod go= {names}"))
    if (free := shutil.disk_usage(folder).free) < LITTLE_SPACE:
        words = f"Only {free // 1024**2} MB are left on its disk."
        found.append(wrong(about, words, "Make room before nothing can be saved any more."))
    return found or [right(about, f"{folder} can be written to, and by Roost alone.")]


# -- the way in ----------------------------------------------------------------------------


def check_address() -> list[Finding]:
    """The address is https and leads to this Roost, for pages and for sockets."""
    origin, about = settings.ROOST_ORIGIN, "Address"
    found = []
    if not settings.ORIGIN_IS_SECURE:
        found.append(
            note(
                about,
                f"{origin} can be reached from this machine only.",
                "For clients, put a web server with a certificate in front, and set ROOST_ORIGIN "
                "to its https:// address.",
            )
        )
    elif not settings.ROOST_TRUSTED_PROXIES:
        found.append(
            wrong(
                "Web server in front",
                "ROOST_TRUSTED_PROXIES is not set, so all visitors seem to come from one place, "
                "and one person’s wrong passwords lock everybody out.",
                "Set it to the address that the web server speaks to Roost from: 127.0.0.1.",
            )
        )
    host = settings.ROOST_HOST
    if not _answers({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), settings.ROOST_PORT):  # noqa: S104
        words = "Roost does not run just now, so its address was not tried."
        return [*found, note(about, words, "Start `roost serve`, and ask again.")]
    trouble = _ask_ready(origin) or _ask_socket(origin)
    if trouble is not None:
        return [*found, trouble]
    return [*found, right(about, f"{origin} leads to this Roost, and sockets pass.")]


def _ask_ready(origin: str) -> Finding | None:
    """What is wrong with the pages of an address, or None."""
    behind = "Look at the web server in front: it must pass everything on to Roost."
    try:
        with urlopen(f"{origin}/readyz", timeout=PATIENCE) as answer:  # noqa: S310
            body = answer.read(10_000)
    except HTTPError as error:
        body = error.read(10_000) if error.code == 503 else b""
        if not body.startswith(b"{"):
            return wrong("Address", f"{origin} answers {error.code}.", behind)
    except (URLError, OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLCertVerificationError):
            words = f"The certificate of {origin} is not good: {reason.verify_message}."
            return wrong("Address", words, "Renew it, with its whole chain.")
        if isinstance(reason, socket.gaierror):
            words = f"The name in {origin} is not known."
            return wrong("Address", words, "Enter it at whoever keeps your domain.")
        words = f"{origin} does not answer, though Roost runs."
        return wrong("Address", words, behind)
    try:
        parts = json.loads(body)
        missing = [words for part, words in PARTS.items() if not parts[part]]
    except (ValueError, KeyError, TypeError):
        return wrong("Address", f"Something else than Roost answers at {origin}.", behind)
    if missing:
        words = f"Roost is not ready: {', '.join(missing)}."
        return wrong("Address", words, "Look into its log, and start it again.")
    return None


def _ask_socket(origin: str) -> Finding | None:
    """What is wrong with the sockets of an address, or None."""
    parts = urlsplit(origin)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    line = kind(parts.netloc, timeout=PATIENCE)
    nowhere = uuid.UUID(int=0)
    try:
        # Roost opens a socket to anybody, to tell them by its close code that they are nobody.
        line.request(
            "GET",
            f"/portal/doctor/room/{nowhere}/{nowhere}/socket/",
            headers={
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
                "Origin": origin,
            },
        )
        status = line.getresponse().status
    except (OSError, http.client.HTTPException):
        status = 0
    finally:
        line.close()
    if status == 101:
        return None
    return wrong(
        "Address",
        f"Sockets do not pass through {origin}: no call begins, and nobody sees who waits.",
        "Have the web server in front pass on the headers Upgrade and Connection "
        "(docs/guides/owner.md).",
    )


# -- what Roost leans on -------------------------------------------------------------------


def check_mail() -> list[Finding]:
    """The mail server takes Roost’s log-in. No mail is sent."""
    about, facts = "Mail server", settings.ROOST_SMTP
    if facts is None:
        words = "None is set up, so invitations and links wait under Settings → Messages."
        return [note(about, words, "Set ROOST_SMTP_URL.")]
    where = f"{facts['host']}, port {facts['port']},"
    backend = EmailBackend(fail_silently=False, **facts | {"timeout": PATIENCE})
    try:
        backend.open()
        line = backend.connection
        if line is None or line.ehlo()[0] != 250:
            raise smtplib.SMTPException
    except smtplib.SMTPAuthenticationError:
        words = f"{where} does not take Roost’s user and password."
        return [wrong(about, words, "Correct them in ROOST_SMTP_URL.")]
    except smtplib.SMTPNotSupportedError:
        words = f"{where} does not offer what ROOST_SMTP_URL asks for: encryption, or a log-in."
        return [wrong(about, words, "Use the port and way that your mail provider names.")]
    except ssl.SSLCertVerificationError as error:
        words = f"The certificate of {where} is not good: {error.verify_message}."
        return [wrong(about, words, "Use the name that stands in the certificate.")]
    except ssl.SSLError:
        words = f"{where} does not speak TLS as ROOST_SMTP_URL asks for."
        return [
            wrong(about, words, "smtps:// is TLS from the start, smtp+tls:// after a greeting.")
        ]
    except smtplib.SMTPException:
        words = f"{where} is no mail server, or turns Roost away."
        return [wrong(about, words, "Correct ROOST_SMTP_URL.")]
    except OSError:
        words = f"{where} does not answer."
        return [wrong(about, words, "Correct ROOST_SMTP_URL, or open the firewall for it.")]
    finally:
        _close(backend)
    if not (facts["use_tls"] or facts["use_ssl"]) and facts["host"] not in settings.LOOPBACK:
        words = f"{where} answers, but mail and password go there for all to read."
        return [wrong(about, words, "Write smtp+tls:// or smtps:// in ROOST_SMTP_URL.")]
    return [right(about, f"{where} takes mail from Roost.")]


def _close(backend: Any) -> None:
    try:
        backend.close()
    except (OSError, smtplib.SMTPException):
        pass


def check_redis() -> list[Finding]:
    """Redis answers, where one is configured."""
    if not settings.ROOST_REDIS_URL:
        return []
    import redis

    about = "Redis"
    try:
        line = redis.Redis.from_url(
            settings.ROOST_REDIS_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
        )
        with line:
            line.ping()
    except (redis.AuthenticationError, redis.ResponseError):
        words = "It does not let Roost in."
        return [wrong(about, words, "Correct user and password in ROOST_REDIS_URL.")]
    except (redis.RedisError, ValueError):
        words = "It does not answer, so calls and waiting rooms stand still."
        return [wrong(about, words, "Start it, or correct ROOST_REDIS_URL.")]
    return [right(about, "It answers.")]


def check_relays() -> list[Finding]:
    """The relay does what calls need and nothing more, asked by its public address."""
    if not relay_urls():
        words = "None is set up, so some calls will not connect."
        return [note("Relay", words, "docs/guides/turn.md says how to set one up.")]
    return check_relay()


def check_letters() -> list[Finding]:
    """Receipts can print the names of clients in the writings of the world."""
    about, lacking = "Names on receipts", lacking_letters("".join(WRITINGS.values()))
    names = [name for name, letter in WRITINGS.items() if letter in lacking]
    if not names:
        return [right(about, "The fonts of this machine have the letters of every writing tried.")]
    words = (
        f"No font of this machine has letters for {', '.join(names)}: a name in them is printed "
        "as numbers, like [U+5F20]."
    )
    advice = "apt-get install fonts-noto-core fonts-noto-cjk, then start Roost again."
    return [note(about, words, advice)]


CHECKS: dict[str, Callable[[], list[Finding]]] = {
    "Data folder": check_data_folder,
    "Database": check_database,
    "Practice": check_practices,
    "Address": check_address,
    "Mail server": check_mail,
    "Redis": check_redis,
    "Relay": check_relays,
    "Names on receipts": check_letters,
}
