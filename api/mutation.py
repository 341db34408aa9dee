"""Where changing begins."""

import strawberry

from api.mutations import links, reflect, stock
from api.mutations.edge import mutation
from domain.model.roles import Permission


@strawberry.type(
    description="Changing. What the caller can mend stands in `userErrors`; a field is null for those without its right."
)
class Mutation:
    set_stock = mutation(
        stock.set_stock,
        "総在庫数の変更: sets totals. A refused item leaves the others done.",
        requires=Permission.STOCK_WRITE,
    )
    adjust_stock = mutation(
        stock.adjust_stock,
        "入出庫: adds to totals and takes off, for a reason. A refused item leaves the others done.",
        requires=Permission.STOCK_WRITE,
    )
    reflect = mutation(
        reflect.reflect,
        "反映: sends the numbers of products or listings to the malls, also where they seem to show them already.",
        requires=Permission.REFLECT,
    )
    link_listings = mutation(
        links.link_listings,
        "紐づけ: puts listings on products. Orders that waited for the link are taken in.",
        requires=Permission.CATALOGUE,
    )
    unlink_listings = mutation(
        links.unlink_listings,
        "紐づけ解除: takes listings off their products. The malls keep their numbers.",
        requires=Permission.CATALOGUE,
    )
