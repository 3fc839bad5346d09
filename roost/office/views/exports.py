"""Tables that leave the office: the receipts for the bookkeeper."""

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from roost.billing.export import begin_export, csv_of
from roost.billing.forms import PeriodForm
from roost.core.pages import page
from roost.core.time import now
from roost.staff.http import OfficeRequest
from roost.staff.permissions import Who, open_to


@open_to(Who.OWNER_OR_ADMIN)
def export_receipts(request: OfficeRequest) -> HttpResponse:
    """Choose a period of receipts for the bookkeeper: last month's is offered."""
    this_month = now().astimezone(request.practice.zone).date().replace(day=1)
    end = this_month.fromordinal(this_month.toordinal() - 1)
    form = PeriodForm(initial={"start": end.replace(day=1), "end": end})
    return page(request, "office/billing/export.html", {"form": form})


@open_to(Who.OWNER_OR_ADMIN)
def receipts_csv(request: OfficeRequest) -> HttpResponseBase:
    """The receipts of a period as a table, sent as it is read. X-Rows says how many there are."""
    form = PeriodForm(request.GET)
    if not form.is_valid():
        return page(request, "office/billing/export.html", {"form": form})
    start, end = form.cleaned_data["start"], form.cleaned_data["end"]
    chosen = begin_export(by=request.staff, start=start, end=end)
    name = f"receipts-{start.isoformat()}-{end.isoformat()}.csv"
    return StreamingHttpResponse(
        csv_of(chosen),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Rows": str(chosen.count),
        },
    )
