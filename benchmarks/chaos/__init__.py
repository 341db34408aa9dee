"""Whatever fails, in whatever order: every mall ends up showing the right number, no order counts twice or is lost.

`python -m benchmarks.chaos` starts PostgreSQL, Valkey, the sandbox malls, two API processes and some workers, sends the
example shop's shoppers to five shops and a merchant to the API, and lets things fail by a seeded `schedule`: `faults` says
what each kind does. When all is over it waits until nothing moves and asks the malls themselves (`checks`).
"""
