from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "roost.core"

    def ready(self) -> None:
        from roost.core import checks  # noqa: F401
