"""What we do about it: read, decide, write, inside a transaction that the edge opened."""
