"""The operation log takes any number of lines."""

from uuid import UUID, uuid4

from domain.store import logs
from domain.store.database import Database
from domain.store.logs import ROWS_AT_ONCE
from tests.domain.services.rows import OWNER, row


async def test_every_target_has_its_line_however_many_there_are(db: Database, account: UUID):
    job_id = uuid4()
    targets = [(uuid4(), {"nth": nth}) for nth in range(ROWS_AT_ONCE + 1)]
    async with db.transaction(account) as tx:
        await logs.operation(tx, OWNER.as_json(), "REFLECT", "PRODUCT", targets, job_id=job_id)
        found = await row(
            tx,
            "SELECT count(DISTINCT target_id) AS many, max((facts ->> 'nth')::int) AS last FROM operation_logs"
            " WHERE account_id = :account AND job_id = :job",
            job=job_id,
        )

    assert found == {"many": ROWS_AT_ONCE + 1, "last": ROWS_AT_ONCE}
