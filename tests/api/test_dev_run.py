"""./dev run: one command from nothing to a service with tokens; its folder, its port and its end are its own."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest
import requests
from pg_cluster import Cluster
from support.server import PROGRAM, ROOT, environment

ROLES = {"council_admin", "practitioner", "commissioner", "directory_editor", "assessor", "support_worker",
         "hospital_in_reach", "break_provider", "referrer", "vcfse_editor", "carer"}


class Run:
    """One ./dev run with --json, its build taken from this test run."""

    def __init__(self, folder, *arguments):
        self.folder, self.errors = folder, folder / "run.log"
        folder.mkdir(exist_ok=True)
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(
                ["/usr/bin/python3", ROOT / "tools/dev/run.py", "--json", "--data", folder, *arguments],
                env={**environment({}), "API_PROGRAM": str(PROGRAM)}, stdout=subprocess.PIPE, stderr=errors, text=True,
                start_new_session=True)

    def ready(self):
        line = self.process.stdout.readline()
        assert line, self.errors.read_text()
        return json.loads(line)

    def stop(self, number=signal.SIGINT):
        """As Ctrl-C does: the whole group hears it."""
        os.killpg(self.process.pid, number)
        return self.process.wait(90)


@pytest.fixture
def folder():
    """A private folder that PostgreSQL's user can enter."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="carers-run-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    for record in path.glob("**/cluster.json"):
        Cluster(record.parent).remove()
    shutil.rmtree(path)


def me(ready, role):
    response = requests.get(f"{ready['base_url']}/v1/me", headers={"Authorization": f"Bearer {ready['tokens'][role]}"},
                            timeout=30)
    assert response.status_code == 200, response.text
    return response.json()


def test_it_serves_the_demo_with_a_token_for_every_role_and_ends_clean(folder):
    run = Run(folder, "--port", "0")
    try:
        ready = run.ready()
        assert set(ready["tokens"]) == ROLES
        assert {me(ready, role)["role"] for role in ROLES} == ROLES
        assert me(ready, "support_worker")["organisation"]["name"]
        carers = requests.get(f"{ready['base_url']}/v1/carers?limit=200", timeout=30,
                              headers={"Authorization": f"Bearer {ready['tokens']['practitioner']}"}).json()["items"]
        assert carers
        feed = requests.get(f"{ready['base_url']}/oruk/v3/services?per_page=1", timeout=30).json()
        assert feed["total_items"] == 258
        found = requests.get(f"{ready['base_url']}/v1/directory/services?q=sitter&postcode=IP19+0CC&within_metres=5000", timeout=30).json()
        assert found["items"] and all("Halesworth" in item["name"] for item in found["items"])
        own = f"{ready['base_url']}/v1/carers/{me(ready, 'carer')['carer_id']}"
        assert requests.get(own, headers={"Authorization": f"Bearer {ready['tokens']['carer']}"}, timeout=30).status_code == 200
    finally:
        code = run.stop()

    assert code == 0, run.errors.read_text()
    assert not Cluster(folder).running()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{ready['base_url']}/livez", timeout=5)


def test_a_second_start_finds_what_the_first_has_written(folder):
    first = Run(folder, "--port", "0", "--empty")
    try:
        ready = first.ready()
        headers = {"Authorization": f"Bearer {ready['tokens']['practitioner']}"}
        assert requests.get(f"{ready['base_url']}/v1/carers", headers=headers, timeout=30).json() == {"items": []}
        made = requests.post(f"{ready['base_url']}/v1/carers", headers=headers, timeout=30, json={
            "given_name": "A", "family_name": "B", "council": "E09000019", "identification": {"source": "self"}})
        assert made.status_code == 201, made.text
    finally:
        first.stop(signal.SIGTERM)
    second = Run(folder, "--port", "0")
    try:
        again = requests.get(f"{second.ready()['base_url']}/v1/carers", headers=headers, timeout=30)
    finally:
        second.stop()

    assert [item["id"] for item in again.json()["items"]] == [made.json()["id"]]


def test_two_run_side_by_side_and_a_folder_or_port_that_is_taken_is_told(folder):
    one, two = Run(folder / "one", "--port", "0", "--empty"), Run(folder / "two", "--port", "0", "--empty")
    try:
        ready = [run.ready() for run in (one, two)]
        assert ready[0]["base_url"] != ready[1]["base_url"]
        assert all(requests.get(f"{r['base_url']}/readyz", timeout=30).status_code == 200 for r in ready)

        same = Run(folder / "one", "--port", "0")
        assert same.process.wait(30) == 1 and "--data" in same.errors.read_text()
        port = ready[0]["base_url"].rsplit(":", 1)[1]
        taken = Run(folder / "three", "--port", port)
        assert taken.process.wait(30) == 1 and f"port {port} is taken" in taken.errors.read_text()
        assert requests.get(f"{ready[0]['base_url']}/readyz", timeout=30).status_code == 200
    finally:
        one.stop()
        two.stop()


def test_what_was_killed_starts_again(folder):
    run = Run(folder, "--port", "0", "--empty")
    run.ready()
    run.process.kill()
    run.process.wait()

    again = Run(folder, "--port", "0", "--empty")
    try:
        ready = again.ready()
        assert requests.get(f"{ready['base_url']}/readyz", timeout=30).status_code == 200
    finally:
        assert again.stop() == 0
