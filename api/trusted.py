"""Trusted documents: the operations that frontends were built with, as their compilers write them down.

`relay-compiler` (persistConfig) and graphql-codegen's client preset (persistedDocuments) write `{"<id>": "<document>"}`,
Apollo's generate-persisted-query-manifest `{"operations": [{"id": …, "body": …}]}`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from domain.settings import SettingsWrong

VARIABLE = "RENKEI_TRUSTED_DOCUMENTS"


@dataclass(frozen=True, slots=True)
class Trusted:
    """`documents`: by the id of the manifest and by the SHA-256 of the text. `alone`: no others are executed."""

    documents: Mapping[str, str] = field(default_factory=dict)
    alone: bool = False


NOTHING_TRUSTED = Trusted()


def hash_of(document: str) -> str:
    """SHA-256 in lower-case hexadecimal digits."""
    return sha256(document.encode()).hexdigest()


def read_trusted(path: Path | None, *, alone: bool) -> Trusted:
    """Of a manifest, or of every `*.json` of a folder. Raises SettingsWrong."""
    documents: dict[str, str] = {}
    for manifest in _manifests(path) if path else ():
        for name, document in _entries(manifest):
            if documents.setdefault(name, document) != document:
                raise _wrong(manifest, f"names another document {name!r} than a file before it.")
            documents[hash_of(document)] = document
    return Trusted(documents, alone)


def _manifests(path: Path) -> list[Path]:
    found = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not found:
        raise _wrong(path, "is a folder without any *.json.")
    return found


def _entries(manifest: Path) -> Iterator[tuple[str, str]]:
    read = _read(manifest)
    listed = read.get("operations") if isinstance(read, dict) else None
    entries = _of_list(listed) if isinstance(listed, list) else _of_map(read)
    for name, document in entries:
        if not isinstance(name, str) or not isinstance(document, str):
            raise _wrong(manifest, "is no manifest: ids and documents are strings.")
        yield name, document


def _of_map(read: Any) -> list[tuple[Any, Any]]:
    return list(read.items()) if isinstance(read, dict) else [(None, None)]


def _of_list(listed: list[Any]) -> list[tuple[Any, Any]]:
    entries = (each if isinstance(each, dict) else {} for each in listed)
    return [(each.get("id"), each.get("body")) for each in entries]


def _read(manifest: Path) -> Any:
    try:
        return orjson.loads(manifest.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise _wrong(manifest, f"cannot be read: {error}.") from error


def _wrong(path: Path, problem: str) -> SettingsWrong:
    return SettingsWrong(f"{VARIABLE}: {path} {problem}")
