"""Serves one OpenStack API (a WSGI module) on loopback: python serve.py MODULE PRELOAD THREADS PORT

PORT 0 is any free one. Writes the port it listens on as the first line of standard output, waits for a line on standard input, which says
that its configuration has been written, loads the API, and writes a second line. Ends when standard input does: so it
never outlives whoever started it.
"""

import importlib
import os
import socket
import sys
import threading

from cheroot import wsgi


def end_with_parent():
    sys.stdin.read()
    os._exit(0)


class KeptOpen:
    """A request's body whose close() does nothing: Glance closes it, and cheroot then loses the connection."""

    def __init__(self, body):
        self._body = body

    def __getattr__(self, name):
        return getattr(self._body, name)

    def __iter__(self):
        return iter(self._body)

    def close(self):
        pass


def keeping_open(application):
    def serve(environ, start_response):
        environ["wsgi.input"] = KeptOpen(environ["wsgi.input"])
        return application(environ, start_response)

    return serve


def main():
    module, preload, threads, port = sys.argv[1:]
    # The APIs take what they find in sys.argv for options of their own.
    del sys.argv[1:]
    # Many connect at once; of those beyond cheroot's usual five that wait, the system drops some.
    server = wsgi.Server(("127.0.0.1", int(port)), None, numthreads=int(threads), request_queue_size=128)
    server.max_request_body_size = 0
    server.prepare()
    # cheroot leaves it out for port 0. Without it, connections that are being closed would keep the port from one who starts again here.
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    print(server.bind_addr[1], flush=True)
    importlib.import_module(preload)
    if not sys.stdin.readline():
        # Not by returning: the server's threads would go on.
        os._exit(0)
    threading.Thread(target=end_with_parent, daemon=True).start()
    server.wsgi_app = keeping_open(importlib.import_module(module).application)
    print("ready", flush=True)
    server.serve()


main()
