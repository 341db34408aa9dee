"""Commits that do not wait for the disk.

When PostgreSQL itself goes down, the last of them (some half a second's) may be gone, as if whoever made them had died just
before; whatever was committed after them in the usual way has taken them to the disk as well. So a turn, a place in a mall's
queue and a pusher's lease may be lost: a claim asks for the lease's holder, and takes it to the disk. An importer's lease may
not, since its pages ask for the epoch alone, which would be given twice; nor may an order, a total or a number that is about
to be sent, nor anything that others were told of.
"""

HURRIES = "set_config('synchronous_commit', 'off', true)"
"""To be returned by a statement that is a transaction by itself, with the row that it writes. Else `Tx.may_be_lost`."""
