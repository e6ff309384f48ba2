"""Keys made for one test run, and the tokens signed with them (PyJWT, never our own code)."""
import base64
import hashlib
import hmac
import json
import secrets
import time

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

ISSUER = "https://idp.example.org/"
AUDIENCE = "carers-api"
CAMDEN, ISLINGTON = "E09000007", "E09000019"
PERSON = "carers:read carers:write"
SCOPES = {
    "council_admin": PERSON + " audit:read admin reports:read directory:write directory:publish referrals:read "
                              "referrals:write assessments:read assessments:write breaks:read breaks:write "
                              "funding:approve webhooks:manage",
    "practitioner": PERSON + " assessments:read assessments:write breaks:read breaks:write referrals:read referrals:write",
    "commissioner": "reports:read",
    "directory_editor": "directory:write directory:publish",
    "assessor": PERSON + " assessments:read assessments:write breaks:read breaks:write referrals:read referrals:write",
    "support_worker": PERSON + " referrals:read referrals:write breaks:read breaks:write",
    "hospital_in_reach": PERSON + " assessments:read assessments:write referrals:read referrals:write",
    "break_provider": "carers:read breaks:read breaks:write referrals:read referrals:write",
    "referrer": "referrals:read referrals:write",
    "vcfse_editor": "directory:write referrals:read referrals:write",
    "carer": PERSON + " assessments:read assessments:write breaks:read referrals:read referrals:write",
}


def _pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()


def _public_pem(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM,
                                         serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """One signing key, with what the service needs to verify it."""

    def __init__(self, kid, alg):
        self.kid, self.alg = kid, alg
        if alg.startswith("HS"):
            self.secret = self.public = self.private = secrets.token_hex(32)
            return
        curve = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}
        private = ec.generate_private_key(curve[alg]()) if alg in curve else rsa.generate_private_key(65537, 2048)
        self.secret, self.public, self.private = _pem(private), _public_pem(private), private

    def write(self, folder):
        """The file and the entry of CARERS_KEY_FILES for it."""
        path = folder / f"{self.kid}.{'key' if self.alg.startswith('HS') else 'pub.pem'}"
        path.write_text(self.public, encoding="ascii")
        path.chmod(0o600)
        return f"{self.kid}={self.alg}:{path}"

    def jwk(self):
        """The public key as RFC 7517 writes it."""
        algorithm = jwt.algorithms.get_default_algorithms()[self.alg]
        members = json.loads(algorithm.to_jwk(self.private.public_key())) if self.alg.startswith("RS") else self._ec()
        return {**members, "kid": self.kid, "alg": self.alg, "use": "sig"}

    def _ec(self):
        numbers = self.private.public_key().public_numbers()
        size = (numbers.curve.key_size + 7) // 8
        name = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}[numbers.curve.name]
        return {"kty": "EC", "crv": name, "x": b64url(numbers.x.to_bytes(size, "big")),
                "y": b64url(numbers.y.to_bytes(size, "big"))}


def sign_hs256_with(secret, header, claims):
    """HS256 with any bytes as the key: PyJWT refuses a public key here, an attacker does not."""
    signed = ".".join(b64url(json.dumps(part).encode()) for part in (header, claims))
    return signed + "." + b64url(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())


class Tokens:
    """The identity provider of a test run."""

    def __init__(self):
        self.keys = {alg: Key(f"test-{alg.lower()}", alg) for alg in ("RS256", "HS256", "ES256")}

    def write(self, folder):
        """CARERS_KEY_FILES."""
        return ",".join(key.write(folder) for key in self.keys.values())

    def claims(self, role, council=ISLINGTON, org=None, carer=None, **others):
        """The claims of a good token. A claim given as None is left out."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": now + 3600, "iat": now, "jti": secrets.token_hex(8),
                  "sub": f"{role}@example.org", "client_id": "tests", "scope": SCOPES.get(role, ""), "role": role,
                  "councils": [council] if isinstance(council, str) else council, "org": org, "carer_id": carer}
        if role == "carer":
            claims["councils"] = None
        claims.update(others)
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, role, alg="RS256", header=None, key=None, replace=None, **claims):
        """A compact token; `header` and `replace` add to or replace members of the header and claims (None: left out)."""
        key = key or self.keys[alg]
        headers = {"typ": "at+jwt", "kid": key.kid, **(header or {})}
        body = {**self.claims(role, **claims), **(replace or {})}
        # Not the PEM: PyJWT would parse it each time, and prove its primes, which takes 40 ms.
        return jwt.encode({name: value for name, value in body.items() if value is not None}, key.private,
                          algorithm=key.alg, headers={n: value for n, value in headers.items() if value is not None})
