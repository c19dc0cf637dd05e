"""How each record is shown: a module registers layouts with `document_of`, which loads it for the first such record."""
