"""Log-ins that open nothing were listed nowhere until now: they are prospects."""

from typing import Any

from django.db import migrations


def list_them(apps: Any, schema_editor: Any) -> None:
    account, access, prospect, staff = (
        apps.get_model(*name)
        for name in [
            ("accounts", "Account"), ("clients", "PortalAccess"), ("clients", "Prospect"),
            ("staff", "StaffMember"),
        ]
    )  # fmt: skip
    busy = access.objects.filter(ended_at=None).values("account")
    idle = account.objects.exclude(pk__in=busy).exclude(pk__in=staff.objects.values("account"))
    for each in idle.exclude(pk__in=prospect.objects.exclude(account=None).values("account")):
        row = prospect.objects.create(
            practice_id=each.practice_id, account=each, email=each.email, state="waiting"
        )
        apps.get_model("clients", "ProspectWord").objects.create(
            practice_id=each.practice_id, prospect=row, word=each.email[:100]
        )


class Migration(migrations.Migration):
    dependencies = [("clients", "0002_prospects")]
    operations = [migrations.RunPython(list_them, migrations.RunPython.noop)]
