"""Finding words by their beginning, through an index, on SQLite and PostgreSQL alike."""

from typing import Any

from django.db.models import CharField, Lookup


@CharField.register_lookup
class Starts(Lookup):
    """`word__starts="ach"`: the value begins with these letters, compared as they stand.

    SQLite's LIKE cannot use an ordinary index, so there it is a range; PostgreSQL needs an index
    with `varchar_pattern_ops`.
    """

    lookup_name = "starts"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        left, parameters = self.process_lhs(compiler, connection)
        first = str(self.rhs)
        return f"({left} >= %s AND {left} < %s)", [
            *parameters, first, *parameters, f"{first}\U0010ffff",
        ]  # fmt: skip

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        left, parameters = self.process_lhs(compiler, connection)
        escaped = str(self.rhs).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return f"{left} LIKE %s", [*parameters, f"{escaped}%"]
