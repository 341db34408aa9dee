"""What an unlinked listing may belong to. The rules and their scores are those of domain/model/links.py: propose."""

from domain.model.links import MOST_PROPOSALS, NEAR_ENOUGH, SCORES, LinkReason
from domain.store.reads.models import Filter, Many, Model, One, Where, number, word

MOST_ALIKE = 20
"""Products looked at closely for the sake of their names."""

FOUND = {
    LinkReason.CODE_MAPPING: """code_mappings m
        JOIN products p ON p.account_id = {account} AND p.code = m.product_code
        WHERE m.account_id = {account} AND m.shop_id = {t}.shop_id AND m.mall_code = {t}.match_code""",
    LinkReason.SAME_CODE: """products p
        WHERE p.account_id = {account} AND p.code = {t}.match_code AND {t}.match_code <> ''""",
    LinkReason.SAME_JAN: """products p
        WHERE p.account_id = {account} AND p.code IN (
            SELECT j.value FROM jsonb_each_text({t}.keys) j WHERE j.value ~ '^([0-9]{8}|[0-9]{13})$')""",
    LinkReason.NEAR_CODE: """products p
        WHERE p.account_id = {account} AND p.code_key = renkei_code_key({t}.match_code) AND p.code_key <> ''""",
    LinkReason.NEAR_NAME: f"""renkei_alike_products(renkei_fold({{t}}.name), {MOST_ALIKE}) s
        JOIN products p ON p.account_id = {{account}} AND p.id = s.id
        WHERE {{t}}.name <> '' AND s.likeness >= {NEAR_ENOUGH}""",
}


def _one_way(nth: int, reason: LinkReason, found: str) -> str:
    score = f"{SCORES[reason]}::numeric"
    if reason is LinkReason.NEAR_NAME:
        score = f"round({score} * s.likeness, 3)"
    columns = f"p.id AS product_id, '{reason.value}' AS reason, {score} AS score, {nth} AS nth"
    return f"SELECT {columns} FROM {found} AND p.deleted_at IS NULL"


EVERY_WAY = " UNION ALL ".join(
    _one_way(nth, reason, found) for nth, (reason, found) in enumerate(FOUND.items())
)
CANDIDATES = f"""(SELECT best.product_id, best.reason, best.score,
        row_number() OVER (ORDER BY best.score DESC, best.product_id) AS nth
    FROM (SELECT DISTINCT ON (way.product_id) way.* FROM ({EVERY_WAY}) way
        ORDER BY way.product_id, way.score DESC, way.nth) best
    WHERE NOT EXISTS (SELECT FROM links k WHERE k.account_id = {{account}} AND k.listing_id = {{t}}.id
        AND k.product_id IS NOT NULL)) {{o}}"""
"""Best first; none for a listing that is linked."""


def _first(where: Where, name: str) -> str:
    return where.fill(f"{{t}}.nth <= least({where.bind(name, 'int')}, {MOST_PROPOSALS})")


FIRST: Filter = _first
LINK_CANDIDATES = Many(
    "LinkCandidate", "true", order="{o}.nth", source=CANDIDATES, filters={"first": FIRST}
)

LINK_CANDIDATE = Model(
    "LinkCandidate",
    "",
    {
        "product": One("Product", "{o}.id = {t}.product_id", key="{t}.product_id"),
        "reason": word("{t}.reason"),
        "score": number("{t}.score"),
    },
    account="true",
)
