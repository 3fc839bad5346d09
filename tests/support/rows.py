"""Every row of the database as text, to look for what must not stand in any."""

from django.db import connection


def all_rows() -> str:
    """All rows of all tables, one per line."""
    lines = []
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            lines += [f"{table} {row!r}" for row in cursor.fetchall()]
    return "\n".join(lines)
