"""Every address behind the office door."""

from django.urls import URLPattern

app_name = "office"

urlpatterns: list[URLPattern] = []
