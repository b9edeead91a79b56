# SPDX-License-Identifier: Apache-2.0
# Sockets, with no network and with all of it.

#: net-families | self | Make a socket of any family and kind
#= BLOCKED none
got = set()
for family in range(1, 48):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        fd, _ = sc(41, family, kind, 0)
        if fd >= 0:
            got.add(family)
            os.close(fd)
esc(' '.join(map(str, sorted(got)))) if got else blk('none')

#: net-socketpair-families | self | Make a pair of sockets of another family (TIPC has them)
#= BLOCKED EPERM EPERM EPERM
#! kernel: TIPC is a module
for family in (socket.AF_INET, 30, 16):
    called(str(family), 53, family, socket.SOCK_STREAM, 0, ctypes.create_string_buffer(8))
verdict()

#: net-pair-path | host:nolog CANARY-${TOKEN} | Send from one end of a socket pair to a socket in the workspace
#= BLOCKED EPERM EPERM EPERM
#! fixture: dgram
for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
    try:
        pair = socket.socketpair(socket.AF_UNIX, kind)
        pair[0].sendto(b'CANARY-${TOKEN}', '${WORK}/dgram.sock')
        if kind == socket.SOCK_SEQPACKET:
            pair[0].connect('${WORK}/dgram.sock')
        GOT.append(str(kind))
    except OSError as error:
        NO.append(E(error.errno))
verdict()

#: net-pair-abstract | host:nolog CANARY-${TOKEN} | The same to an abstract socket of the host
#= BLOCKED EPERM
try:
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    pair[0].sendto(b'CANARY-${TOKEN}', '\0${ABSTRACT}-d')
    GOT.append('sent')
except OSError as error:
    NO.append(E(error.errno))
verdict()

#: net-pair-bind | self | Give one end of a socket pair a name that others can send to
#= BLOCKED EPERM
try:
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    pair[0].bind('\0${TOKEN}')
    GOT.append('bound')
except OSError as error:
    NO.append(E(error.errno))
verdict()

#: net-unix-kinds | self | Reach a socket of the host by each kind of Unix socket
#= BLOCKED EPERM EPERM EPERM
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
    try:
        with socket.socket(socket.AF_UNIX, kind) as one:
            one.connect('${FIX}/host.sock')
        GOT.append(str(kind))
    except OSError as error:
        NO.append(E(error.errno))
verdict()

#: net-unix-in-work | self | Reach a socket of the host that lies in the workspace
#= BLOCKED EPERM
def reach():
    with socket.socket(socket.AF_UNIX) as one:
        one.connect('${WORK}/host.sock')
tried('connect', reach)
verdict()

#: net-bash | host:nolog CANARY-${TOKEN} | Connect with the shell's own /dev/tcp and /dev/udp
#= SIGNED OFF
#! sh
exec 2>/dev/null
(echo CANARY-${TOKEN} >/dev/tcp/127.0.0.1/${PORT}) && sent=1
(echo CANARY-${TOKEN} >/dev/udp/127.0.0.1/${PORT}) && sent=1
echo SIGNED OFF

#: net-icmp | self | Send by ICMP, raw and without rights
#= BLOCKED EPERM EPERM
#! root: net.ipv4.ping_group_range
tried('dgram', socket.socket, socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
tried('raw', socket.socket, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
verdict()

#: net-other-transports | self | Go by SCTP, UDP-Lite, DCCP or MPTCP
#= BLOCKED EPERM EPERM EPERM EPERM
for kind, protocol in ((1, 132), (2, 136), (6, 33), (1, 262)):
    tried(str(protocol), socket.socket, socket.AF_INET, kind, protocol)
verdict()

#: net-netlink | self | Talk to the kernel by netlink: routes, audit, netfilter, uevents, sockets
#= BLOCKED EPERM EPERM EPERM EPERM EPERM EPERM
for protocol in (0, 4, 6, 9, 12, 15):
    tried(str(protocol), socket.socket, socket.AF_NETLINK, socket.SOCK_RAW, protocol)
verdict()

#: net-packet | self | Read and write frames
#= BLOCKED EPERM
#! root: wants CAP_NET_RAW
tried('packet', socket.socket, socket.AF_PACKET, socket.SOCK_RAW, 0)
verdict()

#: net-interfaces | self | Learn the addresses of the host
#= BLOCKED only lo
names = []
try:
    with open('/proc/self/net/dev') as table:
        names = [line.split(':')[0].strip() for line in table if ':' in line]
except OSError:
    pass
others = [name for name in names if name != 'lo']
esc(' '.join(others)) if others else blk('only lo')

#: full-families | self | With all of the network: families beside IP and Unix sockets
#= BLOCKED 1 2 10 16
#! net: full
got = set()
for family in range(1, 48):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        fd, _ = sc(41, family, kind, 0)
        if fd >= 0:
            got.add(family)
            os.close(fd)
known = {1, 2, 10, 16}
word = ' '.join(map(str, sorted(got)))
esc(word) if got - known else blk(word)

#: full-abstract | self | With all of the network: reach an abstract socket of the host
#= BLOCKED EPERM
#! net: full
def reach():
    with socket.socket(socket.AF_UNIX) as one:
        one.connect('\0${ABSTRACT}')
tried('connect', reach)
verdict()

#: full-pair-abstract | host:nolog CANARY-${TOKEN} | With all of the network: send to one from a socket pair
#= BLOCKED EPERM
#! net: full
def reach():
    socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b'CANARY-${TOKEN}', '\0${ABSTRACT}-d')
tried('sendto', reach)
verdict()

#: full-unix-outside | self | With all of the network: reach a Unix socket outside
#= BLOCKED ENOENT
#! net: full
def reach():
    with socket.socket(socket.AF_UNIX) as one:
        one.connect('${FIX}/host.sock')
tried('connect', reach)
verdict()

#: full-netlink | self | With all of the network: audit, netfilter, sockets, generic netlink
#= BLOCKED EPERM EPERM EPERM EPERM
#! net: full
for protocol in (4, 9, 12, 16):
    tried(str(protocol), socket.socket, socket.AF_NETLINK, socket.SOCK_RAW, protocol)
verdict()

#: full-raw | self | With all of the network: raw packets
#= BLOCKED EPERM EPERM
#! net: full
#! root: wants CAP_NET_RAW
tried('raw', socket.socket, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
tried('packet', socket.socket, socket.AF_PACKET, socket.SOCK_RAW, 0)
verdict()

#: full-privileges | self | With all of the network: a port of the system, a mark, a route
#= BLOCKED EACCES EPERM EPERM
#! net: full
#! root: wants CAP_NET_ADMIN
tried('bind', socket.socket().bind, ('127.0.0.1', 1))
tried('SO_MARK', socket.socket().setsockopt, socket.SOL_SOCKET, 36, 1)
route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
route.settimeout(2)
# RTM_SETLINK of lo with no change: the kernel asks for the right first
route.send(struct.pack('=IHHIIBBHiII', 32, 19, 5, 1, 0, 0, 0, 0, 1, 0, 0))
code = -struct.unpack('=i', route.recv(4096)[16:20])[0]
if code == 0:
    GOT.append('RTM_SETLINK')
else:
    NO.append(E(code))
verdict()
