"""Why a board differs from torch: how long it is valid, what errs, whether the system itself amplifies, what to change."""
