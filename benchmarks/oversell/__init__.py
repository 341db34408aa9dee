"""Units that malls sell beyond what is held: Renkei beside what its peers do, on the same orders in the same virtual time.

    .venv/bin/python -m benchmarks.oversell                          about five minutes on two idle cores
    .venv/bin/python -m benchmarks.oversell --products all           every product of the fortnight: a quarter of an hour
    .venv/bin/python -m benchmarks.oversell --poll 10 --seed 2

Brings its own PostgreSQL. docs/oversell.md says what is compared, how, and what came of it.
"""
