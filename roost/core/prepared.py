"""Reads that stand behind every page: Django writes their SQL once, then only values go in.

Building and compiling a query costs Django ten times what the database takes to answer it.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from types import SimpleNamespace
from typing import Any, Generic, TypeVar

from django.db import connections, models
from django.db.models.expressions import Expression
from django.db.models.query import ModelIterable
from django.db.models.sql.compiler import SQLCompiler

from roost.core.tenancy import scope_key

Row = TypeVar("Row", bound=models.Model)


class Slot(Expression):
    """The place of a value in a prepared read: `Slot("door", models.CharField())`."""

    def __init__(self, name: str, output_field: models.Field[Any, Any]) -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)

    def filled(self, values: dict[str, Any], connection: Any) -> Any:
        """The value for this place, as the database takes it."""
        return self.output_field.get_db_prep_value(values[self.name], connection)


class Prepared(Generic[Row]):
    """The rows of the query set that `build` makes, its slots filled by the call's keywords.

    `build` runs once in each scope and goes through the model's manager as any read does: what is
    kept sees the practice that it was made in, and is never used in another's scope.
    """

    def __init__(self, build: Callable[[], models.QuerySet[Row]]) -> None:
        self._build = build
        self._kept: dict[
            int | str | None, tuple[models.QuerySet[Row], SQLCompiler, str, tuple[Any, ...]]
        ] = {}

    def __call__(self, **values: Any) -> list[Row]:
        key = scope_key()
        if key not in self._kept:
            self._kept[key] = self._compile()
        rows, kept, sql, places = self._kept[key]
        connection = connections[rows.db]
        params = [
            place.filled(values, connection) if isinstance(place, Slot) else place
            for place in places
        ]
        # A compiler keeps nothing of one run for the next but the connection, which is a thread's.
        compiler: Any = copy(kept)
        compiler.connection = connection
        compiler.as_sql = lambda: (sql, params)
        query = SimpleNamespace(get_compiler=lambda using: compiler)
        asked: Any = SimpleNamespace(db=rows.db, query=query, _known_related_objects={})
        return list(ModelIterable(asked))

    def _compile(self) -> tuple[models.QuerySet[Row], SQLCompiler, str, tuple[Any, ...]]:
        rows = self._build()
        compiler = rows.query.get_compiler(using=rows.db)
        sql, places = compiler.as_sql()
        return rows, compiler, sql, tuple(places)
