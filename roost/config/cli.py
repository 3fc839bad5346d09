"""The `roost` command."""

import argparse
import os
import signal
import socket
import sys
import threading
from pathlib import Path

DEMO_HERE = (
    "holds the demo, whose passwords everybody knows. "
    "Set ROOST_DATA_DIR to another folder for a real practice."
)


def main(argv: list[str] | None = None) -> int:
    """Run one command. Returns the exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "roost.config.settings")
    parser = argparse.ArgumentParser(prog="roost", description=__import__("roost").__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    serve_ = commands.add_parser("serve", help="serve pages and sockets, with the worker")
    serve_.add_argument(
        "--without-worker", action="store_true", help="`roost worker` runs in another process"
    )
    commands.add_parser("worker", help="deliver mail, in a process of its own")
    commands.add_parser("demo", help="make or refresh the demo practices")
    doctor_ = commands.add_parser("doctor", help="say what is right here, and what to mend")
    doctor_.add_argument("--json", action="store_true", help="for programs")
    create = commands.add_parser("create-practice", help="make a practice and its first owner")
    create.add_argument("slug", help="its part of the address: letters, digits, hyphens")
    create.add_argument("name", help="the practice's name")
    create.add_argument("owner_email", help="the first owner's e-mail")
    create.add_argument("owner_name", help="the first owner's name")
    create.add_argument("--zone", default="America/Toronto", help="IANA zone, e.g. Europe/Berlin")
    options = parser.parse_args(argv)

    import django

    django.setup()
    actions = {
        "serve": lambda: serve(with_worker=not options.without_worker),
        "worker": worker,
        "demo": demo,
        "doctor": lambda: doctor(as_json=options.json),
        "create-practice": lambda: create_practice(options),
    }
    return actions[options.command]()


def _stop(sentence: str) -> int:
    sys.stderr.write(f"roost: {sentence}\n")
    return 2


def _say(text: str = "") -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def prepare() -> None:
    """Bring the database up to date, and the static files to where they are served from."""
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)
    _collect_static()


def _collect_static() -> None:
    """Collect the static files if one of them is newer than the last collection."""
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    made = manifest.stat().st_mtime if manifest.exists() else 0.0
    for finder in get_finders():
        for path, storage in finder.list([]):
            if os.stat(storage.path(path)).st_mtime > made:
                call_command("collectstatic", verbosity=0, interactive=False, clear=made > 0)
                return


def serve(*, with_worker: bool) -> int:
    """Serve until told to stop. A port that is taken stops the start before anything is touched."""
    from django.conf import settings

    family = socket.AF_INET6 if ":" in settings.ROOST_HOST else socket.AF_INET
    address = (settings.ROOST_HOST, settings.ROOST_PORT)
    try:
        listener = socket.create_server(address, family=family, backlog=512)
    except OSError as error:
        return _stop(
            f"port {settings.ROOST_PORT} cannot be used: {error.strerror}. Is Roost running "
            "already? ROOST_PORT chooses another one."
        )
    prepare()
    if settings.ROOST_DEMO:
        status = demo()
        if status:
            return status
    elif _is_demo_database():
        return _stop(f"{settings.ROOST_DATA_DIR} {DEMO_HERE}")
    import uvicorn

    from roost.config import asgi

    asgi.with_worker = with_worker
    proxies = settings.ROOST_TRUSTED_PROXIES
    _say(f"Roost serves on {settings.ROOST_ORIGIN}  (Ctrl-C ends it)")
    config = uvicorn.Config(
        asgi.application,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or None,
        ws="websockets-sansio",
        ws_max_size=256 * 1024,
        ws_per_message_deflate=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=3,
    )
    with listener:
        asgi.Server(config).run(sockets=[listener])
    return 0


def _is_demo_database() -> bool:
    from roost.practices.models import Practice

    return Practice.objects.filter(is_demo=True).exists()


def worker() -> int:
    """Deliver mail until told to stop."""
    from django.conf import settings
    from django.db import DatabaseError

    from roost.config.chores import CHORES
    from roost.core import wake
    from roost.outbox.worker import work

    try:
        if _is_demo_database() and not settings.ROOST_DEMO:
            return _stop(f"{settings.ROOST_DATA_DIR} {DEMO_HERE}")
    except DatabaseError:
        return _stop("the database is not made yet, or is away: start `roost serve` first.")
    stop = threading.Event()

    def end(*_: object) -> None:
        stop.set()
        wake.worker()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    work(stop, CHORES)
    return 0


def demo() -> int:
    """Make the demo practices, or move their two fixed sessions to now; print the way in."""
    from django.conf import settings

    from roost.demo.services import DemoRefused, refresh_demo

    if not settings.ROOST_DEMO:
        return _stop("the demo's passwords are known to everybody; set ROOST_DEMO=1 to make it.")
    prepare()
    try:
        lines = refresh_demo()
    except DemoRefused as refused:
        return _stop(str(refused))
    for line in lines:
        _say(line)
    return 0


def doctor(*, as_json: bool) -> int:
    """Say what is right with this installation and what is wrong. 1 when something is wrong."""
    from roost.config import doctor as surgery

    findings = surgery.examine()
    if as_json:
        _say(surgery.as_json(findings))
    else:
        surgery.say(findings, _say)
    return 0 if surgery.is_well(findings) else 1


def create_practice(options: argparse.Namespace) -> int:
    """Make a practice and print the one-time link with which its owner chooses a password."""
    from django.conf import settings
    from django.core.exceptions import ValidationError

    from roost.staff.services import create_practice as create

    prepare()
    if _is_demo_database():
        return _stop(f"{settings.ROOST_DATA_DIR} {DEMO_HERE}")
    try:
        url = create(
            slug=options.slug,
            name=options.name,
            zone_name=options.zone,
            owner_email=options.owner_email,
            owner_name=options.owner_name,
        )
    except ValidationError as error:
        return _stop(" ".join(error.messages))
    _say(f"{options.name} exists. Its owner chooses a password here, within 7 days:")
    _say(f"  {url}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
