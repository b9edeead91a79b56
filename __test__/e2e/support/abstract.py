# SPDX-License-Identifier: Apache-2.0
# Listens on an abstract Unix socket and takes every connection.
import socket
import sys

server = socket.socket(socket.AF_UNIX)
server.bind("\0" + sys.argv[1])
server.listen()
print("listening", flush=True)
while True:
    server.accept()
