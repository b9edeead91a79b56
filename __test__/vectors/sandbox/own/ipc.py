# SPDX-License-Identifier: Apache-2.0
# Objects of the kernel that have no path.

#: ipc-shm | self | Attach shared memory of the host by its id
#= BLOCKED EINVAL
libc.shmat.restype = ctypes.c_void_p
ctypes.set_errno(0)
at = libc.shmat(${SHM}, None, 0o10000)
if at in (None, ctypes.c_void_p(-1).value):
    blk(E(ctypes.get_errno()))
esc('attached') if b'CANARY' in ctypes.string_at(at, 64) else blk('no canary')

#: ipc-shm-key | self | Find shared memory of the host by its key
#= BLOCKED ENOENT
called('shmget', 29, ${KEY}, 0, 0)
verdict()

#: ipc-semaphore | self | Change a semaphore of the host
#= BLOCKED EINVAL
called('semctl', 66, ${SEM}, 0, 16, 3)
verdict()

#: ipc-message | self | Take a message out of a queue of the host
#= BLOCKED EINVAL
called('msgrcv', 70, ${MSG}, ctypes.create_string_buffer(128), 100, 0, 0o4000)
verdict()

#: ipc-mqueue | self | Open a POSIX queue of the host
#= BLOCKED ENOENT
called('mq_open', 240, b'${QUEUE}', os.O_RDWR | os.O_NONBLOCK, 0, None)
verdict()

#: ipc-list | self | List the shared objects of the host
#= BLOCKED not listed
found = []
for name in ('shm', 'sem', 'msg'):
    try:
        with open('/proc/sysvipc/' + name) as table:
            found += [name] if len(table.readlines()) > 1 else []
    except OSError:
        pass
esc(' '.join(found)) if found else blk('not listed')
