"""The Valkey that a deployment names: reached or not."""

import redis

from domain.settings import Settings
from renkei.refusal import Refusal

REACH_SECONDS = 5


def check_reached(settings: Settings) -> None:
    """Raises Refusal. For the start only: whoever serves goes on without bells."""
    try:
        with redis.Redis.from_url(settings.redis_url, socket_timeout=REACH_SECONDS) as client:
            client.ping()
    except (redis.RedisError, OSError, ValueError) as error:
        raise Refusal(
            f"Valkey or Redis cannot be reached: {error}. Check that it runs, and RENKEI_REDIS_URL."
        ) from error
