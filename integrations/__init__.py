"""Everything we know of other people's systems."""
