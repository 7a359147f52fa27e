"""Every part against its datasheet."""
