"""What the demo says while it shows something, in both languages."""

from dataclasses import dataclass

from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import MallKind

SCENES = 5


@dataclass(frozen=True, slots=True)
class Caption:
    """`scene`: which of the story's it belongs to, from 1; 0: none of them."""

    en: str
    ja: str
    scene: int = 0


def at(mall: MallKind, en: str, ja: str) -> Caption:
    """What happens at this mall, which both name as {mall}."""
    spec = MALL_SPECS[mall]
    return Caption(en.format(mall=spec.name_en), ja.format(mall=spec.name_ja))


def closes(mall: MallKind) -> Caption:
    return at(
        mall,
        "{mall} closes for maintenance: its numbers are kept back.",
        "{mall}がメンテナンスに入りました。反映は保留されます。",
    )


def opens(mall: MallKind) -> Caption:
    return at(
        mall,
        "{mall} has opened again: what was kept back goes out.",
        "{mall}が再開し、保留分が反映されます。",
    )


def expires(mall: MallKind) -> Caption:
    return at(
        mall,
        "{mall}: the key has expired. This shop halts, the others go on.",
        "{mall}のキーが失効しました。この店舗だけが停止し、他店舗は続きます。",
    )


def renewed(mall: MallKind) -> Caption:
    return at(
        mall,
        "{mall}: a new key is entered. The shop is tested and catches up.",
        "{mall}に新しいキーを登録しました。接続テストの後、追いつきます。",
    )


def typed_over(mall: MallKind, quantity: int) -> Caption:
    return at(
        mall,
        f"Somebody types {quantity} into {{mall}}'s own screen. The next look at the mall finds it.",
        f"誰かが{{mall}}の管理画面で在庫を{quantity}に書き換えました。次の読み取りで見つかります。",
    )


REPLAY = Caption(
    "Now the real order stream: a shop's orders of November 2011, and things going wrong at the malls on the way.",
    "ここからは実際の注文データ（2011年11月、ある店舗の注文）を再生します。途中で各モールに障害も起きます。",
)
SETTLING = Caption(
    "Every order is in. Renkei settles, then every mall is asked what it shows: each number is held against our books.",
    "すべての注文が入りました。落ち着くのを待ち、各モールに在庫数を問い合わせて帳簿と突き合わせます。",
)
STILL = Caption(
    "Nothing is played any more: the data stand still. Buy something, or let something go wrong.",
    "再生は終わり、データは静止しています。購入や障害のボタンを試してください。",
)
TRICKLE = Caption(
    "An order every two seconds, and now and then something goes wrong. Buy something yourself.",
    "2秒ごとに注文が入り、ときどき障害が起きます。ご自分でも購入してみてください。",
)
