# SPDX-License-Identifier: Apache-2.0
# Runs a command on a terminal of 33 rows and 99 columns, types at prompts, and prints what was seen
# as JSON: argv[1] is a list of [what to wait for, what to type]. `resize` makes the terminal 44 by
# 123, the name of a signal sends that signal.
import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

acts = json.loads(sys.argv[1])
outer, inner = pty.openpty()


def resize(rows, columns):
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


resize(33, 99)
before = termios.tcgetattr(inner)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(inner, termios.TIOCSCTTY, 0)
    for number in range(3):
        os.dup2(inner, number)
    os.closerange(3, 256)
    os.execvp(sys.argv[2], sys.argv[2:])

screen = b""
raw = False
ended = None
deadline = time.monotonic() + 60
while time.monotonic() < deadline:
    ready, _, _ = select.select([outer], [], [], 0.05)
    if ready:
        screen += os.read(outer, 65536)
    raw = raw or not termios.tcgetattr(inner)[3] & termios.ICANON
    if acts and acts[0][0].encode() in screen:
        word = acts.pop(0)[1]
        if word == "resize":
            resize(44, 123)
        elif word.startswith("SIG"):
            os.kill(pid, getattr(signal, word))
        else:
            os.write(outer, word.encode())
    if ended is None:
        found, status = os.waitpid(pid, os.WNOHANG)
        ended = status if found else None
    elif not ready:
        break
after = termios.tcgetattr(inner)
if ended is None:
    os.kill(pid, signal.SIGKILL)
print(
    json.dumps(
        {
            "screen": screen.decode("utf8", "replace"),
            "exit": None if ended is None else os.waitstatus_to_exitcode(ended),
            "restored": before[:4] == after[:4],
            "raw_while_running": raw,
        }
    )
)
