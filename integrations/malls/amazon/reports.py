"""Asking Amazon for a report and fetching it (Reports API 2021-06-30; the mall's fact sheet, §5).

A report is made in its own time: asked for, looked after until it is done, then fetched from an address that lives
five minutes. Amazon answers CANCELLED where there is nothing to report.
"""

import asyncio
from datetime import timedelta
from urllib.parse import quote

from domain.model.errors import MallUnavailable
from integrations.http import MallClient

from .answers import Unreadable, document_in, word
from .calls import SellingPartnerApi
from .documents import fetched
from .limits import CREATE_REPORT, GET_REPORT, GET_REPORT_DOCUMENT

REPORTS_PATH = "/reports/2021-06-30/reports"
DOCUMENTS_PATH = "/reports/2021-06-30/documents"
FIRST_LOOK = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=1)
MAX_LOOKS = 90


class Reports:
    """`speed`: how many times faster than Amazon a sandbox makes its reports."""

    def __init__(
        self, api: SellingPartnerApi, client: MallClient, marketplace_id: str, speed: float
    ) -> None:
        self._api = api
        self._client = client
        self._marketplace_id = marketplace_id
        self._speed = speed

    async def fetch(self, report_type: str) -> bytes:
        """The report, unpacked; empty where Amazon has nothing to report.

        Raises MallUnavailable when Amazon gives it up or has not finished it after about 90 minutes.
        """
        report_id = await self._asked_for(report_type)
        document_id = await self._made(report_id)
        if document_id is None:
            return b""
        return await fetched(
            self._api, self._client, DOCUMENTS_PATH, document_id, GET_REPORT_DOCUMENT
        )

    async def _asked_for(self, report_type: str) -> str:
        wanted = {"reportType": report_type, "marketplaceIds": [self._marketplace_id]}
        answer = await self._api.call("POST", REPORTS_PATH, CREATE_REPORT, json=wanted)
        with document_in(answer.response) as document:
            return word(document, "reportId")

    async def _made(self, report_id: str) -> str | None:
        """The id of the finished document; None when there is nothing to report."""
        pause = FIRST_LOOK
        for _ in range(MAX_LOOKS):
            await asyncio.sleep(pause.total_seconds() / self._speed)
            ended, document_id = await self._looked_at(report_id)
            if ended:
                return document_id
            pause = min(pause * 2, LONGEST_PAUSE)
        raise MallUnavailable("Amazon has not finished the report yet: ask again later.")

    async def _looked_at(self, report_id: str) -> tuple[bool, str | None]:
        path = f"{REPORTS_PATH}/{quote(report_id, safe='')}"
        answer = await self._api.call("GET", path, GET_REPORT)
        with document_in(answer.response) as report:
            match word(report, "processingStatus"):
                case "IN_QUEUE" | "IN_PROGRESS":
                    return False, None
                case "DONE":
                    return True, word(report, "reportDocumentId")
                case "CANCELLED":
                    return True, None
                case "FATAL":
                    raise MallUnavailable("Amazon could not make the report.", mall_code="FATAL")
                case _:
                    raise Unreadable("processingStatus is not known")
