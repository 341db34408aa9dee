"""近い商品コード: what a listing that its mall does not know may have been meant to be. The rules: domain/model/near_codes.py."""

from domain.model.near_codes import MOST, NEAR_ENOUGH, NEIGHBOURS
from domain.store.reads.models import Many, Model, One, number, word

NEAR = f"""(SELECT n.* FROM renkei_near_codes({{t}}.shop_id, {{t}}.item_code, {{t}}.variant_code, {NEIGHBOURS}, {NEAR_ENOUGH},
        {MOST}) AS n WHERE {{t}}.unknown_at_mall) {{o}}"""
"""Nearest first; none for a listing that its mall knows."""

NEAR_CODES = Many("NearCode", "true", order="{o}.nth", source=NEAR)

NEAR_CODE = Model(
    "NearCode",
    "",
    {
        "listing": One("Listing", "{o}.id = {t}.listing_id", key="{t}.listing_id"),
        "reason": word("{t}.reason"),
        "likeness": number("{t}.likeness"),
    },
    account="true",
)
