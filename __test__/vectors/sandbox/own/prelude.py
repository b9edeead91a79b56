# SPDX-License-Identifier: Apache-2.0
# What every probe has at hand. A probe ends by saying BLOCKED, ESCAPED or NA, with 0, 10 or 77.
import ctypes
import errno
import fcntl
import os
import resource
import select
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)
GOT, NO = [], []


def sc(number, *arguments):
    """Makes a system call: its result, and errno."""
    ctypes.set_errno(0)
    given = [ctypes.c_long(x) if isinstance(x, int) else x for x in arguments]
    return libc.syscall(ctypes.c_long(number), *given), ctypes.get_errno()


def E(number):
    return errno.errorcode.get(number, str(number))


def end(word, text, code):
    print(word, text, flush=True)
    os._exit(code)


def esc(text):
    end('ESCAPED', text, 10)


def blk(text):
    end('BLOCKED', text, 0)


def na(text):
    end('NA', text, 77)


def tried(name, f, *arguments, **named):
    """Does something that raises OSError when it is refused."""
    try:
        out = f(*arguments, **named)
    except OSError as error:
        NO.append(E(error.errno))
        return None
    GOT.append(name)
    return out


def called(name, number, *arguments):
    """Makes a system call that must fail."""
    result, error = sc(number, *arguments)
    if result >= 0:
        GOT.append(name)
    else:
        NO.append(E(error))
    return result


def reached(name, number, *arguments):
    """Makes a system call with arguments that no kernel can take: only one that refuses to look at
    them says EPERM or ENOSYS."""
    result, error = sc(number, *arguments)
    if result >= 0 or error not in (errno.EPERM, errno.ENOSYS):
        GOT.append('%s (%s)' % (name, E(error)))
    else:
        NO.append(E(error))


def holds_canary(path):
    """Looks for the canary in a file."""
    try:
        with open(path, 'rb') as file:
            data = file.read(65536)
    except OSError as error:
        NO.append(E(error.errno))
        return
    if b'CANARY' in data:
        GOT.append(path)
    else:
        NO.append('no canary')


def verdict():
    if GOT:
        esc(', '.join(GOT))
    blk(' '.join(NO) or 'nothing')
