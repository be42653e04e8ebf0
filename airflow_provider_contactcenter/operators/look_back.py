"""The task behind :func:`airflow_provider_contactcenter.windows.look_back`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.exceptions import ContactCenterInvalidReportError
from airflow_provider_contactcenter.nouns import Report
from airflow_provider_contactcenter.operators.rendering import RenderingMixin
from airflow_provider_contactcenter.vendors import registry
from airflow_provider_contactcenter.vendors.intake import check_early, check_report

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class LookBackOperator(RenderingMixin, BaseOperator):
    """Gives the run's report and those of the days before it, to be mapped over.

    :param report: the run's report (templated).
    :param days: how many days before are given too, if the run is a scheduled one.
    :param timezone: IANA zone in which the days are counted.
    """

    template_fields: Sequence[str] = ("report",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"report": "json"}
    ui_color = "#e3f1f5"

    def __init__(self, *, report: Report, days: int, timezone: str = "UTC", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_early(report)
        self.report = report
        self.days = checks.integer(0, 366)("days", days)
        self.timezone = checks.zone("timezone", timezone)

    def execute(self, context: Context) -> list[Report]:
        """The reports, the newest first.

        :raises ContactCenterInvalidReportError: the run's report can't be used.
        """
        try:
            report = check_report(self.report)
            # 2.11 has an enumeration here, 3.x a string; each equals the word.
            days = self.days if context["dag_run"].run_type == "scheduled" else 0
            reports = [check_report(moved(report, number, self.timezone)) for number in range(days + 1)]
        except InvalidValue as invalid:
            raise ContactCenterInvalidReportError(f"Task {self.task_id}: {invalid}") from None
        kept_since = registry.kind_of(report).kept_since
        if kept_since is None:
            return reports
        kept = kept_since(datetime.now(UTC))
        whole = [each for each in reports if checks.moment(each["params"]["start"]) >= kept]
        if len(whole) < len(reports):
            self.log.warning(
                "%d of %d windows are left out, so that nothing overwrites what has landed of them: they "
                "begin before %s, and %s no longer has them in full.",
                len(reports) - len(whole),
                len(reports),
                kept.isoformat(timespec="seconds"),
                report["vendor"],
            )
        return whole


def moved(report: Report, days: int, timezone: str) -> Report:
    """The same report, so many days earlier on the clocks of a zone."""
    window = {
        name: _earlier(checks.moment(report["params"][name]), days, timezone) for name in ("start", "end")
    }
    moved_report: Report = {**report, "params": {**report["params"], **window}}
    return moved_report


def _earlier(instant: datetime, days: int, timezone: str) -> datetime:
    """An instant so many days earlier: the same time of day, or the day's first instant if it is one."""
    local = instant.astimezone(ZoneInfo(timezone))
    day = local.date() - timedelta(days=days)
    if checks.first_instant(local.date(), timezone) == instant:
        return checks.first_instant(day, timezone)
    return datetime.combine(day, local.timetz()).astimezone(UTC)
