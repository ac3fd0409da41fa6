"""The only import of boto3: one bucket with object lock, and what S3 answers.

Every call that fails for another reason than what it asks is ``StoreUnavailable``: nothing of what
the network or the service did is taken for an answer about the bytes.
"""

import base64
import contextlib
import hashlib
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final

from batchqc.documents.stored import CHUNK
from batchqc.errors import Conflict, StoreUnavailable

_NOT_THERE: Final = frozenset({"NoSuchKey", "404", "NotFound", "MethodNotAllowed", "405"})
_THERE: Final = "PreconditionFailed"
_AT_ONCE: Final = "ConditionalRequestConflict"
_LOCKED: Final = "AccessDenied"
_TRIES: Final = 5


class Bucket:
    """A bucket, in words of a write-once store.

    Raises:
        StoreUnavailable: BQC-ARC-007 where boto3 is not installed.
    """

    def __init__(self, name: str, *, endpoint: str, region: str) -> None:
        try:
            import boto3  # noqa: PLC0415 - who keeps a folder does not need it
            from botocore.config import Config  # noqa: PLC0415 - an extra
            from botocore.exceptions import (  # noqa: PLC0415 - an extra
                BotoCoreError,
                ClientError,
                HTTPClientError,
            )
        except ImportError as error:
            raise StoreUnavailable(
                "BQC-ARC-007",
                "what a store in S3 needs is not installed",
                hint="Run `pip install 'batchqc[s3]'`.",
            ) from error
        retries = {"mode": "standard", "max_attempts": 3}
        self._name = name
        self._refused, self._failed = ClientError, (BotoCoreError, HTTPClientError, OSError)
        with self._telling():
            self._s3: Any = boto3.client(
                "s3",
                endpoint_url=endpoint or None,
                region_name=region or None,
                config=Config(connect_timeout=5, read_timeout=60, retries=retries),
            )
        self._keeps = False

    def put(self, key: str, path: Path, *, part: int, over: bool = False) -> bool:
        """Store a file under a key; whether it was stored, ``False`` where there is one already.

        Args:
            key: its name.
            path: the file.
            part: bytes from which it is sent in parts.
            over: lay it over what is there, as a new version.
        """
        self._check_keeps()
        condition = {} if over else {"IfNoneMatch": "*"}
        size = path.stat().st_size
        for _ in range(_TRIES):
            try:
                with self._telling(), path.open("rb") as file:
                    if size > part:
                        self._in_parts(key, file, part, condition)
                    else:
                        self._at_once(key, file, condition)
            except self._refused as error:
                code = _code(error)
                if code == _THERE:
                    return False
                if code != _AT_ONCE:
                    raise self._unavailable(error) from error
            else:
                return True
        raise self._unavailable(f"others write {key} all the time")

    def try_writing(self, key: str) -> None:
        """Begin to send parts, and take it back; a lock would keep what is sent whole."""
        self._check_keeps()
        own = {"Bucket": self._name, "Key": key}
        with self._asked():
            begun = self._s3.create_multipart_upload(**own)
            self._s3.abort_multipart_upload(UploadId=begun["UploadId"], **own)

    @contextlib.contextmanager
    def got(self, key: str) -> Iterator[Iterator[bytes] | None]:
        """The bytes of a key in chunks, ``None`` where there are none."""
        try:
            with self._telling():
                answer = self._s3.get_object(Bucket=self._name, Key=key)
        except self._refused as error:
            if _code(error) not in _NOT_THERE:
                raise self._unavailable(error) from error
            yield None
            return
        with contextlib.closing(answer["Body"]) as body:
            yield self._read(body)

    def stored_at(self, key: str) -> datetime | None:
        """When the newest version of a key was stored."""
        head = self._head(key)
        return head["LastModified"] if head else None

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key that begins with ``prefix``, in order."""
        yield from (one["Key"] for one in self._pages("list_objects_v2", "Contents", prefix))

    def unfinished(self, prefix: str) -> Iterator[str]:
        """The keys whose parts were sent and not put together."""
        pages = self._pages("list_multipart_uploads", "Uploads", prefix)
        yield from (f"{one['Key']} ({one['UploadId']})" for one in pages)

    def retain(self, key: str, until: datetime) -> None:
        """Keep every version until then, in compliance mode; a later day stays."""
        for version in self._versions(key):
            with self._asked():
                head = self._s3.head_object(Bucket=self._name, **version)
                if head.get("ObjectLockRetainUntilDate", until) <= until:
                    self._s3.put_object_retention(
                        Bucket=self._name,
                        Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until},
                        **version,
                    )

    def hold(self, key: str, *, is_held: bool) -> None:
        """Set or lift the legal hold of every version."""
        status = {"Status": "ON" if is_held else "OFF"}
        for version in self._versions(key):
            with self._asked():
                self._s3.put_object_legal_hold(Bucket=self._name, LegalHold=status, **version)

    def check_removable(self, key: str, *, whatever_hold: bool = False) -> None:
        """Whether the service lets every version go: retention over, no hold, or ``whatever_hold``.

        Raises:
            Conflict: BQC-ARC-008.
        """
        for version in self._versions(key):
            with self._asked():
                head = self._s3.head_object(Bucket=self._name, **version)
            until = head.get("ObjectLockRetainUntilDate")  # by the time of the service
            now = parsedate_to_datetime(head["ResponseMetadata"]["HTTPHeaders"]["date"])
            is_held = head.get("ObjectLockLegalHoldStatus") == "ON" and not whatever_hold
            if is_held or (until and until > now):
                raise self._locked(key)

    def remove(self, key: str) -> None:
        """Delete every version and marker of a key.

        Raises:
            Conflict: BQC-ARC-008: the service refuses.
        """
        for version in self._versions(key, markers=True):
            try:
                with self._telling():
                    self._s3.delete_object(Bucket=self._name, **version)
            except self._refused as error:
                if _code(error) == _LOCKED:
                    raise self._locked(key) from error
                raise self._unavailable(error) from error

    def _at_once(self, key: str, file: Any, condition: dict[str, str]) -> None:
        digest = base64.b64encode(hashlib.file_digest(file, "sha256").digest()).decode()
        file.seek(0)
        self._s3.put_object(
            Bucket=self._name,
            Key=key,
            Body=file,
            ChecksumAlgorithm="SHA256",
            ChecksumSHA256=digest,
            **condition,
        )

    def _in_parts(self, key: str, file: Any, part: int, condition: dict[str, str]) -> None:
        begun = self._s3.create_multipart_upload(
            Bucket=self._name, Key=key, ChecksumAlgorithm="SHA256"
        )
        upload = {"Bucket": self._name, "Key": key, "UploadId": begun["UploadId"]}
        sent: list[dict[str, Any]] = []
        with contextlib.ExitStack() as unless_complete:
            unless_complete.callback(self._abort, upload)
            while data := file.read(part):
                digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
                own = {"PartNumber": len(sent) + 1, "ChecksumSHA256": digest}
                answer = self._s3.upload_part(Body=data, **own, **upload)
                sent.append({"ETag": answer["ETag"], **own})
            self._s3.complete_multipart_upload(
                MultipartUpload={"Parts": sent}, **upload, **condition
            )
            unless_complete.pop_all()

    def _abort(self, upload: dict[str, str]) -> None:
        """Take parts back; where that fails too, they are leftovers, which a scrub lists."""
        with contextlib.suppress(*self._failed, self._refused):
            self._s3.abort_multipart_upload(**upload)

    def _read(self, body: Any) -> Iterator[bytes]:
        chunks = body.iter_chunks(CHUNK)
        while True:
            with self._telling():
                chunk = next(chunks, None)
            if chunk is None:
                return
            yield chunk

    def _head(self, key: str) -> Any:
        try:
            with self._telling():
                return self._s3.head_object(Bucket=self._name, Key=key)
        except self._refused as error:
            if _code(error) in _NOT_THERE:
                return None
            raise self._unavailable(error) from error

    def _versions(self, key: str, *, markers: bool = False) -> list[dict[str, str]]:
        kinds = ("Versions", "DeleteMarkers") if markers else ("Versions",)
        return [
            {"Key": key, "VersionId": one["VersionId"]}
            for kind in kinds
            for one in self._pages("list_object_versions", kind, key)
            if one["Key"] == key
        ]

    def _pages(self, call: str, kind: str, prefix: str) -> Iterator[Any]:
        with self._asked():
            pages = iter(self._s3.get_paginator(call).paginate(Bucket=self._name, Prefix=prefix))
        while True:
            with self._asked():
                found = next(pages, None)
            if found is None:
                return
            yield from found.get(kind, ())

    def _check_keeps(self) -> None:
        """Whether the bucket keeps what it is given, whoever asks it not to."""
        if self._keeps:
            return
        rule: dict[str, str] = {}
        try:
            with self._telling():
                found = self._s3.get_object_lock_configuration(Bucket=self._name)
                lock = found["ObjectLockConfiguration"]
                rule = lock.get("Rule", {}).get("DefaultRetention", {})
        except self._refused as error:
            if _code(error) != "ObjectLockConfigurationNotFoundError":
                raise self._unavailable(error) from error
        if rule.get("Mode") != "COMPLIANCE":
            raise StoreUnavailable(
                "BQC-ARC-006",
                f"bucket {self._name} does not keep what it is given: it has no object lock with"
                " a default retention in compliance mode",
                hint="Make a bucket with object lock, and set its default retention.",
            )
        self._keeps = True

    @contextlib.contextmanager
    def _asked(self) -> Iterator[None]:
        try:
            with self._telling():
                yield
        except self._refused as error:
            raise self._unavailable(error) from error

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """What is no answer of the service becomes ``StoreUnavailable``."""
        try:
            yield
        except self._failed as error:
            raise self._unavailable(error) from error

    def _unavailable(self, why: object) -> StoreUnavailable:
        return StoreUnavailable(
            "BQC-ARC-004",
            f"the store in bucket {self._name} cannot be used now: {why}",
            hint="Nothing is lost. Try again, once the store can be reached.",
        )

    def _locked(self, key: str) -> Conflict:
        return Conflict(
            "BQC-ARC-008",
            f"the store keeps {key} by its own lock",
            hint="Its retention there is not over, or a legal hold lies on it there.",
        )


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
