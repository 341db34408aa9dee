"""Where the clients come from, and what becomes of their tests where they cannot come."""

import subprocess
from collections.abc import Mapping

import orjson
import pytest

from tests.clients.conftest import go_without
from tests.clients.node import FOLDER, NoNode, installed

ROOT = FOLDER.parents[1]
REGISTRIES = r"(registry\.(npmjs|yarnpkg)|pypi|pythonhosted)\.(org|com)"


def test_a_machine_without_node_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(NoNode, match="is not on this machine"):
        installed(str(tmp_path_factory.mktemp("empty")))


@pytest.mark.parametrize(
    ("environment", "outcome"),
    [({}, pytest.skip.Exception), ({"CI": "true"}, pytest.fail.Exception)],
)
def test_without_node_tests_are_skipped_but_never_in_ci(
    environment: Mapping[str, str], outcome: type[BaseException]
) -> None:
    with pytest.raises(outcome, match="no Node"):
        go_without("no Node", environment)


def test_versions_are_exact_and_come_from_no_address() -> None:
    asked = orjson.loads((FOLDER / "package.json").read_bytes())
    locked = orjson.loads((FOLDER / "package-lock.json").read_bytes())["packages"]
    direct = {name: locked[f"node_modules/{name}"]["version"] for name in asked["dependencies"]}
    assert asked["dependencies"] == direct
    assert "://" not in (FOLDER / "package-lock.json").read_text()


def test_no_committed_file_names_a_registry_and_nothing_installed_is_committed() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("This is no checkout.")
    assert [name for name in _git("ls-files") if "node_modules/" in name] == []
    assert _git("grep", "-lIE", REGISTRIES) == []


def _git(*command: str) -> list[str]:
    done = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout.splitlines()
