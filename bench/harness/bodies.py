"""The bodies that the backends serve; the same bytes in every run."""
import json
import os
import random


def make_bodies(www, http2):
    """Writes the files below `www`, and the small body below `http2`; nginx holds it in memory, and
    it is returned for its config."""
    www.mkdir(parents=True, exist_ok=True)
    http2.mkdir(parents=True, exist_ok=True)
    rand = random.Random(7)
    small = json.dumps({"id": 4711, "customer": "c-102934", "status": "shipped", "total": 129.90,
                        "currency": "EUR", "items": [{"sku": "A-1", "n": 2}], "note": ""})
    small = small[:-2] + "." * (176 - len(small)) + small[-2:]
    orders, size = [], 0
    while size < 50_000:
        order = {"id": rand.randrange(10**7), "customer": f"c-{rand.randrange(10**6):06}",
                 "status": rand.choice(["open", "paid", "shipped", "returned"]),
                 "total": round(rand.uniform(5, 900), 2),
                 "items": [{"sku": f"{rand.choice('ABCDEF')}-{rand.randrange(999)}",
                            "quantity": rand.randrange(1, 9)} for _ in range(rand.randrange(1, 6))]}
        orders.append(order)
        size += len(json.dumps(order)) + 2
    (http2 / "small.json").write_text(small)
    (www / "large.json").write_text(json.dumps(orders))
    (www / "10m.bin").write_bytes(rand.randbytes(10_000_000))
    os.chmod(www, 0o755)
    return small


def make_messages(folder):
    """A gRPC request and the reply, which lies where the method's path leads."""
    reply = folder / "bench.Orders" / "Get.grpc"
    reply.parent.mkdir(parents=True, exist_ok=True)
    reply.write_bytes(_message(b"shipped" + b"." * 168))
    (folder / "request.bin").write_bytes(_message(b"c-102934"))


def _message(text):
    """Length-prefixed, not compressed; in it a Protocol Buffers message: field 1, a string."""
    message = b"\x0a" + _varint(len(text)) + text
    return b"\0" + len(message).to_bytes(4, "big") + message


def _varint(value):
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + _varint(value >> 7)
