# SPDX-License-Identifier: Apache-2.0
# Tries the probes of one launch, one after the other, each in a process of its own. The folder of
# this file holds `jobs.json`; the answers go to standard output, a JSON document a line.
import json
import os
import select
import signal
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT_SEC = 8
# a daemon that a probe left holds its output: no more than this is read after the probe's end
AFTER_END_SEC = 0.05


def attempt(job, names):
    """What a child does: never returns."""
    os.chdir(job['cwd'])
    if job['argv']:
        os.execv(job['argv'][0], job['argv'])
    try:
        exec(compile(job['code'], job['id'], 'exec'), names)
    except OSError as error:
        names['blk']('uncaught %s: %s' % (type(error).__name__, error))
    except BaseException:
        traceback.print_exc(file=sys.stdout)
        sys.stdout.flush()
        os._exit(70)
    sys.stdout.flush()
    os._exit(0)


def start(job, names):
    out, into = os.pipe()
    child = os.fork()
    if child:
        os.close(into)
        return child, out
    os.close(out)
    os.dup2(into, 1)
    os.dup2(into, 2)
    os.close(into)
    attempt(job, names)


def finish(child, out):
    """Returns how it ended and what it said."""
    said, status, end = b'', None, time.monotonic() + LIMIT_SEC
    while True:
        ready = select.select([out], [], [], 0.01)[0]
        piece = os.read(out, 65536) if ready else b''
        said += piece
        if status is None:
            pid, code = os.waitpid(child, os.WNOHANG)
            if pid:
                status, end = code, time.monotonic() + AFTER_END_SEC
        if (ready and not piece and status is not None) or time.monotonic() > end:
            break
        if ready and not piece:
            time.sleep(0.002)
    if status is None:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return None, said
    return os.waitstatus_to_exitcode(status), said


def main():
    with open(os.path.join(HERE, 'jobs.json')) as file:
        jobs = json.load(file)
    prepared = {}
    for job in jobs:
        prelude = job['prelude']
        if prelude not in prepared:
            prepared[prelude] = {'__name__': 'probe'}
            exec(compile(prelude, 'prelude', 'exec'), prepared[prelude])
        child, out = start(job, prepared[prelude])
        code, said = finish(child, out)
        os.close(out)
        answer = {'id': job['id'], 'code': code, 'said': said.decode('utf-8', 'replace')}
        print(json.dumps(answer), flush=True)


main()
