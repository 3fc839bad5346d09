from django.apps import AppConfig


class ClientsConfig(AppConfig):
    name = "roost.clients"

    def ready(self) -> None:
        from roost.clients import mail  # noqa: F401
