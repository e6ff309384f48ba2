#!/usr/bin/env python3
"""./dev clients, the second half: the journeys of clients/ against a service of their own, with the clients that were made."""
import os
import pathlib
import subprocess
import sys

from live import ROOT, service


def main():
    place = pathlib.Path(sys.argv[1])
    python = place / "venv" / "bin" / "python"
    journeys = {"TypeScript": ["node", place / "typescript" / "out" / "journey.js"], "Python": [python, ROOT / "clients/python/journey.py"]}
    failed = []
    with service(CARERS_CHECK_RESPONSES="true", CARERS_WEBHOOKS="false") as live:
        where = {"CARERS_URL": live["base_url"], "CARERS_TOKEN": live["tokens"]["practitioner"], "PYTHONPATH": str(place / "python")}
        for name, command in journeys.items():
            print(f"--- {name}", flush=True)
            if subprocess.run(command, env={**os.environ, **where}, check=False).returncode:
                failed.append(name)
    if failed:
        sys.exit(f"dev: these journeys failed: {', '.join(failed)}")
    print("dev: both clients did the whole journey", file=sys.stderr)


if __name__ == "__main__":
    main()
