"""Every address behind the portal door."""

from django.urls import URLPattern

app_name = "portal"

urlpatterns: list[URLPattern] = []
