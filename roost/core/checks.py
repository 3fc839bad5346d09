"""System checks: no model without a tenancy rule."""

from typing import Any

from django.apps import apps
from django.core.checks import Error, Tags, register

from roost.core.tenancy import TenantManager, TenantModel


@register(Tags.models)
def every_model_has_a_tenancy_rule(app_configs: Any, **kwargs: Any) -> list[Error]:
    """List each model of Roost with neither a practice nor a written exemption.

    An exemption is the class attribute `tenancy_exempt`: a sentence that says why.
    """
    errors = []
    for model in apps.get_models():
        if not model.__module__.startswith("roost."):
            continue
        if issubclass(model, TenantModel):
            if not isinstance(model._default_manager, TenantManager):
                errors.append(Error("Its manager is not scoped.", obj=model, id="roost.E002"))
        elif not getattr(model, "tenancy_exempt", ""):
            errors.append(
                Error(
                    "It has neither a practice nor a written exemption.",
                    hint="Inherit from TenantModel, or say why not in `tenancy_exempt`.",
                    obj=model,
                    id="roost.E001",
                )
            )
    return errors
