"""The current release over HTTP, read-only: the explorer, documents, questions as JSON (SPEC 8).

| module | holds |
| --- | --- |
| `current` | the release that is served, looked up anew every second, and what is kept of it |
| `questions` | the questions: their parameters, and how each is answered |
| `description` | the description of the questions, as OpenAPI |
| `files` | the files of the release that are served, each compressed once |
| `app` | routes, errors, headers: the application that a server runs |
| `patience` | how long a client may take, and how many connections there may be |
| `server` | the server on an address |

Nothing is written, but for local copies of what is served.
"""
