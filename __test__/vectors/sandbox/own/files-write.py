# SPDX-License-Identifier: Apache-2.0
# Changing what was not granted for writing.

#: fs-create-outside | host:absent ${FIX}/pwn-* | Make a folder, a FIFO, a link and a node outside
#= BLOCKED ENOENT ENOENT ENOENT
tried('mkdir', os.mkdir, '${FIX}/pwn-d')
tried('mkfifo', os.mkfifo, '${FIX}/pwn-f')
tried('symlink', os.symlink, 'x', '${FIX}/pwn-l')
verdict()

#: fs-rename-out | host:absent ${FIX}/pwn-r | Rename a file of the workspace to the outside
#= BLOCKED ENOENT
tried('rename', os.rename, '${WORK}/plain.txt', '${FIX}/pwn-r')
verdict()

#: fs-link-out | host:absent ${FIX}/pwn-l | Link a file of the workspace to the outside
#= BLOCKED ENOENT
tried('link', os.link, '${WORK}/plain.txt', '${FIX}/pwn-l')
verdict()

#: fs-tmpfile-link | host:absent ${FIX}/pwn-t | Make a nameless file and give it a name outside
#= BLOCKED ENOENT
file = os.open('${WORK}', os.O_TMPFILE | os.O_RDWR, 0o600)
called('linkat', 265, -100, b'/proc/self/fd/%d' % file, -100, b'${FIX}/pwn-t', 0x400)
verdict()

#: fs-home-write | self | Write where keys and ledger lie
#= BLOCKED ENOENT ENOENT
tried('key', os.open, '${HOME}/keys/default.pub.pem', os.O_WRONLY | os.O_APPEND)
tried('folder', os.open, '${HOME}', os.O_RDONLY)
verdict()

#: ro-create | host:absent ${RO}/pwn-* | Make files, folders, links and FIFOs in a read path
#= BLOCKED EROFS EROFS EROFS EROFS EROFS
tried('open', os.open, '${RO}/pwn-o', os.O_CREAT | os.O_WRONLY)
tried('mkdir', os.mkdir, '${RO}/pwn-d')
tried('mkfifo', os.mkfifo, '${RO}/pwn-f')
tried('symlink', os.symlink, 'x', '${RO}/pwn-l')
tried('tmpfile', os.open, '${RO}', os.O_TMPFILE | os.O_RDWR)
verdict()

#: ro-append | host:unchanged ${RO}/file.txt | Append to a read-only file
#= BLOCKED EROFS
file = tried('open', os.open, '${RO}/file.txt', os.O_WRONLY | os.O_APPEND)
if file is not None:
    os.write(file, b'x')
verdict()

#: ro-reopen | host:unchanged ${RO}/file.txt | Open a read-only file, and again for writing by /proc/self/fd
#= BLOCKED EROFS
file = os.open('${RO}/file.txt', os.O_RDONLY)
again = tried('reopen', os.open, '/proc/self/fd/%d' % file, os.O_RDWR)
if again is not None:
    os.write(again, b'x')
verdict()

#: ro-path-reopen | host:unchanged ${RO}/file.txt | The same from a descriptor of O_PATH
#= BLOCKED EROFS
file = os.open('${RO}/file.txt', os.O_PATH)
again = tried('reopen', os.open, '/proc/self/fd/%d' % file, os.O_WRONLY)
if again is not None:
    os.write(again, b'x')
verdict()

#: ro-open-truncate | host:unchanged ${RO}/file.txt | Truncate a read-only file while opening it for reading
#= BLOCKED EROFS
tried('O_TRUNC', os.open, '${RO}/file.txt', os.O_RDONLY | os.O_TRUNC)
verdict()

#: ro-unlink | host:same ${RO}/file.txt | Remove a read-only file
#= BLOCKED EROFS
tried('unlink', os.unlink, '${RO}/file.txt')
verdict()

#: ro-rename | host:same ${RO}/file.txt | Rename a read-only file in its folder
#= BLOCKED EROFS
tried('rename', os.rename, '${RO}/file.txt', '${RO}/other.txt')
verdict()

#: ro-move-out | host:same ${RO}/file.txt | Move a read-only file into the workspace
#= BLOCKED EXDEV
tried('rename', os.rename, '${RO}/file.txt', '${WORK}/taken.txt')
verdict()

#: ro-exchange | host:same ${RO}/file.txt | Exchange a read-only file with one of the workspace
#= BLOCKED EXDEV
called('RENAME_EXCHANGE', 316, -100, b'${RO}/file.txt', -100, b'${WORK}/plain.txt', 2)
verdict()

#: ro-link | host:same ${RO}/file.txt | Link a read-only file into the workspace, to write it there
#= BLOCKED EXDEV
tried('link', os.link, '${RO}/file.txt', '${WORK}/linked.txt')
verdict()

#: ro-chown | host:same ${RO}/meta.txt | Change the owner of a read-only file to what it is
#= BLOCKED EROFS EROFS
mine = os.stat('${RO}/meta.txt')
time.sleep(0.01)
tried('chown', os.chown, '${RO}/meta.txt', -1, mine.st_gid)
tried('lchown', os.lchown, '${RO}/meta.txt', -1, mine.st_gid)
verdict()

#: ro-fchmod | host:same ${RO}/meta.txt | Change mode and times of a read-only file by its descriptor
#= BLOCKED EROFS EROFS EROFS
file = os.open('${RO}/meta.txt', os.O_RDONLY)
tried('fchmod', os.chmod, file, 0o600)
tried('futimens', os.utime, file, (1, 1))
tried('by /proc', os.chmod, '/proc/self/fd/%d' % file, 0o600)
verdict()

#: ro-fchmodat2 | host:same ${RO}/meta.txt | Change the mode of a read-only file by fchmodat2
#= BLOCKED EROFS
#! kernel: since 6.6
called('fchmodat2', 452, -100, b'${RO}/meta.txt', 0o600, 0)
verdict()

#: ro-xattr | self | Set and remove extended attributes of a read-only file
#= BLOCKED EROFS EROFS
#! kernel: the file system may have none
tried('setxattr', os.setxattr, '${RO}/meta.txt', 'user.pwn', b'1')
file = os.open('${RO}/meta.txt', os.O_RDONLY)
tried('fsetxattr', os.setxattr, file, 'user.pwn', b'1')
verdict()

#: ro-chattr | self | Set inode flags of a read-only file (chattr)
#= BLOCKED EROFS
#! kernel: the file system may have none
file = os.open('${RO}/meta.txt', os.O_RDONLY)
flags = bytearray(8)
fcntl.ioctl(file, 0x80086601, flags)
flags[0] ^= 0x40
tried('FS_IOC_SETFLAGS', fcntl.ioctl, file, 0x40086602, bytes(flags))
verdict()

#: ro-mmap | host:unchanged ${RO}/file.txt | Write to a shared mapping of a read-only file
#= BLOCKED EROFS
import mmap
file = tried('open', os.open, '${RO}/file.txt', os.O_RDWR)
if file is not None:
    mmap.mmap(file, 4)[0:1] = b'X'
verdict()

#: ro-remount | self | Make a read path writable by a remount
#= BLOCKED EPERM EPERM
#! root: mounting wants CAP_SYS_ADMIN
called('unshare', 272, 0x20000)
reached('remount', 165, b'none', b'${RO}', b'', 0x1020, None)
verdict()

#: ro-etc | self | Open a file of /etc and a program for writing
#= BLOCKED refused
#! root: only root may write them
for path in ('/etc/ld.so.cache', '/usr/bin/env'):
    tried(path, os.open, path, os.O_WRONLY)
blk('refused') if set(NO) <= {'EROFS', 'EACCES'} and not GOT else verdict()

#: ro-device-mode | self | Change the mode of /dev/null to what it is
#= BLOCKED EROFS
#! root: it is root's
tried('chmod', os.chmod, '/dev/null', 0o666)
verdict()

#: ro-fifo | host:nolog CANARY-${TOKEN} | Write to a FIFO that lies in a read path
#= BLOCKED EACCES
#! fixture: fifo
pipe = tried('open', os.open, '${RO}/fifo', os.O_WRONLY | os.O_NONBLOCK)
if pipe is not None:
    os.write(pipe, b'CANARY-${TOKEN}')
verdict()

#: fs-suid-chmod | host:mode ${WORK}/plain.txt 644 | Leave a set-user-ID program behind
#= BLOCKED EPERM EPERM EPERM
tried('chmod', os.chmod, '${WORK}/plain.txt', 0o4755)
file = os.open('${WORK}/plain.txt', os.O_RDONLY)
tried('fchmod', os.chmod, file, 0o4755)
tried('setgid', os.chmod, '${WORK}/plain.txt', 0o2755)
verdict()

#: fs-suid-create | host:absent ${WORK}/suid-* | Make a file that is set-user-ID from the start
#= BLOCKED EPERM EPERM EPERM EPERM
tried('open', os.open, '${WORK}/suid-o', os.O_CREAT | os.O_WRONLY, 0o4755)
tried('mknod', os.mknod, '${WORK}/suid-m', 0o4755 | stat.S_IFREG)
called('creat', 85, b'${WORK}/suid-c', 0o6755)
called('fchmodat2', 452, -100, b'${WORK}/plain.txt', 0o4755, 0)
verdict()

#: fs-file-capabilities | self | Give a program capabilities by its extended attribute
#= BLOCKED EPERM
#! root: wants CAP_SETFCAP
value = struct.pack('<IIIII', 0x02000001, 0x1FFFFFF, 0, 0, 0)
tried('security.capability', os.setxattr, '${WORK}/plain.txt', 'security.capability', value)
verdict()

#: fs-mknod | self | Make a node of the kernel's memory or the disk
#= BLOCKED EACCES EACCES
#! root: wants CAP_MKNOD
tried('/dev/mem', os.mknod, '${WORK}/mem', 0o600 | stat.S_IFCHR, os.makedev(1, 1))
tried('disk', os.mknod, '${WORK}/disk', 0o600 | stat.S_IFBLK, os.makedev(254, 0))
verdict()

#: fs-chroot | self | Break out of the root with a second one (chroot, `..`, chroot)
#= BLOCKED EPERM
#! root: wants CAP_SYS_CHROOT
tried('chroot', os.chroot, '${WORK}')
verdict()

#: fs-tmp-exec | self | Execute a program that was written to /tmp
#= BLOCKED EACCES EACCES
import shutil
for place in ('/tmp', '/dev/shm'):
    program = place + '/${TOKEN}'
    shutil.copy('/usr/bin/true', program)
    os.chmod(program, 0o755)
    tried(place, subprocess.run, [program], check=True)
    os.unlink(program)
verdict()

#: fs-tmp-loader | self | The same by the dynamic loader, and as a library
#= BLOCKED loader 127 library refused
import shutil
program = '/tmp/${TOKEN}'
shutil.copy('/usr/bin/true', program)
code = subprocess.run(['/lib64/ld-linux-x86-64.so.2', program], stderr=subprocess.DEVNULL).returncode
try:
    ctypes.CDLL(shutil.copy(os.path.realpath('/lib/x86_64-linux-gnu/libz.so.1'), program + '.so'))
    library = 'loaded'
except OSError:
    library = 'refused'
for path in (program, program + '.so'):
    if os.path.exists(path):
        os.unlink(path)
if code == 0 or library == 'loaded':
    esc('loader %d library %s' % (code, library))
blk('loader %d library %s' % (code, library))

#: fs-size | self | Write a file of 5 GiB
#= BLOCKED EFBIG
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
file = os.open('${WORK}/big', os.O_CREAT | os.O_RDWR)
tried('ftruncate', os.ftruncate, file, 5 << 30)
verdict()

#: fs-scratch-size | self | Fill the machine's memory through /tmp
#= BLOCKED ENOSPC
file = os.open('/tmp/${TOKEN}', os.O_CREAT | os.O_RDWR)
os.unlink('/tmp/${TOKEN}')
tried('fallocate', os.posix_fallocate, file, 0, 600 << 20)
verdict()

#: fs-thaw | self | Freeze or thaw the file system of the workspace
#= BLOCKED EPERM
#! root: wants CAP_SYS_ADMIN
place = os.open('${WORK}', os.O_RDONLY)
reached('FITHAW', 16, place, 0xC0045878, 0)
verdict()
