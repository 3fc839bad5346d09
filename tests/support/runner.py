"""A process with Django set up that runs Python for tests, each piece in a copy of itself: to set
Django up anew takes the better part of a second every time.

Reads one line of JSON for each piece, {"code", "arguments", "out", "err"}, and answers each with
its exit status; what it printed is in the files `out` and `err`.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import json
import os
import sys
import traceback
from typing import Any

import django


def import_what_is_named(code: str) -> None:
    """Import here what the code begins with, so that no copy has to. An import that fails is left
    for the copy to fail at."""
    with contextlib.suppress(SyntaxError):
        _import_all(ast.parse(code))


def _import_all(code: ast.Module) -> None:
    for each in code.body:
        names = [name.name for name in each.names] if isinstance(each, ast.Import) else []
        if isinstance(each, ast.ImportFrom) and each.module:
            names = [each.module]
        for name in names:
            with contextlib.suppress(Exception):
                importlib.import_module(name)


def run(code: str, arguments: list[str], out: str, err: str) -> int:
    """Run it as `python -c` would, in this very process. Returns its exit status."""
    from django.db import connections

    for name, stream in ((out, 1), (err, 2)):
        os.dup2(os.open(name, os.O_WRONLY | os.O_APPEND), stream)
    sys.argv = ["-c", *arguments]
    try:
        exec(compile(code, "<string>", "exec", dont_inherit=True), {"__name__": "__main__"})
    except SystemExit as end:
        if isinstance(end.code, int | None):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        connections.close_all()
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def main() -> None:
    # What an import prints is no answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    django.setup()
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        import_what_is_named(asked["code"])
        sys.stdout.flush()
        copy = os.fork()
        if not copy:
            os._exit(run(**asked))
        _, status = os.waitpid(copy, 0)
        answers.write(f"{os.waitstatus_to_exitcode(status)}\n")
        answers.flush()


if __name__ == "__main__":
    main()
