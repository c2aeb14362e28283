"""Crashes and failing disks beneath the binary, again and again: see CONTRIBUTING.md."""
