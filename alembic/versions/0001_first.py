"""The first version of the database: its tables, and the rules they live under."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for part in ("0001_tables.sql", "0001_rules.sql"):
        script = Path(__file__).with_name(part).read_text(encoding="utf-8")
        op.get_bind().connection.dbapi_connection.run_async(
            lambda c, script=script: c.execute(script)
        )
