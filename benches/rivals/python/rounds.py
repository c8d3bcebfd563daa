"""How a script answers: see src/python.rs."""

import json
import sys
import time


def serve(contenders):
    """Runs the contender of each line that comes in. A contender is made by the first line that names it."""
    made = {}
    for line in sys.stdin:
        name = line.strip()
        try:
            if name not in made:
                made[name] = contenders[name]()
            start = time.thread_time_ns()
            found = made[name]()
            answer = {"ns": time.thread_time_ns() - start, "sum": found}
        except Exception as error:  # Whatever a package throws at us is an answer too.
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
