"""The pure compiler: an assembled edge in, Envoy's configuration as plain values out.

Same edge, same bytes: no clock, no environment, no disk (an import contract holds it). Order of a request's way through
a listener is ``filters.py``; what Envoy answers by itself, ``answers.py``.
"""
