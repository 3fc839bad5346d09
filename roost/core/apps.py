from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "roost.core"

    def ready(self) -> None:
        from django.forms import Field

        from roost.core import checks, search  # noqa: F401

        # The summary says the field's name before it: "Email: fill this in".
        Field.default_error_messages["required"] = "Fill this in."
