"""Sealed secrets."""

import os
from uuid import uuid4

import pytest

from domain.services.credentials import CannotOpen, Vault

KEY, OTHER_KEY = os.urandom(32), os.urandom(32)
ACCOUNT, SHOP = uuid4(), uuid4()


def test_a_secret_opens_where_it_belongs():
    vault = Vault(KEY)

    sealed = vault.seal("鍵 secret", ACCOUNT, SHOP, "license_key")

    assert vault.open(sealed, ACCOUNT, SHOP, "license_key") == "鍵 secret"
    assert b"secret" not in sealed


def test_a_secret_is_sealed_differently_each_time():
    vault = Vault(KEY)

    assert vault.seal("secret", ACCOUNT) != vault.seal("secret", ACCOUNT)


@pytest.mark.parametrize(
    ("case", "belongs_to"),
    [
        ("another account", (uuid4(), SHOP, "license_key")),
        ("another shop", (ACCOUNT, uuid4(), "license_key")),
        ("another field", (ACCOUNT, SHOP, "service_secret")),
        ("nothing said", ()),
    ],
)
def test_a_secret_that_was_moved_does_not_open(case, belongs_to):
    sealed = Vault(KEY).seal("secret", ACCOUNT, SHOP, "license_key")

    with pytest.raises(CannotOpen):
        Vault(KEY).open(sealed, *belongs_to)


@pytest.mark.parametrize("place", [0, 3, 12, 30, 60, 75, -1])
def test_a_secret_that_was_altered_does_not_open(place):
    altered = bytearray(Vault(KEY).seal("secret", ACCOUNT))
    altered[place] ^= 1

    with pytest.raises(CannotOpen):
        Vault(KEY).open(bytes(altered), ACCOUNT)


def test_a_secret_that_was_cut_short_does_not_open():
    sealed = Vault(KEY).seal("secret", ACCOUNT)

    for length in range(len(sealed)):
        with pytest.raises(CannotOpen):
            Vault(KEY).open(sealed[:length], ACCOUNT)


def test_a_key_is_changed_without_losing_what_the_older_one_sealed():
    sealed = Vault(OTHER_KEY).seal("secret", ACCOUNT)

    assert Vault(KEY, OTHER_KEY).open(sealed, ACCOUNT) == "secret"
    with pytest.raises(CannotOpen, match="RENKEI_SECRET_KEY"):
        Vault(KEY).open(sealed, ACCOUNT)


def test_a_vault_does_not_show_its_keys():
    assert repr(Vault(KEY, OTHER_KEY)) == "Vault()"
