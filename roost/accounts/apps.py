from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "roost.accounts"

    def ready(self) -> None:
        from roost.accounts import mail  # noqa: F401
