"""The practice's settings change."""

from typing import Any

from django.db import transaction

from roost.audit.services import record
from roost.core.time import now
from roost.practices.models import Practice


def change_settings(
    practice: Practice, *, action: str, by: Any, by_name: str = "", **values: Any
) -> list[str]:
    """Change fields of a practice; returns the changed names. `by` is the account that acts.

    Records `action` with the names. `by_name` stands on the Client Portal page as who changed it.
    """
    with transaction.atomic():
        current = Practice.objects.select_for_update().get(pk=practice.pk)
        changed = [name for name, value in values.items() if getattr(current, name) != value]
        if not changed:
            return []
        for name in changed:
            setattr(current, name, values[name])
        fields = list(changed)
        if by_name:
            current.portal_settings_changed_at = now()
            current.portal_settings_changed_by = by_name
            fields += ["portal_settings_changed_at", "portal_settings_changed_by"]
        current.save(update_fields=fields)
        record(action, by=by, subject=current, fields=changed)
        return changed
