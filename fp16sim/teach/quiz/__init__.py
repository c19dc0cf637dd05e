"""The questions behind `fp16sim.teach.exercises`: their kinds, how answers are read, and their files."""
