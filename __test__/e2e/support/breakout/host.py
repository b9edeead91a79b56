# SPDX-License-Identifier: Apache-2.0
# What a host has besides files and processes: abstract sockets, queues, shared memory. Says what it
# made, then all that it receives. Arguments: a name of its own, then `fifo:PATH` and `dgram:PATH`.
# A line on standard input is said again once all that came before it is said.
import ctypes
import json
import os
import select
import signal
import socket
import sys

IPC_CREAT, IPC_RMID = 0o1000, 0
SEMCTL, SHMCTL, MSGCTL, MQ_OPEN, MQ_UNLINK = 66, 31, 71, 240, 241
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p


def must(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def bound(kind, address):
    one = socket.socket(socket.AF_UNIX, kind)
    one.bind(address)
    if isinstance(address, str) and not address.startswith('\0'):
        os.chmod(address, 0o777)
    if kind == socket.SOCK_STREAM:
        one.listen(64)
    return one


def main():
    name, *places = sys.argv[1:]
    queue = name  # the system call takes it without a slash
    key = 0x5B000000 | (os.getpid() & 0xFFFFFF)
    shm = must(libc.shmget(key, 4096, IPC_CREAT | 0o600))
    sem = must(libc.semget(key, 1, IPC_CREAT | 0o600))
    msg = must(libc.msgget(key, IPC_CREAT | 0o600))
    mq = must(libc.syscall(MQ_OPEN, queue.encode(), os.O_CREAT | os.O_RDWR, 0o600, None))
    at = libc.shmat(shm, None, 0)
    ctypes.memmove(at, b'CANARY', 6)
    must(libc.msgsnd(msg, ctypes.create_string_buffer(b'\1\0\0\0\0\0\0\0CANARY'), 6, 0))

    def end(*_):
        libc.syscall(SHMCTL, shm, IPC_RMID, None)
        libc.syscall(SEMCTL, sem, 0, IPC_RMID, 0)
        libc.syscall(MSGCTL, msg, IPC_RMID, None)
        libc.syscall(MQ_UNLINK, queue.encode())
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    stream = bound(socket.SOCK_STREAM, '\0' + name)
    inputs = [bound(socket.SOCK_DGRAM, '\0' + name + '-d')]
    for place in places:
        kind, path = place.split(':', 1)
        if kind == 'fifo':
            # open for writing too: it never ends
            inputs.append(os.open(path, os.O_RDWR | os.O_NONBLOCK))
        else:
            inputs.append(bound(socket.SOCK_DGRAM, path))
    print(json.dumps({'SHM': shm, 'SEM': sem, 'MSG': msg, 'KEY': key, 'QUEUE': queue}), flush=True)
    while True:
        ready = select.select([stream, 0, *inputs], [], [])[0]
        others = [one for one in ready if one not in (stream, 0)]
        for one in others:
            data = one.recv(65536) if isinstance(one, socket.socket) else os.read(one, 65536)
            if data:
                print(data.decode('latin1'), flush=True)
            elif one.type == socket.SOCK_STREAM:
                inputs.remove(one)
        if stream in ready:
            inputs.append(stream.accept()[0])
        elif 0 in ready and not others:
            line = os.read(0, 4096)
            if not line:
                end()
            print(line.decode().strip(), flush=True)


main()
