"""The demo's shops as the malls know them, by way of the sandbox's control API alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import httpx

from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import ItemRef, MallKind

SOLD_OUT = "SOLD_OUT"
NAMES: Mapping[MallKind, str] = MappingProxyType(
    {kind: spec.name_en for kind, spec in MALL_SPECS.items()}
)
"""How a mall is called, wherever the demo names one."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mall of the sandbox is, who sells there, and what our side has to know of it."""

    mall: str
    seller: str
    shop_name: str
    paths: Mapping[str, str]
    settings: Mapping[str, str]
    delays: Mapping[str, float]
    lists_per_second: float


PLACES: Mapping[MallKind, Place] = MappingProxyType(
    {
        MallKind.RAKUTEN: Place(
            "rakuten",
            "demo-rakuten",
            "デモ楽天店",
            {"base_url": "/rakuten"},
            {},
            {"order_delay": 10, "display_delay": 30},
            1,
        ),
        MallKind.YAHOO_SHOPPING: Place(
            "yahoo",
            "snbx-demo",
            "デモYahoo!店",
            {"base_url": "/yahoo", "auth_url": "/yahoo-auth"},
            {"seller_id": "snbx-demo"},
            {"order_delay": 10, "display_delay": 60},
            1,
        ),
        MallKind.AMAZON: Place(
            "amazon",
            "ADEMORENKEI",
            "デモAmazon店",
            {"base_url": "/amazon", "auth_url": "/amazon-auth", "consent_url": "/amazon-auth"},
            {"seller_id": "ADEMORENKEI"},
            {"order_delay": 30},
            0.0056,
        ),
    }
)
"""`delays` in seconds of the real mall: until an order is in the list, until a number is shown. `lists_per_second`: how
often it lets its order list be read (the malls' fact sheets §6)."""

KINDS: Sequence[MallKind] = tuple(PLACES)


class ControlFailed(Exception):
    """The sandbox refused what the demo asked of it, or could not be asked."""


class SoldOut(Exception):
    """The mall's counter is too low for one line; nothing was taken."""

    def __init__(self, ref: ItemRef, left: int) -> None:
        super().__init__(f"{ref} has {left} left.")
        self.ref = ref
        self.left = left


@dataclass(frozen=True, slots=True)
class Glance:
    """What a mall would sell now of each product that was asked for, by our code; what is wrong with it."""

    numbers: Mapping[str, int]
    faults: Sequence[str]


@dataclass(frozen=True, slots=True)
class Stall:
    """One shop at its mall."""

    kind: MallKind
    control: httpx.AsyncClient

    @property
    def place(self) -> Place:
        return PLACES[self.kind]

    async def open(self, speed: float) -> Mapping[str, str]:
        """Makes the shop, or makes it anew; its credentials."""
        told = await self.ask("POST", "shops", settings=self._settings(speed))
        return {key: str(value) for key, value in told["credentials"].items()}

    def _settings(self, speed: float) -> dict[str, object]:
        if speed:
            return dict(self.place.delays)
        return {"limits": False, "apply_delay": 0}

    async def puts(self, items: Sequence[Mapping[str, object]]) -> None:
        await self.ask("PUT", "items", items=list(items))

    async def sell(self, lines: Sequence[tuple[ItemRef, int]], invoice: str) -> dict[str, Any]:
        """A purchase: all lines or none. Raises SoldOut, naming the first line that is."""
        bought = [named(ref) | {"quantity": units} for ref, units in lines]
        return await self.ask("POST", "purchase", lines=bought, details={"invoice": invoice})

    async def cancel(self, number: str) -> None:
        await self.ask("POST", "cancel", number=number)

    async def cut(self, number: str, ref: ItemRef, units: int) -> None:
        await self.ask("POST", "cut", number=number, by=units, **named(ref))

    async def fault(self, kind: str, **more: object) -> None:
        await self.ask("POST", "faults", kind=kind, **more)

    async def lift(self, kind: str) -> None:
        await self.ask("DELETE", "faults", kind=kind)

    async def renew(self) -> Mapping[str, str]:
        """New credentials; the old ones are dead."""
        told = await self.ask("POST", "renew")
        return {key: str(value) for key, value in told["credentials"].items()}

    async def edit(self, ref: ItemRef, quantity: int) -> None:
        """As if somebody typed a number into the mall's own screen."""
        await self.ask("POST", "stock", quantity=quantity, **named(ref))

    async def look(self, codes: Sequence[str]) -> Glance:
        refs = {ref_at(self.kind, code): code for code in codes}
        told = await self.ask("POST", "look", items=[named(ref) for ref in refs])
        numbers = {
            refs[ItemRef(item["item_code"], item["variant_code"])]: int(item["quantity"])
            for item in told["items"]
        }
        return Glance(numbers, told["faults"])

    async def state(self) -> dict[str, Any]:
        return await self.ask("GET", "state")

    async def ask(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """Raises SoldOut or ControlFailed."""
        whose = {"mall": self.place.mall, "seller": self.place.seller}
        where: dict[str, Any] = {"params": whose} if method == "GET" else {"json": whose | body}
        try:
            answer = await self.control.request(method, f"/_control/{path}", **where)
        except httpx.HTTPError as error:
            raise ControlFailed(f"The sandbox malls do not answer: {error!r}.") from error
        told: dict[str, Any] = answer.json()
        if answer.is_success:
            return told
        raise _refusal(told["error"])


def _refusal(error: Mapping[str, Any]) -> Exception:
    if error["code"] == SOLD_OUT:
        return SoldOut(ItemRef(error["item_code"], error["variant_code"]), int(error["left"]))
    return ControlFailed(f"The sandbox refused: {error['message']}")


def named(ref: ItemRef) -> dict[str, str]:
    return {"item_code": ref.item_code, "variant_code": ref.variant_code}


def ref_at(kind: MallKind, code: str) -> ItemRef:
    """How each mall names the product of this code."""
    if kind is MallKind.RAKUTEN:
        return ItemRef(code.lower(), code.lower())
    return ItemRef(code)
