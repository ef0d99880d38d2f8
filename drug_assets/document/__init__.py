"""The documents `graph.json` and `names.json`: schema, writing, reading, questions (SPEC 5 and 6).

| module | holds |
| --- | --- |
| `schema` | the single declaration of the content of both |
| `writing` | tables -> the lines of a document |
| `reading` | a document -> its drugs, one at a time |
| `verifying` | a whole document -> whether it is as declared, and its counts |
| `questions` | the documents -> answers to questions |

`graph.schema.json` and `names.schema.json` are the JSON Schemas of the declaration, for readers in
other languages; a test keeps them up to date. This file imports nothing; `reading`, `verifying` and
`questions` do not import Polars: people wait for answers on a command line.
"""

#: What related drugs can be sorted by, that of the default first. Ties are sorted by name.
RELATED_ORDERS = ("journals", "name", "lift")
