"""valgrind: the debug build under memcheck and the mixed load, with a reload of its keys, a restart of PostgreSQL and its own stop."""
import re

import tsan
from ground import ROOT

TITLE = "valgrind's memcheck under mixed load"
MINUTES, SHORT = 5, 0.15
PROGRAM = ROOT / "build-valgrind" / "carers-api"  # ./dev soak builds it: debug, without sanitizers
CONNECTIONS = 4


class Checked(tsan.Slow):
    """Errors and definite leaks make valgrind's exit code."""
    program = ("valgrind", "--quiet", "--leak-check=full", "--show-leak-kinds=definite,indirect", "--errors-for-leak-kinds=definite",
               "--error-exitcode=67", "--num-callers=30", "--fair-sched=yes", PROGRAM)


def play(told, options):
    if not PROGRAM.exists():
        raise RuntimeError(f"{PROGRAM} is not built: ./dev soak valgrind builds it")
    log, code = tsan.run(told, options, Checked, CONNECTIONS)
    found = re.findall(rb"^==\d+== (\S.*)$", log, re.MULTILINE)
    if found:
        (ROOT / "build-valgrind" / "soak.log").write_bytes(log)
        told.say("the reports stand in build-valgrind/soak.log")
    leaks = [line for line in found if b"definitely lost" in line]
    told.promise("memcheck reports nothing", f"{len(found)} lines, {len(leaks)} leaks: {found[0].decode()}" if found else "no error, no definite leak", not found)
    told.promise("the service ends with 0", code, code == 0)
    told.figure("suppressed", "nothing")
