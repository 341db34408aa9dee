"""Where a shop's addresses may lead."""

import pytest

from domain.model.errors import DomainError
from domain.model.mall_hosts import ANYWHERE, OWN_HOSTS, MallHosts
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import MallKind

RAKUTEN, YAHOO = MALL_SPECS[MallKind.RAKUTEN], MALL_SPECS[MallKind.YAHOO_SHOPPING]
SOME = MallHosts(frozenset({"malls.example.com", "10.0.0.5:8080", "[::1]:9000"}))


@pytest.mark.parametrize(
    ("hosts", "address"),
    [
        (OWN_HOSTS, "https://api.rms.rakuten.co.jp"),
        (OWN_HOSTS, "https://API.rms.rakuten.co.jp./test"),
        (OWN_HOSTS, ""),
        (SOME, "https://malls.example.com/rakuten"),
        (SOME, "http://malls.example.com:9000"),
        (SOME, "http://10.0.0.5:8080/rakuten"),
        (SOME, "http://[::1]:9000"),
        (ANYWHERE, "http://169.254.169.254/latest"),
    ],
)
def test_an_address_that_is_allowed(hosts: MallHosts, address: str):
    hosts.check(RAKUTEN, {"base_url": address, "speed": "60"})


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:5432",
        "http://localhost",
        "http://10.0.0.5",
        "http://10.0.0.5:8081",
        "http://[::1]",
        "http://api.rms.rakuten.co.jp",
        "https://api.rms.rakuten.co.jp:8443",
        "https://api.rms.rakuten.co.jp@evil.example.com",
        "https://api.rms.rakuten.co.jp.evil.example.com",
        "https://evil.example.com#malls.example.com",
        "https://user@malls.example.com",
        "https://malls.example.com:port",
        "https://auth.login.yahoo.co.jp",
    ],
)
def test_any_other_address_is_denied(address: str):
    with pytest.raises(DomainError) as denied:
        SOME.check(RAKUTEN, {"base_url": address})
    assert (denied.value.code, denied.value.field) == ("INVALID_VALUE", ("settings", "base_url"))


def test_each_address_has_its_own_host():
    OWN_HOSTS.check(YAHOO, {"auth_url": "https://auth.login.yahoo.co.jp"})
    with pytest.raises(DomainError):
        OWN_HOSTS.check(YAHOO, {"base_url": "https://auth.login.yahoo.co.jp"})
