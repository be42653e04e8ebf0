"""How templates are rendered: what is written stays what it is, and a run without a window says so.

With ``render_template_as_native_obj`` Jinja evaluates the text that a template makes, so that
``"+48100200300"`` becomes a number and ``"2024_05"`` another one: another caller, folder or key, and a green
task. Here a value without a template stays as it is, and a text that isn't the one of the value which it was
evaluated to is refused.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import jinja2
from airflow.providers.common.compat.sdk import BaseOperator
from jinja2.nativetypes import NativeEnvironment, native_concat

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.exceptions import ContactCenterInvalidReportError
from airflow_provider_contactcenter.nouns import called, spoken

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

#: longest label of a mapped task that Airflow stores
LONGEST_LABEL = 250


class RenderingMixin(BaseOperator):
    """For operators and sensor: see this module."""

    def render_template(
        self,
        content: Any,
        context: Context,
        jinja_env: jinja2.Environment | None = None,
        seen_oids: set[int] | None = None,
    ) -> Any:
        """Render a value at any depth.

        :raises InvalidValue: native rendering made something else of a text than what it says.
        """
        if isinstance(content, str):
            jinja_env = jinja_env or self.get_template_env()
            if not has_template(content, jinja_env):
                return content
            if isinstance(jinja_env, NativeEnvironment):
                return render_natively(content, context, jinja_env)
        return super().render_template(content, context, jinja_env, seen_oids)

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Context, *args: Any, **kwargs: Any
    ) -> None:
        """Render the fields; what can't be rendered is final, for each retry would meet the same.

        A private name of Airflow's, but the one place through which plain and mapped tasks go; a test sees
        that it is still called.
        """
        try:
            super()._do_render_template_fields(parent, template_fields, context, *args, **kwargs)
        except jinja2.UndefinedError as undefined:
            raise ContactCenterInvalidReportError(
                f"Task {self.task_id}: a template could not be rendered: {undefined}. A run without a data "
                "interval (triggered without a date, by an asset, or by a partition timetable) has no "
                "data_interval_start, data_interval_end or ds: use day_window() and day_key() of "
                "airflow_provider_contactcenter.windows, which take the partition too; trigger a partitioned "
                "Dag with its partition key; of any other, backfill the day, or give its date in the UI or "
                "by REST (that of 'airflow dags trigger --logical-date' isn't the day that lands)."
            ) from None
        except InvalidValue as invalid:
            raise ContactCenterInvalidReportError(f"Task {self.task_id}: {invalid}") from None
        self._label_mapped(context)

    def _label_mapped(self, context: Context) -> None:
        """Call a mapped task by connection, kind and window, unless the DAG names a template for it."""
        if getattr(context.get("ti"), "map_index", -1) < 0 or context.get("map_index_template") is not None:
            return
        try:
            report = getattr(self, "report", None) or self.job["report"]
            label = f"{report['conn_id']} {called(report)} {spoken(report['params'])}"
        except (KeyError, TypeError, ValueError, AttributeError):
            return  # no report or job; execute says so
        if "{" not in label:
            context["map_index_template"] = label[:LONGEST_LABEL]


def has_template(text: str, environment: jinja2.Environment) -> bool:
    """Whether there is anything to render."""
    marks = (
        environment.variable_start_string,
        environment.block_start_string,
        environment.comment_start_string,
        environment.line_statement_prefix,
        environment.line_comment_prefix,
    )
    return any(mark in text for mark in marks if mark)


def render_natively(text: str, context: Context, environment: NativeEnvironment) -> Any:
    """Render as Airflow does with ``render_template_as_native_obj``; refuse what isn't what was written."""
    template = environment.from_string(text)
    names: Any = copy.copy(context)
    names.update((name, value) for name, value in template.globals.items() if name not in names)
    pieces = list(
        template.root_render_func(
            environment.context_class(environment, names, template.name, template.blocks)
        )
    )
    written, value = "".join(str(piece) for piece in pieces), native_concat(pieces)
    if str(value) != written and not said_natively(written, value):
        raise InvalidValue(
            f"{text!r} is not allowed here: it renders to {written!r}, which render_template_as_native_obj "
            f"turns into {value!r}. Keep it a string with the filter tojson: '{{{{ value | tojson }}}}'."
        )
    return value


def said_natively(written: str, value: Any) -> bool:
    """Whether a text is a notation that nobody writes by accident: brackets, or JSON's quotes."""
    if isinstance(value, str):
        try:
            return bool(json.loads(written) == value)
        except ValueError:
            return False
    return written.strip().startswith(("[", "{", "("))
