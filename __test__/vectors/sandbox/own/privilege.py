# SPDX-License-Identifier: Apache-2.0
# Rights that a command may not have nor get.

#: priv-setuid | self | Become another user, and join groups
#= BLOCKED EINVAL EINVAL EPERM
#! root: wants CAP_SETUID
tried('setresgid', os.setresgid, 1, 1, 1)
tried('setresuid', os.setresuid, 1, 1, 1)
tried('setgroups', os.setgroups, [1])
verdict()

#: priv-capset | self | Raise capabilities
#= BLOCKED EPERM
#! root: a user has none to raise
header = ctypes.create_string_buffer(struct.pack('Ii', 0x20080522, 0))
called('capset', 126, header, ctypes.create_string_buffer(struct.pack('6I', 1 << 21, 1 << 21, 0, 0, 0, 0)))
verdict()

#: priv-capability-sets | self | Hold any capability in any set
#= BLOCKED none
#! root: a user has them in the bounding set alone
with open('/proc/self/status') as file:
    sets = [line.split() for line in file if line.startswith('Cap')]
held = [name for name, value in sets if int(value, 16)]
esc(' '.join(held)) if held else blk('none')

#: priv-bounding | self | Have capabilities left that a program could be given
#= BLOCKED none
for number in range(41):
    if libc.prctl(23, number, 0, 0, 0) == 1:
        esc(str(number))
blk('none')

#: priv-ambient | self | Keep capabilities across programs, and change what root means
#= BLOCKED EPERM EPERM
#! root: wants capabilities
header = ctypes.create_string_buffer(struct.pack('Ii', 0x20080522, 0))
word = struct.pack('6I', 1 << 21, 1 << 21, 1 << 21, 0, 0, 0)
sc(126, header, ctypes.create_string_buffer(word))
called('ambient', 157, 47, 2, 21, 0, 0)
called('securebits', 157, 28, 0, 0, 0, 0)
verdict()

#: priv-suid-program | self | Execute a program that is set to another user
#= BLOCKED as before
#! fixture: suid
out = subprocess.run(['${RO}/suid', 'identity'], stdout=subprocess.PIPE, text=True).stdout
esc(out.strip()) if out.strip() != '%d %d' % (os.geteuid(), os.geteuid()) else blk('as before')

#: priv-real-time | self | Take the processor for oneself
#= BLOCKED EPERM EACCES EPERM
#! root: wants CAP_SYS_NICE
tried('SCHED_FIFO', os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(1))
if GOT:
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
tried('nice', os.setpriority, os.PRIO_PROCESS, 0, -5)
called('ioprio', 251, 1, 0, 0x2000)
verdict()

#: priv-limits | self | Raise one's own limits
#= BLOCKED EPERM
#! kernel: root of a container may lack CAP_SYS_RESOURCE
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
try:
    resource.setrlimit(resource.RLIMIT_NOFILE, (1000, 1000))
    resource.setrlimit(resource.RLIMIT_NOFILE, (1000, hard))
    GOT.append('raised')
except (OSError, ValueError):
    NO.append('EPERM')
verdict()

#: priv-oom-score | self | Have the kernel kill others first
#= BLOCKED EACCES
#! kernel: root of a container may lack CAP_SYS_RESOURCE
try:
    with open('/proc/self/oom_score_adj', 'w') as file:
        file.write('-900')
    GOT.append('written')
except OSError as error:
    NO.append(E(error.errno))
verdict()

#: priv-core | self | Write a core dump: one's memory to wherever core_pattern says
#= BLOCKED limit 1
#! kernel: the caller may have a limit of 0
# 1 is what keeps the kernel from starting a program of core_pattern, too (core(5))
soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
blk('limit %d' % hard) if hard in (0, 1) else esc('limit %d' % hard)

#: priv-environment | self | Inherit variables that were not granted
#= BLOCKED HOME LANG PATH
allowed = {'HOME', 'LANG', 'PATH', 'LC_CTYPE', 'PWD', 'SHLVL', '_', 'OLDPWD'}
extra = sorted(set(os.environ) - allowed)
esc(' '.join(extra)) if extra else blk(' '.join(sorted(set(os.environ) - {'LC_CTYPE'})))

#: priv-open-files | self | Hold more files open than any program needs
#= BLOCKED EMFILE
#! kernel: the caller may have a lower limit
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
file = os.open('/dev/null', os.O_RDONLY)
try:
    for _ in range(17000):
        os.dup(file)
    GOT.append('17000')
except OSError as error:
    NO.append(E(error.errno))
verdict()

#: priv-fork-bomb | self | Start 1,200 processes at once
#= BLOCKED EAGAIN
#! user: the kernel exempts a root caller from the limit
#! c: fork-bomb
fork-bomb
