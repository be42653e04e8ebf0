"""The matrix: which fault hits which step of which vendor, and how the task must end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.faults.subjects import (
    CALL_LEGS,
    DETAILED,
    GENESYS,
    KHOROS,
    STATS,
    SUBJECTS,
    SUMMARY,
    TALKDESK,
    Subject,
)

LANDS = "lands"
SKIPS = "AirflowSkipException"
#: a user ended it while it waited
ENDED = "is ended"
LOST = "ContactCenterSubmitLostError"
UNAVAILABLE = "ContactCenterUnavailableError"
TIMEOUT = "ContactCenterTimeoutError"
REFUSED = "ContactCenterAuthenticationError"
FORBIDDEN = "ContactCenterPermissionError"
INCOMPLETE = "ContactCenterIncompleteError"
INVALID = "ContactCenterInvalidReportError"
QUOTA = "ContactCenterQuotaError"
FAILED = "ContactCenterReportFailedError"
EXPIRED = "ContactCenterExpiredError"
MISSING = "ContactCenterNotFoundError"
EMPTY = "ContactCenterEmptyError"
EXISTS = "ContactCenterObjectExistsError"
SHAPE = "ContactCenterShapeError"
STORE = "ContactCenterStoreError"

#: what the log says where a report may stand twice at the vendor
TWICE = "may have been submitted twice"
#: the vendor's secret, once it was changed: after a look on the worker and one in the trigger
NEW_SECRET = "sentinel-new-password"
LOOKS = 2


@dataclass(frozen=True)
class Ends:
    """How a task ends: each of its tries, and the jobs at the vendor afterwards.

    ``words`` stand in the error of the first try, ``says`` in the log: both are regular expressions.
    """

    tries: tuple[str, ...]
    jobs: int = 1
    words: str = ""
    says: str = ""


def ends(*tries: str, jobs: int = 1, words: str = "", says: str = "") -> Ends:
    return Ends(tries, jobs, words, says)


WHOLE = ends(LANDS)


@dataclass(frozen=True)
class Fault:
    """One way to break a task; ``step`` is where, in the words of ``subjects.Subject.roles``."""

    step: str
    what: str
    ends: Ends = WHOLE
    #: the sandbox's faults; they hit ``step`` unless ``at`` says another
    script: tuple[Mapping[str, Any], ...] = ()
    #: subject's name -> where it ends otherwise
    but: Mapping[str, Ends] = field(default_factory=dict)
    subjects: tuple[Subject, ...] = SUBJECTS
    modes: tuple[str, ...] = ("deferred",)
    stores: tuple[str, ...] = ()
    #: options of the sandbox, made of the subject
    options: Callable[[Subject], Mapping[str, Any]] = lambda subject: {}
    #: changes to the connection; what is no field of it is an extra
    connection: Mapping[str, Any] = field(default_factory=dict)
    #: arguments of the operator
    task: Mapping[str, Any] = field(default_factory=dict)
    #: a file of several parts, rows of several pages
    large: bool = False
    #: seconds that one answer may take; None: the usual five minutes
    longest_look: float | None = None
    #: what the connection's password becomes once :data:`LOOKS` looks at the job were taken
    new_password: str = ""
    #: seconds that the longest pause between two requests has at least
    pause: float = 0.0
    #: the report is brought into its subject's shape: what ``shaping.of`` takes
    shape: Mapping[str, Any] | None = None
    #: what stands before the store, and before the vendor
    store: str = ""
    front: str = ""


@dataclass(frozen=True, repr=False)
class Cell:
    """One fault, one vendor, one store, one mode."""

    fault: Fault
    subject: Subject
    store: str
    mode: str

    def __repr__(self) -> str:
        return self.name

    @property
    def ends(self) -> Ends:
        """How the task must end."""
        return self.fault.but.get(self.subject.name, self.fault.ends)

    @property
    def jobs(self) -> int:
        """Jobs at the vendor afterwards; some vendors know none."""
        return self.ends.jobs if "submit" in self.subject.roles else 0

    @property
    def name(self) -> str:
        """The cell in one line."""
        return f"{self.subject.name}: {self.fault.step}: {self.fault.what} ({self.store}, {self.mode})"

    @property
    def script(self) -> list[dict[str, Any]]:
        """The sandbox's faults."""
        made = []
        for fault in self.fault.script:
            fault = dict(fault)
            operation = self.subject.roles[fault.pop("at", self.fault.step)]
            if word := fault.get("word"):
                fault["word"] = self.subject.words.get(word, word)
            made.append({"vendor": self.subject.vendor, "operation": operation, **fault})
        return made


def steps_of(fault: Fault) -> set[str]:
    """The steps that a subject needs to have for a fault to hit it."""
    needed = {str(item.get("at", fault.step)) for item in fault.script}
    return needed | ({fault.step} if fault.step in STEPS else set())


#: step -> what the docs call it
STEPS = {
    "token": "token",
    "watermark": "watermark",
    "submit": "submit",
    "poll": "poll",
    "fetch": "link to the file",
    "body": "file",
    "page": "page",
    "cancel": "cancel",
}
#: Where nothing is uploaded yet the store makes no difference, and GCS costs less time.
NEAREST = dict.fromkeys(("token", "credentials", "submit", "poll", "cancel"), "GCS")
EVERYWHERE = ("S3", "GCS", "Azure", "SFTP", "folder")
#: steps that may be repeated without doing anything twice
READS = ("token", "poll", "fetch", "body", "page")


def _status(code: int, count: int | None = 1, **more: Any) -> dict[str, Any]:
    return {"fault": "status", "status": code, "count": count, **more}


def _later(step: str) -> dict[str, Any]:
    """A scroll is hit in its midst, a wait in the trigger."""
    return {"skip": 1} if step in {"poll", "page"} else {}


def _faults() -> Iterator[Fault]:
    yield from _credentials()
    yield from _quota()
    yield from _blips()
    yield from _submits()
    yield from _bodies()
    yield from _states()
    yield from _redirects()
    yield from _completeness()
    yield from _packed()
    yield from _interim()
    yield from _drips()
    yield from _outages()
    yield from _watermark()
    yield from _cancels()
    yield from _shapes()
    yield from _stores()


def _credentials() -> Iterator[Fault]:
    yield Fault("token", "expires after each request", options=lambda subject: {"expires_in": 0.1})
    for step in ("submit", "poll", "fetch", "body", "page"):
        tokens = tuple(
            subject
            for subject in SUBJECTS
            if "token" in subject.roles and (subject.roles.get(step) != "storage")
        )
        revoked = {"fault": "revoke_token", **_later(step)}
        yield Fault(step, "token revoked", script=(revoked,), subjects=tokens)
        yield Fault(
            step,
            "each token revoked",
            ends(REFUSED, jobs=0 if step == "submit" else 1),
            script=({**revoked, "count": None},),
            subjects=tokens,
        )
    yield Fault(
        "credentials",
        "wrong password",
        ends(REFUSED, jobs=0),
        connection={"password": "sentinel-wrong-password"},
    )
    changed = {"fault": "new_secret", "secret": NEW_SECRET, "skip": LOOKS}
    yield Fault(
        "poll",
        "credentials changed while waiting",
        script=(changed,),
        new_password=NEW_SECRET,
        modes=("deferred", "sync"),
    )
    yield Fault(
        "poll", "credentials changed while waiting, and not in Airflow", ends(REFUSED), script=(changed,)
    )
    yield Fault(
        "credentials",
        "connection of another vendor",
        ends(INVALID, jobs=0, words="is of type sentinel; this report needs"),
        connection={"conn_type": "sentinel"},
    )
    yield Fault(
        "submit", "not allowed (403)", ends(FORBIDDEN, jobs=0, words="HTTP 403"), script=(_status(403),)
    )
    yield Fault("page", "not allowed (403)", ends(FORBIDDEN, words="HTTP 403"), script=(_status(403),))


def _quota() -> Iterator[Fault]:
    for step in ("submit", *READS):
        modes = ("deferred", "sync") if step in {"submit", "poll"} else ("deferred",)
        yield Fault(step, "429 twice", script=(_status(429, 2, **_later(step)),), modes=modes)
        yield Fault(
            step,
            "429 with Retry-After: 7",
            script=(_status(429, retry_after=7, **_later(step)),),
            modes=modes,
            pause=7,
        )
        if step in {"submit", "poll", "page"}:
            yield Fault(
                step,
                "429 with Retry-After as a date",
                script=(_status(429, retry_after=40, retry_after_form="date", **_later(step)),),
                pause=37,
            )
    yield Fault(
        "submit",
        "429 for longer than report_timeout",
        ends(QUOTA, jobs=0, words="HTTP 429"),
        script=(_status(429, None),),
        task={"report_timeout": 30},
    )
    yield Fault(
        "poll",
        "429 until the deadline",
        ends(TIMEOUT),
        script=(_status(429, None),),
        task={"report_timeout": 0.6},
    )
    for step in ("body", "page"):
        yield Fault(
            step,
            "429 with Retry-After: 600",
            script=(_status(429, retry_after=600, **_later(step)),),
            pause=600,
        )
        yield Fault(
            step,
            "429 with Retry-After: 3600",
            ends(QUOTA, LANDS, words="HTTP 429"),
            script=(_status(429, retry_after=3600, **_later(step)),),
        )
        yield Fault(
            step, "429 forever", ends(QUOTA, words="HTTP 429"), script=(_status(429, None, **_later(step)),)
        )


#: what goes wrong with one answer, and is over
BLIPS: Mapping[str, Mapping[str, Any]] = {
    "500, three times": _status(500, 3),
    "connection reset": {"fault": "reset"},
    "stalls": {"fault": "stall", "seconds": 20},
    "HTML with status 200": {"fault": "html"},
    "JSON that breaks off": {"fault": "unreadable"},
    "cut, with a length": {"fault": "cut", "framing": "length"},
    "cut, in chunks": {"fault": "cut", "framing": "chunked"},
    "cut, with neither": {"fault": "cut", "framing": "none"},
    "connection reset in the body": {"fault": "reset", "when": "body"},
}


#: those that a token's answer doesn't get over within a try
UNREADABLE = ("HTML with status 200", "JSON that breaks off", "cut, with neither")


def _blips() -> Iterator[Fault]:
    """What passes by itself, and the same without an end."""
    for step in READS:
        for what, fault in BLIPS.items():
            if step in {"body", "fetch"} and ("cut" in what or "HTML" in what or "JSON" in what):
                continue  # see _bodies
            stalls = "stall" in what
            end = ends(UNAVAILABLE, LANDS) if step == "token" and what in UNREADABLE else WHOLE
            modes = ("deferred", "sync") if step == "poll" else ("deferred",)
            # Call legs have no job: their token is asked for with the first page, which bears an outage.
            yield Fault(
                step,
                what,
                end,
                but={CALL_LEGS.name: WHOLE} if step == "token" else {},
                script=({**fault, **_later(step)},),
                modes=modes,
                connection={"timeout": 0.3} if stalls else {},
            )
        for_ever = {"poll": TIMEOUT}.get(step, UNAVAILABLE)
        for what in ("500, three times", "connection reset", "HTML with status 200"):
            if step in {"body", "fetch"} and "HTML" in what:
                continue
            yield Fault(
                step,
                what.removesuffix(", three times") + " forever",
                ends(for_ever, jobs=0 if step == "token" else 1),
                script=({**BLIPS[what], "count": None, **_later(step)},)
                if step != "token"
                else ({**BLIPS[what], "count": None},),
                task={"report_timeout": 0.6} if step == "poll" else {},
            )
    yield Fault(
        "token",
        "500 forever while waiting",
        ends(TIMEOUT),
        script=(_status(500, None, skip=1),),
        subjects=(TALKDESK, SUMMARY, DETAILED),
        task={"report_timeout": 0.6},
    )
    yield Fault(
        "poll",
        "stalls forever",
        ends(TIMEOUT),
        script=({"fault": "stall", "seconds": 20, "count": None},),
        connection={"timeout": 0.3},
        task={"report_timeout": 0.6},
    )


def _submits() -> Iterator[Fault]:
    """Nothing is submitted twice by itself; the next try says that there may be two."""
    again = ends(LOST, LANDS, jobs=2, words="all the same", says=TWICE)
    nothing = ends(LOST, LANDS, words="all the same", says=TWICE)
    yield Fault("submit", "answer lost", again, script=({"fault": "lost_answer"},))
    yield Fault(
        "submit", "stalls", again, script=({"fault": "stall", "seconds": 20},), connection={"timeout": 0.5}
    )
    yield Fault("submit", "connection reset", nothing, script=({"fault": "reset"},))
    yield Fault(
        "submit", "connection reset in the answer", again, script=({"fault": "reset", "when": "body"},)
    )
    yield Fault("submit", "answer cut, with neither", again, script=({"fault": "cut", "framing": "none"},))
    for code in (500, 502, 504):
        yield Fault("submit", f"{code}", nothing, script=(_status(code),))
    yield Fault("submit", "HTML with status 200", nothing, script=({"fault": "html"},))
    yield Fault("submit", "503 with Retry-After: 7", script=(_status(503, retry_after=7),), pause=7)
    yield Fault("submit", "400", ends(INVALID, jobs=0, words="HTTP 400"), script=(_status(400),))


def _bodies() -> Iterator[Fault]:
    both = ("S3", "GCS")
    for framing, what in (("length", "with a length"), ("chunked", "in chunks")):
        cut = {"fault": "cut", "framing": framing}
        yield Fault("body", f"cut, {what}", script=(cut,), stores=EVERYWHERE, large=True)
        yield Fault(
            "body",
            f"cut each time, {what}",
            ends(UNAVAILABLE, words="broke off"),
            script=({**cut, "count": None},),
            stores=EVERYWHERE,
            large=True,
        )
    yield Fault(
        "body",
        "cut, with neither",
        ends(INCOMPLETE, LANDS),
        script=({"fault": "cut", "framing": "none"},),
        stores=both,
        large=True,
    )
    yield Fault(
        "body",
        "connection reset halfway, three times",
        script=({"fault": "reset", "when": "body", "count": 3},),
        stores=both,
        large=True,
    )
    yield Fault(
        "body",
        "stalls halfway",
        script=({"fault": "stall", "when": "body", "seconds": 20},),
        connection={"timeout": 0.3},
        stores=both,
        large=True,
    )
    for step in ("fetch", "body"):
        page = ends(INCOMPLETE, LANDS, words="HTML page")
        yield Fault(step, "HTML with status 200", page, script=({"fault": "html"},), but={STATS.name: WHOLE})
        yield Fault(
            step,
            "JSON that breaks off",
            script=({"fault": "unreadable"},),
            but={
                KHOROS.name: ends(INCOMPLETE, LANDS, words="JSON came"),
                STATS.name: ends(INCOMPLETE, LANDS, words="JSON"),
            },
        )
        yield Fault(
            step,
            "404",
            ends(EXPIRED, words="the report is gone: .*HTTP 404"),
            script=(_status(404, None),),
            # V-Spark's says that there is no such folder.
            but={STATS.name: ends(MISSING)},
        )
    for what, framing in (("with a length", "length"), ("with neither", "none")):
        yield Fault("fetch", f"cut, {what}", ends(LANDS), script=({"fault": "cut", "framing": framing},))
    storage = tuple(subject for subject in SUBJECTS if subject.with_storage)
    yield Fault("body", "link expired", script=({"fault": "expired_link"},), subjects=storage)
    yield Fault(
        "body",
        "link expires halfway",
        script=({"fault": "cut", "framing": "length"}, {"fault": "expired_link"}),
        subjects=storage,
        stores=both,
        large=True,
    )
    yield Fault(
        "body",
        "each link expired",
        ends(UNAVAILABLE, words="link to the file was refused"),
        script=({"fault": "expired_link", "count": None},),
        subjects=storage,
    )


def _states() -> Iterator[Fault]:
    unheard = {"fault": "unknown_status", "count": 2}
    both = ("deferred", "sync")
    yield Fault("poll", "unknown status word", script=(unheard,), modes=both)
    yield Fault(
        "poll",
        "unknown status word forever",
        ends(TIMEOUT, words="sandbox-unheard-of"),
        script=({**unheard, "count": None},),
        task={"report_timeout": 0.6},
        modes=both,
    )
    for state, error in (("failed", FAILED), ("cancelled", FAILED), ("expired", EXPIRED)):
        yield Fault(
            "poll",
            f"job {state}",
            ends(error, LANDS, jobs=2),
            script=({"fault": "unknown_status", "word": state, "skip": 1},),
            subjects=tuple(subject for subject in SUBJECTS if state in subject.words),
            but={KHOROS.name: ends(FAILED, LANDS, jobs=2)},
            modes=both,
        )
    yield Fault(
        "poll",
        "job unknown (404)",
        ends(MISSING),
        script=(_status(404, skip=1),),
        modes=both,
        # Where the status of a report made at once is unknown, its data tell, and here they say "not yet".
        but={DETAILED.name: ends(INVALID, words="IN_PROGRESS")},
    )
    yield Fault("report", "empty", options=lambda subject: subject.empty, stores=("S3", "GCS"))
    for on_empty, end in (("fail", ends(EMPTY)), ("skip", ends(SKIPS))):
        yield Fault(
            "report",
            f"empty, on_empty={on_empty}",
            end,
            options=lambda subject: subject.empty,
            task={"on_empty": on_empty},
            stores=("S3", "GCS"),
        )


def _redirects() -> Iterator[Fault]:
    """Each ends the task; a redirect to another host takes no credentials along, see the test."""
    nowhere = ends(INVALID, jobs=0, words="redirects")
    for what, to in (("redirect loop", "self"), ("redirect to another host", "elsewhere")):
        there = to == "elsewhere"
        fault = {"fault": "redirect", "to": to, "count": None}
        for step in ("token", "submit"):
            yield Fault(step, what, nowhere, script=(fault,))
        # At Talkdesk a redirect says that the report is ready, and where; to itself, it says nothing.
        talkdesk = ends(INCOMPLETE, words="Another host") if there else ends(TIMEOUT)
        yield Fault(
            "poll",
            what,
            ends(INVALID, words="redirects"),
            script=(fault,),
            task={"report_timeout": 0.6},
            but={TALKDESK.name: talkdesk},
        )
        yield Fault("page", what, ends(INVALID, words="redirects"), script=(fault,))
        for step in ("fetch", "body"):
            file = ends(INCOMPLETE, words="Another host") if there else ends(UNAVAILABLE, words="redirected")
            yield Fault(step, what, file, script=(fault,), but={STATS.name: ends(INVALID, words="redirects")})
    yield Fault(
        "body",
        "redirect from https to http",
        ends(INVALID, words="that is not https"),
        subjects=(TALKDESK, KHOROS),
        front="tls",
    )


def _completeness() -> Iterator[Fault]:
    yield Fault(
        "page",
        "same cursor twice",
        ends(INCOMPLETE, words="same cursor twice"),
        options=lambda subject: {"scroll": "repeated"} if subject is CALL_LEGS else {"cursor": "repeated"},
    )
    yield Fault(
        "page",
        "total says more",
        ends(INCOMPLETE, words="total"),
        subjects=(CALL_LEGS,),
        options=lambda subject: {"total_count": "wrong"},
    )
    yield Fault(
        "page",
        "gone in the midst of the scroll (404)",
        ends(INCOMPLETE),
        script=(_status(404, skip=1),),
        but={GENESYS.name: ends(EXPIRED, words="the report is gone: the pages broke off: HTTP 404")},
    )


def _packed() -> Iterator[Fault]:
    """The framing of a packed body says nothing about the end of what is in it."""
    for step in ("poll", "body", "page"):
        for coding in ("gzip", "deflate"):
            cut = {"fault": "packed", "coding": coding, **_later(step)}
            yield Fault(step, f"packed ({coding}), ends early", script=(cut,))
        cut = {"fault": "packed", "coding": "gzip", "count": None, **_later(step)}
        coded = {"fault": "packed", "coding": "br", "count": None, **_later(step)}
        yield Fault(
            step,
            "coding that nobody undoes (br)",
            ends(INVALID, words=r"packed as 'br'[\s\S]*Accept-Encoding"),
            script=(coded,),
            modes=("deferred", "sync") if step == "poll" else ("deferred",),
        )
        if step != "poll":
            yield Fault(step, "packed (gzip), ends early each time", ends(UNAVAILABLE), script=(cut,))


def _interim() -> Iterator[Fault]:
    """An answer that is announced is read all the same, and what it answers isn't done twice."""
    for step in ("submit", "poll", "body", "page"):
        modes = ("deferred", "sync") if step == "poll" else ("deferred",)
        hints = {"fault": "early_hints", "count": None}
        yield Fault(step, "103 before each answer", script=(hints,), modes=modes)


def _drips() -> Iterator[Fault]:
    """An answer that drips in byte by byte has an end; a file's may take its time, so it has none here."""
    drip = {"fault": "drip", "seconds": 0.2}
    for step in ("token", "poll", "page"):
        modes = ("deferred", "sync") if step == "poll" else ("deferred",)
        once = ({**drip, **_later(step)},)
        yield Fault(step, "drips in", script=once, longest_look=0.3, modes=modes)
    lost = ends(LOST, LANDS, jobs=2, words="all the same", says=TWICE)
    yield Fault("submit", "drips in", lost, script=(drip,), longest_look=0.3)
    yield Fault(
        "poll",
        "drips in forever",
        ends(TIMEOUT),
        script=({**drip, "count": None},),
        longest_look=0.3,
        task={"report_timeout": 0.6},
    )


def _outages() -> Iterator[Fault]:
    """Some minutes in which the vendor says 503 and when to come back."""
    for step in ("token", "body", "page"):
        away = _status(503, 5, retry_after=50, **_later(step))
        yield Fault(step, "503 for four minutes", script=(away,), pause=50)
    yield Fault(
        "poll",
        "token dies, and its endpoint says 503 for four minutes",
        script=({"fault": "revoke_token", "skip": 1}, _status(503, 5, retry_after=50, at="token", skip=1)),
        pause=50,
    )
    yield Fault(
        "page",
        "full, and its cursor is missing",
        ends(INCOMPLETE, words="more may follow"),
        subjects=(DETAILED,),
        options=lambda subject: {"cursor": "stripped"},
    )


def _watermark() -> Iterator[Fault]:
    """How far the vendor's data reach is asked before anything is submitted."""
    yield Fault("watermark", "500, three times", script=(_status(500, 3),))
    yield Fault("watermark", "connection reset", script=({"fault": "reset"},))
    yield Fault("watermark", "token revoked", script=({"fault": "revoke_token"},))


def _shapes() -> Iterator[Fault]:
    """Personal columns are dropped and hashed, and over an old object nothing lands but the whole."""
    for file_format in ("csv", "parquet"):
        for step, what in (("body", "file"), ("page", "page")):
            cut = {"fault": "cut", "framing": "length", "count": None, **_later(step)}
            yield Fault(
                "shape",
                f"as {NAMED[file_format]}, the {what} breaks off each time",
                ends(UNAVAILABLE),
                script=({**cut, "at": step},),
                shape=_as(file_format),
                stores=EVERYWHERE if file_format == "parquet" else ("folder", "S3"),
                large=True,
            )
    yield Fault("shape", "as Parquet", shape=_as("parquet"), stores=EVERYWHERE)
    yield Fault("shape", "as CSV", shape=_as("csv"), stores=("SFTP", "GCS"))
    yield Fault(
        "shape",
        "names a column that isn't there",
        ends(SHAPE, words="no such column"),
        shape=_as("csv", missing=True),
        stores=("Azure", "folder"),
    )
    yield Fault(
        "shape",
        "takes text for a number",
        ends(SHAPE, words="row"),
        shape=_as("parquet", misfit=True),
        stores=("GCS", "SFTP"),
    )


NAMED = {"csv": "CSV", "parquet": "Parquet"}


def _as(file_format: str, *, missing: bool = False, misfit: bool = False) -> dict[str, Any]:
    return {"file_format": file_format, "missing": missing, "misfit": misfit}


def _cancels() -> Iterator[Fault]:
    """A user ends the task while it waits: it ends all the same, and the log says what became of the job."""
    gone = ends(ENDED, says=r"The task was ended, and job \S+ with it")
    on = ends(ENDED, says=r"(?s)could not be cancelled: .*The task was ended; job \S+ runs on")
    faults: dict[str, tuple[Ends, Mapping[str, Any]]] = {
        "500 twice": (gone, _status(500, 2)),
        "500 forever": (on, _status(500, None)),
        "answer lost": (gone, {"fault": "lost_answer"}),
        "connection reset forever": (on, {"fault": "reset", "count": None}),
        "stalls forever": (on, {"fault": "stall", "seconds": 20, "count": None}),
        "token revoked": (gone, {"fault": "revoke_token"}),
        "job over (409)": (gone, _status(409, None)),
        "job gone (404)": (gone, _status(404, None)),
        "not allowed (403)": (on, _status(403, None)),
        "429 with Retry-After: 3600": (on, _status(429, None, retry_after=3600)),
        "redirect to another host": (on, {"fault": "redirect", "to": "elsewhere", "count": None}),
    }
    both = ("deferred", "sync")
    yield Fault("cancel", "taken", gone, modes=both)
    for what, (end, fault) in faults.items():
        stalls = {"timeout": 0.3} if "stalls" in what else {}
        yield Fault("cancel", what, end, script=(fault,), modes=both, connection=stalls)


def _stores() -> Iterator[Fault]:
    both = ("S3", "GCS")
    served = (*both, "Azure")
    reached = (*served, "SFTP")
    named = "(s3://|gs://|/)contactcenter/|(sftp://127.0.0.1:[0-9]+|file://).*/faults-"
    # A store is asked whether it can be written to before anything is submitted.
    for what, harm in (("refuses (403)", "403"), ("fails (500)", "500")):
        yield Fault("store", what, ends(STORE, jobs=0, words=named), store=harm, stores=served)
    yield Fault("store", "is gone", ends(STORE, jobs=0, words=named), store="gone", stores=reached)
    yield Fault("store", "fails (500) twice", store="500 twice", stores=both)
    yield Fault("store", "slow", store="slow", stores=reached, large=True)
    yield Fault("store", "dies in mid-upload, once", store="dies once", stores=both, large=True)
    yield Fault(
        "store",
        "dies in mid-upload, each time",
        ends(STORE, words=named),
        store="dies",
        stores=reached,
        large=True,
    )
    yield Fault(
        "store",
        "has no room for the whole file",
        ends(STORE, words=named),
        store="full",
        stores=("SFTP", "folder"),
        large=True,
    )
    yield Fault(
        "store",
        "holds an object and replace=False",
        ends(EXISTS, jobs=0),
        task={"replace": False},
        stores=EVERYWHERE,
        store="holds",
    )


def shared(fault: Fault, subject: Subject) -> bool:
    """Whether another subject of the same vendor has the cell already: one API has one token."""
    return fault.step == "token" and subject is DETAILED


def _stores_of(fault: Fault, subject: Subject) -> tuple[str, ...]:
    """The first vendor goes to each store that a fault asks for, the others take turns."""
    if not fault.stores:
        return (NEAREST.get(fault.step, "S3"),)
    turn = SUBJECTS.index(subject) % len(fault.stores)
    return fault.stores if subject is TALKDESK else (fault.stores[turn],)


def cells() -> list[Cell]:
    """All of them: each fault for each vendor that has the step, in each mode and store it asks for."""
    return [
        Cell(fault, subject, store, mode if "poll" in subject.roles else "-")
        for fault in _faults()
        for subject in fault.subjects
        if steps_of(fault) <= set(subject.roles) and not shared(fault, subject)
        for store in _stores_of(fault, subject)
        for mode in fault.modes
        if mode == fault.modes[0] or "poll" in subject.roles
    ]


CELLS = cells()


def sample() -> frozenset[str]:
    """The names of the cells for every day: one of each fault, the vendors taking turns."""
    of_fault: dict[tuple[str, str], list[str]] = {}
    for cell in CELLS:
        of_fault.setdefault((cell.fault.step, cell.fault.what), []).append(cell.name)
    return frozenset(names[turn % len(names)] for turn, names in enumerate(of_fault.values()))
