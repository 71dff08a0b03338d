"""The parts of bench/run.py: processes, loads, candidates, attestation, cells and their statistics."""
