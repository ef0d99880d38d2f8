"""Intermediate results that runs share; they may be deleted, and the next run makes them again.

| module | holds |
| --- | --- |
| `by_file` | tables kept by file: one part per landed file, named by its content and version |
| `content_ids` | identities of the bytes of landed files on a local disk |
| `whole` | which kept objects hold the bytes that they were written with |

Their objects are below `.kept/` in the store.
"""

FOLDER = ".kept/"
