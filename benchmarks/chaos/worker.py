"""A worker on a host whose clock is off: `python -m benchmarks.chaos.worker SECONDS`."""

import os
import sys
import time

import uvloop

from domain.settings import Settings, log_level
from renkei.logs import configure_logs
from workers.main import run


def main(off_by: float) -> None:
    configure_logs(log_level(os.environ), "worker")
    uvloop.run(run(Settings.from_env(os.environ), lambda: time.time() + off_by))


if __name__ == "__main__":
    main(float(sys.argv[1]))
