"""A Valkey that does not answer costs a second now and then, not a second a commit."""

import asyncio
from uuid import uuid4

from domain.model.bells import Bell
from integrations.bells import LOOK, QUEUE, Bells, arq_at
from renkei.engines.valkey import Valkey

ACCOUNT, SHOP = uuid4(), uuid4()


async def test_a_valkey_that_never_answers_is_left_alone_for_a_while() -> None:
    calls: list[asyncio.StreamWriter] = []

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(writer)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        bells = Bells(f"redis://127.0.0.1:{port}/0")
        for _ in range(20):
            await bells(ACCOUNT, True, [Bell(ACCOUNT, SHOP, "REFLECT")])
        await bells.close()

    assert len(calls) == 1


async def test_no_valkey_at_all_is_no_error() -> None:
    async with await asyncio.start_server(lambda _, __: None, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
    bells = Bells(f"redis://127.0.0.1:{port}/0")

    await bells(ACCOUNT, True, [Bell(ACCOUNT, SHOP, "REFLECT")])
    await bells.close()


async def test_every_bell_is_a_job_that_arq_reads(valkey: Valkey) -> None:
    other = uuid4()
    bells = Bells(valkey.url)
    arq = arq_at(valkey.url)
    try:
        async with bells.news() as news:
            await bells(
                ACCOUNT, True, [Bell(ACCOUNT, SHOP, "REFLECT"), Bell(ACCOUNT, other, "CHECK")]
            )
            told = await anext(news)
        jobs = await arq.queued_jobs(queue_name=QUEUE)
        ours = {(job.function, job.args) for job in jobs if str(ACCOUNT) in job.args}
    finally:
        await arq.connection_pool.disconnect()
        await bells.close()

    assert told == ACCOUNT
    assert ours == {
        (LOOK, (str(ACCOUNT), str(SHOP), "REFLECT")),
        (LOOK, (str(ACCOUNT), str(other), "CHECK")),
    }
