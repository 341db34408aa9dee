"""What the demo says while it shows something, in both languages."""

from dataclasses import dataclass

SCENES = 5


@dataclass(frozen=True, slots=True)
class Caption:
    """`scene`: which of the story's it belongs to, from 1; 0: none of them."""

    en: str
    ja: str
    scene: int = 0


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
