"""How a script answers: see src/python.rs."""

import json
import sys
import time


def serve(contenders):
    """Runs the contender of each line that comes in. The first line that names one makes it: work that is timed, and a
    function that makes an integer of what that found; None: there is nothing to compare."""
    made = {}
    for line in sys.stdin:
        name = line.strip()
        try:
            if name not in made:
                made[name] = contenders[name]()
            work, check = made[name]
            start = time.thread_time_ns()
            found = work()
            took = time.thread_time_ns() - start
            answer = {"ns": took, "sum": check(found) if check else None}
        except Exception as error:  # Whatever a package throws at us is an answer too.
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
