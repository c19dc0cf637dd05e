"""How a learner's function is graded: the tasks, the calls, the comparison, the misconception, the report."""
