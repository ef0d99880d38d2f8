"""The explorer: the tables of a run as one page that a browser opens from disk (SPEC 11).

| module | holds |
| --- | --- |
| `pack` | tables -> the blocks of data, as columns |
| `numbered` | mentions with numbers for drugs, journals, types and dates; what the numbers mean |
| `rows` | the blocks that grow with the mentions: facts and texts, by batches of drugs |
| `figures` | how reading and cleaning went: what the page tells of the run |
| `page` | blocks -> the page, or the page and files beside it |
| `reading` | the page -> its index, for checks |
| `first_view` | what the page shows where no script runs |
| `built` | the script and the style, made from `explorer/` at the root of the repository |

This file imports nothing: the command line says where a page lies without reading a table.
"""

#: The name of the page, and of the folder with the files beside it.
FILE = "explorer.html"
FOLDER = "explorer_files"
