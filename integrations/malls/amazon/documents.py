"""Documents that Amazon keeps at presigned addresses: of reports and of feeds (the mall's fact sheet, §2 and §5).

An address lives five minutes and is asked without a token: it is its own permission.
"""

import asyncio
import gzip
import io
import zlib
from urllib.parse import quote

import httpx

from domain.model.errors import MallError, MallMalformed, MallUnavailable
from domain.model.malls import Bucket
from integrations.http import MallClient

from .answers import Unreadable, document_in, optional, word
from .calls import SellingPartnerApi

MAX_BYTES = 512 * 1024 * 1024


async def fetched(
    api: SellingPartnerApi, client: MallClient, path: str, document_id: str, bucket: Bucket
) -> bytes:
    """The document, unpacked. `path`: where Amazon tells the addresses of its kind."""
    answer = await api.call("GET", f"{path}/{quote(document_id, safe='')}", bucket)
    with document_in(answer.response) as document:
        url = word(document, "url")
        packed = is_packed(optional(document, "compressionAlgorithm", str))
    download = await client.send("GET", url, buckets=(), classify=of_storage)
    content = download.response.content
    return await asyncio.to_thread(unpacked, content) if packed else content


def is_packed(algorithm: str | None) -> bool:
    if algorithm not in (None, "GZIP"):
        raise Unreadable("compressionAlgorithm is not known")
    return algorithm is not None


def of_storage(response: httpx.Response) -> MallError | None:
    """A presigned address that has lapsed answers 403 or 404; that says nothing about the credentials."""
    if response.status_code in (403, 404):
        return MallUnavailable(
            "The document's address has lapsed: ask again.", mall_code=str(response.status_code)
        )
    return None


def unpacked(content: bytes, limit: int = MAX_BYTES) -> bytes:
    """Raises MallMalformed for broken GZIP data, and for more than `limit` bytes of it."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            data = packed.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise MallMalformed("The document is packed as GZIP and could not be unpacked.") from error
    if len(data) > limit:
        raise MallMalformed(f"The document is larger than {limit} bytes.")
    return data
