"""Stored documents and logos are fixed in the database as well, on PostgreSQL: as in 0004."""

from typing import Any

from django.db import migrations

FIXED = ("document", "invoicedocument", "logo")


def forwards(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    for name in FIXED:
        schema_editor.execute(
            f"CREATE TRIGGER {name}_is_kept BEFORE UPDATE OR DELETE ON billing_{name} "
            "FOR EACH ROW EXECUTE FUNCTION roost_refuse_change()"
        )


def backwards(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    for name in FIXED:
        schema_editor.execute(f"DROP TRIGGER {name}_is_kept ON billing_{name}")


class Migration(migrations.Migration):
    dependencies = [("billing", "0006_indexes")]

    operations = [migrations.RunPython(forwards, backwards)]
