"""The three validators as processes: a question is a line of JSON, and so is its answer."""
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import schema_peers  # noqa: E402  (tools/ is no package)

NAMES = ("ours", "ajv", "python")


class Peer:
    def __init__(self, *command, **environment):
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env={**os.environ, **environment})

    def send(self, line):
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def receive(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args[0]} ended with {self.process.wait()}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


class Peers:
    """All three; `ask` gives for each instance a tuple of three answers: True, False or a sentence."""

    def __init__(self, driver):
        self.all = [Peer(driver), Peer("node", HERE / "ajv_peer.js", NODE_PATH=str(schema_peers.node_modules())),
                    Peer(schema_peers.python(), HERE / "python_peer.py")]
        self.asked = 0

    def ask(self, schema, instances):
        line = json.dumps({"schema": schema, "instances": instances}).encode() + b"\n"
        self.asked += 1
        for peer in self.all:
            peer.send(line)
        answers = [peer.receive() for peer in self.all]
        columns = [["error: " + a["error"]] * len(instances) if isinstance(a, dict) else a for a in answers]
        return list(zip(*columns))

    def close(self):
        for peer in self.all:
            peer.close()


def signs(answers):
    """Three letters: v valid, i invalid, e no verdict."""
    return "".join("v" if answer is True else "i" if answer is False else "e" for answer in answers)
