"""What the documents say of the code: tables, settings, operations and links are those that there are."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import parse, validate

import domain.settings
from api.closings import CLOSINGS, Then
from api.messages import Close
from api.schema import schema
from renkei.reference import TABLES, bring_up_to_date, brought_up_to_date, tables
from renkei.refusal import Refusal
from tests.fences import API, CHECKOUT, FENCE, PAGES, options
from tests.patience import PROCESS_SECONDS

OPERATIONS = {path.name for path in (CHECKOUT / "examples" / "operations").glob("*.graphql")}

LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
SETTING = re.compile(r"\bRENKEI_[A-Z_]*[A-Z]\b")


def named(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def documents_in(text: str) -> Iterator[str]:
    """GraphQL: whole, in a program's text, and in what curl sends."""
    for language, body in FENCE.findall(text):
        match language:
            case "graphql":
                yield body
            case "python":
                yield from re.findall(r'"""(.*?)"""', body, re.DOTALL)
            case "sh":
                yield from sent(body)


def sent(commands: str) -> Iterator[str]:
    bodies = map(json.loads, options(commands, "-d"))
    yield from (body["query"] for body in bodies if "query" in body)


SNIPPETS = [
    pytest.param(document, id=f"{named(path)}-{number}")
    for path in PAGES
    for number, document in enumerate(documents_in(path.read_text()), 1)
]


@pytest.mark.parametrize("document", SNIPPETS)
def test_what_is_shown_is_good_for_the_schema(document: str) -> None:
    assert validate(schema()._schema, parse(document)) == []


def test_snippets_are_found_in_every_form() -> None:
    text = (
        "```graphql\n{ a }\n```\n\n"
        '```python\nASKED = """{ b }"""\n```\n\n'
        "```sh\ncurl -s URL -d '{\"query\":\n  \"{ c '\\\n'd }\"}'\n```\n\n"
        '```sh\ncurl URL -d \'{"password": "e"}\'\n```\n'
    )
    assert [each.strip() for each in documents_in(text)] == ["{ a }", "{ b }", "{ c d }"]


def test_the_tables_are_as_the_code_says() -> None:
    """`renkei schema tables --into docs/api.md` brings them up to date."""
    text = API.read_text()
    assert brought_up_to_date(text) == text


def test_a_table_that_is_old_is_written_anew(tmp_path: Path) -> None:
    page, now = tmp_path / "page.md", tables()
    page.write_text(f"Before.\n\n{now.replace('`BAD_PAGE`', '`OLD`')}\n\nAfter.\n")

    bring_up_to_date(page)

    assert page.read_text() == f"Before.\n\n{now}\n\nAfter.\n"


@pytest.mark.parametrize("name", TABLES)
def test_a_page_without_a_place_for_a_table_is_refused(tmp_path: Path, name: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(without := tables().replace(f"<!-- table {name} -->", ""))

    with pytest.raises(Refusal, match=f"The table {name} needs one place"):
        bring_up_to_date(page)

    assert page.read_text() == without


def test_a_command_prints_the_tables() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "renkei", "schema", "tables"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=PROCESS_SECONDS,
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", tables() + "\n")


def test_every_close_code_is_told_and_those_from_4000_on_are_not_tried_again() -> None:
    """By which tests/clients/resuming.mjs goes."""
    assert set(CLOSINGS) == set(Close)
    stop = {code for code, closing in CLOSINGS.items() if closing.then is Then.STOP}
    assert stop == {code for code in Close if code >= 4000} | {Close.TOO_BIG}


def test_every_setting_is_told_and_no_other() -> None:
    known = set(SETTING.findall(domain.settings.__doc__ or ""))
    read = set(SETTING.findall(Path(domain.settings.__file__).read_text()))
    told = {name for path in PAGES for name in SETTING.findall(path.read_text())}
    assert known == read == told


def test_every_operation_has_its_place_in_the_recipes() -> None:
    recipes = API.read_text().partition("\n## 11 Recipes\n")[2]
    assert set(re.findall(r"[a-z0-9_]+\.graphql", recipes)) == OPERATIONS


def anchors(path: Path) -> set[str]:
    """Of a page's headings, as they are made on the web."""
    headings = HEADING.findall(FENCE.sub("", path.read_text()))
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_links_lead_somewhere(path: Path) -> None:
    lost = []
    for link in LINK.findall(path.read_text()):
        place, _, anchor = link.partition("#")
        target = (path.parent / place).resolve() if place else path
        if "://" not in link and not (
            target.exists() and (not anchor or anchor in anchors(target))
        ):
            lost.append(link)
    assert lost == []
