"""Start one program so that it cannot outlive its parent, then become it. Run as a script: it imports no package.

Usage: `python -I -S launch.py PARENT_PID SIGNAL UID GID PROGRAM ARGUMENT…`. The kernel sends SIGNAL to the program when
its parent's thread ends. A separate small program does this because code between fork and exec in a process with threads is unsafe.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, death, uid, gid = (int(argument) for argument in sys.argv[1:5])
    if uid != os.geteuid():
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        os.environ["HOME"] = "/"
    if sys.platform == "linux":
        # After the change of user, which clears it.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death, 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
    os.execv(sys.argv[5], sys.argv[5:])


if __name__ == "__main__":
    main()
