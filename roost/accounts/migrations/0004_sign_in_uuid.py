"""A sign-in gets a public id, so that its holder can name it. Nobody is signed out by that."""

import uuid
from typing import Any

from django.db import migrations, models


def name_them(apps: Any, schema_editor: Any) -> None:
    sign_in = apps.get_model("accounts", "SignIn")
    for key in sign_in.objects.values_list("pk", flat=True):
        sign_in.objects.filter(pk=key).update(uuid=uuid.uuid4())


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_new_address")]
    operations = [
        migrations.AddField(
            model_name="signin",
            name="uuid",
            field=models.UUIDField(default=uuid.uuid4, editable=False, null=True),
        ),
        migrations.RunPython(name_them, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="signin",
            name="uuid",
            field=models.UUIDField(default=uuid.uuid4, editable=False, unique=True),
        ),
    ]
