"""Becomes an ordinary user who may still read this checkout, wherever it lies; then the arguments.

CAP_DAC_OVERRIDE (1) is kept through the change of user and every exec after it.
"""

import ctypes
import os
import sys

NOBODY = 65534
PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 8, 47, 2
CAP_DAC_OVERRIDE = 1

libc = ctypes.CDLL(None)
libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
os.setgroups([])
os.setgid(NOBODY)
os.setuid(NOBODY)
header = (ctypes.c_uint32 * 2)(0x20080522, 0)
effective_permitted_inheritable = (ctypes.c_uint32 * 6)(*[1 << CAP_DAC_OVERRIDE] * 3, 0, 0, 0)
assert libc.capset(header, effective_permitted_inheritable) == 0
assert libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
