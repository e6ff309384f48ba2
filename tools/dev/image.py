#!/usr/bin/env python3
"""./dev image: builds docker/Dockerfile with docker, podman or buildah, whichever is there, says how large the image is, and
runs it as an operator would (not root, nothing may be written, no capability): migrate, serve, health, stop."""
import argparse
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from pg_cluster import Cluster  # noqa: E402

LIMIT_MB = 120
USER = 10001
READY_SECONDS = 30
CONFINED = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "host"]
# Mounts are this process's own; the root cannot be written to, and that is tried, before the program gets it.
CHROOT = """
set -eu
root="$1" folder="$2"; shift 2
mount --bind "$root" "$root"
mkdir -p "$root/run/postgresql" "$root/run/secrets" "$root/proc"
mount --bind "$folder/postgres/socket" "$root/run/postgresql"
mount --bind "$folder/secrets" "$root/run/secrets"
mount -t proc proc "$root/proc" 2>/dev/null || mount --bind /proc "$root/proc"
mount -o remount,ro,bind "$root"
if touch "$root/written" 2>/dev/null; then echo "image: the root can be written to" >&2; exit 99; fi
exec setpriv --no-new-privs --bounding-set=-all,+sys_chroot,+setuid,+setgid chroot --userspec=%d:%d --groups= "$root" "$@"
""" % (USER, USER)


def say(text):
    print(f"image: {text}", file=sys.stderr, flush=True)


def run(*words, **options):
    return subprocess.run([str(word) for word in words], check=True, text=True, **options)


def told(*words):
    return run(*words, stdout=subprocess.PIPE).stdout.strip()


class Engine:
    """docker, or podman, which takes the same words."""

    def __init__(self, name):
        self.name = name

    def base(self, folder):
        """An image of Debian made by its own tools, where no registry is to be reached."""
        with subprocess.Popen(["tar", "-C", folder, "-c", "."], stdout=subprocess.PIPE) as tar:
            run(self.name, "import", "-", "localhost/debian:12", stdin=tar.stdout)

    def build(self, tag, words):
        run(self.name, "build", "--tag", tag, *words, "--file", ROOT / "docker" / "Dockerfile", ROOT)

    def size(self, tag):
        return int(told(self.name, "image", "inspect", "--format", "{{.Size}}", tag))

    def command(self, tag, folder, settings, *words):
        return [self.name, "run", "--rm", *CONFINED, "--volume", f"{folder}/postgres/socket:/run/postgresql", "--volume",
                f"{folder}/secrets:/run/secrets:ro", *(f"--env={name}={value}" for name, value in settings.items()), tag, *words]

    def end(self):
        pass


class Buildah(Engine):
    """buildah builds; what it built is run in a root of its own, by unshare and chroot."""

    def __init__(self):
        super().__init__("buildah")
        self.container = self.root = None

    def base(self, folder):
        container = told("buildah", "from", "scratch")
        run("buildah", "copy", "--quiet", container, folder, "/", stdout=subprocess.DEVNULL)
        run("buildah", "commit", "--quiet", "--rm", container, "localhost/debian:12", stdout=subprocess.DEVNULL)

    def build(self, tag, words):
        run("buildah", "build", "--isolation", "chroot", "--format", "docker", "--layers", "--tag", tag, *words,
            "--file", ROOT / "docker" / "Dockerfile", ROOT)

    def mounted(self, tag):
        if not self.root:
            self.container = told("buildah", "from", "--pull-never", tag)
            self.root = pathlib.Path(told("buildah", "mount", self.container))
        return self.root

    def size(self, tag):
        return sum(path.lstat().st_size for path in self.mounted(tag).rglob("*"))

    def command(self, tag, folder, settings, *words):
        return ["env", "-i", "PATH=/usr/bin:/bin:/usr/sbin", *(f"{name}={value}" for name, value in settings.items()),
                "unshare", "--mount", "sh", "-c", CHROOT, "sh", str(self.mounted(tag)), str(folder), "/usr/bin/carers-api", *words]

    def end(self):
        if self.container:
            run("buildah", "umount", self.container, stdout=subprocess.DEVNULL)
            run("buildah", "rm", self.container, stdout=subprocess.DEVNULL)


def engine():
    for name in ("docker", "podman"):
        if shutil.which(name) and subprocess.run([name, "info"], capture_output=True, check=False).returncode == 0:
            return Engine(name)
    if not shutil.which("buildah"):
        sys.exit("image: docker, podman or buildah is wanted")
    if os.geteuid():
        sys.exit("image: with buildah, as root please: the image is run by unshare and chroot")
    return Buildah()


def debian(build):
    with tempfile.TemporaryDirectory(prefix="carers-image-") as place:
        say("making a base image with debootstrap")
        run("debootstrap", "--variant=minbase", "bookworm", f"{place}/root", stdout=subprocess.DEVNULL)
        build.base(f"{place}/root")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def place_for(folder):
    """A throwaway cluster that the image's user may enter, and a key that no token was signed with."""
    folder.chmod(0o755)
    cluster = Cluster(folder, throwaway=True).start()
    cluster.create_database()
    for path, mode in ((cluster.data, 0o755), (cluster.socket, 0o755), (cluster.socket / ".s.PGSQL.5432", 0o777)):
        path.chmod(mode)
    secrets = folder / "secrets"
    secrets.mkdir()
    run("openssl", "genpkey", "-quiet", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", folder / "key.pem")
    run("openssl", "pkey", "-in", folder / "key.pem", "-pubout", "-out", secrets / "key.pub.pem")
    return cluster


def status(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status
    except OSError:
        return None


def serve(build, tag, folder, settings):
    """Serves until /readyz was seen to be good from outside and by the image's own health check."""
    service = subprocess.Popen(build.command(tag, folder, settings, "serve"), start_new_session=True)
    try:
        deadline = time.monotonic() + READY_SECONDS
        while status(f"http://127.0.0.1:{settings['CARERS_PORT']}/readyz") != 200:
            if service.poll() is not None or time.monotonic() > deadline:
                sys.exit("image: the service did not become ready")
            time.sleep(0.1)
        run(*build.command(tag, folder, settings, "health"))
        if status(f"http://127.0.0.1:{settings['CARERS_PORT']}/docs/scripts/swagger-ui.js") != 200:
            sys.exit("image: its /docs has no viewer")
        owner = next((line.split()[1] for line in pathlib.Path(f"/proc/{service.pid}/status").read_text().splitlines()
                      if line.startswith("Uid:")), "?") if build.name == "buildah" else USER
        say(f"ready, and healthy by its own health check; user {owner}, nothing can be written")
    finally:
        service.terminate()
        code = service.wait(30)
    if code:
        sys.exit(f"image: the service ended with {code}")
    say("SIGTERM ended it with 0")


def try_out(build, tag):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="carers-image-", dir="/tmp"))
    cluster = None
    try:
        cluster = place_for(folder)
        where = "host=/run/postgresql dbname=carers"
        settings = {"CARERS_DATABASE": f"{where} user=carers_service", "CARERS_DATABASE_OWNER": f"{where} user=carers_owner",
                    "CARERS_ISSUER": "urn:image", "CARERS_KEY_FILES": "k=ES256:/run/secrets/key.pub.pem",
                    "CARERS_HOST": "0.0.0.0", "CARERS_PORT": str(free_port())}
        run(*build.command(tag, folder, settings, "migrate"), stdout=subprocess.DEVNULL)
        serve(build, tag, folder, settings)
    finally:
        if cluster:
            cluster.remove()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(prog="./dev image", description=__doc__)
    parser.add_argument("--tag", default="carers-api:latest")
    parser.add_argument("--debootstrap", action="store_true", help="make the base image here: no registry is asked")
    options = parser.parse_args()
    build = engine()
    try:
        if options.debootstrap:
            debian(build)
        say(f"building with {build.name}")
        base = ["--build-arg", "BASE=localhost/debian:12"] if options.debootstrap else []
        build.build(options.tag, ["--build-arg", "VIEWER=local", *base])
        size = build.size(options.tag) / 1e6
        say(f"{options.tag} has {size:.1f} MB (limit {LIMIT_MB})")
        try_out(build, options.tag)
    finally:
        build.end()
    if size > LIMIT_MB:
        sys.exit("image: it is larger than its limit")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as fault:
        sys.exit(f"image: {' '.join(map(str, fault.cmd[:3]))} ... ended with {fault.returncode}")
