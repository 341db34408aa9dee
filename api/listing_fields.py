"""モール別項目 Fields of the malls' own that travel with stock."""

from collections.abc import Mapping
from typing import Any

import strawberry

from api.fields import described, field
from api.malls import MallColumn
from domain.model.locales import Locale
from domain.model.mall_fields import FieldOwner, column_of
from domain.model.mall_specs import MallColumn as Column
from domain.model.malls import MallKind

described(
    FieldOwner,
    "Whose a field of the mall's own is.",
    US="Ours: our value goes out with every number.",
    MALL="The mall's: it is never written.",
)


def _column(facts: Any, _: Mapping[str, Any], __: Locale) -> Column:
    mall, key = facts
    return column_of(MallKind(mall), key)


@strawberry.type(
    description="モール別項目: a field that travels with stock, such as 超過購入設定 or リードタイム."
)
class MallFieldValue:
    key: str = field("Its key among the mall's `columns`.")
    column: MallColumn = field("What it is called and what may be entered.", made_by=_column)
    value: str | None = field("Our value: what a reflect sends where it is ours; null: none.")
    owner: FieldOwner = field("Whose it is; ours when nobody said.")
    mall_value: str | None = field("What the mall was last seen with; null: it was not.")
    changed_at_mall: bool = field(
        "It is ours, and the mall was seen with another value since it was imported, set or sent: a reflect overwrites "
        "that, an import takes it."
    )
