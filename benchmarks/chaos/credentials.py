"""Credentials that die from one call to the next, whatever is under way; then the merchant enters new ones."""

import asyncio

from benchmarks.chaos.scene import Scene
from benchmarks.market import MallShop
from renkei.demo.seeding import form_of


async def expired(scene: Scene, shop: MallShop, lasts: float) -> None:
    """For so many seconds there are none that are good."""
    async with scene.expiring[shop.id]:
        scene.merchant.expired.add(shop.id)
        await shop.stall.fault("expired")
        await asyncio.sleep(lasts)
        await _entered(scene, shop)


async def renewed(scene: Scene, shop: MallShop) -> None:
    async with scene.expiring[shop.id]:
        scene.merchant.expired.add(shop.id)
        await _entered(scene, shop)


async def _entered(scene: Scene, shop: MallShop) -> None:
    given = form_of(shop.stall.kind, await shop.stall.renew())
    await scene.merchant.enters(shop.id, given)
    scene.merchant.expired.discard(shop.id)
