"""Shops: one seller account on one mall."""

from domain.store.reads.models import Model, flag, numbers, texts

SHOP = Model(
    "Shop",
    "shops {t}",
    {
        **texts("name"),
        "in_use": flag("{t}.in_use"),
        **numbers("version"),
    },
)
