# SPDX-License-Identifier: Apache-2.0
# Reading what was not granted.

#: fs-dotdot | self | Climb out of the workspace by `..` on a descriptor
#= BLOCKED ENOENT
top = os.open('${WORK}', os.O_RDONLY | os.O_DIRECTORY)
tried('read', os.open, '../' * 20 + '${FIX}/canary.txt'[1:], os.O_RDONLY, dir_fd=top)
verdict()

#: fs-proc-self-root | self | Name an outside file through /proc/self/root, cwd and fd
#= BLOCKED ENOENT ENOENT ENOENT
top = os.open('/', os.O_RDONLY | os.O_DIRECTORY)
for path in ('/proc/self/root', '/proc/self/cwd/' + '../' * 20, '/proc/self/fd/%d/' % top):
    holds_canary(path + '${FIX}/canary.txt')
verdict()

#: fs-proc-threads | self | Look through the roots of all processes and threads that /proc shows
#= BLOCKED no
for name in os.listdir('/proc'):
    if name.isdigit():
        for task in os.listdir('/proc/%s/task' % name) if os.access('/proc/%s/task' % name, os.R_OK) else []:
            if os.path.exists('/proc/%s/task/%s/root${FIX}/canary.txt' % (name, task)):
                esc('/proc/%s/task/%s/root' % (name, task))
blk('no')

#: fs-handle | self | Name an inode by handle (name_to_handle_at) and open it
#= BLOCKED EPERM
handle = struct.pack('Ii', 128, 0) + bytes(128)
buffer, mount = ctypes.create_string_buffer(handle, len(handle)), ctypes.c_int()
called('name_to_handle_at', 303, -100, b'${RO}/file.txt', buffer, ctypes.byref(mount), 0)
verdict()

#: fs-handle-forged | self | Open the root inode of a file system by a forged handle (the shocker exploit)
#= BLOCKED EPERM
#! root: open_by_handle_at wants CAP_DAC_READ_SEARCH
place = os.open('${RO}', os.O_RDONLY)
buffer = ctypes.create_string_buffer(struct.pack('IiIIII', 8, 1, 2, 0, 0, 0))
reached('open_by_handle_at', 304, place, buffer, 0)
verdict()

#: fs-mount-table | self | Read the mount table of the host
#= BLOCKED no mount of the host
for name in ('mountinfo', 'mounts', 'mountstats'):
    with open('/proc/self/' + name) as table:
        for line in table:
            fields = line.split()
            if '/sys' in fields or '/sys/fs/cgroup' in fields:
                esc(name)
blk('no mount of the host')

#: fs-statmount | self | Ask for mounts by number (listmount, statmount)
#= BLOCKED EPERM EPERM
#! kernel: since 6.8
request = ctypes.create_string_buffer(struct.pack('IIQQQ', 32, 0, 0xFFFFFFFFFFFFFFFF, 0, 0))
called('listmount', 458, request, ctypes.create_string_buffer(512), 8, 0)
mine = os.stat('/')
reached('statmount', 457, ctypes.create_string_buffer(struct.pack('IIQQQ', 32, 0, 1, 2, 0)),
        ctypes.create_string_buffer(512), 512, 0)
verdict()

#: fs-sys | self | Read the kernel's devices and objects in /sys
#= BLOCKED ENOENT ENOENT ENOENT
for path in ('/sys/kernel', '/sys/class', '/sys/fs/cgroup'):
    tried(path, os.listdir, path)
verdict()

#: fs-proc-sys | self | Read the kernel's settings and symbols in /proc
#= BLOCKED ENOENT ENOENT ENOENT ENOENT ENOENT
for name in ('sys/kernel/random/boot_id', 'kallsyms', 'cmdline', 'version', 'partitions'):
    tried(name, os.open, '/proc/' + name, os.O_RDONLY)
verdict()

#: fs-proc-net | self | See the sockets of the host in /proc/net
#= BLOCKED not listed
port = ':%04X' % ${PORT}
for name in ('tcp', 'udp', 'unix'):
    try:
        with open('/proc/self/net/' + name) as table:
            text = table.read()
    except OSError:
        continue
    if port in text or '${ABSTRACT}' in text:
        esc(name)
blk('not listed')

#: fs-signing-key | self | Read the key that signs the receipts
#= BLOCKED ENOENT
tried('key', os.open, '${HOME}/keys/default.pem', os.O_RDONLY)
verdict()

#: fs-etc-secrets | self | Read what only root may: shadow and its like
#= BLOCKED ENOENT ENOENT
#! root: only root may read them
def read(path):
    with open(path) as file:
        if file.read() == '':
            raise OSError(errno.ENODATA, 'empty')
for path in ('/etc/shadow', '/etc/gshadow'):
    tried(path, read, path)
verdict()

#: fs-etc-users | self | Learn the users and the name of the host from /etc
#= BLOCKED not there
for path, mark in (('/etc/passwd', 'daemon:'), ('/etc/hostname', '${HOSTNAME}'), ('/etc/machine-id', '')):
    try:
        with open(path) as file:
            if mark in file.read():
                esc(path)
    except OSError:
        pass
blk('not there')

#: fs-host-folders | self | List folders of the host that nobody granted
#= BLOCKED ENOENT ENOENT ENOENT
for path in ('/home', '/run', '/boot'):
    tried(path, os.listdir, path)
verdict()

#: fs-siblings | self | List what lies beside a granted folder
#= BLOCKED only the granted
beside = os.path.dirname(os.path.dirname('${RO}'))
names = os.listdir(beside)
theirs = os.path.basename(os.path.dirname('${FIX}'))
esc('saw ' + theirs) if theirs in names else blk('only the granted')

#: fs-inotify | self | Watch a folder outside
#= BLOCKED ENOENT
fd, _ = sc(294, 0)
called('inotify_add_watch', 254, fd, b'${FIX}', 0xFFF)
verdict()

#: fs-fanotify | self | Watch files by fanotify
#= BLOCKED EPERM
called('fanotify_init', 300, 0x200, 0)
verdict()

#: fs-dnotify | self | Watch a read-only folder by F_NOTIFY
#= BLOCKED EPERM
place = os.open('${RO}', os.O_RDONLY)
tried('F_NOTIFY', fcntl.fcntl, place, 1026, 0x4)
verdict()

#: fs-lease | self | Hold up whoever opens a read-only file, by a lease
#= BLOCKED EPERM
file = os.open('${RO}/file.txt', os.O_RDONLY)
tried('F_SETLEASE', fcntl.fcntl, file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
verdict()

#: fs-symlink-race | self | Swap a folder for a symbolic link while it is opened
#= BLOCKED never
os.mkdir('${WORK}/a')
os.symlink('${FIX}', '${WORK}/b')
stop = []
def swap():
    while not stop:
        sc(316, -100, b'${WORK}/a', -100, b'${WORK}/b', 2)
thread = threading.Thread(target=swap, daemon=True)
thread.start()
hit = False
end_at = time.monotonic() + 0.3
while time.monotonic() < end_at and not hit:
    try:
        os.close(os.open('${WORK}/a/canary.txt', os.O_RDONLY))
        hit = True
    except OSError:
        pass
stop.append(1)
thread.join()
esc('opened') if hit else blk('never')

#: fs-symlink-folder | self | Walk out by a symbolic link to a folder above
#= BLOCKED ENOENT
os.symlink('/' + '${FIX}'.split('/')[1], '${WORK}/up')
holds_canary('${WORK}/up/' + '/'.join('${FIX}'.split('/')[2:]) + '/canary.txt')
verdict()

#: fs-extra-descriptors | self | Find any descriptor beside the standard ones
#= BLOCKED none
found = []
for fd in range(3, 1024):
    try:
        found.append('%d=%s' % (fd, os.readlink('/proc/self/fd/%d' % fd)))
    except OSError:
        pass
esc(' '.join(found)) if found else blk('none')

#: fs-leaked-folder | self | Open a file relative to a leaked descriptor of `/` (CVE-2024-21626)
#= BLOCKED no descriptor leads there
for fd in range(0, 256):
    try:
        os.close(os.open('${FIX}/canary.txt'[1:], os.O_RDONLY, dir_fd=fd))
        esc('by %d' % fd)
    except OSError:
        pass
blk('no descriptor leads there')

#: fs-devices | self | Find a device besides the harmless ones
#= BLOCKED full null random urandom zero
known = {'full', 'null', 'random', 'urandom', 'zero'}
found = set()
for name in os.listdir('/dev'):
    mode = os.stat('/dev/' + name).st_mode if os.path.exists('/dev/' + name) else 0
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        found.add(name)
found -= {os.path.basename(os.path.realpath('/dev/std' + name)) for name in ('in', 'out', 'err')} - known
found -= {'stdin', 'stdout', 'stderr'}
esc(' '.join(sorted(found - known))) if found - known else blk(' '.join(sorted(found)))

#: fs-ptmx | self | Make a terminal (line disciplines are reached through one)
#= BLOCKED ENOENT ENOENT
for path in ('/dev/ptmx', '/dev/pts/ptmx'):
    tried(path, os.open, path, os.O_RDWR | os.O_NOCTTY)
verdict()

#: fs-node-in-read-path | self | Open a device node that lies in a read path
#= BLOCKED EACCES
#! fixture: node
tried('node', os.open, '${RO}/node', os.O_RDONLY)
verdict()
