"""Where changing begins."""

import strawberry

from api.mutations import (
    account,
    attaching,
    code_mappings,
    counting,
    differences,
    full_syncs,
    groups,
    initial_orders,
    jobs,
    links,
    listing_fields,
    listings,
    people,
    products,
    readings,
    reflect,
    schedules,
    sets,
    shop_lives,
    shops,
    stock,
    switches,
    sync_errors,
)
from api.mutations.edge import mutation
from domain.model.roles import Permission


@strawberry.type(
    description="Changing. What the caller can mend stands in `userErrors`; a field is null for those without its right. "
    "To see more of the nodes in a payload than their ids needs the right READ too."
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
    count_stock = mutation(
        counting.count_stock,
        "棚卸: brings totals to what was counted, as of when it was. A refused item leaves the others done.",
        requires=Permission.STOCK_WRITE,
    )
    reflect = mutation(
        reflect.reflect,
        "反映: sends the numbers of products or listings to the malls, also where they seem to show them already.",
        requires=Permission.REFLECT,
    )
    cancel_job = mutation(
        jobs.cancel_job,
        "取消: calls a job off. What is done stays; what was not begun, or not sent, is not.",
        requires=Permission.REFLECT,
    )
    start_full_sync = mutation(
        full_syncs.start_full_sync,
        "全件同期: sends all that shops list, after whatever is urgent. Orders overtake it.",
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
    set_listing_limits = mutation(
        listings.set_limits,
        "下限・上限: sets limits of the numbers that listings show.",
        requires=Permission.CATALOGUE,
    )
    set_listing_sync = mutation(
        listings.set_sync,
        "連携: lets the numbers of listings be sent, or not.",
        requires=Permission.CATALOGUE,
    )
    delete_listings = mutation(
        listings.delete_listings,
        "出品の削除: takes listings out. The malls keep them and their numbers.",
        requires=Permission.CATALOGUE,
    )
    save_product = mutation(
        products.save_product,
        "商品の登録・変更: makes a product or changes one.",
        requires=Permission.CATALOGUE,
    )
    delete_products = mutation(
        products.delete_products,
        "商品削除: takes products out. Their ledger stays, and the same code brings them back with it.",
        requires=Permission.CATALOGUE,
    )
    set_listing_fields = mutation(
        listing_fields.set_listing_fields,
        "モール別項目の変更: sets fields that travel with stock, and whose they are.",
        requires=Permission.CATALOGUE,
    )
    attach_listings = mutation(
        attaching.attach_listings,
        "一括更新（取り扱いショップ）: makes listings of products at a shop, by the products' codes.",
        requires=Permission.CATALOGUE,
    )
    save_code_mappings = mutation(
        code_mappings.save_code_mappings,
        "別品番紐づけの登録・変更・削除: says which product a shop's own code stands for, and links by it.",
        requires=Permission.CATALOGUE,
    )
    save_set_item = mutation(
        sets.save_set,
        "セット商品の登録・変更: makes a set or changes its parts.",
        requires=Permission.CATALOGUE,
    )
    delete_set_items = mutation(
        sets.delete_sets,
        "セット解除: makes sets single products at total 0.",
        requires=Permission.CATALOGUE,
    )
    save_product_group = mutation(
        groups.save_group,
        "確保在庫グループの登録・変更: makes a group or changes what is kept back of its products.",
        requires=Permission.CATALOGUE,
    )
    save_user = mutation(
        people.save_user,
        "担当者の登録・変更: makes a person, changes, disables or invites one.",
        requires=Permission.USERS,
    )
    create_api_token = mutation(
        people.create_api_token,
        "APIトークンの作成: makes a token for a program.",
        requires=Permission.USERS,
    )
    revoke_api_tokens = mutation(
        people.revoke_api_tokens,
        "APIトークンの失効: ends tokens.",
        requires=Permission.USERS,
    )
    fetch_initial_orders = mutation(
        initial_orders.fetch_initial_orders,
        "初期受注取得: fetches shops' orders from before they take part. An order that is known already is not taken again.",
        requires=Permission.SYNC_SWITCH,
    )
    read_mall_stock = mutation(
        readings.read_mall_stock,
        "モール在庫の読み取り: reads what the malls show. Sends nothing that waits to be reflected.",
        requires=Permission.REFLECT,
    )
    resolve_differences = mutation(
        differences.resolve_differences,
        "差異の解消: our numbers are sent, or the totals follow what the malls show.",
        requires=Permission.REFLECT,
    )
    clear_errors = mutation(
        sync_errors.clear_errors,
        "エラー削除: clears errors; a cause that is seen again opens its error again.",
        requires=Permission.CLEAR_ERRORS,
    )
    connect_shop = mutation(
        shops.connect_shop,
        "店舗登録: connects a shop, both switches off, and tests its connection.",
        requires=Permission.SHOPS,
    )
    update_shop = mutation(
        shops.update_shop,
        "店舗設定: changes a shop. A new way to its mall is tested.",
        requires=Permission.SHOPS,
    )
    set_shops_in_use = mutation(
        shop_lives.set_shops_in_use,
        "利用店舗設定: says which shops take part at all.",
        requires=Permission.SHOPS,
    )
    disconnect_shop = mutation(
        shop_lives.disconnect_shop,
        "連携解除: gives a shop up. Its secrets are erased at once; this cannot be undone.",
        requires=Permission.SHOPS,
    )
    update_account = mutation(
        account.update_account,
        "共通設定: changes the account's own settings.",
        requires=Permission.SETTINGS,
    )
    start_shop_consent = mutation(
        shops.start_consent,
        "モール認可: where to send the seller's browser for the mall's consent. Sent again, it begins anew.",
        requires=Permission.SHOPS,
        repeats=True,
    )
    test_connection = mutation(
        shops.test_connection,
        "接続テスト: tests a shop's connection, part by part.",
        requires=Permission.SHOPS,
    )
    save_full_sync_schedule = mutation(
        schedules.save_schedule,
        "一括同期スケジュールの登録・変更: all numbers of a shop are sent at a time of day.",
        requires=Permission.SETTINGS,
    )
    delete_full_sync_schedule = mutation(
        schedules.delete_schedule,
        "一括同期スケジュールの削除.",
        requires=Permission.SETTINGS,
    )
    start_sync = mutation(
        switches.start_sync,
        "連動開始: switches shops on, or the whole account. Orders from before a shop's first start take nothing.",
        requires=Permission.SYNC_SWITCH,
    )
    stop_sync = mutation(
        switches.stop_sync,
        "連動停止: switches shops off, or the whole account. What waits is held.",
        requires=Permission.SYNC_SWITCH,
    )
