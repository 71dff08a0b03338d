"""Runs a program with io_uring forbidden, as containers forbid it: a seccomp filter lets
io_uring_setup fail with EPERM. Called as `no_uring.py PROGRAM ARGUMENTS…`."""
import ctypes
import errno
import os
import platform
import sys

_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _FILTER = 22, 38, 2
_IO_URING_SETUP = 425  # the same number on every architecture
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ERRNO, _ALLOW = 0x00050000, 0x7FFF0000


class _Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte),
                ("k", ctypes.c_uint)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction))]


def prefix():
    """What stands before a command to run it so; None where it cannot be done."""
    if platform.system() != "Linux" or "seccomp" not in open("/proc/self/status",
                                                             encoding="ascii").read().lower():
        return None
    return [sys.executable, os.path.abspath(__file__)]


def _forbid():
    instructions = (_Instruction * 4)(
        _Instruction(_LOAD, 0, 0, 0),  # the system call's number
        _Instruction(_JUMP_IF_EQUAL, 0, 1, _IO_URING_SETUP),
        _Instruction(_RETURN, 0, 0, _ERRNO | errno.EPERM),
        _Instruction(_RETURN, 0, 0, _ALLOW))
    program = _Program(len(instructions), instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    for call in ((_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
                 (_PR_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0)):
        if libc.prctl(*call) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    _forbid()
    os.execv(sys.argv[1], sys.argv[1:])
