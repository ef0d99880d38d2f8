-- top_journals(exclude_retracted): the journals that mention the most different drugs (SPEC 6.1).
--
-- Over all sources; with all journals that tie. With FALSE, the rows of top_journal_view.
--
-- Parameters:
--   exclude_retracted BOOL, whether to leave out the mentions of retracted publications (as
--     --exclude-retracted does); those of which no record says stay, and are counted in
--     unknown_mentions. NULL means FALSE (table functions have no default arguments).
-- Returns: journal_id STRING, journal STRING, drug_count INT64, drugs ARRAY<STRING>, and, of the
-- mentions that were counted, mentions INT64, retracted_mentions INT64, unknown_mentions INT64.
-- Rows of a table function have no order, so the caller sorts:
--   SELECT * FROM `${project}.${dataset}.top_journals`(TRUE) ORDER BY journal
-- Cost: six columns of mentions (journal_id, journal, drug_id, drug, source, retracted), all
-- partitions.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.top_journals`(
  exclude_retracted BOOL
)
RETURNS TABLE<
  journal_id STRING,
  journal STRING,
  drug_count INT64,
  drugs ARRAY<STRING>,
  mentions INT64,
  retracted_mentions INT64,
  unknown_mentions INT64
>
AS (
  WITH pairs AS (
    -- A drug counts once per journal, however often it is mentioned. Drugs are distinguished by
    -- drug_id: two drugs with the same name are two.
    SELECT
      journal_id,
      drug_id,
      MIN(journal) AS journal,
      MIN(drug) AS drug,
      COUNT(*) AS mentions,
      COUNTIF(retracted) AS retracted_mentions,
      -- Clinical trials cannot be retracted, so nothing of them is unknown.
      COUNTIF(retracted IS NULL AND source = 'pubmed') AS unknown_mentions
    FROM `${project}.${dataset}.mentions`
    WHERE journal_id IS NOT NULL
      -- IF takes NULL as FALSE.
      AND IF(exclude_retracted, IFNULL(retracted, FALSE), FALSE) = FALSE
    GROUP BY journal_id, drug_id
  ),
  counts AS (
    SELECT
      journal_id,
      MIN(journal) AS journal,
      COUNT(*) AS drug_count,
      ARRAY_AGG(drug ORDER BY drug) AS drugs,
      SUM(mentions) AS mentions,
      SUM(retracted_mentions) AS retracted_mentions,
      SUM(unknown_mentions) AS unknown_mentions
    FROM pairs
    GROUP BY journal_id
  )
  SELECT
    journal_id,
    journal,
    drug_count,
    drugs,
    mentions,
    retracted_mentions,
    unknown_mentions
  FROM counts
  WHERE drug_count = (SELECT MAX(drug_count) FROM counts)
);
