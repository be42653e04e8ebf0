"""A block blob in Azure Blob Storage.

Blocks are staged side by side and committed as one list; before the commit nobody sees them. The client's own
``upload_blob`` does the same, but in versions before 12.31 it names blocks by their offset, so that two
writers under one name mix their bytes; and it can't tell whose list was committed when an answer is lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import Any
from uuid import uuid4

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.stores.base import (
    ObjectExists,
    Readable,
    Stored,
    name_of,
    object_name_of,
    provider_class,
    whole,
)

#: what the service takes at most
MOST_BLOCKS = 50_000
LARGEST_BLOCK = 4000 * 1024 * 1024
TIERS = ("Hot", "Cool", "Cold", "Archive")


class AzureBlobStore:
    """One blob of one container.

    :param container_name: the container.
    :param blob_name: the blob's name, taken as it is.
    :param wasb_conn_id: the Azure Blob Storage connection. Accounts with a hierarchical namespace (ADLS Gen2)
        are reached by their Blob endpoint, too.
    :param block_size: bytes per block; 50,000 of them are the longest blob: 390 GiB.
    :param max_concurrency: blocks that are sent at a time; one more is held in memory.
    :param metadata: the blob's metadata.
    :param tags: the blob's index tags.
    :param tier: ``"Hot"``, ``"Cool"``, ``"Cold"`` or ``"Archive"``; the account's own unless given.
    """

    def __init__(
        self,
        container_name: str,
        blob_name: str,
        *,
        wasb_conn_id: str = "wasb_default",
        block_size: int = 8 * 1024 * 1024,
        max_concurrency: int = 4,
        metadata: dict[str, str] | None = None,
        tags: dict[str, str] | None = None,
        tier: str | None = None,
    ) -> None:
        self._hook_class = provider_class(
            "airflow.providers.microsoft.azure.hooks.wasb",
            "WasbHook",
            extra="azure",
            title="Microsoft Azure",
        )
        self.container = name_of("container_name", container_name)
        self.name = object_name_of("blob_name", blob_name)
        self._options: dict[str, Any] = {
            "wasb_conn_id": wasb_conn_id,
            "block_size": _within("block_size", block_size, LARGEST_BLOCK),
            "max_concurrency": _within("max_concurrency", max_concurrency, 64),
            "metadata": metadata,
            "tags": tags,
            "tier": checks.optional(checks.one_of(TIERS))("tier", tier),
        }

    @cached_property
    def _hook(self) -> Any:
        return self._hook_class(wasb_conn_id=self._options["wasb_conn_id"])

    @cached_property
    def _blob(self) -> Any:
        conn_id = self._options["wasb_conn_id"]
        try:
            service = self._hook.get_conn()
        except ValueError as error:
            raise InvalidValue(
                f"wasb_conn_id={conn_id!r} is not allowed: the connection is incomplete ({error})."
            ) from None
        if service.account_name == "None":  # the hook makes an address of what the connection has, or hasn't
            raise InvalidValue(
                f"wasb_conn_id={conn_id!r} is not allowed: the connection names no account; give its name as "
                "login, or the account's URL as host."
            )
        return service.get_blob_client(container=self.container, blob=self.name)

    @property
    def uri(self) -> str:
        """``abfss://container@account.dfs.core.windows.net/name``, as Spark, Arrow and DuckDB read it."""
        namespace, name = self.dataset
        return f"{namespace}/{name}"

    @property
    def dataset(self) -> tuple[str, str]:
        """``abfss://container@account.dfs.core.windows.net`` and the blob's name."""
        host = self._blob.primary_hostname.replace(".blob.", ".dfs.", 1)
        return f"abfss://{self.container}@{host}", self.name

    @property
    def console(self) -> None:
        """None: the portal's addresses name a subscription, which no connection knows."""

    def check(self, *, replace: bool = True) -> None:
        """Commit a block that nobody staged: whoever may write is told that there is no such block."""
        from azure.core.exceptions import HttpResponseError

        try:
            self._commit([_block_id()], "application/octet-stream", replace)
        except HttpResponseError as error:
            if getattr(error, "error_code", None) != "InvalidBlockList":
                raise

    def exists(self) -> bool:
        """Whether there is a blob under the name."""
        return bool(self._blob.exists())

    def read(self) -> Iterator[bytes]:
        """The blob."""
        yield from self._blob.download_blob().chunks()

    def put(self, body: Readable, *, content_type: str, replace: bool = True) -> Stored:
        """Stage the body's blocks and commit them."""
        ids = self._stage(body)
        try:
            said = self._commit(ids, content_type, replace)
        except Exception:
            if not self._is_ours(ids):
                raise
            said = dict(self._blob.get_blob_properties())
        stored = Stored()
        if etag := said.get("etag"):
            stored["etag"] = etag.strip('"')
        if version := said.get("version_id"):
            stored["version_id"] = version
        return stored

    def _stage(self, body: Readable) -> list[str]:
        most, ids = self._options["max_concurrency"], list[str]()
        sent: deque[Future[Any]] = deque()
        with ThreadPoolExecutor(most, thread_name_prefix="report-block") as pool:
            try:
                while block := whole(body, self._options["block_size"]):
                    if len(ids) == MOST_BLOCKS:
                        raise InvalidValue(
                            f"block_size={self._options['block_size']} is too small for this report: a blob "
                            f"has {MOST_BLOCKS} blocks at most; give a larger one."
                        )
                    ids.append(_block_id())
                    sent.append(pool.submit(self._blob.stage_block, ids[-1], block, len(block)))
                    del block
                    if len(sent) == most:
                        sent.popleft().result()
                while sent:
                    sent.popleft().result()
            except BaseException:
                for future in sent:
                    future.cancel()
                raise
        return ids

    def _commit(self, ids: list[str], content_type: str, replace: bool) -> dict[str, Any]:
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceExistsError
        from azure.storage.blob import BlobBlock, ContentSettings, StandardBlobTier

        tier = self._options["tier"]
        try:
            said: dict[str, Any] = self._blob.commit_block_list(
                [BlobBlock(block_id) for block_id in ids],
                content_settings=ContentSettings(content_type=content_type),
                metadata=self._options["metadata"],
                tags=self._options["tags"],
                standard_blob_tier=StandardBlobTier(tier) if tier else None,
                **({} if replace else {"match_condition": MatchConditions.IfMissing}),
            )
        except ResourceExistsError as error:
            if not replace and getattr(error, "error_code", None) == "BlobAlreadyExists":
                raise ObjectExists(self.uri) from None
            raise
        return said

    def _is_ours(self, ids: list[str]) -> bool:
        """Whether the blob stands as these blocks: the answer to the commit was lost, or to its first try."""
        try:
            committed, _ = self._blob.get_block_list("committed")
        except Exception:
            return False
        return bool(ids) and [block.id for block in committed] == ids

    def delete(self) -> None:
        """Delete the blob."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            self._blob.delete_blob()
        except ResourceNotFoundError:
            return

    def at(self, name: str) -> AzureBlobStore:
        """Another name in the same container."""
        return AzureBlobStore(self.container, name, **self._options)


def _block_id() -> str:
    # All ids of a blob, staged leftovers of other writers included, must have one length: this is that of the
    # client's own upload_blob. Random ones, so that no two writers share a block.
    return f"{uuid4().int:048d}"


def _within(parameter: str, value: Any, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
        raise InvalidValue(f"{parameter}={value!r} is not allowed: give a whole number from 1 to {most}.")
    return value
