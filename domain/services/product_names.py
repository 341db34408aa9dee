"""What products are called when no person says so (small decision 3): their listings' names."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from domain.services.products import folded
from domain.store import account_settings, listings, products
from domain.store.database import Tx

ROWS_AT_ONCE = 5_000


async def rename(tx: Tx, names: Mapping[UUID, str], *, even_named: bool) -> None:
    """By product, the name that a listing gives it; only to products without one, unless `even_named`. Never to one
    that a person named."""
    for some in _parts(sorted(names)):
        wanted = {each: names[each] for each in some}
        known = await products.misnamed(tx, wanted, even_named=even_named)
        renamed = [
            replace(each, name=names[each.id], folded=folded(each.code, names[each.id]))
            for each in known
        ]
        await products.save(tx, renamed)


async def follow_base(tx: Tx, product_ids: Sequence[UUID]) -> None:
    """These products take the names that the account's base shop gives them, where there is such a shop by now."""
    base_shop_id = (await account_settings.lock(tx)).base_shop_id
    if base_shop_id is not None:
        names = await listings.names_of(tx, base_shop_id, product_ids)
        await rename(tx, names, even_named=True)


def _parts(product_ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(product_ids), ROWS_AT_ONCE):
        yield product_ids[start : start + ROWS_AT_ONCE]
