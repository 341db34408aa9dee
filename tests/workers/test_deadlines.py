"""Whoever asks a mall waits so long, and no longer."""

import asyncio

import pytest

from domain.model.errors import MallOutcomeUnknown, MallRefused
from workers.deadlines import answered_within


async def test_what_comes_too_late_has_an_unknown_outcome() -> None:
    with pytest.raises(MallOutcomeUnknown, match=r"^No page of orders within 0\.001 s\.$"):
        async with answered_within(0.001, "No page of orders"):
            await asyncio.Event().wait()


async def test_what_a_mall_says_in_time_is_left_as_it_is() -> None:
    with pytest.raises(MallRefused):
        async with answered_within(60):
            raise MallRefused("No.")
