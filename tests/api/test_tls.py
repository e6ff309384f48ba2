"""TLS by two settings: a certificate and its key."""
import datetime
import ipaddress

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from support.server import command


@pytest.fixture(scope="module")
def certificate(run_folder):
    """(certificate, key) as files, for 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.utcnow()
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
            .sign(key, hashes.SHA256()))
    files = run_folder / "tls.crt", run_folder / "tls.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
    return files


@pytest.fixture
def secure(serve, certificate):
    """A server that speaks TLS."""
    return serve(CARERS_TLS_CERTIFICATE=certificate[0], CARERS_TLS_KEY=certificate[1])


def test_over_tls_it_answers_and_asks_browsers_to_stay_there(secure, certificate, tokens):
    response = requests.get(f"https://127.0.0.1:{secure.port}/v1/me", verify=certificate[0], timeout=30,
                            headers={"Authorization": f"Bearer {tokens.token('practitioner')}"})

    assert response.status_code == 200
    assert response.json()["role"] == "practitioner"
    assert response.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_a_client_that_does_not_know_the_certificate_gets_nothing(secure):
    with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        requests.get(f"https://127.0.0.1:{secure.port}/livez", timeout=30)


def test_plain_http_gets_nothing_from_a_tls_port(secure):
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{secure.port}/livez", timeout=30)


def test_one_setting_of_the_two_stops_the_start(settings, certificate):
    done = command({**settings, "CARERS_TLS_KEY": certificate[1]}, "check")

    assert done.returncode == 78
    assert "CARERS_TLS_CERTIFICATE" in done.stderr
