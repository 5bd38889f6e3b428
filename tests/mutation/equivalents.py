"""Mutants that no test can kill, because nobody could tell, each with the reason. The list is held to be true.

A name that no mutant has any more, or one that a test kills after all, fails ``test_mutants.py``.
"""

from typing import Final

NO_ORDER = "tickets are compared with tickets only: neither the first number nor the step means anything"
AGAIN = "turning again within a slice changes nothing; it only costs time"
BEFORE_THE_FIRST = "the first count turns the window before it counts: the clock never stands before 0"
SHOWN_NOWHERE = "verdicts are told apart by identity; the text is for a debugger"
SAME_LENGTH = "both sides have one entry a member of one enum or one kind of count: they cannot differ in length"

EQUIVALENT: Final[dict[str, dict[str, str]]] = {
    "breaker": {
        "Breaker.__init__: 0.0 -> 1.0": "when it reopens is read only while open, and set whenever it opens",
        "Breaker.__init__: 0 -> 1": NO_ORDER,
        "Breaker.admit: 1 -> 2": NO_ORDER,
        "Breaker._turn: 1 -> 2": NO_ORDER,
    },
    "budget": {
        "RetryBudget.__init__: 0 -> 1 #2": "the first call turns the halves, and what was the older one is dropped",
        "RetryBudget.__init__: 0 -> 1 #4": "the first call turns the halves, and what was the older one is dropped",
    },
    "bulkhead": {
        "Bulkhead.release: 0.0 -> 1.0": "it goes with the default verdict, and an ignored call's time is not looked at",
        "Bulkhead._admit: True -> False": SAME_LENGTH,
    },
    "hedge": {
        "Hedged._wake: self._timer = None -> pass": "cancelling a timer that has fired does nothing",
    },
    "priority": {
        "module: 1.0 -> 2.0": "nobody gets more than the limit: twice all is all",
    },
    "retry": {
        "RetryPolicy.wait_s: 64 -> 65": "2^64 times a microsecond is beyond any longest wait; this is about overflow",
    },
    "verdict": {
        "Verdict: 'success' -> 'not success'": SHOWN_NOWHERE,
        "Verdict: 'failure' -> 'not failure'": SHOWN_NOWHERE,
        "Verdict: 'overload' -> 'not overload'": SHOWN_NOWHERE,
        "Verdict: 'ignored' -> 'not ignored'": SHOWN_NOWHERE,
    },
    "window": {
        "Window.forget: 0 -> 1 #4": "all slices are empty then: which of them is the present one makes no difference",
        "Window.forget: self._current = self._slices[0] -> pass": BEFORE_THE_FIRST,
        "Window.forget: 0 -> 1 #5": BEFORE_THE_FIRST,
        "Window.totals: True -> False": SAME_LENGTH,
        "Window._turn: current - SLICES + 1 -> current - SLICES - 1": "it clears all ten either way, two of them twice",
        "Window._turn: self._ends_s = (current + 1) * self._slice_s -> pass": AGAIN,
        "Window._turn: current + 1 -> current - 1 #2": AGAIN,
    },
}
