"""Whose rows there may be: every row leads to its account by keys that are always there, and by one of them only."""

import pytest
from sqlalchemy import ForeignKeyConstraint, Table

from domain.store.tables import metadata

WRITTEN_BESIDE = {
    "events", "stock_movements", "operation_logs", "sales_logs", "mall_update_logs", "pushes",
}  # fmt: skip
"""Written of rows that are there, in the transaction that holds them."""

OF_AN_ACCOUNT = [table for table in metadata.tables.values() if "account_id" in table.columns]


def led_to(table: Table) -> set[str]:
    """Tables in which each row has one that it belongs to."""
    keys = [each for each in table.constraints if isinstance(each, ForeignKeyConstraint)]
    return {
        key.referred_table.name
        for key in keys
        if not any(column.nullable for column in key.columns)
    }


@pytest.mark.parametrize("table", OF_AN_ACCOUNT, ids=lambda table: table.name)
def test_every_row_leads_to_its_account(table: Table) -> None:
    there = {table.name}
    while above := {up for name in there for up in led_to(metadata.tables[name])} - there:
        there |= above
    assert ("accounts" in there) != (table.name in WRITTEN_BESIDE)


@pytest.mark.parametrize("table", OF_AN_ACCOUNT, ids=lambda table: table.name)
def test_an_account_is_not_looked_up_where_another_key_leads_to_it(table: Table) -> None:
    assert "accounts" not in led_to(table) or led_to(table) == {"accounts"}
