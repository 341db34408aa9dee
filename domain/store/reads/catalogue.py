"""Every read model, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from domain.store.reads.account import ACCOUNT
from domain.store.reads.listings import LISTING
from domain.store.reads.models import Model
from domain.store.reads.products import PRODUCT
from domain.store.reads.query import QUERY
from domain.store.reads.shops import SHOP

MODELS: Mapping[str, Model] = MappingProxyType(
    {model.name: model for model in (QUERY, ACCOUNT, SHOP, PRODUCT, LISTING)}
)
