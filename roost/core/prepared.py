"""Reads that stand behind every page: Django writes their SQL once, then only values go in.

Building and compiling a query costs Django ten times what the database takes to answer it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import connections, models
from django.db.models.expressions import Expression
from django.db.models.query import get_related_populators
from django.db.models.sql.compiler import SQLCompiler
from django.db.transaction import TransactionManagementError

from roost.core.tenancy import scope_key

Row = TypeVar("Row", bound=models.Model)

# Plans of one read, each some kilobytes: of the practices that were served last.
MOST_KEPT = 256


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


@dataclass(frozen=True)
class _Plan:
    """What is known of a read before it is asked: its SQL, and how its columns become rows."""

    using: str
    sql: str
    places: tuple[Any, ...]
    converters: list[tuple[int, list[Callable[..., Any]], Any]]
    model: type[models.Model]
    columns: slice
    names: list[str]
    joined: list[Any]
    locks: bool

    @classmethod
    def of(cls, rows: models.QuerySet[Any]) -> _Plan:
        """The plan of a query set, in the steps of `ModelIterable`."""
        compiler = rows.query.get_compiler(using=rows.db)
        sql, places = compiler.as_sql()
        select, info = compiler.select, compiler.klass_info
        assert info is not None and not compiler.annotation_col_map
        first, last = info["select_fields"][0], info["select_fields"][-1]
        found = compiler.get_converters([each[0] for each in select])
        return cls(
            using=rows.db,
            sql=sql,
            places=tuple(places),
            converters=[(at, steps, column) for at, (steps, column) in found.items()],
            model=info["model"],
            columns=slice(first, last + 1),
            names=[each[0].target.attname for each in select[first : last + 1]],
            # The stubs describe a later Django, which takes one more argument.
            joined=get_related_populators(info, select, rows.db),  # type: ignore[call-arg]
            locks=rows.query.select_for_update,
        )


class Prepared(Generic[Row]):
    """The rows of the query set that `build` makes, its slots filled by the call's keywords.

    `build` runs once in each scope and goes through the model's manager as any read does: what is
    kept sees the practice that it was made in, and is never used in another's scope. Of more than
    MOST_KEPT practices those that are asked for seldom are built anew. Raises
    TransactionManagementError where rows are to be locked outside a transaction.
    """

    def __init__(self, build: Callable[[], models.QuerySet[Row]]) -> None:
        self._build = build
        self._kept: OrderedDict[int | str | None, _Plan] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, **values: Any) -> list[Row]:
        plan = self._plan()
        connection = connections[plan.using]
        if plan.locks and not connection.in_atomic_block:
            raise TransactionManagementError(
                "What is locked outside a transaction is let go at once."
            )
        params = [
            place.filled(values, connection) if isinstance(place, Slot) else place
            for place in plan.places
        ]
        with connection.cursor() as cursor:
            cursor.execute(plan.sql, params)
            found = cursor.fetchall()
        rows: list[Row] = []
        for columns in map(list, found):
            for at, steps, column in plan.converters:
                for step in steps:
                    columns[at] = step(columns[at], column, connection)
            row: Any = plan.model.from_db(plan.using, plan.names, columns[plan.columns])
            for each in plan.joined:
                each.populate(columns, row)
            rows.append(row)
        return rows

    def _plan(self) -> _Plan:
        key = scope_key()
        with self._lock:
            plan = self._kept.get(key)
            if plan is not None:
                self._kept.move_to_end(key)
                return plan
        # Built outside the lock: of two threads at once the later one's is kept, which is as good.
        plan = _Plan.of(self._build())
        with self._lock:
            self._kept[key] = plan
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return plan
