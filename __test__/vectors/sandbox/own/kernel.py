# SPDX-License-Identifier: Apache-2.0
# Parts of the kernel that no command needs, and ways around a filter.

#: ns-clone | self | clone(CLONE_NEWUSER)
#= BLOCKED EPERM
child, error = sc(56, 0x10000000 | 17, 0, 0, 0, 0)
if child == 0:
    os._exit(0)
esc('new user namespace') if child > 0 else blk(E(error))

#: ns-each | self | Make each of the other namespaces
#= BLOCKED EPERM EPERM EPERM EPERM EPERM EPERM EPERM
#! root: wants CAP_SYS_ADMIN
for name, flag in (('mnt', 0x20000), ('cgroup', 0x2000000), ('uts', 0x4000000), ('ipc', 0x8000000),
                   ('pid', 0x20000000), ('net', 0x40000000), ('time', 0x80)):
    called(name, 272, flag)
verdict()

#: ns-setns | self | Join the namespaces of a process of the host
#= BLOCKED ENOENT ESRCH EPERM
#! root: wants CAP_SYS_ADMIN
net = tried('ns/net', os.open, '/proc/${VICTIM}/ns/net', os.O_RDONLY)
fd, error = sc(434, ${VICTIM}, 0)
NO.append(E(error))
called('setns', 308, fd if fd >= 0 else os.open('/proc/self/ns/net', os.O_RDONLY), 0x40000000)
verdict()

#: ns-vfork-flags | self | Hide namespace flags in the upper half of a register
#= BLOCKED EPERM
child, error = sc(56, 0x100000000 | 0x10000000 | 17, 0, 0, 0, 0)
if child == 0:
    os._exit(0)
esc('new user namespace') if child > 0 else blk(E(error))

#: mnt-open-tree | self | Take a copy of a mount (open_tree)
#= BLOCKED EPERM
#! root: wants CAP_SYS_ADMIN
called('open_tree', 428, -100, b'/usr', 1)
verdict()

#: mnt-api | self | The new mount calls (CVE-2022-0185 was in fsconfig)
#= BLOCKED EPERM EPERM EPERM EPERM EPERM EPERM
#! root: wants CAP_SYS_ADMIN
reached('fsopen', 430, b'tmpfs', 0)
reached('fsconfig', 431, -1, 0, None, None, 0)
reached('fsmount', 432, -1, 0, 0)
reached('fspick', 433, -100, b'/', 0)
reached('move_mount', 429, -1, b'', -1, b'', 0)
reached('mount_setattr', 442, -1, b'', 0, ctypes.create_string_buffer(32), 32)
verdict()

#: mnt-overlay | self | Mount an overlay (CVE-2023-0386, CVE-2023-2640)
#= BLOCKED EPERM
#! root: wants CAP_SYS_ADMIN
reached('mount', 165, b'o', b'${WORK}/none', b'overlay', 0, b'lowerdir=/usr:/etc')
verdict()

#: mnt-umount | self | Take a mount away, and change the root
#= BLOCKED EPERM EPERM
#! root: wants CAP_SYS_ADMIN
reached('umount2', 166, b'${WORK}/none', 2)
reached('pivot_root', 155, b'${WORK}/none', b'${WORK}/none')
verdict()

#: sys-module | self | Load and unload modules
#= BLOCKED EPERM EPERM EPERM
#! kernel: it may be built without modules
reached('init_module', 175, None, 0, b'')
reached('finit_module', 313, -1, b'', 0)
reached('delete_module', 176, b'${TOKEN}', 0)
verdict()

#: sys-kexec | self | Start another kernel
#= BLOCKED EPERM EPERM
#! kernel: it may be built without
reached('kexec_load', 246, 0, 1 << 20, None, 0)
reached('kexec_file_load', 320, -1, -1, 0, None, 1 << 30)
verdict()

#: sys-reboot | self | Restart the machine
#= BLOCKED EPERM
#! root: wants CAP_SYS_BOOT
reached('reboot', 169, 1, 2, 3, None)
verdict()

#: sys-swap | self | Swap on and off
#= BLOCKED EPERM EPERM
#! root: wants CAP_SYS_ADMIN
reached('swapon', 167, b'${WORK}/none', 0)
reached('swapoff', 168, b'${WORK}/none')
verdict()

#: sys-clock | self | Set the clock, and read how it is steered
#= BLOCKED EPERM EPERM EPERM EPERM
called('settimeofday', 164, None, None)
reached('clock_settime', 227, 0, None)
called('adjtimex', 159, ctypes.create_string_buffer(256))
called('clock_adjtime', 305, 0, ctypes.create_string_buffer(256))
verdict()

#: sys-acct | self | Write down every process (acct), and quotas
#= BLOCKED EPERM EPERM EPERM
#! root: wants CAP_SYS_PACCT
reached('acct', 163, b'${WORK}/none')
reached('quotactl', 179, 0x80000100, b'${WORK}/none', 0, None)
reached('quotactl_fd', 443, -1, 0x80000100, 0, None)
verdict()

#: sys-hostname | self | Name the host as it is named
#= BLOCKED EPERM
#! root: wants CAP_SYS_ADMIN
name = os.uname().nodename.encode()
called('sethostname', 170, name, len(name))
verdict()

#: sys-ports | self | Reach ports of the machine (ioperm, iopl)
#= BLOCKED EPERM EPERM
#! kernel: it may be built without
called('ioperm', 173, 0x80, 1, 1)
called('iopl', 172, 3)
verdict()

#: sys-ldt | self | Look at segments of one's own (modify_ldt)
#= BLOCKED EPERM
#! kernel: it may be built without
called('modify_ldt', 154, 0, ctypes.create_string_buffer(64), 64)
verdict()

#: sys-dmesg | self | Read the kernel's messages
#= BLOCKED EPERM EPERM
#! root: kernel.dmesg_restrict
called('read', 103, 3, ctypes.create_string_buffer(4096), 4096)
called('size', 103, 10, None, 0)
verdict()

#: sys-keys | self | Ask for keys of the session
#= BLOCKED EPERM EPERM EPERM
called('KEYCTL_GET_KEYRING_ID', 250, 0, -4, 1)
called('KEYCTL_JOIN_SESSION_KEYRING', 250, 1, None)
reached('request_key', 249, b'user', b'${TOKEN}', None, -3)
verdict()

#: sys-old | self | Calls that only old programs knew (sysfs, ustat, uselib)
#= BLOCKED EPERM EPERM EPERM
called('sysfs', 139, 3)
reached('ustat', 136, os.stat('/').st_dev, ctypes.create_string_buffer(64))
reached('_sysctl', 156, None)
verdict()

#: sys-personality | self | Turn off the randomising of addresses
#= BLOCKED EPERM
called('personality', 135, 0x0040000)
verdict()

#: sys-newest | self | The newest calls: open_tree_attr and file_setattr
#= BLOCKED EPERM EPERM
#! kernel: since 6.15 and 6.17
for number in (467, 469):
    reached(str(number), number, -100, b'${WORK}', ctypes.create_string_buffer(64), 64, 0)
verdict()

#: sys-cachestat | self | Learn what of a file is in memory, and so what others read (cachestat)
#= BLOCKED EPERM
#! kernel: since 6.5
file = os.open('${RO}/file.txt', os.O_RDONLY)
called('cachestat', 451, file, struct.pack('QQ', 0, 4096), ctypes.create_string_buffer(64), 0)
verdict()

#: sys-lsm-attr | self | Choose the next profile of another security module
#= BLOCKED EPERM
#! kernel: since 6.8
reached('lsm_set_self_attr', 460, 100, ctypes.create_string_buffer(64), 64, 0)
verdict()

#: sys-x32 | self | Calls by their numbers of x32
#= BLOCKED ENOSYS ENOSYS
#! kernel: most are built without
called('getpid', 0x40000000 + 39)
called('execveat', 0x40000000 + 545, -1, b'', None, None, 0)
verdict()

#: sys-secret-memory | self | Memory that the kernel itself cannot see (memfd_secret)
#= BLOCKED EPERM
#! kernel: secretmem.enable
called('memfd_secret', 447, 0)
verdict()

#: sys-exec-descriptor | self | Execute a file by its descriptor alone
#= BLOCKED EPERM
file = os.open('/usr/bin/true', os.O_PATH)
child = os.fork()
if child == 0:
    argv = (ctypes.c_char_p * 2)(b'true', None)
    os._exit(sc(322, file, b'', argv, argv, 0x1000)[1])
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
esc('executed') if code == 0 else blk(E(code))

#: sys-seccomp-over | self | Put a filter that allows all over the one that does not
#= BLOCKED filter over it EPERM
instruction = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0x7FFF0000))
program = ctypes.create_string_buffer(struct.pack('HxxxxxxQ', 1, ctypes.addressof(instruction)))
libc.prctl(38, 1, 0, 0, 0)
result, error = sc(317, 1, 0, program)
word = 'filter over it' if result == 0 else 'no filter ' + E(error)
result, error = sc(272, 0x10000000)
esc(word) if result == 0 else blk(word + ' ' + E(error))

#: sys-seccomp-notify | self | Let a listener of one's own wave a call through
#= BLOCKED continued EPERM
instructions = ctypes.create_string_buffer(
    struct.pack('HBBI', 0x20, 0, 0, 0) + struct.pack('HBBI', 0x15, 0, 1, 272)
    + struct.pack('HBBI', 6, 0, 0, 0x7FC00000) + struct.pack('HBBI', 6, 0, 0, 0x7FFF0000))
program = ctypes.create_string_buffer(struct.pack('HxxxxxxQ', 4, ctypes.addressof(instructions)))
left, right = socket.socketpair()
child = os.fork()
if child == 0:
    libc.prctl(38, 1, 0, 0, 0)
    listener, error = sc(317, 1, 8, program)
    if listener < 0:
        os._exit(200)
    socket.send_fds(left, [b'x'], [listener])
    result, error = sc(272, 0x10000000)
    os._exit(199 if result == 0 else error)
_, received, _, _ = socket.recv_fds(right, 1, 1)
if received and select.select([received[0]], [], [], 1)[0]:
    request = bytearray(80)
    try:
        fcntl.ioctl(received[0], 0xC0502100, request)
        fcntl.ioctl(received[0], 0xC0182101, request[:8] + struct.pack('qiI', 0, 0, 1))
    except OSError:
        pass
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
esc('continued') if code == 199 else blk('continued ' + E(code))

#: sys-tioclinux | self | Paste into the console (TIOCLINUX), and TIOCSTI with a full register
#= BLOCKED EPERM EPERM EPERM
reached('TIOCLINUX', 16, 1, 0x541C, 0)
reached('TIOCSTI', 16, 1, 0x5412, 0)
reached('TIOCSTI with upper bits', 16, 1, 0x100005412, 0)
verdict()

#: sys-watch-queue | self | Queues of notifications in a pipe (CVE-2022-0995)
#= BLOCKED EPERM
#! kernel: it may be built without
called('pipe2', 293, ctypes.create_string_buffer(8), 0x80)
verdict()

#: sys-core-pattern | self | Have the kernel start a program of ours for a crash
#= BLOCKED ENOENT
#! root: it is root's
tried('core_pattern', os.open, '/proc/sys/kernel/core_pattern', os.O_WRONLY)
verdict()

#: sys-sysrq | self | Open the switches of the kernel
#= BLOCKED ENOENT ENOENT ENOENT
#! kernel: it may be built without
for path in ('/proc/sysrq-trigger', '/proc/sys/kernel/modprobe', '/sys/kernel/uevent_helper'):
    tried(path, os.open, path, os.O_WRONLY)
verdict()

#: sys-release-agent | self | Have a cgroup start a program of ours (CVE-2022-0492)
#= BLOCKED none
#! root: they are root's
import glob
found = glob.glob('/sys/fs/cgroup/*/release_agent') + glob.glob('/sys/fs/cgroup/cgroup.procs')
found += [path for path in glob.glob('/sys/fs/cgroup/*/cgroup.procs')]
for path in found:
    tried(path, os.open, path, os.O_WRONLY)
esc(GOT[0]) if GOT else blk('none')

#: sys-int80-compat | self | Switch to 32-bit code and enter the kernel from there
#= SIGSYS
#! c: compat
compat

#: sys-syscall-compat | self | The same by the instruction of 64-bit code, with the numbers of 32 bits
#= SIGSYS
#! c: int80-openat
int80-openat
