"""一括送信: numbers on their way to a mall in one document."""

from domain.store.reads.models import Model, moments, numbers

STOCK_FEED = Model(
    "StockFeed",
    "feeds {t}",
    {**numbers("items", "looks"), **moments("sent_at")},
)
