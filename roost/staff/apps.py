from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "roost.staff"

    def ready(self) -> None:
        from roost.staff import checks, mail  # noqa: F401
