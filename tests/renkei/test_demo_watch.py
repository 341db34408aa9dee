"""What the demo tells of errors, look by look."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from domain.model.malls import MallKind
from domain.store.audit import AuditedError
from renkei.demo.watch import ErrorNews

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SHOP = UUID(int=1)
MALLS = {SHOP: MallKind.RAKUTEN}


def an_error(number: int, **values: object) -> AuditedError:
    found = AuditedError(UUID(int=number), 8, "THROTTLED", "OPEN", SHOP, 1, NOW, None)
    return replace(found, **values)  # type: ignore[arg-type]


def test_what_went_wrong_before_is_no_news_but_its_end_is() -> None:
    news = ErrorNews()
    old, over = an_error(1), an_error(2, resolved_at=NOW)

    assert news.of([old, over], MALLS) == []
    assert news.of([old, over], MALLS) == []
    assert news.of([replace(old, resolved_at=NOW, count=3), over], MALLS) == [
        "error closed: Rakuten Ichiba THROTTLED, seen 3 times"
    ]


def test_what_opens_and_closes_between_two_looks_is_told_whole() -> None:
    news = ErrorNews()
    assert news.of([], MALLS) == []

    assert news.of([an_error(1, resolved_at=NOW)], MALLS) == [
        "error opened: Rakuten Ichiba THROTTLED (level 8)",
        "error closed: Rakuten Ichiba THROTTLED, seen once",
    ]
