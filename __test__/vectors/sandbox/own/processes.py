# SPDX-License-Identifier: Apache-2.0
# Reaching processes of the host, and living longer than the run.

#: proc-kill-term | host:victim | End a process of the host
#= BLOCKED ESRCH
tried('kill', os.kill, ${VICTIM}, signal.SIGTERM)
verdict()

#: proc-tkill | host:victim | Stop a process of the host by its thread
#= BLOCKED ESRCH ESRCH
called('tkill', 200, ${VICTIM}, 19)
called('tgkill', 234, ${VICTIM}, ${VICTIM}, 19)
verdict()

#: proc-sigqueue | host:victim | Send a signal with a value (rt_sigqueueinfo)
#= BLOCKED ESRCH ESRCH
info = ctypes.create_string_buffer(struct.pack('iii', 19, 0, -1) + bytes(116), 128)
called('rt_sigqueueinfo', 129, ${VICTIM}, 19, info)
called('rt_tgsigqueueinfo', 297, ${VICTIM}, ${VICTIM}, 19, info)
verdict()

#: proc-pidfd-signal | host:victim | Send a signal by a pidfd
#= BLOCKED ESRCH
fd = called('pidfd_open', 434, ${VICTIM}, 0)
if fd >= 0:
    sc(424, fd, 19, None, 0)
verdict()

#: proc-signal-group | self | Send a signal to the process group of the host's process
#= BLOCKED ESRCH ESRCH
tried('getpgid', os.getpgid, ${VICTIM})
tried('killpg', os.kill, -${VICTIM}, 0)
verdict()

#: proc-pidfd-getfd | self | Take a descriptor out of another process
#= BLOCKED ESRCH EPERM
fd, error = sc(434, ${VICTIM}, 0)
NO.append(E(error))
if fd < 0:
    fd, _ = sc(434, os.getpid(), 0)
called('pidfd_getfd', 438, fd, 1, 0)
verdict()

#: proc-vm-readv | self | Read the memory of a process of the host
#= BLOCKED EPERM
address = None
try:
    with open('/proc/${VICTIM}/maps') as maps:
        address = int(maps.readline().split('-')[0], 16)
except OSError:
    pass
buffer = ctypes.create_string_buffer(16)
local = struct.pack('QQ', ctypes.addressof(buffer), 16)
remote = struct.pack('QQ', address or 4096, 16)
called('process_vm_readv', 310, ${VICTIM}, local, 1, remote, 1, 0)
verdict()

#: proc-vm-writev | self | Write to the memory of a process, even one's own
#= BLOCKED EPERM
buffer, target = ctypes.create_string_buffer(b'x' * 16), ctypes.create_string_buffer(16)
local = struct.pack('QQ', ctypes.addressof(buffer), 16)
remote = struct.pack('QQ', ctypes.addressof(target), 16)
called('process_vm_writev', 311, os.getpid(), local, 1, remote, 1, 0)
verdict()

#: proc-victim-files | self | Read what /proc tells of a process of the host
#= BLOCKED ENOENT ENOENT ENOENT ENOENT ENOENT
for name in ('mem', 'maps', 'cmdline', 'fd/7', 'cwd/canary.txt'):
    tried(name, os.open, '/proc/${VICTIM}/' + name, os.O_RDONLY)
verdict()

#: proc-traceme | self | Trace a child of one's own (a way to make any system call)
#= BLOCKED EPERM
child = os.fork()
if child == 0:
    os._exit(10 if sc(101, 0, 0, 0, 0)[0] == 0 else 0)
esc('PTRACE_TRACEME') if os.waitpid(child, 0)[1] else blk('EPERM')

#: proc-kcmp | self | Compare kernel pointers of two processes
#= BLOCKED EPERM
called('kcmp', 312, os.getpid(), os.getpid(), 0, 1, 1)
verdict()

#: proc-nice | host:victim | Take time from a process of the host (setpriority)
#= BLOCKED ESRCH
tried('setpriority', os.setpriority, os.PRIO_PROCESS, ${VICTIM}, 7)
verdict()

#: proc-nice-user | host:victim | The same for all processes of the user
#= ran
#! user: it would slow down everything that root runs
tried('setpriority', os.setpriority, os.PRIO_USER, 0, 3)
print('ran')

#: proc-affinity | host:victim | Bind a process of the host to one processor
#= BLOCKED ESRCH
tried('sched_setaffinity', os.sched_setaffinity, ${VICTIM}, {0})
verdict()

#: proc-scheduler | host:victim | Make a process of the host run only when nothing else does
#= BLOCKED ESRCH
tried('sched_setscheduler', os.sched_setscheduler, ${VICTIM}, os.SCHED_IDLE, os.sched_param(0))
verdict()

#: proc-ioprio | self | Take input and output from a process of the host
#= BLOCKED ESRCH
called('ioprio_set', 251, 1, ${VICTIM}, 0x6000)
verdict()

#: proc-prlimit | host:victim | Limit a process of the host
#= BLOCKED ESRCH
tried('prlimit', resource.prlimit, ${VICTIM}, resource.RLIMIT_NOFILE, (3, 3))
verdict()

#: proc-pages | self | Move the memory of a process of the host
#= BLOCKED EPERM EPERM
#! kernel: one built without NUMA has neither call
reached('move_pages', 279, ${VICTIM}, 0, None, None, None, 0)
reached('migrate_pages', 256, ${VICTIM}, 64, None, None)
verdict()

#: proc-madvise | self | Advise the kernel on memory of others, and reap it
#= BLOCKED EPERM EPERM
reached('process_madvise', 440, -1, None, 0, 0, 0)
reached('process_mrelease', 448, -1, 0)
verdict()

#: proc-init-files | self | Read the launcher, process 1: environment, memory, descriptors
#= BLOCKED EACCES EACCES EACCES EACCES EACCES
#! kernel: root of a container may lack CAP_SYS_PTRACE
for name in ('environ', 'mem', 'maps', 'exe'):
    tried(name, os.open, '/proc/1/' + name, os.O_RDONLY)
tried('fd', os.readlink, '/proc/1/fd/3')
verdict()

#: proc-init-exe | self | Write to the launcher's program (CVE-2019-5736)
#= BLOCKED EACCES EACCES
#! kernel: root of a container may lack CAP_SYS_PTRACE
tried('exe', os.open, '/proc/1/exe', os.O_RDWR)
tried('mem', os.open, '/proc/1/mem', os.O_RDWR)
verdict()

#: proc-init-limits | self | Limit the launcher to death
#= BLOCKED EPERM
#! root: process 1 of the host is root's
tried('prlimit', resource.prlimit, 1, resource.RLIMIT_NOFILE)
verdict()

#: proc-init-signal | self | End or stop the launcher: signals from inside do not reach it
#= BLOCKED still there
#! nocontrol: it would end the machine
for number in (signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL, signal.SIGSEGV):
    try:
        os.kill(1, number)
    except OSError:
        pass
time.sleep(0.05)
with open('/proc/1/stat') as file:
    state = file.read().rsplit(')', 1)[1].split()[0]
esc('state ' + state) if state in 'TtZX' else blk('still there')

#: proc-secrets | self | Find the caller's secrets in any environment or command line
#= BLOCKED none
for name in os.listdir('/proc'):
    for file in ('environ', 'cmdline') if name.isdigit() else ():
        try:
            with open('/proc/%s/%s' % (name, file), 'rb') as data:
                # written apart, or this program would find itself
                if b'SBX_SECRET' + b'=CANARY' in data.read():
                    esc('/proc/%s/%s' % (name, file))
        except OSError:
            pass
blk('none')

#: proc-names | self | Learn the host's name and its users' processes
#= BLOCKED ambit
name = os.uname().nodename
esc(name) if name == '${HOSTNAME}' else blk(name)

#: live-daemon | host:gone ${TOKEN} | Outlive the run as a daemon: new session, orphaned, everything closed
#= ran
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    os.closerange(0, 256)
    os.execv('/usr/bin/sleep', ['${TOKEN}', '120'])
print('ran')

#: live-stopped | host:gone ${TOKEN} | Outlive the run as a stopped process
#= ran
child = os.fork()
if child == 0:
    os.closerange(0, 256)
    os.execv('/usr/bin/sleep', ['${TOKEN}', '120'])
time.sleep(0.05)
os.kill(child, signal.SIGSTOP)
print('ran')

#: live-deaf | host:gone ${TOKEN} | Outlive the run by ignoring every signal that can be ignored
#= ran
if os.fork() == 0:
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    os.setsid()
    os.closerange(0, 256)
    os.execv('/usr/bin/sleep', ['${TOKEN}', '120'])
print('ran')

#: live-vfork | host:gone ${TOKEN} | Outlive the run as a sibling (CLONE_PARENT)
#= ran
child, _ = sc(56, 0x8000 | 17, 0, 0, 0, 0)
if child == 0:
    os.setsid()
    os.closerange(0, 256)
    os.execv('/usr/bin/sleep', ['${TOKEN}', '120'])
print('ran')
