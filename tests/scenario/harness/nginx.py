"""nginx as a real backend: own process, own folder, files of a document root."""
import os
import pathlib
import signal
import socket
import subprocess

from .waiting import eventually

CONFIG = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
  access_log off; default_type text/plain; keepalive_requests 100000; client_max_body_size 0;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port}{secure}; root {folder}/root;
    location = /small {{ return 200 "hello from nginx\\n"; }}
    location = /host {{ return 200 "$http_host\\n"; }}
    location / {{ {rest} }}
  }}
}}
"""


def free_port():
    """A port that was free a moment ago: only for peers that cannot take port 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx:
    def __init__(self, folder, files=None, rest="", certificate=None, beside=None):
        """`files` lie in the document root; `rest` is what else happens below /. With a
        `certificate` it speaks TLS, and HTTP/2 with clients that offer it. `beside` is the port of
        another server, whose connections it shares (SO_REUSEPORT)."""
        self.rest, self.secure, self.beside = rest, "", beside
        if certificate is not None:
            self.secure = (f" ssl http2; ssl_certificate {certificate.certificate}; "
                           f"ssl_certificate_key {certificate.key}")
        self.folder = pathlib.Path(folder)
        (self.folder / "root").mkdir(parents=True)
        for name, content in (files or {}).items():
            (self.folder / "root" / name).write_bytes(content)
        for _ in range(5):  # another test may have taken the port meanwhile
            if self._start():
                return
        raise AssertionError((self.folder / "error.log").read_text())

    def _start(self):
        self.port = self.beside or free_port()
        self.url = f"{'https' if self.secure else 'http'}://127.0.0.1:{self.port}"
        config = self.folder / "nginx.conf"
        config.write_text("user root;" * (os.getuid() == 0) +
                          CONFIG.format(folder=self.folder, port=self.port,
                                        rest=self.rest, secure=self.secure +
                                        " reuseport" * (self.beside is not None)))
        self.process = subprocess.Popen(
            ["/usr/sbin/nginx", "-p", str(self.folder), "-c", str(config)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(self.folder / "stderr.log", "ab"))
        listens = self.folder / "nginx.pid"  # written when it does
        return eventually(lambda: listens.exists() or self.process.poll() is not None,
                          "nginx") and self.process.poll() is None

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def finish(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
