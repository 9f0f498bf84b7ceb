"""An oslo.service program that answers HTTP with its worker's pid: `oslo_app.py WORKERS PORT`."""

import os
import sys

import eventlet

eventlet.monkey_patch()

from oslo_config import cfg
from oslo_service import service

BODY = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"


class Server(service.Service):
    def __init__(self, listener):
        super().__init__()
        self.listener = listener

    def start(self):
        super().start()
        self.tg.add_thread(self.serve)

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            eventlet.spawn_n(self.answer, client)

    def answer(self, client):
        client.recv(4096)
        pid = str(os.getpid()).encode()
        client.sendall(BODY % (len(pid), pid))
        client.close()


conf = cfg.ConfigOpts()
conf([])
listener = eventlet.listen(("127.0.0.1", int(sys.argv[2])), backlog=1024)
launcher = service.ProcessLauncher(conf, restart_method="mutate" if "mutate" in sys.argv else "reload")
launcher.launch_service(Server(listener), workers=int(sys.argv[1]))
launcher.wait()
