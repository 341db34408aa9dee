"""A mall's own files from the command line: taken in whole, or refused with the place of every fault."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import text

from domain.model.malls import MallKind
from domain.services import accounts
from domain.store import shops
from domain.store.database import Database, Tx
from renkei.database import APP
from renkei.engines.postgres import Postgres
from tests.databases import Scratch, scratch
from tests.renkei.command import renkei

HEADER = "code,name,sub-code,quantity,allow-overdraft,stock-close"
GOOD = f"{HEADER}\nmug7,湯呑み,,12,0,\ntee1,Tee,red-m,3,0,\n"


@pytest.fixture
async def own(database: Postgres):
    async with scratch(database) as own:
        yield own


@pytest.fixture
async def env(own: Scratch) -> Mapping[str, str]:
    """An account TEA with a Yahoo shop."""
    db = Database.at(own.url(user=APP))
    account_id = await accounts.create_account(db, "TEA", "Tea house")

    async def work(tx: Tx) -> None:
        await shops.insert(tx, MallKind.YAHOO_SHOPPING, "Yahoo", {}, ("code",), sandbox=True)

    await db.run(account_id, work)
    await db.close()
    return {"RENKEI_DATABASE_URL": own.url(user=APP)}


def taken(
    env: Mapping[str, str], file: Path, *more: str, shop: str = "Yahoo", account: str = "TEA"
):
    named = ("--account", account, "--shop", shop)
    return renkei("listings", "import", str(file), *named, *more, env=dict(env))


async def _listings(own: Scratch) -> list[tuple[str, str, int | None]]:
    db = Database.at(own.url())
    async with db.connection() as connection:
        rows = await connection.execute(
            text(
                "SELECT l.item_code, l.variant_code, y.base FROM listings l"
                " JOIN listing_sync y ON y.listing_id = l.id ORDER BY l.item_code"
            )
        )
        found = [tuple(row) for row in rows]
    await db.close()
    return found


async def test_a_file_is_taken_in_once_however_often_it_comes(
    env: Mapping[str, str], own: Scratch, tmp_path: Path
) -> None:
    file = tmp_path / "stock.csv"
    file.write_text(GOOD, encoding="cp932")

    first, second = taken(env, file), taken(env, file)

    assert first.stdout == "2 listings taken in: 2 new, 2 linked.\n", first.stderr
    assert second.stdout == "2 listings taken in: 0 new, 0 linked.\n"
    assert await _listings(own) == [("mug7", "", 12), ("tee1", "red-m", 3)]


@pytest.mark.parametrize(
    ("case", "content", "said"),
    [
        ("no text at all", b"\x00\x01\x02\xff", "stock.csv"),
        ("a column is missing", b"code,name\nmug7,Mug\n", "quantity"),
        ("a short row", f"{HEADER}\nmug7,Mug\n".encode(), "line 2"),
        ("a number that is none", f"{HEADER}\nmug7,Mug,,many,0,\n".encode(), "line 2"),
        ("the same code twice", f"{GOOD}mug7,Mug,,9,0,\n".encode("cp932"), "line 4"),
    ],
)
async def test_a_broken_file_is_told_and_nothing_of_it_taken_in(
    env: Mapping[str, str], own: Scratch, tmp_path: Path, case: str, content: bytes, said: str
) -> None:
    file = tmp_path / "stock.csv"
    file.write_bytes(content)

    done = taken(env, file)

    assert (done.returncode, done.stdout) == (1, ""), case
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert await _listings(own) == []


async def test_the_good_rows_are_taken_in_where_that_is_asked_for(
    env: Mapping[str, str], own: Scratch, tmp_path: Path
) -> None:
    file = tmp_path / "stock.csv"
    file.write_bytes(f"{GOOD}pot9,Pot,,many,0,\n".encode("cp932"))

    done = taken(env, file, "--skip-bad-rows")

    assert done.stdout == "2 listings taken in: 2 new, 2 linked. Bad rows left out: 1.\n", (
        done.stderr
    )
    assert len(await _listings(own)) == 2


@pytest.mark.parametrize(
    ("case", "named", "said"),
    [
        ("no such shop", {"shop": "Amazon"}, "The account's shops: Yahoo."),
        ("no such account", {"account": "SAKE"}, "There is no account SAKE."),
    ],
)
async def test_what_is_not_there_is_named(
    env: Mapping[str, str], tmp_path: Path, case: str, named: Mapping[str, str], said: str
) -> None:
    file = tmp_path / "stock.csv"
    file.write_text(GOOD, encoding="cp932")

    done = taken(env, file, **named)

    assert done.returncode == 1, case
    assert said in done.stderr


async def test_a_lead_time_is_refused_where_the_mall_takes_none(
    env: Mapping[str, str], own: Scratch, tmp_path: Path
) -> None:
    file = tmp_path / "stock.csv"
    file.write_text(GOOD, encoding="cp932")

    done = taken(env, file, "--lead-time-days", "3")

    assert (done.returncode, done.stdout) == (1, "")
    assert "Yahoo! Shopping takes no lead_time_to_ship_max_days with stock." in done.stderr
    assert await _listings(own) == []
