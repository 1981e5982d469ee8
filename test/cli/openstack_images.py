"""Runs the openstack command's own entry point once for each list of arguments in the JSON on the command line."""

import contextlib
import io
import json
import os
import pty
import sys

from openstackclient import shell

# From anything but a terminal, `image create` would read an image's data.
os.dup2(pty.openpty()[1], 0)
with open(sys.argv[1], encoding="utf-8") as file:
    commands = json.load(file)
for command in commands:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = shell.main(command)
    if code:
        sys.exit(f"openstack {' '.join(command)}: {code}\n{printed.getvalue()}")
    print(json.dumps(json.loads(printed.getvalue() or "null")))
