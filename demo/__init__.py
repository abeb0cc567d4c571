"""The main job on a local Azure: what `make demo` shows and what `make local` keeps running."""
