"""What is sent with the signature of a review: what of the lot the person saw."""

from typing import Annotated

from pydantic import Field

from batchqc.api.doors import Signature
from batchqc.api.shapes import LARGEST


class ShownSignature(Signature):
    """The signature, and the hash of what it is to bind, as it was shown."""

    content_sha256: str = Field(
        "", description="As it was shown; refused where it is not so any more. Blank: not compared."
    )


class TrailSignature(Signature):
    """The signature, and the range that was read."""

    last: Annotated[int, Field(ge=1, le=LARGEST)]
    head: str
