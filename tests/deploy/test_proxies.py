"""deploy/nginx.conf and deploy/haproxy.cfg, each in front of real services."""
import pathlib
import subprocess
import uuid

import pytest
import requests
from deploy.conftest import free_port, sample
from support.client import problem
from support.server import Server

LIMIT = 1024 * 1024  # CARERS_BODY_LIMIT


@pytest.fixture(scope="module")
def certificate(run_folder):
    """For localhost: certificate, key, and both in one file as HAProxy wants them."""
    files = [run_folder / name for name in ("front.pem", "front.key", "front-both.pem")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-out", files[0], "-keyout", files[1]],
                   check=True, capture_output=True)
    files[2].write_bytes(files[0].read_bytes() + files[1].read_bytes())
    return files


def nginx(folder, port, certificate, ports):
    servers = [f"server 127.0.0.1:{one} max_fails=2 fail_timeout=5s;" for one in ports]
    text = sample("nginx.conf", ("server 127.0.0.1:8080 max_fails=2 fail_timeout=5s;", "\n".join(servers)),
                  ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"), ("/etc/ssl/carers/fullchain.pem", str(certificate[0])),
                  ("/etc/ssl/carers/key.pem", str(certificate[1])))
    places = "".join(f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "site.conf").write_text(text)
    (folder / "nginx.conf").write_text(f"daemon off;\nuser root;\nworker_processes 1;\npid {folder}/pid;\nerror_log stderr;\n"
                                       f"events {{}}\nhttp {{\n{places}include {folder}/site.conf;\n}}\n")
    words = ["nginx", "-c", folder / "nginx.conf", "-e", "stderr"]
    return words, [*words, "-t"]


def haproxy(folder, port, certificate, ports):
    line = "server {name} 127.0.0.1:{port} check inter 2s fall 2 rise 1 pool-purge-delay 10s"
    text = sample("haproxy.cfg", (line.format(name="one", port=8080),
                                  "\n    ".join(line.format(name=f"s{one}", port=one) for one in ports)),
                  ("bind :443 ssl crt /etc/ssl/carers/both.pem", f"bind 127.0.0.1:{port} ssl crt {certificate[2]}"))
    (folder / "haproxy.cfg").write_text(text)
    words = ["haproxy", "-W", "-f", folder / "haproxy.cfg"]
    return words, [*words, "-c"]


class From(requests.adapters.HTTPAdapter):
    """Connects from an address of its own."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *arguments, **options):
        super().init_poolmanager(*arguments, source_address=(self.address, 0), **options)


@pytest.fixture(params=[nginx, haproxy], ids=["nginx", "haproxy"])
def front(request, daemon, tmp_path, certificate, tokens):
    """front(server, ...): a client that asks the proxy in front of these services."""
    def start(*servers):
        port = free_port()
        words, check = request.param(tmp_path, port, certificate, [one.port for one in servers])
        checked = subprocess.run([str(word) for word in check], capture_output=True, text=True, check=False)
        assert checked.returncode == 0 and "warn" not in (checked.stdout + checked.stderr).lower(), checked.stderr + checked.stdout
        daemon(words, port)
        session = requests.Session()
        session.trust_env, session.verify = False, str(certificate[0])

        def ask(method, path, role=None, at=None, **options):
            if at:  # another address of the loopback
                session.mount("https://", From(at))
            headers = {**options.pop("headers", {}), **({"Authorization": f"Bearer {tokens.token(role)}"} if role else {})}
            return session.request(method, f"https://127.0.0.1:{port}{path}", headers=headers, timeout=60, allow_redirects=False, **options)
        return ask
    return start


def connections(port):
    """Connections that the service's port has had of late: open ones, and closed ones that the system remembers."""
    rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(1 for row in rows if row[3] in ("01", "06", "08") and int(row[2].split(":")[1], 16) == port)


def test_an_answer_comes_through_whole_with_its_headers(front, server):
    ask, name = front(server), str(uuid.uuid4())

    answer = ask("GET", "/v1/me", role="practitioner", headers={"X-Request-ID": name})

    assert answer.status_code == 200 and answer.json()["role"] == "practitioner"
    assert answer.headers["X-Request-ID"] == name
    assert "max-age=" in answer.headers["Strict-Transport-Security"]
    assert server.request_line(name)["status"] == "200"


def test_compression_and_etags_are_the_services_own(front, server, carer):
    ask = front(server)
    path = f"/v1/carers/{carer(cared_for=[{'relationship': 'parent', 'setting': 'home', 'needs': ['dementia', 'frailty']}] * 12)['id']}"

    answer = ask("GET", path, role="practitioner", headers={"Accept-Encoding": "gzip"})

    assert answer.headers["Content-Encoding"] == "gzip" and answer.headers["ETag"].endswith('.gzip"')
    tag = {"If-None-Match": answer.headers["ETag"]}
    assert ask("GET", path, role="practitioner", headers={"Accept-Encoding": "gzip", **tag}).status_code == 304
    assert "Content-Encoding" not in ask("GET", path, role="practitioner", headers={"Accept-Encoding": "identity"}).headers


def test_a_body_that_is_too_large_is_refused_in_the_services_words(front, server):
    problem(front(server)("POST", "/v1/carers", role="practitioner", data=b" " * (LIMIT + 1),
                          headers={"Content-Type": "application/json"}), 413, "content-too-large")


def test_connections_to_the_service_are_kept(front, serve):
    service = serve()
    ask = front(service)
    before = connections(service.port)

    for _ in range(60):
        assert ask("GET", "/v1/me", role="practitioner").status_code == 200

    assert connections(service.port) - before <= 10  # its own, and what looks after its health


def test_metrics_are_not_for_outside(front, server):
    assert front(server)("GET", "/metrics").status_code == 404


def test_strangers_are_counted_by_address_and_callers_with_a_token_are_not(front, server):
    ask = front(server)

    statuses = {ask("GET", "/livez").status_code for _ in range(250)}

    assert statuses == {200, 429}
    assert ask("GET", "/v1/me", role="practitioner").status_code == 200


def test_the_service_counts_whoever_guesses_tokens_by_the_address_that_the_proxy_gives(front, serve):
    ask = front(serve(CARERS_TRUSTED_PROXIES="127.0.0.1", CARERS_RATE_PER_MINUTE="2"))

    def guess(at, **headers):
        return ask("GET", "/v1/me", headers={"Authorization": "Bearer guess", **headers}, at=at).status_code

    assert [guess("127.0.0.2", **{"X-Forwarded-For": f"203.0.113.{n}"}) for n in range(3)] == [401, 401, 429]
    assert guess("127.0.0.3") == 401


def test_a_replica_that_has_lost_its_database_is_not_seen_from_outside(front, settings, server, run_folder):
    away = Server({**settings, "CARERS_DATABASE": f"host={run_folder} user=carers_service dbname=none", "CARERS_SESSION_WAIT_MS": "100"},
                  run_folder).start()
    try:
        ask = front(away, server)
        assert {ask("GET", "/v1/carers", role="practitioner").status_code for _ in range(20)} == {200}
    finally:
        away.stop()
