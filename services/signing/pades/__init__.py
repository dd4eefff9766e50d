"""The lean path of PDF signatures: reads what a signature touches, and writes nothing else."""
