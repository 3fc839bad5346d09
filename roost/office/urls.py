"""Every address behind the office door."""

from django.urls import URLPattern, path

from roost.office.views import (
    accounts,
    associating,
    billing,
    clients,
    corrections,
    exports,
    linking,
    money,
    moving,
    prospects,
    receipt_settings,
    scheduling,
    services,
    settings,
    verifying,
    video,
)

app_name = "office"

urlpatterns: list[URLPattern] = [
    path("room/<uuid:appointment>/", video.room, name="room"),
    path("", scheduling.home, name="home"),
    # Sessions
    path("today/", scheduling.today, name="today"),
    path("sessions/", scheduling.sessions, name="sessions"),
    path("sessions/book/", scheduling.book, name="book"),
    path("sessions/<uuid:appointment>/", scheduling.appointment, name="appointment"),
    path("sessions/<uuid:appointment>/move/", scheduling.move, name="move"),
    path("sessions/<uuid:appointment>/cancel/", scheduling.cancel, name="cancel"),
    path("sessions/<uuid:appointment>/attendance/", billing.attendance, name="attendance"),
    path("sessions/<uuid:appointment>/billed/", billing.billed, name="billed"),
    path("sessions/<uuid:appointment>/payment/", billing.payment, name="payment"),
    # Receipts
    path("receipts/", billing.receipts, name="receipts"),
    path("receipts/export/", exports.export_receipts, name="export-receipts"),
    path("receipts/receipts.csv", exports.receipts_csv, name="receipts-csv"),
    path("receipts/<uuid:receipt>/receipt.pdf", billing.receipt_pdf, name="receipt-pdf"),
    path("receipts/<uuid:receipt>/void/", billing.void, name="void-receipt"),
    path("invoices/<uuid:invoice>/invoice.pdf", money.invoice_pdf, name="invoice-pdf"),
    path("invoices/<uuid:invoice>/void/", money.void_the_invoice, name="void-invoice"),
    path("refunds/<uuid:refund>/void/", money.take_refund_back, name="void-refund"),
    # Log in, one's own account
    path("log-in/", accounts.log_in, name="log-in"),
    path("log-out/", accounts.log_out, name="log-out"),
    path("forgot-password/", accounts.forgot_password, name="forgot-password"),
    path("invitation/<uuid:link>/<str:token>/", accounts.link, name="invitation"),
    path("reset/<uuid:link>/<str:token>/", accounts.link, name="reset"),
    path("new-link/<uuid:link>/<str:token>/", accounts.renew_link, name="renew-link"),
    path("choose-password/", accounts.choose_password, name="choose-password"),
    path("my-account/", accounts.account, name="account"),
    path("my-account/devices/<uuid:sign_in>/end/", accounts.end_device, name="end-device"),
    path(
        "my-account/devices/end-others/", accounts.sign_out_everywhere, name="sign-out-everywhere"
    ),
    path("my-account/prospect-mail/", accounts.prospect_mail, name="prospect-mail"),
    # Clients
    path("clients/", clients.clients, name="clients"),
    path("clients/add/", clients.add, name="add-client"),
    path("clients/prospects/", prospects.prospects, name="prospects"),
    path("clients/prospects/dismiss/", prospects.dismiss_prospects, name="dismiss-prospects"),
    path("clients/prospects/restore/", prospects.restore_prospects, name="restore-prospects"),
    path("clients/prospects/<uuid:prospect>/verify/", verifying.verify, name="verify-prospect"),
    path(
        "clients/prospects/<uuid:prospect>/resend/",
        verifying.send_again,
        name="resend-verification",
    ),
    path(
        "clients/prospects/<uuid:prospect>/create-client/",
        linking.create,
        name="create-from-prospect",
    ),
    path("clients/prospects/<uuid:prospect>/associate/", associating.associate, name="associate"),
    path("clients/prospects/<uuid:prospect>/undo/", linking.undo, name="undo-link"),
    path("clients/<uuid:client>/", clients.client, name="client"),
    path("clients/<uuid:client>/edit/", clients.edit, name="edit-client"),
    path("clients/<uuid:client>/account/", clients.access, name="client-access"),
    path(
        "clients/<uuid:client>/account/<uuid:access>/take-away/",
        clients.take_away,
        name="take-access-away",
    ),
    path("clients/<uuid:client>/log-in-address/", moving.move_log_in, name="move-log-in"),
    path(
        "clients/<uuid:client>/correction/<uuid:asked>/", corrections.correction, name="correction"
    ),
    path("clients/<uuid:client>/sessions/", clients.client_sessions, name="client-sessions"),
    path("clients/<uuid:client>/receipts/", clients.client_receipts, name="client-receipts"),
    path("clients/<uuid:client>/statement/", money.client_statement, name="client-statement"),
    path(
        "clients/<uuid:client>/statement/statement.pdf",
        money.client_statement_pdf,
        name="client-statement-pdf",
    ),
    path("clients/<uuid:client>/refund/", money.refund_credit, name="refund-credit"),
    path("clients/<uuid:client>/invoice/", money.invoice_client, name="invoice-client"),
    path("clients/<uuid:client>/messages/", clients.client_messages, name="client-messages"),
    # Settings
    path("settings/", settings.settings, name="settings"),
    path("settings/practice/", settings.practice, name="practice"),
    path("settings/client-portal/", settings.client_portal, name="client-portal"),
    path("settings/client-portal/qr.svg", settings.portal_qr, name="portal-qr"),
    path("settings/staff/", settings.staff, name="staff"),
    path("settings/staff/invite/", settings.invite_staff, name="invite-staff"),
    path("settings/staff/<uuid:member>/", settings.staff_member, name="staff-member"),
    path(
        "settings/staff/<uuid:member>/invite-again/",
        settings.invite_staff_again,
        name="invite-staff-again",
    ),
    path("settings/services/", services.services, name="services"),
    path("settings/services/add/", services.add, name="add-service"),
    path("settings/services/<uuid:service>/", services.service, name="service"),
    path("settings/receipts/", receipt_settings.receipt_settings, name="receipt-settings"),
    path("settings/receipts/logo/", receipt_settings.logo, name="receipt-logo"),
    path("settings/receipts/logo/remove/", receipt_settings.remove, name="remove-receipt-logo"),
    path("settings/receipts/logo.png", receipt_settings.logo_png, name="receipt-logo-png"),
    path("settings/receipts/sample.pdf", receipt_settings.sample, name="receipt-sample"),
    path("settings/video/", settings.video, name="video"),
    path("settings/video/test/", settings.test_relay, name="test-relay"),
    path("settings/messages/", settings.outbox, name="messages"),
    path("settings/messages/<uuid:message>/", settings.message, name="message"),
    path(
        "settings/messages/<uuid:message>/send-now/",
        settings.send_message_now,
        name="send-message-now",
    ),
]
