"""Every address of Roost: two doors per practice, and what watches over the server."""

from django.urls import include, path

from roost.config import views

urlpatterns = [
    path("", views.front, name="front"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("portal/<slug:practice>/", include("roost.portal.urls")),
    path("office/<slug:practice>/", include("roost.office.urls")),
]

handler400 = "roost.config.errors.bad_request"
handler403 = "roost.config.errors.permission_denied"
handler404 = "roost.config.errors.page_not_found"
handler500 = "roost.config.errors.server_error"
