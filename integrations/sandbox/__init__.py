"""The malls, simulated from their fact sheets."""
