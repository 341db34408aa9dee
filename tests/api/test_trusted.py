"""Manifests of trusted documents, as the compilers of frontends write them."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.trusted import Trusted, hash_of, read_trusted
from domain.settings import SettingsWrong

WHO = "query Who { viewer { locale } }"
SHOPS = "query Shops { shops { id } }"
RELAY = {"0f1e": WHO, "2d3c": SHOPS}
APOLLO = {
    "format": "apollo-persisted-query-manifest",
    "version": 1,
    "operations": [{"id": "who", "name": "Who", "type": "query", "body": WHO}],
}


def manifest(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_without_a_manifest_nothing_is_trusted() -> None:
    assert read_trusted(None, alone=False) == Trusted({}, alone=False)


@pytest.mark.parametrize(
    ("case", "content", "expected"),
    [
        ("relay and codegen", RELAY, {"0f1e": WHO, "2d3c": SHOPS, hash_of(SHOPS): SHOPS}),
        ("apollo", APOLLO, {"who": WHO}),
        ("none yet", {}, None),
    ],
)
def test_documents_go_by_their_id_and_by_their_hash(
    tmp_path: Path, case: str, content: Any, expected: Any
) -> None:
    read = read_trusted(manifest(tmp_path / "queries.json", content), alone=True)
    whole = {} if expected is None else {**expected, hash_of(WHO): WHO}
    assert read == Trusted(whole, alone=True), case


def test_a_folder_holds_the_manifests_of_several_frontends(tmp_path: Path) -> None:
    manifest(tmp_path / "admin.json", {"a": WHO})
    manifest(tmp_path / "handy.json", {"a": WHO, "b": SHOPS})
    manifest(tmp_path / "readme.txt", "no manifest")
    assert set(read_trusted(tmp_path, alone=False).documents) == {
        "a",
        "b",
        hash_of(WHO),
        hash_of(SHOPS),
    }


@pytest.mark.parametrize(
    ("case", "content", "problem"),
    [
        ("no JSON", "{", "cannot be read"),
        ("a list", ["x"], "is no manifest"),
        ("a number for a document", {"a": 1}, "is no manifest"),
        ("an operation without its text", {"operations": [{"id": "a"}]}, "is no manifest"),
        ("operations that are none", {"operations": ["a"]}, "is no manifest"),
    ],
)
def test_what_is_no_manifest_is_refused_at_the_start(
    tmp_path: Path, case: str, content: Any, problem: str
) -> None:
    path = manifest(tmp_path / "queries.json", content)
    with pytest.raises(SettingsWrong, match=problem) as refused:
        read_trusted(path, alone=False)
    assert str(path) in str(refused.value), case
    assert str(refused.value).startswith("RENKEI_TRUSTED_DOCUMENTS")


def test_a_manifest_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match="cannot be read"):
        read_trusted(tmp_path / "nothing.json", alone=False)
    with pytest.raises(SettingsWrong, match="without any"):
        read_trusted(tmp_path, alone=False)


def test_an_id_means_one_document(tmp_path: Path) -> None:
    manifest(tmp_path / "admin.json", {"a": WHO})
    manifest(tmp_path / "handy.json", {"a": SHOPS})
    with pytest.raises(SettingsWrong, match=r"handy\.json names another document 'a'"):
        read_trusted(tmp_path, alone=False)
