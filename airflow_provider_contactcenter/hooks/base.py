"""What all hooks share: a connection resolved once, a session, and the vendor's operations run on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote, urlsplit

import requests
from airflow.providers.common.compat.lineage.hook import get_hook_lineage_collector
from airflow.providers.common.compat.sdk import AirflowNotFoundException, mask_secret
from airflow.providers.http.hooks.http import HttpHook

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.exceptions import (
    ContactCenterAuthenticationError,
    ContactCenterError,
    ContactCenterInvalidReportError,
    ContactCenterQuotaError,
    ContactCenterSubmitLostError,
)
from airflow_provider_contactcenter.hooks import form
from airflow_provider_contactcenter.hooks.connection import ConnectionReader
from airflow_provider_contactcenter.hooks.refusals import error_of, message
from airflow_provider_contactcenter.nouns import Job, Report, Status, called
from airflow_provider_contactcenter.pipeline.incomplete import Incomplete
from airflow_provider_contactcenter.pipeline.source import FileSource, PageSource, ReportStream
from airflow_provider_contactcenter.transport import policy
from airflow_provider_contactcenter.transport.fetching import FetchedFile, asked
from airflow_provider_contactcenter.transport.on_aiohttp import shared_driver
from airflow_provider_contactcenter.transport.on_requests import RequestsDriver
from airflow_provider_contactcenter.transport.session import session_for
from airflow_provider_contactcenter.transport.signing import SigningAdapter
from airflow_provider_contactcenter.vendors import registry
from airflow_provider_contactcenter.vendors.intake import check_job, check_report
from airflow_provider_contactcenter.vendors.protocol.connection import Settings
from airflow_provider_contactcenter.vendors.protocol.content import Pages
from airflow_provider_contactcenter.vendors.protocol.messages import Operation
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor

T = TypeVar("T")

#: how often a cancellation is sent at the most
CANCEL_TRIES = 3


async def _mask(secret: str) -> None:
    """Mask a secret without blocking the event loop."""
    try:
        from airflow.sdk.log import amask_secret
    except ImportError:
        await asyncio.to_thread(mask_secret, secret)
    else:
        await amask_secret(secret)


class ContactCenterHook(HttpHook):
    """Talks to one vendor API on one connection.

    The connection form and the keep-alive adapter are HttpHook's. Unlike there, no extra of the connection
    ever becomes a request header.

    :param conn_id: the connection; its type is the class's ``conn_type``.
    """

    vendor_name: ClassVar[str]
    conn_name_attr = "conn_id"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # Airflow 2.11 looks for a form in a hook's own class and passes over what it inherits.
        for name in ("get_ui_field_behaviour", "get_connection_form_widgets"):
            setattr(cls, name, vars(cls).get(name, vars(ContactCenterHook)[name]))

    def __init__(self, conn_id: str | None = None, **options: Any) -> None:
        super().__init__(http_conn_id=conn_id or self.default_conn_name, **options)
        self.conn_id = self.http_conn_id

    # -- what tasks use -------------------------------------------------------------------------------

    def submit(self, report: Report, label: str | None = None) -> Job:
        """Submit a report.

        :param label: says for which task, where the vendor gives a report a name and the report has none.
        :raises ContactCenterInvalidReportError: the report can't be used, or the vendor does not accept it.
        :raises ContactCenterQuotaError: the vendor takes no more reports for now.
        :raises ContactCenterSubmitLostError: the answer was lost; nothing is sent a second time.
        :raises ContactCenterError: any other refusal, by its class.
        """
        try:
            report = check_report(report, now=datetime.now(UTC))
            self._check_own(report)
        except InvalidValue as invalid:
            raise ContactCenterInvalidReportError(str(invalid)) from None
        return self.submit_checked(report, label)

    def submit_checked(self, report: Report, label: str | None = None) -> Job:
        """Like :meth:`submit`, for a report that was checked where it entered: what a task's is."""
        try:
            return self._perform(lambda: self.vendor.submit(report, label))
        except Refusal as refusal:
            if refusal.kind == "lost":
                advice = "The report may have been submitted all the same; a retry submits it again."
                raise ContactCenterSubmitLostError(
                    message(self.vendor.title, self.conn_id, None, refusal.words, advice)
                ) from None
            raise self.error(refusal) from None

    def get_status(self, job: Job, *, attempts: int = policy.ATTEMPTS) -> Status:
        """Ask how a job is doing.

        :param attempts: how often the request is sent where the vendor can't be reached.
        :raises ContactCenterError: the vendor's refusal, by its class.
        """
        job = self._checked(job)
        try:
            return self.look(job, attempts=attempts)
        except Refusal as refusal:
            raise self.error(refusal, job) from None

    def look(self, job: Job, *, attempts: int = 1) -> Status:
        """Like :meth:`get_status`, but raises the bare Refusal, for those that decide on it."""
        return self._heard(self._perform(lambda: self.vendor.status(job), attempts), self.settings)

    def cancel(self, job: Job) -> bool:
        """Cancel a job. Whoever ends a task has seconds, so a vendor that stumbles is asked three times only.

        :return: whether the job runs no more: the vendor took it, or it was over already; False where the
            vendor has no way to.
        :raises ContactCenterError: the vendor's refusal, by its class.
        """
        job, cancel = self._checked(job), self.vendor.cancel
        if cancel is None or job["job_id"] is None:
            return False
        try:
            return self._perform(lambda: cancel(job), CANCEL_TRIES)
        except Refusal as refusal:
            raise self.error(refusal, job) from None

    def available_until(self, report: Report) -> datetime | None:
        """The vendor's watermark: the instant, in UTC, before which a report's rows are all there.

        :return: None where the vendor has none.
        :raises ContactCenterPermissionError: the connection may not see it.
        :raises ContactCenterError: any other refusal, by its class.
        """
        ask = self.vendor.available_until
        if ask is None:
            return None
        try:
            return self._perform(lambda: ask(report))
        except Refusal as refusal:
            raise self.error(refusal) from None

    def stream(self, job: Job) -> ReportStream:
        """The report's bytes, as they land, in pieces of bounded size; nothing is kept.

        The iterator knows rows, the vendor's total and whether completeness is proved once it has ended.

        :raises ContactCenterIncompleteError: (while iterating) what came is not the whole report.
        :raises ContactCenterError: (while iterating) any other refusal, by its class.
        """
        job = self._checked(job)
        content, driver = self.vendor.content(job), self.driver

        def note(sentence: str) -> None:
            self.log.warning("%s", stream.told(sentence))

        self._tell_lineage(job["report"])
        source = (
            PageSource(content, asked(content, driver, note))
            if isinstance(content, Pages)
            else FileSource(content, FetchedFile(content, driver, note))
        )

        def failure(failed: Incomplete | Refusal) -> ContactCenterError:
            if isinstance(failed, Incomplete):
                # It quotes the start of what came in place of the file.
                failed = Refusal("incomplete", policy.redact(str(failed), driver.settings.secrets))
            elif failed.gone and job["job_id"] is not None:
                # Its job was ready: what was submitted can be submitted again.
                failed = failed.but("expired", f"the report is gone: {failed.words}")
            return self.error(failed, job)

        stream = ReportStream(source, failure, note)
        return stream

    def run(
        self,
        endpoint: str | None = None,
        data: dict[str, Any] | str | None = None,
        headers: dict[str, Any] | None = None,
        extra_options: dict[str, Any] | None = None,
        **request_kwargs: Any,
    ) -> requests.Response:
        """Call any other endpoint, once, with the vendor's credentials; by the hook's ``method``.

        Where these are refused, and the connection has changed since it was read, the call is made once more
        with what it is now.

        :param endpoint: a path below the connection's API base, or an absolute URL; one of another origin
            gets no credentials.
        :param data: parameters of the query with GET, else the body.
        :param headers: further headers.
        :param extra_options: ``check_response`` (False: whatever status comes is returned), and what
            ``requests.Session.request`` takes: ``timeout`` (seconds; the connection's unless given),
            ``allow_redirects``, ``stream``.
        :param request_kwargs: the same, such as ``json``.
        :raises ContactCenterError: (unless ``check_response`` is False) a status of 400 and more, by its
            class; in any case, if there is no token to be had.
        :raises requests.RequestException: there is no answer.
        """
        options = {**(extra_options or {}), **request_kwargs}
        check = options.pop("check_response", True)
        given = {"GET": {"params": data}, "HEAD": {}}.get(self.method, {"data": data})
        options = {**given, "allow_redirects": True, **options}

        def call() -> tuple[requests.Response, Refusal | None]:
            session = self.get_conn(headers)
            response = session.request(self.method, self.url_from_endpoint(endpoint), **options)
            adapter = session.get_adapter(response.url)
            if isinstance(adapter, SigningAdapter) and (check or response.status_code >= 400):
                return response, adapter.refusal(response)
            return response, None

        try:
            try:
                response, refusal = call()
            except ContactCenterAuthenticationError:  # there is no token to be had
                if not self._has_changed():
                    raise
                response, refusal = call()
            else:
                refused = refusal is not None and refusal.kind == "authentication"
                again = response.request.body is None or isinstance(response.request.body, str | bytes)
                if refused and again and self._has_changed():
                    response, refusal = call()
        except Refusal as unusable:  # the connection, as it is now
            raise self.error(unusable) from None
        if check and refusal is not None:
            if refusal.advice is None and refusal.kind not in {"authentication", "permission"}:
                refusal.advice = ""  # what helps with a report says nothing about another endpoint
            raise self.error(refusal)
        return response

    def get_conn(
        self, headers: dict[Any, Any] | None = None, extra_options: dict[str, Any] | None = None
    ) -> requests.Session:
        """A session that signs what goes to the connection's own origin, and nothing else.

        A token is fetched where there is none, shared with the tasks of the process, and renewed once where
        it is refused. What is signed shows nowhere: not in the response's ``url`` or ``request``, not in an
        error. The session takes full URLs; :meth:`url_from_endpoint` makes them. It keeps to the connection
        as it is now; one that changes needs another session.

        :param headers: of every request of the session.
        :param extra_options: not used; HttpHook's parameter.
        """
        driver, session = self.driver, session_for(self.settings)
        plain = session.get_adapter("https://")
        adapter = SigningAdapter(plain, self.vendor, self.settings, driver.token, self.error)
        for scheme in ("https://", "http://"):
            session.mount(scheme, adapter)
        session.headers.update(headers or {})
        return session

    def url_from_endpoint(self, endpoint: str | None) -> str:
        """The URL of a path below the connection's API base; an absolute URL stays as it is."""
        path = endpoint or ""
        if path.lower().startswith(("http://", "https://")):
            return path
        return f"{self.settings.base_url}{'/' if path and not path.startswith(('/', '?')) else ''}{path}"

    def test_connection(self) -> tuple[bool, str]:
        """Try the credentials; the message holds the vendor's words and never a secret."""
        try:
            return True, self.driver.run(self.vendor.probe(self.settings), attempts=2)
        except Refusal as refusal:
            return False, str(self.error(refusal))
        except (ContactCenterError, AirflowNotFoundException) as error:
            return False, str(error)

    def dataset(self, report: Report) -> tuple[str, str]:
        """Namespace and name of a report for lineage: the vendor's tenant, and what the report is called.

        The tenant as far as a host names it: Talkdesk's and others' token endpoints do, their APIs don't. The
        name of a connection would be the same for two customers, and another for one account.
        """
        tenant = urlsplit(self.settings.auth_url or self.settings.base_url).netloc
        return f"{report['vendor'].replace('_', '-')}://{tenant}", called(report)

    @asynccontextmanager
    async def polling(self) -> AsyncIterator[Callable[[Job], Any]]:
        """For a trigger: a coroutine function that looks at a job, on the event loop's shared session.

        Credentials that changed while the task waits are read again once they are refused.

        :raises Refusal: the connection can't be used, or can't be read for now.
        """
        async with self._asking() as ask:

            async def look(job: Job) -> Status:
                status, settings = await ask(lambda: self.vendor.status(job))
                return self._heard(status, settings)

            yield look

    async def cancel_async(self, job: Job) -> bool:
        """:meth:`cancel`, for a trigger.

        :raises Refusal: the vendor's, or the connection can't be used.
        """
        cancel = self.vendor.cancel
        if cancel is None or job["job_id"] is None:
            return False
        async with self._asking() as ask:
            taken, _ = await ask(lambda: cancel(job), CANCEL_TRIES)
            return bool(taken)

    async def available_until_async(self, report: Report) -> datetime | None:
        """:meth:`available_until`, for a trigger.

        :raises Refusal: the vendor's, or the connection can't be used.
        """
        watermark = self.vendor.available_until
        if watermark is None:
            return None
        async with self._asking() as ask:
            found: datetime | None = (await ask(lambda: watermark(report)))[0]
            return found

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[Callable[..., Awaitable[tuple[Any, Settings]]]]:
        """Runs operations on the event loop's shared session; gives the result and the settings it had."""
        settings = await self._connection.read_async()
        async with AsyncExitStack() as opened:
            driver = await opened.enter_async_context(shared_driver(self.vendor, settings, on_secret=_mask))

            async def ask(operation: Callable[[], Operation[Any]], attempts: int = 1) -> tuple[Any, Settings]:
                nonlocal settings, driver
                try:
                    return await driver.run(operation(), attempts), settings
                except Refusal as refusal:
                    if refusal.kind != "authentication":
                        raise
                    now = await self._connection.read_async(fresh=True)
                    if now.key == settings.key:
                        raise
                    self.log.info("Connection %s has changed; it is used as it is now.", self.conn_id)
                settings = now
                driver = await opened.enter_async_context(
                    shared_driver(self.vendor, settings, on_secret=_mask)
                )
                return await driver.run(operation(), attempts), settings

            yield ask

    def _tell_lineage(self, report: Report) -> None:
        """Name the report to whoever collects what hooks read."""
        namespace, name = self.dataset(report)
        try:
            get_hook_lineage_collector().add_input_asset(context=self, uri=f"{namespace}/{quote(name)}")
        except Exception as error:  # the report comes all the same
            self.log.info("The report can't be named to lineage (%s).", type(error).__name__)

    def error(self, refusal: Refusal, job: Job | None = None) -> ContactCenterError:
        """The error a task fails with for a refusal."""
        error = error_of(self.vendor, refusal, self.conn_id, job["job_id"] if job else None)
        if isinstance(error, ContactCenterQuotaError):
            error.retry_after = refusal.retry_after
        return error

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """The form's standard fields, for Airflow 2.11."""
        return form.behaviour(registry.vendor(cls.vendor_name).form)

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """The form's own fields, for Airflow 2.11."""
        return form.widgets(registry.vendor(cls.vendor_name).form)

    # -- what it is made of ---------------------------------------------------------------------------

    @property
    def _connection(self) -> ConnectionReader:
        return ConnectionReader(type(self), self.conn_id, self.conn_type, self.vendor, self.log)

    @property
    def vendor(self) -> Vendor:
        """The description of the vendor."""
        return registry.vendor(self.vendor_name)

    def settle_delay(self, report: Report) -> timedelta:
        """How long after a report's window's end its last rows may still arrive."""
        own = registry.kind_of(report).settle_delay(report["params"])
        return self.vendor.settle_delay if own is None else own

    @cached_property
    def settings(self) -> Settings:
        """The connection, resolved."""
        try:
            return self._connection.read()
        except Refusal as refusal:
            raise self.error(refusal) from None

    def _perform(self, operation: Callable[[], Operation[T]], attempts: int = policy.ATTEMPTS) -> T:
        """Run an operation; where the credentials are refused, once more if the connection has changed."""
        try:
            return self.driver.run(operation(), attempts)
        except Refusal as refusal:
            if refusal.kind != "authentication":
                raise
            if not self._has_changed():
                raise
        return self.driver.run(operation(), attempts)

    def _has_changed(self) -> bool:
        """Whether the connection is no longer what it was; if so, it is used as it is now.

        :raises Refusal: it can't be used any more.
        """
        if self._connection.read(again=True).key == self.settings.key:
            return False
        self.log.info("Connection %s has changed; it is used as it is now.", self.conn_id)
        self.close()
        for name in ("settings", "driver"):
            self.__dict__.pop(name, None)
        return True

    def _checked(self, job: Job) -> Job:
        try:
            job = check_job(job)
            self._check_own(job)
            return job
        except InvalidValue as invalid:
            raise ContactCenterInvalidReportError(str(invalid)) from None

    def _check_own(self, noun: Report | Job) -> None:
        """Refuse what belongs to another hook: its job would be looked for where it was never submitted."""
        if noun["vendor"] != self.vendor_name:
            raise InvalidValue(
                f"vendor={noun['vendor']!r} is not allowed: {type(self).__name__} takes {self.vendor_name!r}."
            )
        if noun["conn_id"] != self.conn_id:
            raise InvalidValue(
                f"conn_id={noun['conn_id']!r} is not allowed: this hook is on connection {self.conn_id!r}; "
                "give both the same."
            )

    @cached_property
    def driver(self) -> RequestsDriver:
        """Runs the vendor's operations on a worker."""
        try:
            session = session_for(self.settings)
        except Refusal as refusal:
            raise self.error(refusal) from None
        return RequestsDriver(session, self.vendor, self.settings, on_secret=mask_secret)

    def close(self) -> None:
        """Close the session, if one was opened."""
        if "driver" in self.__dict__:
            self.driver.session.close()

    def _heard(self, status: Status, settings: Settings) -> Status:
        """The same without any secret; a word that nobody knows is logged once."""
        if status["reason"] is None and (status["vendor_status"] or "").lower() in self.vendor.states:
            return status  # as the documents have it
        word, reason = (
            said and policy.redact(said, settings.secrets)
            for said in (status["vendor_status"], status["reason"])
        )
        known = word is None or word.isdigit() or word.lower() in self.vendor.states
        if not known and status["state"] == "running" and word not in _noted:
            _noted.add(str(word))
            self.log.warning(
                "%s says %r, a status that its documents don't list; it counts as still running.",
                self.vendor.title,
                word,
            )
        return Status(state=status["state"], vendor_status=word, reason=reason)


#: unknown status words that this process has logged already
_noted: set[str] = set()
