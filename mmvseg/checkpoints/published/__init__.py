"""How published code bases name the parameters of their models.

``names`` translates names by tables, ``parts`` and the modules of each network say how its
parameters differ, ``layouts`` how the code bases put them together.
"""
