-- top_journal_view: the journals that mention the most different drugs (SPEC 6.1).
--
-- Over all sources; with all journals that tie.
--
-- The pipeline's table top_journal holds this answer as last published; the view computes it from
-- the current mentions, so that the two can be compared and the query can be read and adapted. Add
-- ORDER BY journal: rows of a view have no order.
-- Parameters: none.
-- Mentions of retracted publications are counted, and told in retracted_mentions; the table function
-- top_journals, of which these are the rows without its options, can leave them out.
-- Cost: that of top_journals(FALSE, FALSE). For a dashboard, read the table top_journal: a few rows.
-- Emulator: it does not store the descriptions.
CREATE OR REPLACE VIEW `${project}.${dataset}.top_journal_view` (
  journal_id OPTIONS (description = 'Identity of the journal.'),
  journal OPTIONS (description = 'Journal, in its most frequent spelling.'),
  drug_count OPTIONS (description = 'Different drugs it mentions.'),
  drugs OPTIONS (description = 'Names of these drugs, sorted.'),
  mentions OPTIONS (description = 'Mentions of these drugs that were counted.'),
  retracted_mentions OPTIONS (description = 'Of these mentions, those of retracted publications.'),
  unknown_mentions OPTIONS (
    description = 'Of these mentions, those of which no record says whether they were retracted.'
  )
)
OPTIONS (
  description = 'The journals that mention the most different drugs: all that tie, from mentions.'
)
AS
SELECT
  journal_id,
  journal,
  drug_count,
  drugs,
  mentions,
  retracted_mentions,
  unknown_mentions
FROM `${project}.${dataset}.top_journals`(FALSE, FALSE);
