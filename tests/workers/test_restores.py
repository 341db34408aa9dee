"""An older database is put back while the malls go on: they end with the right numbers, and nothing counts twice."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.services import stock
from domain.services.installation import look
from domain.store import installation
from domain.store.database import Database, Tx
from renkei import restored
from renkei.database import APP, bring_up_to_date, create_database, let_app_in
from renkei.engines.datadir import data_directory
from renkei.engines.postgres import Postgres, embedded_postgres
from tests.workers.town import Town, at_work, eventually, now, product_ids, ref_at, town
from workers.context import Malls

RAKUTEN, YAHOO = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING
LOSS = timedelta(minutes=1)


@dataclass
class Backup:
    """The files of a server that is stopped, as they were at one moment."""

    server: Postgres
    place: Path

    def take(self) -> None:
        self.server.stop()
        _copy(self.server.files, self.place)
        self.server.start()

    def put_back(self, *, to_a_point_in_time: bool) -> None:
        """`to_a_point_in_time`: as an archive is replayed, after which PostgreSQL counts another timeline."""
        self.server.stop()
        shutil.rmtree(self.server.files)
        _copy(self.place, self.server.files)
        if to_a_point_in_time:
            settings = self.server.files / "postgresql.auto.conf"
            settings.write_text(
                settings.read_text() + "restore_command = 'false'\nhot_standby = off\n"
            )
            signal = self.server.files / "recovery.signal"
            signal.touch(mode=0o600)
            owner = self.server.files.stat()
            os.chown(signal, owner.st_uid, owner.st_gid)
        self.server.start()


def _copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", source, target], check=True)


@pytest.fixture
def backup() -> Iterator[Backup]:
    """Of a server of its own."""
    path = Path(tempfile.gettempdir()) / f"renkei-test-{secrets.token_hex(4)}"
    try:
        with data_directory(path) as data, embedded_postgres(data, fsync=False) as server:
            yield Backup(server, path / "backup")
    finally:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
async def here(backup: Backup, malls: str) -> AsyncIterator[Town]:
    """Two shops, switched off."""
    await create_database(backup.server)
    await bring_up_to_date(backup.server.url())
    await let_app_in(backup.server)
    db = Database.at(backup.server.url(user=APP))
    async with town(db, malls, RAKUTEN, YAHOO) as made:
        yield made
    await db.close()


@asynccontextmanager
async def worked(here: Town, server: Postgres) -> AsyncIterator[Town]:
    """The town, and a worker that was just started."""
    db = Database.at(server.url(user=APP))
    malls = Malls(db, here.ctx.vault, here.ctx.malls.http)
    again = replace(here, db=db, ctx=replace(here.ctx, db=db, malls=malls, loss_window=LOSS))
    try:
        async with at_work(again.ctx):
            yield again
    finally:
        await db.close()


@pytest.mark.parametrize("known_by", ["its timeline", "who saw it later", "what a person says"])
async def test_an_older_database_catches_up_with_its_malls(
    here: Town, backup: Backup, known_by: str
) -> None:
    await here.has(MUG=10, TEA=5, POT=4, CUP=8)
    await here.starts()
    async with worked(here, backup.server) as before:
        await before.stalls[YAHOO].sells(ref_at(YAHOO, "POT"))
        await before.settled("POT", 3)
        await look(before.db, None, loss=LOSS)
    await here.db.close()
    backup.take()
    async with worked(here, backup.server) as lost:
        await lost.stalls[RAKUTEN].sells(ref_at(RAKUTEN, "MUG"), 3)
        await lost.stalls[YAHOO].sells(ref_at(YAHOO, "TEA"), 5)
        await lost.settled("MUG", 7)
        await lost.settled("TEA", 0)
        await _sets(lost, "CUP", 2)
        await lost.settled("CUP", 2)
        await installation.seen(lost.db)
        seen = await look(lost.db, None, loss=LOSS)
    await here.stalls[YAHOO].sells(ref_at(YAHOO, "MUG"), 1)

    backup.put_back(to_a_point_in_time=known_by == "its timeline")
    put_back_at = datetime.now(UTC)
    if known_by == "who saw it later":
        await _looks_again(backup.server, seen)
    if known_by == "what a person says":
        url = backup.server.url(user=APP)
        assert "Marked 1 account," in await restored.resync(url, put_back_at - LOSS, None)

    async with worked(here, backup.server) as after:
        assert await after.total("MUG") in (10, 6)
        await eventually(lambda: _runs(after))
        for code, left in (("MUG", 6), ("TEA", 0), ("POT", 3), ("CUP", 8)):
            await after.settled(code, left)
            assert await after.total(code) == left
            assert await _sent(after, code, put_back_at) <= {left}
        assert await after.scalar("SELECT sum(applied) FROM order_effects") == 10
        assert await after.scalar("SELECT count(*) FROM stock_movements WHERE delta < 0") == 4
        assert await after.scalar("SELECT count(*) FROM sync_errors") == 0
        operations = await after.query("SELECT action FROM operation_logs ORDER BY id DESC LIMIT 1")
        assert operations == [("RESYNC",)]


async def _looks_again(server: Postgres, seen: datetime | None) -> None:
    """A worker that has run all the while."""
    db = Database.at(server.url(user=APP))
    await look(db, seen, loss=LOSS)
    await db.close()


async def _sets(here: Town, code: str, total: int) -> None:
    """What people enter is lost with the database."""

    async def work(tx: Tx) -> None:
        item = stock.NewTotal((await product_ids(tx, [code]))[code], total)
        await stock.set_totals(tx, SYSTEM, [item], reflect=True, now=now())

    await here.db.run(here.account_id, work)


async def _runs(here: Town) -> bool:
    """Both shops run again, and nobody looks at their listings any more."""
    behind = "SELECT count(*) FROM shops WHERE state <> 'RUNNING'"
    marked = "SELECT count(*) FROM accounts WHERE resync_from IS NOT NULL"
    resynced = "SELECT count(*) FROM operation_logs WHERE action = 'RESYNC'"
    return (
        await here.scalar(behind) == 0
        and await here.scalar(marked) == 0
        and await here.scalar(resynced) == 1
    )


async def _sent(here: Town, code: str, since: datetime) -> set[int]:
    """Every number that went out for the product since then."""
    rows = await here.query(
        "SELECT p.quantity FROM pushes p JOIN links k ON k.listing_id = p.listing_id"
        " JOIN products t ON t.id = k.product_id WHERE t.code = :code AND p.sent_at >= :since",
        code=code,
        since=since,
    )
    return {row.quantity for row in rows}
