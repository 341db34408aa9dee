"""The jobs, and the loops that run by the clock."""
