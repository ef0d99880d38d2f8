"""Titles in which people have marked the drugs -> how well the names of drug lists find them.

| module | holds |
| --- | --- |
| `gold` | reading the titles with marked spans |
| `scores` | comparing found with marked spans: precision, recall, F1 and their intervals |
| `mistakes` | the kinds of spans that were missed, wrongly found, or found with other ends |
| `measuring` | all of it for some drug lists, and what each list and each rule adds |

How names are chosen belongs to `cleaning`, how they are found to `mentions`; where files are, and
how the figures are shown, belongs to `cli`. `docs/accuracy.md` explains and discusses figures.
"""
