"""Commits that do not wait for the disk.

When PostgreSQL itself goes down, the last of them (some half a second's) may be gone, as if whoever made them had died just
before; whatever was committed after them in the usual way has taken them to the disk as well. So a lease, a turn and a place
in a mall's queue may be lost: what is done under them is committed in the usual way. An order, a total and a number that is
about to be sent may not, nor may anything that others were told of.
"""

HURRIES = "set_config('synchronous_commit', 'off', true)"
"""To be returned by a statement that is a transaction by itself, with the row that it writes. Else `Tx.may_be_lost`."""
