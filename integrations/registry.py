"""Which connector speaks to which mall."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from domain.model.clocks import Now, own_time
from domain.model.malls import Mall, MallKind, SaveCredentials, ShopConfig, Throttle
from integrations.connections import Http
from integrations.malls.amazon.connector import Amazon
from integrations.malls.rakuten.connector import Rakuten
from integrations.malls.yahoo_shopping.connector import YahooShopping

Connector = Callable[[ShopConfig, Http, Throttle, SaveCredentials, Now], Mall]

CONNECTORS: Mapping[MallKind, Connector] = MappingProxyType(
    {
        MallKind.RAKUTEN: Rakuten,
        MallKind.YAHOO_SHOPPING: YahooShopping,
        MallKind.AMAZON: Amazon,
    }
)


def connect(
    config: ShopConfig,
    http: Http,
    throttle: Throttle,
    save: SaveCredentials,
    now: Now = own_time,
) -> Mall:
    """The shop's mall. Makes no call yet; raises KeyError for a mall that has no connector."""
    return CONNECTORS[config.kind](config, http, throttle, save, now)
