-- top_journal_view: the journals that mention the most different drugs, over both sources, all that
-- tie (SPEC section 6.1).
--
-- The pipeline's table top_journal is this answer as it was last published; the view computes it
-- from the mentions as they are now, so that the two can be held against each other and the query
-- can be read and bent. Add ORDER BY journal: rows of a view have no order.
-- Parameters: none.
-- Cost: four columns of mentions (journal_id, journal, drug_id, drug), all partitions. For a
-- dashboard, read the table top_journal: a few rows.
-- Emulator: it does not keep the descriptions.
CREATE OR REPLACE VIEW `${project}.${dataset}.top_journal_view` (
  journal_id OPTIONS (description = 'Identity of the journal.'),
  journal OPTIONS (description = 'Journal, in its most frequent spelling.'),
  drug_count OPTIONS (description = 'Different drugs it mentions.'),
  drugs OPTIONS (description = 'Names of these drugs, sorted.')
)
OPTIONS (
  description = 'The journals that mention the most different drugs: all that tie, from mentions.'
)
AS
WITH pairs AS (
  -- A drug counts once a journal, however often it is mentioned. Drugs are told apart by their
  -- identity: two drugs of one name are two.
  SELECT journal_id, drug_id, MIN(journal) AS journal, MIN(drug) AS drug
  FROM `${project}.${dataset}.mentions`
  WHERE journal_id IS NOT NULL
  GROUP BY journal_id, drug_id
),
counts AS (
  SELECT
    journal_id,
    MIN(journal) AS journal,
    COUNT(*) AS drug_count,
    ARRAY_AGG(drug ORDER BY drug) AS drugs
  FROM pairs
  GROUP BY journal_id
)
SELECT journal_id, journal, drug_count, drugs
FROM counts
WHERE drug_count = (SELECT MAX(drug_count) FROM counts);
