"""The whole way of a report's bytes: source, shape, compression, and the file that is uploaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from airflow_provider_contactcenter.pipeline.body import Body
from airflow_provider_contactcenter.pipeline.compression import Gzip
from airflow_provider_contactcenter.pipeline.incomplete import counted
from airflow_provider_contactcenter.pipeline.source import ReportStream
from airflow_provider_contactcenter.pipeline.stage import Stage, Transform

__all__ = ["assemble"]


def assemble(
    stream: ReportStream,
    *,
    transform: Callable[[str], Transform] | None = None,
    compression: str | None = None,
    on_no_rows: Callable[[], None] = lambda: None,
) -> Body:
    """Make the file that an uploader reads.

    :param stream: the report; it is proved before anything behind it is finished.
    :param transform: makes the stage that reshapes rows, for the format that comes: ``csv``, or
        JSON, which it is given as ``jsonl``. It has to write as many rows as came.
    :param compression: None or ``"gzip"``.
    :param on_no_rows: called at the end of a report without rows; may raise.
    """
    stage = None
    if transform is not None:
        stream.as_lines()
        stream.quote_nothing()
        stage = transform(stream.file_format)
    pieces = _proved(stream, stage, on_no_rows)
    if compression is not None:
        pieces = _through(Gzip(), pieces)
    # The vendor's own bytes are hashed already where nothing changes them.
    same = transform is None and compression is None and stream.file_format == stream.facts.file_format
    return Body(pieces, stream.close, stream.facts.hash if same else None, stage)


def _proved(stream: ReportStream, stage: Transform | None, on_no_rows: Callable[[], None]) -> Iterator[bytes]:
    if stage is None:
        yield from stream
        rows = stream.rows
    else:
        yield from _through(stage, stream)
        rows = stage.rows
        if None not in (rows, stream.rows) and rows != stream.rows:
            raise stream.failure(
                f"the report holds {counted(stream.rows or 0)}, {counted(rows or 0)} came out of its shape"
            )
    if rows == 0:
        on_no_rows()


def _through(stage: Stage, pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield stage.feed(piece)
    yield stage.finish()
