"""店舗 Shops connected, changed, tested, and sent to their mall's page of consent."""

from datetime import datetime

import strawberry

from api.context import Connecting, Context
from api.fields import optional
from api.jobs import ShopCheck
from api.load import node
from api.mutations.edge import answered, at, given, row_id, said, user_errors
from api.mutations.inputs import KEY, VERSION, KeyValueInput
from api.shops import Shop
from api.user_errors import UserError
from domain.model.errors import DomainError
from domain.model.malls import MallKind
from domain.model.orders import CancelPolicy
from domain.model.shops import DriftPolicy
from domain.services import checks, consents, shops
from domain.services.shops import ShopChange
from domain.store.database import Tx

CREDENTIALS = "認証情報, by the mall's `credentialFields`. They are sealed, and never answered."


@strawberry.input(description="店舗登録: a seller account on a mall.")
class ConnectShopInput:
    mall: MallKind = strawberry.field(description="The platform.")
    name: str = strawberry.field(description="店舗名, unique in the account.")
    credentials: list[KeyValueInput] = strawberry.field(description=CREDENTIALS)
    settings: list[KeyValueInput] | None = optional("Settings, by the mall's `settingFields`.")
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of a new shop.")
class ConnectShopPayload:
    shop: Shop | None = answered("The shop; both of its switches are off.")
    check: ShopCheck | None = answered("接続テスト: the test of its connection, which has begun.")
    user_errors: list[UserError] = user_errors()


@strawberry.input(description="店舗設定. What is left out stays as it is.")
class UpdateShopInput:
    id: strawberry.ID = strawberry.field(description="Which shop.")
    expected_version: int | None = optional(VERSION)
    name: str | None = optional("店舗名, unique in the account.")
    credentials: list[KeyValueInput] | None = optional(CREDENTIALS + " New ones start a test.")
    settings: list[KeyValueInput] | None = optional("Settings, by the mall's `settingFields`.")
    reflect_interval_seconds: int | None = optional(
        "Changes are gathered for so long, 0 to 1200; zeros never wait."
    )
    order_poll_seconds: int | None = optional(
        "Orders are asked for every so many seconds, 10 to 3600."
    )
    match_key: list[str] | None = optional("同一商品キー: the columns that make it.")
    cancel_policy: CancelPolicy | None = optional("What a cancelled order gives back.")
    drift_policy: DriftPolicy | None = optional(
        "What becomes of a number that was changed at the mall."
    )
    notification_email: str | None = optional("Where its notices go; null: nowhere.")
    resume: bool | None = optional("再開: a good test ends an error of level 9.")
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of a shop's settings.")
class UpdateShopPayload:
    shop: Shop | None = answered("The shop as it is now.")
    check: ShopCheck | None = answered("接続テスト: the test that its new settings began.")
    user_errors: list[UserError] = user_errors()


@strawberry.input(description="接続テスト: a test of a shop's connection.")
class TestConnectionInput:
    shop_id: strawberry.ID = strawberry.field(description="Which shop.")
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of a test that was asked for.")
class TestConnectionPayload:
    check: ShopCheck | None = answered("The test to follow.")
    user_errors: list[UserError] = user_errors()


@strawberry.input(description="モール認可: the way to the mall's own page of consent.")
class StartShopConsentInput:
    shop_id: strawberry.ID = strawberry.field(description="Which shop.")
    return_url: str = strawberry.field(
        description="Where the browser goes afterwards; its origin must be an allowed one."
    )
    idempotency_key: str | None = optional(
        "Taken, and not heeded: the mall's address is kept nowhere, so a repeated request begins anew."
    )


@strawberry.type(description="Where the seller consents.")
class StartShopConsentPayload:
    url: str | None = answered("The mall's page: send the seller's browser there.")
    expires_at: datetime | None = answered("Until when the browser may come back.")
    user_errors: list[UserError] = user_errors()


async def connect_shop(tx: Tx, context: Context, input: ConnectShopInput) -> ConnectShopPayload:
    shop, job_id = await shops.connect(
        tx,
        _connecting(context).vault,
        context.viewer.actor,
        input.mall,
        input.name,
        _form(input.credentials, "credentials"),
        _form(said(input.settings), "settings"),
        hosts=_connecting(context).hosts,
    )
    return ConnectShopPayload(shop=node("Shop", shop.id), check=node("Job", job_id))


async def update_shop(tx: Tx, context: Context, input: UpdateShopInput) -> UpdateShopPayload:
    shop, job_id = await shops.update(
        tx,
        _connecting(context).vault,
        context.viewer.actor,
        row_id(input.id, "Shop", "id"),
        _change(input),
        expected_version=said(input.expected_version),
        resume=bool(said(input.resume)),
        hosts=_connecting(context).hosts,
    )
    return UpdateShopPayload(shop=node("Shop", shop.id), check=node("Job", job_id))


async def test_connection(
    tx: Tx, context: Context, input: TestConnectionInput
) -> TestConnectionPayload:
    shop_id = row_id(input.shop_id, "Shop", "shop_id")
    try:
        job_id = await checks.test_connection(tx, context.viewer.actor, shop_id)
    except DomainError as error:
        raise at(error, "shop_id") from error
    return TestConnectionPayload(check=node("Job", job_id))


async def start_consent(
    tx: Tx, context: Context, input: StartShopConsentInput
) -> StartShopConsentPayload:
    connecting = _connecting(context)
    shop_id = row_id(input.shop_id, "Shop", "shop_id")
    try:
        shop = await shops.known(tx, shop_id)
        url, until = await consents.start_consent(
            tx,
            connecting.vault,
            context.viewer.actor,
            shop_id,
            input.return_url,
            connecting.way_back(shop.mall),
            connecting.origins,
            now=context.now(),
        )
    except DomainError as error:
        raise at(error, error.field[0] if error.field == ("return_url",) else "shop_id") from error
    return StartShopConsentPayload(url=url, expires_at=until)


def _connecting(context: Context) -> Connecting:
    assert context.connecting is not None
    return context.connecting


def _form(entered: list[KeyValueInput] | None, path: str) -> dict[str, str]:
    """By key. Raises DomainError INVALID_VALUE for a key that comes twice."""
    form: dict[str, str] = {}
    for field in entered or ():
        if field.key in form:
            raise DomainError(
                f"{field.key} is named twice. Name it once.",
                field=(path, field.key),
                twice=field.key,
            )
        form[field.key] = field.value
    return form


def _change(input: UpdateShopInput) -> ShopChange:
    names = (
        "name",
        "reflect_interval_seconds",
        "order_poll_seconds",
        "match_key",
        "cancel_policy",
        "drift_policy",
    )
    email = given(input, "notification_email")
    return ShopChange(
        credentials=_form(said(input.credentials), "credentials"),
        settings=_form(said(input.settings), "settings"),
        notification_email=(email["notification_email"] or "") if email else None,
        **given(input, *names),
    )
