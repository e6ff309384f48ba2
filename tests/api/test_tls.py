"""TLS by two settings: the service speaks it, and refuses half of it."""
import datetime
import ipaddress

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from support.raw import Raw
from support.server import command


@pytest.fixture(scope="module")
def certificate(run_folder):
    """A certificate for 127.0.0.1, signed by itself, and its key: two files."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.utcnow()
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), True).sign(key, hashes.SHA256()))
    files = run_folder / "tls.pem", run_folder / "tls.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
    return files


def test_with_certificate_and_key_it_speaks_tls_and_nothing_else(serve, certificate, tokens):
    server = serve(CARERS_TLS_CERTIFICATE=certificate[0], CARERS_TLS_KEY=certificate[1])

    response = requests.get(f"https://127.0.0.1:{server.port}/v1/me", verify=str(certificate[0]), timeout=30,
                            headers={"Authorization": f"Bearer {tokens.token('practitioner')}"})

    assert response.status_code == 200 and response.json()["role"] == "practitioner"
    assert "max-age=" in response.headers["Strict-Transport-Security"]
    with Raw(server.port) as plain:
        plain.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"HTTP/1.1 200" not in plain.socket.recv(65536)


@pytest.mark.parametrize("given", [("CARERS_TLS_CERTIFICATE",), ("CARERS_TLS_KEY",)])
def test_half_of_it_stops_the_start(settings, certificate, given):
    files = dict(zip(("CARERS_TLS_CERTIFICATE", "CARERS_TLS_KEY"), certificate))

    done = command({**settings, "CARERS_PORT": 0, **{name: files[name] for name in given}}, "serve")

    assert done.returncode == 78 and "CARERS_TLS" in done.stderr


def test_a_key_that_is_not_the_certificates_stops_the_start(settings, certificate, tokens, run_folder):
    other = run_folder / "other.key"
    other.write_text(tokens.keys["RS256"].secret, encoding="ascii")

    done = command({**settings, "CARERS_PORT": 0, "CARERS_TLS_CERTIFICATE": certificate[0], "CARERS_TLS_KEY": other},
                   "serve", timeout=30)

    assert done.returncode == 78
