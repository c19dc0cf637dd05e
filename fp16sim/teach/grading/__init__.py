"""How a learner's function is graded.

`tasks` and `lesson_tasks` say what is asked, tried and right. `running` calls a function of this process, and `process`
one of a file, in a process that runs `child`; both give `plain` data. `results` reads them, `examining` compares them
with the right answers, `causes` finds the misconception, `why` explains, and `judging` makes the `report`.
"""
