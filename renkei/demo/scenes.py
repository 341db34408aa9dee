"""The story: five scenes of some 90 seconds in all, each with a caption and with what was measured in it.

A scene says what is about to happen, lets it be read, lets it happen at the malls, and waits until Renkei has dealt with it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.model.malls import MallKind
from domain.model.shops import ShopState
from domain.model.sync_errors import SyncErrorKind
from renkei.demo import hands
from renkei.demo.captions import SCENES, Caption
from renkei.demo.seeding import now
from renkei.demo.stage import Stage
from renkei.demo.stalls import KINDS
from renkei.example_shop.catalogue import RetailProduct

SECONDS = 90.0
READING = 0.3
"""The share of a scene in which its first caption is read, before anything happens."""

GOES_ON_AFTER = 30.0
"""Seconds: a scene whose end does not come is left."""

LOOK_EVERY = 0.05
SEVERAL = 3
TYPED_MORE = 7
GOODS = 24

RAKUTEN, YAHOO, AMAZON = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING, MallKind.AMAZON
Numbers = Mapping[str, int]


@dataclass(slots=True)
class Scene:
    """One of them being played. `seconds`: how long it takes at least."""

    stage: Stage
    number: int
    seconds: float
    _shoppers: int = 0
    _begun: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    async def announce(self, en: str, ja: str) -> None:
        self.say(en, ja)
        await asyncio.sleep(self.seconds * READING)

    def say(self, en: str, ja: str) -> None:
        self.stage.say(Caption(en, ja, self.number))

    async def end(self) -> None:
        passed = asyncio.get_running_loop().time() - self._begun
        await asyncio.sleep(max(self.seconds * READING, self.seconds - passed))

    @property
    def products(self) -> Sequence[RetailProduct]:
        """Those of the shelf that are no sets, the most asked for first."""
        return [each for each in self.stage.rows if not each.parts]

    async def numbers(self, kind: MallKind) -> Numbers:
        looked = await self.stage.stalls[kind].look([each.code for each in self.stage.rows])
        return looked.numbers

    async def sells(self, kind: MallKind, wish: Mapping[str, int]) -> datetime:
        """When the mall's order list shows it."""
        await self.wants(kind, wish)
        shoppers = self.stage.shoppers
        return shoppers.visible_at[shoppers.last] if shoppers.last else now()

    async def wants(self, kind: MallKind, wish: Mapping[str, int]) -> int:
        """How many of its units the shopper did not get."""
        self._shoppers += 1
        invoice = f"story-{self.number}-{self._shoppers}"
        return (await self.stage.shoppers.buy(kind, invoice, wish)).total()

    async def shows(self, kind: MallKind, wanted: Numbers) -> datetime:
        """When the mall's own counters read so, or the scene goes on without."""

        async def so() -> bool:
            return wanted.items() <= (await self.numbers(kind)).items()

        await self._waits(so)
        return now()

    async def meets(self, kind: MallKind, trouble: SyncErrorKind) -> None:
        shop_id = self.stage.shop_id(kind)

        async def so() -> bool:
            return any(
                (each.shop_id, each.kind, each.resolved_at) == (shop_id, trouble, None)
                for each in await self.stage.errors()
            )

        await self._waits(so)

    async def becomes(self, kind: MallKind, state: ShopState) -> None:
        async def so() -> bool:
            return any(
                shop.mall is kind and shop.state == state for shop in await self.stage.shops()
            )

        await self._waits(so)

    async def _waits(self, condition: Callable[[], Awaitable[bool]]) -> None:
        await self.stage.until(condition, GOES_ON_AFTER, LOOK_EVERY)


async def play(stage: Stage, seconds: float = SECONDS) -> None:
    for number, scene in enumerate(STORY, 1):
        await scene(Scene(stage, number, seconds / SCENES))


async def a_sale(scene: Scene) -> None:
    product = scene.products[0]
    await scene.announce(
        f"A shopper buys 2 of “{product.name}” on Rakuten Ichiba. Watch the other malls follow.",
        f"楽天市場で「{product.name}」が2個売れます。他のモールの在庫にご注目ください。",
    )
    before = (await scene.numbers(RAKUTEN))[product.code]
    listed = await scene.sells(RAKUTEN, {product.code: 2})
    wanted = {product.code: before - 2}
    yahoo, amazon = await asyncio.gather(scene.shows(YAHOO, wanted), scene.shows(AMAZON, wanted))
    at_yahoo, at_amazon = _milliseconds(listed, yahoo), _milliseconds(listed, amazon)
    scene.say(
        f"Sold 2 on Rakuten Ichiba. From its order list to the other malls' counters: Yahoo! Shopping {at_yahoo:,} ms,"
        f" Amazon.co.jp {at_amazon:,} ms.",
        f"楽天市場で2個売れました。注文一覧に載ってから、Yahoo!ショッピングは{at_yahoo:,}ミリ秒、"
        f"Amazon.co.jpは{at_amazon:,}ミリ秒で反映。",
    )
    await scene.end()


async def the_last_unit(scene: Scene) -> None:
    product = scene.products[1]
    left = {product.code: (await scene.numbers(RAKUTEN))[product.code]}
    await hands.count(scene.stage, product.code, 1)
    await scene.announce(
        f"Somebody counts the shelf: one “{product.name}” is left. Yahoo! Shopping sells it.",
        f"棚卸しをすると「{product.name}」は残り1個。それがYahoo!ショッピングで売れます。",
    )
    await asyncio.gather(*(scene.shows(kind, {product.code: 1}) for kind in KINDS))
    listed = await scene.sells(YAHOO, {product.code: 1})
    wanted = {product.code: 0}
    times = await asyncio.gather(scene.shows(RAKUTEN, wanted), scene.shows(AMAZON, wanted))
    last = _milliseconds(listed, max(times))
    refused = await scene.wants(RAKUTEN, {product.code: 1})
    scene.say(
        f"Sold out everywhere after {last:,} ms. The next shopper, on Rakuten Ichiba, "
        + ("was told so: nothing was sold that does not exist." if refused else "still got one."),
        f"{last:,}ミリ秒後には全モールで売り切れ。次に楽天市場へ来たお客様は"
        + ("購入できず、売り越しは起きません。" if refused else "まだ購入できました。"),
    )
    await scene.end()
    await hands.receive(scene.stage, left)


async def a_maintenance(scene: Scene) -> None:
    products = scene.products[2 : 2 + SEVERAL]
    await scene.stage.stalls[YAHOO].fault("maintenance")
    await scene.announce(
        "Yahoo! Shopping closes for maintenance, while Rakuten Ichiba goes on selling. What Yahoo! Shopping should show is kept back.",
        "Yahoo!ショッピングがメンテナンスに入りました。楽天市場では販売が続き、Yahoo!ショッピングへの反映は保留されます。",
    )
    await scene.sells(RAKUTEN, {each.code: 1 for each in products})
    await scene.meets(YAHOO, SyncErrorKind.MAINTENANCE)
    await asyncio.sleep(scene.seconds * READING)
    codes = {each.code for each in products}
    wanted = {code: n for code, n in (await scene.numbers(RAKUTEN)).items() if code in codes}
    await scene.stage.stalls[YAHOO].lift("maintenance")
    opened = now()
    drained = _milliseconds(opened, await scene.shows(YAHOO, wanted))
    scene.say(
        f"Yahoo! Shopping has opened again. What was kept back went out {drained:,} ms later, each number once.",
        f"Yahoo!ショッピングが再開し、{drained:,}ミリ秒後に保留分がまとめて反映されました。",
    )
    await scene.end()


async def an_expired_key(scene: Scene) -> None:
    product = scene.products[0]
    await scene.stage.stalls[RAKUTEN].fault("expired")
    await scene.announce(
        "Rakuten Ichiba's licence key expires. Only this shop halts (an error of level 9); the others go on.",
        "楽天市場のライセンスキーが失効しました。止まるのはこの店舗だけ（レベル9エラー）で、他店舗は続きます。",
    )
    await scene.becomes(RAKUTEN, ShopState.HALTED)
    await scene.sells(YAHOO, {product.code: 1})
    await asyncio.sleep(scene.seconds * READING)
    await hands.renew(scene.stage, RAKUTEN)
    renewed = now()
    await scene.becomes(RAKUTEN, ShopState.RUNNING)
    wanted = {product.code: (await scene.numbers(YAHOO))[product.code]}
    caught_up = _milliseconds(renewed, await scene.shows(RAKUTEN, wanted))
    scene.say(
        f"A new key is entered and tested. {caught_up:,} ms later Rakuten Ichiba has caught up: first the orders it missed, then"
        " the numbers.",
        f"新しいキーを登録し接続テスト。{caught_up:,}ミリ秒後には、未取得の注文、在庫数の順に追いつきました。",
    )
    await scene.end()


async def a_number_typed_in(scene: Scene) -> None:
    product = scene.products[-1]
    before = (await scene.numbers(AMAZON))[product.code]
    typed = before + TYPED_MORE
    await hands.type_in(scene.stage, AMAZON, product.code, typed)
    await scene.announce(
        f"Somebody types {typed} for “{product.name}” into Amazon.co.jp's own screen. There are {before}.",
        f"誰かがAmazon.co.jpの管理画面で「{product.name}」の在庫を{typed}に書き換えました。実際は{before}個です。",
    )
    await hands.look_at_mall(scene.stage, AMAZON, product.code)
    asked = now()
    await scene.shows(AMAZON, {product.code: before})
    put_right = _milliseconds(asked, now())
    scene.say(
        f"The next look at Amazon.co.jp's numbers found it and put it right, {put_right:,} ms after the look began.",
        f"次にAmazon.co.jpの在庫数を読み取った時点で差異を検知し、{put_right:,}ミリ秒で正しい数に戻しました。",
    )
    await scene.end()


STORY: Sequence[Callable[[Scene], Awaitable[None]]] = (
    a_sale,
    the_last_unit,
    a_maintenance,
    an_expired_key,
    a_number_typed_in,
)


def _milliseconds(since: datetime, until: datetime) -> int:
    return max(0, round((until - since).total_seconds() * 1000))
