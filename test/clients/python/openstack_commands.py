"""Runs the openstack command's own entry point, again and again: a JSON array of arguments a line in, a JSON object of what came of it a line out."""

import contextlib
import io
import json
import os
import pty
import sys

from openstackclient import shell

lines = os.fdopen(os.dup(0), encoding="utf-8")
# From anything but a terminal, `image create` and `image stage` would read an image's data.
os.dup2(pty.openpty()[1], 0)
for line in lines:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = shell.main(json.loads(line))
    print(json.dumps({"code": code, "out": out.getvalue(), "err": err.getvalue()}), flush=True)
