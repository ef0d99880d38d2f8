"""The graph document, `graph.json`: its schema, writing, reading, and questions (SPEC 5 and 6).

| module | holds |
| --- | --- |
| `schema` | the single declaration of the document's content |
| `writing` | tables -> the lines of the document |
| `reading` | a document -> its drugs, one at a time |
| `questions` | a document -> answers to questions |

`graph.schema.json` is the JSON Schema of the declaration, for readers in other languages; a test
keeps it up to date. This file imports nothing, and `reading` and `questions` do not import Polars:
people wait for answers on a command line.
"""
