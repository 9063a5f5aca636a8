"""Named checks of the interop programs: one line per check, and a summary."""

import traceback


class Checks:
    """Runs functions as checks: `ok NAME`, or `not ok NAME: why`."""

    def __init__(self):
        self.passed = self.failed = 0

    def run(self, name, check, *arguments):
        try:
            check(*arguments)
        except AssertionError as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.fail(name, f"{error or where.line} (line {where.lineno})")
        except Exception as error:  # no exception may prevent the other checks
            self.fail(name, f"{type(error).__name__}: {error}")
        else:
            self.passed += 1
            print(f"ok {name}", flush=True)

    def fail(self, name, why):
        self.failed += 1
        print(f"not ok {name}: {why}", flush=True)

    def finish(self):
        """Prints the summary; returns the exit code."""
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0
