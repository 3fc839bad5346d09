from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("practices", "0004_invoices"),
    ]

    operations = [
        migrations.AddField(
            model_name="practice",
            name="relay_only",
            field=models.BooleanField(default=False),
        ),
    ]
