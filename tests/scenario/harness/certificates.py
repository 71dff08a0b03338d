"""A small public key infrastructure, made when it is first asked for: authorities, certificates of
servers and clients, revocation lists, OCSP responses. Nothing secret and nothing that expires lies in the tree."""
import datetime
import ipaddress
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage
from cryptography.x509.oid import NameOID

LOCAL = ("localhost", "127.0.0.1")
DAY = datetime.timedelta(days=1)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


class Certificate:
    """Files of one certificate: `certificate` (with its chain), `key`, and `both` in one."""

    def __init__(self, path, content, key, chain=b""):
        self.content, self.private = content, key
        certificate = content.public_bytes(serialization.Encoding.PEM) + chain
        secret = key.private_bytes(serialization.Encoding.PEM,
                                   serialization.PrivateFormat.PKCS8,
                                   serialization.NoEncryption())
        self.certificate, self.key, self.both = (
            path.with_suffix(suffix) for suffix in (".crt", ".key", ".both.pem"))
        self.certificate.write_bytes(certificate)
        self.key.write_bytes(secret)
        self.both.write_bytes(certificate + secret)

    @property
    def fingerprint(self):
        return self.content.fingerprint(hashes.SHA256()).hex()

    @property
    def der(self):
        return self.content.public_bytes(serialization.Encoding.DER)

    def setting(self):
        """As an item of a listener's `certificates`."""
        return {"certificate": str(self.certificate), "key": str(self.key)}


class Authority:
    """Issues certificates into `folder`; `path` is its own."""

    def __init__(self, folder, name, issuer=None, begin=-DAY, end=90 * DAY, digest=None,
                 rsa_bits=None):
        self.folder, self.name, self.issuer = pathlib.Path(folder), name, issuer
        self.key = (rsa.generate_private_key(65537, rsa_bits) if rsa_bits else
                    ec.generate_private_key(ec.SECP256R1()))
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.count = 0
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        above = (issuer or self).subject
        self.content = (_builder(self.subject, above, self.key, begin, end)
                        .add_extension(x509.BasicConstraints(True, None), True)
                        .add_extension(usage, True)
                        .sign((issuer or self).key, digest or hashes.SHA256()))
        self.pem = self.content.public_bytes(serialization.Encoding.PEM)
        self.path = self._path(name).with_suffix(".ca.pem")
        self.path.write_bytes(self.pem)

    def _path(self, name):
        self.count += 1
        word = "".join(c if c.isalnum() else "-" for c in f"{self.name}-{name}")
        return self.folder / f"{word}-{self.count}"

    def issue(self, *names, common_name=None, kind="ecdsa", begin=-DAY, end=30 * DAY,
              usage=None, emails=(), uris=(), responder=None, rsa_bits=2048, digest=None):
        """A leaf for DNS names and IP addresses, by itself or for `usage` ("server", "client").
        `responder`: where OCSP answers of it are to be had."""
        key = (rsa.generate_private_key(65537, rsa_bits) if kind == "rsa" else
               ec.generate_private_key(ec.SECP256R1()))
        common_name = common_name or (names[0] if names else "nameless")
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name),
                             x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Scenario")])
        builder = _builder(subject, self.subject, key, begin, end).add_extension(
            x509.BasicConstraints(False, None), True)
        alternatives = ([_general_name(name) for name in names] +
                        [x509.RFC822Name(email) for email in emails] +
                        [x509.UniformResourceIdentifier(uri) for uri in uris])
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), False)
        if usage:
            purpose = {"server": Usage.SERVER_AUTH, "client": Usage.CLIENT_AUTH}[usage]
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), False)
        if responder:
            builder = builder.add_extension(x509.AuthorityInformationAccess([x509.AccessDescription(
                Access.OCSP, x509.UniformResourceIdentifier(responder))]), False)
        content = builder.sign(self.key, digest or hashes.SHA256())
        return Certificate(self._path(common_name), content, key,
                           self.pem if self.issuer else b"")

    def expired(self, *names, **options):
        return self.issue(*names, begin=-20 * DAY, end=-DAY, **options)

    def revocation_list(self, *revoked, begin=-DAY, end=30 * DAY):
        """The path of a CRL with these certificates, or authorities."""
        builder = (x509.CertificateRevocationListBuilder().issuer_name(self.subject)
                   .last_update(now() + begin).next_update(now() + end))
        for one in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(one.content.serial_number)
                .revocation_date(now() - DAY).build())
        path = self._path("list").with_suffix(".crl.pem")
        path.write_bytes(builder.sign(self.key, hashes.SHA256()).public_bytes(
            serialization.Encoding.PEM))
        return path

    def ocsp_response(self, certificate, status="good", begin=-DAY, end=DAY):
        """What a responder says of a certificate (DER); status: "good", "revoked", "unknown"."""
        revoked = now() - DAY if status == "revoked" else None
        return (ocsp.OCSPResponseBuilder()
                .add_response(certificate.content, self.content, hashes.SHA1(),
                              ocsp.OCSPCertStatus[status.upper()], now() + begin, now() + end,
                              revoked, None)
                .responder_id(ocsp.OCSPResponderEncoding.HASH, self.content)
                .sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))


def _builder(subject, issuer, key, begin, end):
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now() + begin).not_valid_after(now() + end))


def _general_name(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Certificates:
    """What most tests need, made once: an authority, one that nobody trusts, a server's
    certificate for localhost, a client's."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.authority = Authority(folder, "Doorward Scenario CA")
        self.stranger = Authority(folder, "Unknown CA")
        self.server = self.authority.issue(*LOCAL, "example.com", usage="server")
        self.client = self.authority.issue("app-1.example", common_name="app-1", usage="client",
                                           uris=["spiffe://example/app-1"])
        self._rsa = None

    @property
    def ca(self):
        return str(self.authority.path)

    @property
    def rsa(self):
        """The server's, with the other kind of key."""
        self._rsa = self._rsa or self.authority.issue(*LOCAL, "example.com", kind="rsa",
                                                      usage="server")
        return self._rsa

    def listener(self, *certificates, **settings):
        """A listener's settings that switch TLS on."""
        return {"tls": {"certificates": [c.setting() for c in certificates or [self.server]],
                        **settings}}

    def service(self, **settings):
        """A service's settings that believe the authority."""
        return {"tls": {"ca": self.ca, **settings}}
