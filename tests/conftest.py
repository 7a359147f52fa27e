"""For all tests."""

import signal

# What a shell starts in the background ignores SIGINT, and so would every process that a test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


# Files that take longest. Where several processes share the files, these begin first, so that none is waited for at the end.
LONG = ("test_kills", "test_hp_waveforms", "test_measured_drive", "test_hp_command", "test_fuzz")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.stem not in LONG)
