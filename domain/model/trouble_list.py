"""「反映されない」ときの確認順: whether anything keeps a number from going out, from the account down to the number."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from domain.model.diff import NotPushed
from domain.model.locales import Words


@dataclass(frozen=True, slots=True)
class CheckStep:
    """`words`: how it is, and what to do where it is not `ok`."""

    key: NotPushed
    ok: bool
    words: Words


GOOD: Mapping[NotPushed, Words] = MappingProxyType(
    {
        NotPushed.MASTER_STOPPED: Words("在庫連動は動いています。", "The account's switch is on."),
        NotPushed.SHOP_NOT_IN_USE: Words("利用する店舗です。", "The shop is in use."),
        NotPushed.SHOP_REFLECT_STOPPED: Words(
            "店舗の在庫反映は動いています。", "The shop's reflect is on."
        ),
        NotPushed.SHOP_HALTED: Words(
            "店舗を止めているエラーはありません。", "No error halts the shop."
        ),
        NotPushed.PRODUCT_UNMANAGED: Words("商品は在庫管理の対象です。", "The product is managed."),
        NotPushed.LISTING_SYNC_OFF: Words("連携にチェックがあります。", "Its sync tick is on."),
        NotPushed.UNLINKED: Words("商品に紐づいています。", "It is linked to a product."),
        NotPushed.LINK_CONFLICT: Words(
            "同じ店舗に、同じ商品のほかの出品はありません。",
            "No other listing of the shop contradicts it.",
        ),
        NotPushed.FULFILLED_BY_MALL: Words(
            "自社で出荷する出品です。", "It is fulfilled by the merchant."
        ),
        NotPushed.UNLIMITED_AT_MALL: Words(
            "モールで在庫数が管理されています。", "The mall keeps a count of it."
        ),
        NotPushed.UNKNOWN_AT_MALL: Words("モールに出品があります。", "The mall knows it."),
        NotPushed.CHANGED_AT_MALL: Words(
            "モールで変更された在庫数はありません。", "Its number was not changed at the mall."
        ),
        NotPushed.NOTHING_LIMITS: Words(
            "反映数が決まっています。", "Something decides its number."
        ),
    }
)

BAD: Mapping[NotPushed, Words] = MappingProxyType(
    {
        NotPushed.MASTER_STOPPED: Words(
            "在庫連動が止まっています。連動を開始してください。",
            "The account's switch is off. Start it.",
        ),
        NotPushed.SHOP_NOT_IN_USE: Words(
            "利用しない店舗です。利用店舗設定で選んでください。",
            "The shop is not in use. Put it in use.",
        ),
        NotPushed.SHOP_REFLECT_STOPPED: Words(
            "店舗の在庫反映が止まっています。開始してください。",
            "The shop's reflect is off. Start it.",
        ),
        NotPushed.SHOP_HALTED: Words(
            "エラーで店舗が止まっています。エラーの内容を確認し、解消してから削除してください。",
            "An error halts the shop. See what it says, mend it, and clear it.",
        ),
        NotPushed.PRODUCT_UNMANAGED: Words(
            "商品が在庫管理の対象ではありません。「在庫管理する」にしてください。",
            "The product is not managed. Make it managed.",
        ),
        NotPushed.LISTING_SYNC_OFF: Words(
            "連携にチェックがありません。チェックを付けてください。",
            "Its sync tick is off. Switch it on.",
        ),
        NotPushed.UNLINKED: Words(
            "どの商品にも紐づいていません。商品コードを確認し、紐づけてください。",
            "It belongs to no product. Compare the codes, and link it.",
        ),
        NotPushed.LINK_CONFLICT: Words(
            "同じ店舗の複数の出品が同じ商品に紐づいているため、減らす更新だけを送ります。どれかの紐づけを解除してください。",
            "Several listings of the shop are on its product, so only falls go out. Unlink all but one.",
        ),
        NotPushed.FULFILLED_BY_MALL: Words(
            "モールが出荷する出品（FBAなど）のため、送りません。",
            "The mall fulfils it (FBA), so no number is sent.",
        ),
        NotPushed.UNLIMITED_AT_MALL: Words(
            "モールで在庫が無制限になっています。モールで在庫数を設定してください。",
            "The mall keeps no count of it. Give it a count at the mall.",
        ),
        NotPushed.UNKNOWN_AT_MALL: Words(
            "モールに出品が見つかりません。コードと、モールの出品を確認してください。",
            "The mall does not know it. Look at its code, and at the page at the mall.",
        ),
        NotPushed.CHANGED_AT_MALL: Words(
            "モールで在庫数が変更されているため、0のほかは送りません。差異の一覧で、自社とモールのどちらに合わせるかを選んでください。",
            "Its number was changed at the mall, so nothing but 0 is sent. Choose ours or theirs in the differences.",
        ),
        NotPushed.NOTHING_LIMITS: Words(
            "反映数が決まりません。構成品のどれかを在庫管理の対象にしてください。",
            "Nothing decides its number. Make one of the set's parts managed.",
        ),
    }
)


def trouble_list(reasons: Collection[NotPushed]) -> list[CheckStep]:
    """Every check in the order in which a merchant looks; `reasons` are what keeps the number from going out now."""
    return [
        CheckStep(key, key not in reasons, (BAD if key in reasons else GOOD)[key])
        for key in NotPushed
    ]
