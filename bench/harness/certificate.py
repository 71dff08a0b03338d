"""The certificate of a run, and what its loads offer: one suite and one group, so that every
gateway agrees on the same whatever it would prefer."""
import subprocess

from harness.process import BenchError

NAME = "bench.test"
SUITE, GROUP = "TLS_AES_128_GCM_SHA256", "X25519"

# Read by every program that uses OpenSSL's defaults: wrk and curl, which have no option for these.
OPENSSL_CONF = f"""openssl_conf = main
[main]
ssl_conf = ssl
[ssl]
system_default = offer
[offer]
MinProtocol = TLSv1.3
Ciphersuites = {SUITE}
Groups = {GROUP}
"""


def make(run):
    """Writes certificate.pem, key.pem, both.pem (HAProxy's way) and openssl.cnf into the run."""
    run.mkdir(parents=True, exist_ok=True)
    certificate, key = run / "certificate.pem", run / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
               "-nodes", "-sha256", "-days", "30", "-subj", f"/CN={NAME}", "-addext",
               f"subjectAltName=DNS:{NAME},IP:127.0.0.1", "-keyout", key, "-out", certificate]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        detail = getattr(error, "stderr", None) or error
        raise BenchError(f"openssl made no certificate: {detail}") from error
    (run / "both.pem").write_text(certificate.read_text() + key.read_text())
    (run / "openssl.cnf").write_text(OPENSSL_CONF)


def offer(run):
    """The environment in which a client offers that suite and that group."""
    return {"OPENSSL_CONF": str(run / "openssl.cnf")}
