from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def copy_starts(apps, schema_editor):
    appointment = apps.get_model("scheduling", "Appointment")
    starts = appointment.objects.filter(pk=OuterRef("appointment")).values("starts_at")
    apps.get_model("scheduling", "Attendee").objects.update(starts_at=Subquery(starts))


class Migration(migrations.Migration):
    dependencies = [
        ("clients", "0003_waiting_accounts"),
        ("scheduling", "0002_fees"),
    ]

    operations = [
        migrations.AddField(
            model_name="attendee",
            name="starts_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.RunPython(copy_starts, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="attendee",
            name="starts_at",
            field=models.DateTimeField(editable=False),
        ),
        migrations.AddIndex(
            model_name="attendee",
            index=models.Index(
                fields=["client", "-starts_at", "-appointment"], name="attendee_by_time"
            ),
        ),
    ]
