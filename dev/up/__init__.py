"""The player of ``compose.yaml``: the described system as local processes, without Docker.

compose.py reads what is described, plan.py turns it into processes (pure), ports.py looks before anything starts,
supervise.py starts, watches and drains; process.py is one process, guardian.py the one that outlives us.
"""
