"""What `doorward check` says of certificates, CAs and revocation lists: what is wrong with them, or
will be soon, and nothing of those that are good."""
import pytest
from cryptography.hazmat.primitives import hashes

from harness import binary, config
from harness.certificates import DAY, LOCAL, Authority
from harness.gateway import write_config


def warnings(folder, settings, status=0):
    """The lines of the findings."""
    path = folder / "doorward.json"
    write_config(path, settings)
    done = binary.command("check", "-c", path)
    assert done.returncode == status, done.stdout + done.stderr
    return [line for line in (done.stdout + done.stderr).splitlines() if ": warning: " in line]


def served(certificate, **settings):
    listener = {"tls": {"certificates": [certificate.setting()], **settings}}
    return config.respond(listeners=[{"name": "web", "address": "127.0.0.1:0", **listener}])


def only(found, *words):
    assert len(found) == 1, found
    for word in words:
        assert word in found[0], found


@pytest.fixture
def issue(certificates):
    return certificates.authority.issue


def middle(certificates, tmp_path, **options):
    """A leaf below an intermediate, which is in its file."""
    return Authority(tmp_path, "Middle", issuer=certificates.authority, **options).issue(*LOCAL)


def test_good_certificates_give_no_warning(certificates, tmp_path):
    crl = certificates.authority.revocation_list()
    settings = served(middle(certificates, tmp_path), client_certificates={
        "ca": certificates.ca, "crl": str(crl)})
    settings["services"] = {"app": {"endpoints": ["https://127.0.0.1:1"], **certificates.service(
        certificate=str(certificates.client.certificate), key=str(certificates.client.key))}}
    settings["routes"].append({"name": "app", "match": {"path": "/app"}, "service": "app"})
    assert not warnings(tmp_path, settings)


@pytest.mark.parametrize("options,words", [
    ({"begin": -20 * DAY, "end": -DAY}, "expired on"), ({"end": 20 * DAY}, "expires on"),
    ({"begin": DAY}, "is not valid before")])
def test_the_dates_of_a_certificate(issue, tmp_path, options, words):
    only(warnings(tmp_path, served(issue(*LOCAL, **options))), words, "tls.certificates[0]")


@pytest.mark.parametrize("options,words", [
    ({"kind": "rsa", "rsa_bits": 1024}, "its RSA key has 1024 bits"),
    ({"digest": hashes.SHA1()}, "is signed with SHA1")])
def test_a_weak_certificate(issue, tmp_path, options, words):
    """OpenSSL would not even serve it, which is an error besides."""
    only(warnings(tmp_path, served(issue(*LOCAL, **options)), status=2), words)


@pytest.mark.parametrize("options,words,status", [
    ({"begin": -20 * DAY, "end": -DAY}, "expired on", 0), ({"end": 20 * DAY}, "expires on", 0),
    ({"digest": hashes.SHA1()}, "is signed with SHA1", 2),
    ({"rsa_bits": 1024}, "its RSA key has 1024 bits", 2)])
def test_an_intermediate_in_the_served_file(certificates, tmp_path, options, words, status):
    only(warnings(tmp_path, served(middle(certificates, tmp_path, **options)), status),
         "certificate 2 of the file (CN=Middle)", words)


@pytest.mark.parametrize("options,words", [
    ({"begin": -20 * DAY, "end": -DAY}, "expired on"), ({"end": 20 * DAY}, "expires on"),
    ({"rsa_bits": 1024}, "its RSA key has 1024 bits")])
@pytest.mark.parametrize("side", ["clients", "backends"])
def test_a_ca_in_a_bundle(certificates, tmp_path, side, options, words):
    weak = str(Authority(tmp_path, "Weak CA", **options).path)
    if side == "clients":
        settings = served(certificates.server, client_certificates={"ca": weak})
    else:
        settings = config.proxy("https://127.0.0.1:1", service={"tls": {"ca": weak}})
    only(warnings(tmp_path, settings), "the CA CN=Weak CA", words, "ca")


@pytest.mark.parametrize("options,words", [
    ({"begin": -20 * DAY, "end": -DAY}, "expired on"), ({"end": 20 * DAY}, "expires on")])
def test_the_certificate_that_is_shown_to_backends(certificates, issue, tmp_path, options, words):
    own = issue("me.example", usage="client", **options)
    settings = config.proxy("https://127.0.0.1:1", service=certificates.service(
        certificate=str(own.certificate), key=str(own.key)))
    only(warnings(tmp_path, settings), "services.app.tls.certificate", words)


@pytest.mark.parametrize("options,words", [
    ({"begin": -20 * DAY, "end": -DAY}, "ran out on"), ({"begin": -6 * DAY, "end": DAY},
                                                        "runs out on")])
def test_a_revocation_list_that_runs_out(certificates, tmp_path, options, words):
    crl = certificates.authority.revocation_list(**options)
    settings = served(certificates.server, client_certificates={"ca": certificates.ca,
                                                                "crl": str(crl)})
    only(warnings(tmp_path, settings), "the list of CN=Doorward Scenario CA", words)


def test_a_revocation_list_that_is_missing(certificates, tmp_path):
    below = Authority(tmp_path, "Issuing CA", issuer=certificates.authority)
    settings = served(certificates.server, client_certificates={
        "ca": certificates.ca, "crl": str(below.revocation_list())})
    only(warnings(tmp_path, settings), "there is no list of CN=Doorward Scenario CA")


@pytest.mark.parametrize("plain", [True, False])
def test_a_host_that_no_certificate_is_for(issue, tmp_path, plain):
    """Also where a listener in cleartext stands beside, without a redirect."""
    settings = served(issue("shop.example"))
    if plain:
        settings["listeners"].append({"name": "plain", "address": "127.0.0.1:0"})
    settings["routes"][0]["match"] = {"host": ["shop.example", "other.example"]}
    only(warnings(tmp_path, settings), "no certificate is for other.example", "match.host[1]")


def test_a_file_where_a_folder_is_wanted(issue, tmp_path):
    path = tmp_path / "folder.json"
    write_config(path, config.respond(listeners=[{"name": "web", "address": "127.0.0.1:0", "tls": {
        "certificates": {"folder": str(issue(*LOCAL).certificate)}}}]))
    done = binary.command("check", "-c", path)
    assert done.returncode == 2 and "is a file, not a folder" in done.stdout + done.stderr
