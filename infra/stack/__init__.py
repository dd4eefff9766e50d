"""The local stack: what runs, where it lives, how it is started and watched."""
