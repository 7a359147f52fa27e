"""The HP memristor twin."""
