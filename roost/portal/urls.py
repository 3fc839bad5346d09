"""Every address behind the portal door."""

from django.urls import URLPattern, path

from roost.portal.views import account, accounts, corrections, receipts, rehearse, sign_up, video

app_name = "portal"

urlpatterns: list[URLPattern] = [
    path("", account.home, name="home"),
    path("log-in/", accounts.log_in, name="log-in"),
    path("log-out/", accounts.log_out, name="log-out"),
    path("forgot-password/", accounts.forgot_password, name="forgot-password"),
    path("invitation/<uuid:link>/<str:token>/", accounts.link, name="invitation"),
    path("reset/<uuid:link>/<str:token>/", accounts.link, name="reset"),
    path("new-address/<uuid:link>/<str:token>/", accounts.new_address, name="new-address"),
    path("new-link/<uuid:link>/<str:token>/", accounts.renew_link, name="renew-link"),
    path("choose-password/", accounts.choose_password, name="choose-password"),
    path("create-account/", sign_up.create_account, name="create-account"),
    path("account/", sign_up.sign_up, name="sign-up"),
    path("account/address/", sign_up.correct_address, name="correct-address"),
    path("verify/<uuid:sign_up>/<str:token>/", sign_up.verify, name="verify"),
    path(
        "new-verification/<uuid:sign_up>/<str:token>/",
        sign_up.renew_verification,
        name="renew-verification",
    ),
    path("room/<uuid:appointment>/", video.room, name="room"),
    path("room/<uuid:appointment>/<uuid:attendee>/", video.room_person, name="room-person"),
    path("room/<uuid:appointment>/<uuid:attendee>/after/", video.room_after, name="room-after"),
    path("rehearse/", rehearse.rehearse, name="rehearse"),
    path("rehearse/relay/", rehearse.rehearse_relay, name="rehearse-relay"),
    path("my-account/", account.account, name="account"),
    path("my-account/security/", accounts.security, name="security"),
    path("my-account/security/<uuid:sign_in>/end/", accounts.end_device, name="end-device"),
    path(
        "my-account/security/end-others/", accounts.sign_out_everywhere, name="sign-out-everywhere"
    ),
    path("my-account/log-in-address/", accounts.change_address, name="change-address"),
    path("my-account/password/", accounts.change_password, name="change-password"),
    path("my-account/sessions/<uuid:client>/", account.sessions, name="sessions"),
    path("my-account/receipts/<uuid:client>/", receipts.receipts, name="receipts"),
    path(
        "my-account/receipts/<uuid:client>/<int:year>.pdf",
        receipts.year_pdf,
        name="receipts-of-year",
    ),
    path("receipts/<uuid:receipt>/receipt.pdf", receipts.receipt_pdf, name="receipt-pdf"),
    path("invoices/<uuid:invoice>/invoice.pdf", receipts.invoice_pdf, name="invoice-pdf"),
    path("receipt/<str:code>/", receipts.check, name="receipt-check"),
    path("my-account/details/<uuid:client>/", account.details, name="details"),
    path("my-account/details/<uuid:client>/correction/", corrections.ask, name="ask-correction"),
    path(
        "my-account/details/<uuid:client>/correction/<uuid:asked>/withdraw/",
        corrections.withdraw,
        name="withdraw-correction",
    ),
    path("my-account/time-zone/", account.time_zone, name="time-zone"),
]
