"""Where the addresses in a shop's settings may lead: to its mall, and to what whoever runs this has allowed beside it.

A merchant enters them, and workers call them from inside the deployment's own network: any other host is denied.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from domain.model.errors import DomainError
from domain.model.mall_specs import FormField, FormFieldKind, MallSpec


@dataclass(frozen=True, slots=True)
class MallHosts:
    """`beside`: hosts, or hosts with a port, that are no mall's own. `anywhere`: for those who run this themselves."""

    beside: frozenset[str] = frozenset()
    anywhere: bool = False

    def check(self, spec: MallSpec, settings: Mapping[str, str | None]) -> None:
        """Raises DomainError INVALID_VALUE with the field's path."""
        if self.anywhere:
            return
        for field in spec.setting_fields:
            entered = (settings.get(field.key) or "").strip()
            if field.kind is FormFieldKind.URL and entered and not self._allows(field, entered):
                raise _denied(field, entered)

    def _allows(self, field: FormField, entered: str) -> bool:
        try:
            parts, own = urlsplit(entered), urlsplit(field.default)
            place = _place(parts)
        except ValueError:
            return False
        if "@" in parts.netloc:
            return False
        same = (parts.scheme, place) == (own.scheme, _place(own))
        return same or bool({place, _host(parts)} & self.beside)


PLACE = re.compile(r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.ASCII)
OWN_HOSTS = MallHosts()
ANYWHERE = MallHosts(anywhere=True)


def hosts_in(places: str) -> frozenset[str]:
    """From a list parted by commas: `malls.example.com, 10.0.0.5:8080`. Raises ValueError for one that is no host."""
    named = [place.strip().lower() for place in places.split(",") if place.strip()]
    for place in named:
        if not PLACE.fullmatch(place):
            raise ValueError(place)
    return frozenset(named)


def place_of(address: str) -> str:
    """The host of an address, with its port where it names one."""
    return _place(urlsplit(address))


def _place(parts: SplitResult) -> str:
    """Raises ValueError for a port that is none."""
    return _host(parts) if parts.port is None else f"{_host(parts)}:{parts.port}"


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    return f"[{host}]" if ":" in host else host


def _denied(field: FormField, entered: str) -> DomainError:
    host = urlsplit(entered).netloc.rpartition("@")[2][:100]
    return DomainError(
        f"{host} is not the mall's own address. Leave it empty, or ask whoever runs Renkei to allow the host "
        "(RENKEI_MALL_HOSTS).",
        field=("settings", field.key),
        host=host,
    )
