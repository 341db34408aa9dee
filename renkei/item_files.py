"""A mall's own item and stock files, taken in from the command line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from domain.model.actors import SYSTEM
from domain.model.malls import MallListing
from domain.services import listings, shops
from domain.store import shops as shop_rows
from domain.store.database import Tx
from domain.store.shops import Shop
from integrations.files.listing_file import ListingFile
from integrations.files.listings import read_listings
from integrations.files.problems import RowError
from renkei.database import opened
from renkei.merchants import account_named
from renkei.refusal import Refusal

AT_ONCE = 5_000
MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose files these are, and what is to be done with them."""

    account: str
    shop: str
    files: Sequence[Path]
    create_products: bool
    skip_bad_rows: bool
    fields_of_new: Mapping[str, str] = field(default_factory=dict)


async def take_in(url: str, wanted: Wanted) -> str:
    """What was done, in a sentence. Raises Refusal and FileUnreadable; nothing is taken in then.

    A file says what a mall shows, never a total (A3.8). Taking it in again changes nothing.
    """
    async with opened(url) as database:
        account_id = await account_named(database, wanted.account)
        async with database.transaction(account_id) as tx:
            shop = await _shop(tx, wanted.shop)
        found = _read(shop, wanted)
        created = linked = 0
        for part in _parts(found.listings):

            async def work(tx: Tx, part: Sequence[MallListing] = part) -> tuple[int, int]:
                done = await listings.import_listings(
                    tx,
                    SYSTEM,
                    await shops.known(tx, shop.id),
                    part,
                    seen_at=None,
                    create_products=wanted.create_products,
                    link=True,
                    fields_of_new=wanted.fields_of_new,
                    now=datetime.now(UTC),
                )
                return done.created, done.linked

            new, tied = await database.run(account_id, work)
            created, linked = created + new, linked + tied
    left_out = f" Bad rows left out: {len(found.errors)}." if found.errors else ""
    return f"{len(found.listings)} listings taken in: {created} new, {linked} linked.{left_out}"


async def _shop(tx: Tx, name: str) -> Shop:
    shop_id = await shop_rows.named(tx, name)
    if shop_id is None:
        known = ", ".join(shop.name for shop in await shop_rows.every(tx)) or "none yet"
        raise Refusal(f"There is no shop {name}. The account's shops: {known}.")
    return await shops.known(tx, shop_id)


def _read(shop: Shop, wanted: Wanted) -> ListingFile:
    for file in wanted.files:
        if not file.is_file():
            raise Refusal(f"There is no file {file}.")
    found = read_listings(shop.mall, [(file.name, file) for file in wanted.files])
    if found.errors and not wanted.skip_bad_rows:
        raise Refusal(_told(found.errors))
    return found


def _told(errors: Sequence[RowError]) -> str:
    """Every bad row with its place, as far as a screen holds them."""
    lines = [
        f"  {each.file}, line {each.line}: {each.message_en}" for each in islice(errors, MOST_SHOWN)
    ]
    more = [f"  … and {len(errors) - MOST_SHOWN} more"] if len(errors) > MOST_SHOWN else []
    advice = "Nothing was taken in. Mend these rows, or leave them out with --skip-bad-rows."
    return "\n".join([f"Rows that cannot be read: {len(errors)}", *lines, *more, advice])


def _parts(found: Sequence[MallListing]) -> list[Sequence[MallListing]]:
    return [found[start : start + AT_ONCE] for start in range(0, len(found), AT_ONCE)]
