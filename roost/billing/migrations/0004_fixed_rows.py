"""What is fixed is fixed in the database as well, on PostgreSQL; and charges say since when.

SQLite has no triggers here: it loses them whenever a migration rebuilds a table.
"""

from typing import Any

from django.db import migrations
from django.db.models import Exists, OuterRef
from django.utils import timezone

# Rows that can be voided once, and rows that never change.
VOIDABLE = ("receipt", "refund", "invoice")
FIXED = ("payment", "credituse", "invoiceline")

FUNCTIONS = """
CREATE FUNCTION roost_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A row of % is fixed: it is voided and issued again.', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE FUNCTION roost_only_void() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.voided_at IS NULL AND NEW.voided_at IS NOT NULL AND NEW.voided_by_id IS NOT NULL
       AND to_jsonb(OLD) - 'voided_at' - 'voided_by_id'
         = to_jsonb(NEW) - 'voided_at' - 'voided_by_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'A row of % is fixed: it is voided and issued again.', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


def forwards(apps: Any, schema_editor: Any) -> None:
    charge, payment = apps.get_model("billing", "Charge"), apps.get_model("billing", "Payment")
    counts = payment.objects.filter(charge=OuterRef("pk"), receipt__voided_at=None)
    charge.objects.filter(Exists(counts)).update(fixed_at=timezone.now())
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    schema_editor.execute(FUNCTIONS, params=None)
    for name in (*VOIDABLE, *FIXED):
        refused = "DELETE" if name in VOIDABLE else "UPDATE OR DELETE"
        schema_editor.execute(
            f"CREATE TRIGGER {name}_is_kept BEFORE {refused} ON billing_{name} "
            "FOR EACH ROW EXECUTE FUNCTION roost_refuse_change()"
        )
    for name in VOIDABLE:
        schema_editor.execute(
            f"CREATE TRIGGER {name}_is_only_voided BEFORE UPDATE ON billing_{name} "
            "FOR EACH ROW EXECUTE FUNCTION roost_only_void()"
        )


def backwards(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    for name in (*VOIDABLE, *FIXED):
        schema_editor.execute(f"DROP TRIGGER {name}_is_kept ON billing_{name}")
    for name in VOIDABLE:
        schema_editor.execute(f"DROP TRIGGER {name}_is_only_voided ON billing_{name}")
    schema_editor.execute("DROP FUNCTION roost_refuse_change(); DROP FUNCTION roost_only_void()")


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_credit")]

    operations = [migrations.RunPython(forwards, backwards)]
