"""The HP twin with programming error and levels, on many boards."""
