"""A charge remembers the share of the fee that a late cancel cost when it was fixed."""

from typing import Any

from django.db import migrations, models


def forwards(apps: Any, schema_editor: Any) -> None:
    """Charges fixed before take it from the first paper that counts and says it."""
    charges = apps.get_model("billing", "Charge").objects.filter(
        fixed_at__isnull=False, appointment__attendees__attendance="late_cancel"
    )
    for charge in charges.distinct().select_related("practice").iterator():
        said = sorted(_said(apps, charge), key=lambda each: each[0])
        charge.late_cancel_percent = (
            said[0][1] if said else charge.practice.late_cancel_percent
        )  # fmt: skip
        charge.save(update_fields=["late_cancel_percent"])


def _said(apps: Any, charge: Any) -> list[tuple[Any, int | None]]:
    said = []
    receipts = apps.get_model("billing", "Receipt").objects
    for receipt in receipts.filter(payment__charge=charge, voided_at=None):
        said.append((receipt.issued_at, receipt.facts["lines"][0].get("late_cancel_percent")))
    lines = apps.get_model("billing", "InvoiceLine").objects
    for line in lines.filter(charge=charge, invoice__voided_at=None).select_related("invoice"):
        # The facts hold the lines in the order of their keys.
        place = lines.filter(invoice=line.invoice, pk__lt=line.pk).count()
        facts = line.invoice.facts["lines"][place]
        said.append((line.invoice.issued_at, facts.get("late_cancel_percent")))
    return said


class Migration(migrations.Migration):
    dependencies = [("billing", "0004_fixed_rows")]

    operations = [
        migrations.AddField(
            model_name="charge",
            name="late_cancel_percent",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.RunPython(forwards, migrations.RunPython.noop),
    ]
