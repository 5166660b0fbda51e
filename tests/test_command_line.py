import sys
from types import SimpleNamespace

from ontogeny.__main__ import hide_closed_loops


def test_only_tracebacks_of_closed_loops_are_hidden(monkeypatch):
    shown = []
    monkeypatch.setattr(sys, "unraisablehook", shown.append)
    hide_closed_loops()
    faults = [SimpleNamespace(exc_value=RuntimeError(text)) for text in ("Event loop is closed", "another")]
    for fault in faults:
        sys.unraisablehook(fault)
    assert shown == faults[1:]
