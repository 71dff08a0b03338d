"""Short bursts of h2load, over each protocol that it speaks."""
from harness import clients

from .client import PATIENCE, Client


class H2load(Client):
    PAUSE = 2

    def round(self):
        tls = self.chance(0.5)
        address = self.place.secure if tls else self.place.plain
        name = self.random.choice(["small", "small", "large"])
        url = f"{'https' if tls else 'http'}://{address}/{self.random.choice(['files', 'filess'])}"
        kind = self.random.choice([[], ["--h1"]])
        requests = 200 if name == "small" else 20
        done = clients.h2load(f"{url}/{name}", requests, 3, 5, *kind, timeout=2 * PATIENCE)
        assert done["succeeded"] == done["2xx"] == requests, (url, kind, done)
        self.note("answered", requests)
