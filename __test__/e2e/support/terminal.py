# SPDX-License-Identifier: Apache-2.0
# Runs a command with a terminal of its own, as its controlling terminal.
import os
import pty
import sys

sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
