"""`carers-api health`: what a container or a supervisor asks, where no curl is about."""
import socket

from support.server import Server, command
from test_tls import certificate  # noqa: F401  pylint: disable=unused-import


def ask(server, **changes):
    return command({**server.settings, "CARERS_PORT": server.port, **changes}, "health")


def test_a_service_that_can_serve_is_healthy(server):
    done = ask(server)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_service_on_every_address_is_asked_over_the_loopback(serve):
    assert ask(serve(CARERS_HOST="0.0.0.0")).returncode == 0


def test_a_service_that_speaks_tls_is_asked_by_tls_whatever_its_certificate_is_made_for(serve, certificate):  # noqa: F811
    server = serve(CARERS_TLS_CERTIFICATE=certificate[0], CARERS_TLS_KEY=certificate[1], CARERS_HOST="0.0.0.0")

    assert ask(server).returncode == 0
    assert ask(server, CARERS_TLS_CERTIFICATE=None, CARERS_TLS_KEY=None).returncode == 1


def test_a_service_without_its_database_is_not_healthy(settings, run_folder):
    away = Server({**settings, "CARERS_DATABASE": f"host={run_folder} user=carers_service dbname=none"}, run_folder).start()
    try:
        done = ask(away)
    finally:
        away.stop()

    assert done.returncode == 1 and "/readyz answers with 503" in done.stderr


def test_nothing_at_the_port_is_not_healthy(server):
    with socket.socket() as held:  # bound and not listening: nobody else gets it
        held.bind(("127.0.0.1", 0))
        done = ask(server, CARERS_PORT=held.getsockname()[1])

    assert done.returncode == 1 and "nothing answers" in done.stderr


def test_a_proxy_of_the_environment_is_not_asked(server):
    done = ask(server, http_proxy="http://127.0.0.1:9", HTTP_PROXY="http://127.0.0.1:9", all_proxy="http://127.0.0.1:9")

    assert done.returncode == 0, done.stderr


def test_port_0_cannot_be_asked(server):
    done = ask(server, CARERS_PORT=0)

    assert done.returncode == 78 and "CARERS_PORT" in done.stderr
