"""The pages outside every practice: the front and the watchman's."""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render

from roost.outbox.worker import is_alive
from roost.practices.queries import only_practice
from roost.staff.permissions import Who, open_to

_migrated = False


@open_to(Who.ANYONE)
def front(request: HttpRequest) -> HttpResponse:
    """The one practice's portal where there is one, else a word to use its own address."""
    practice = only_practice()
    if practice is not None:
        return redirect("portal:home", practice=practice.slug)
    return render(request, "core/front.html")


@open_to(Who.ANYONE)
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"alive": True})


@open_to(Who.ANYONE)
def readyz(request: HttpRequest) -> HttpResponse:
    """The database answers, its migrations have run, sockets can be pushed to, a worker lives."""
    from roost.core.push import is_listening

    parts = {"database": False, "migrations": False, "sockets": is_listening(), "worker": False}
    try:
        parts["migrations"] = _is_migrated()
        parts["database"] = True
        parts["worker"] = is_alive()
    except DatabaseError:
        pass
    return JsonResponse(
        {"ready": all(parts.values()), **parts}, status=200 if all(parts.values()) else 503
    )


def _is_migrated() -> bool:
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    else:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    return _migrated
