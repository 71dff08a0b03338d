"""nghttpd as a real backend of HTTP/2: files of a folder, in cleartext or over TLS."""
import pathlib
import socket
import subprocess

from .nginx import free_port
from .waiting import eventually


class Nghttpd:
    def __init__(self, folder, files, certificate=None):
        root = pathlib.Path(folder) / "root"
        root.mkdir(parents=True)
        for name, content in files.items():
            (root / name).write_bytes(content)
        self.folder, self.root, self.certificate = pathlib.Path(folder), root, certificate
        for _ in range(5):  # another test may have taken the port meanwhile
            if self._start():
                return
        raise AssertionError((self.folder / "log").read_text())

    def _start(self):
        self.port = free_port()
        self.url = f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"
        secret = ([str(self.certificate.key), str(self.certificate.certificate)]
                  if self.certificate else [])
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["nghttpd", "-a", "127.0.0.1", "-d", str(self.root),
                 *([] if secret else ["--no-tls"]), str(self.port), *secret],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return eventually(lambda: self._listens() or self.process.poll() is not None,
                          "nghttpd") and self.process.poll() is None

    def _listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def finish(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
