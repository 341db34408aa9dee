"""Whether browsers reach us by an encrypted way, whatever stands between them and this process."""

from starlette.requests import HTTPConnection

ENCRYPTED = frozenset({"https", "wss"})


def is_encrypted(connection: HTTPConnection, public_url: str) -> bool:
    """By the address that we are told is ours, or by how this connection came."""
    return public_url.startswith("https://") or connection.url.scheme in ENCRYPTED
