"""What the demo leaves beside its engines, for whoever serves them next."""

import json
from pathlib import Path

from renkei.demo.note import FILE, speed_of_malls


def test_the_malls_of_a_demo_keep_their_speed(tmp_path: Path) -> None:
    assert speed_of_malls(tmp_path) == 1.0

    (tmp_path / FILE).write_text(json.dumps({"token": "rk_x", "orders": 300, "speed": 60.0}))

    assert speed_of_malls(tmp_path) == 60.0
