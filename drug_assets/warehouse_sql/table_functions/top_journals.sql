-- top_journals(exclude_retracted, with_trial_results): the journals that mention the most different
-- drugs (SPEC 6.1).
--
-- Over all sources; with all journals that tie. With FALSE twice, the rows of top_journal_view.
--
-- Parameters:
--   exclude_retracted BOOL, whether to leave out the mentions of retracted publications (as
--     --exclude-retracted does); those of which no record says stay, and are counted in
--     unknown_mentions. NULL means FALSE (table functions have no default arguments).
--   with_trial_results BOOL, whether a publication that reports the results of a trial is a mention
--     of the drugs that the trial's title names (as --with-trial-results does). NULL means FALSE.
-- Returns: journal_id STRING, journal STRING, drug_count INT64, drugs ARRAY<STRING>, and, of the
-- mentions that were counted, mentions INT64, retracted_mentions INT64, unknown_mentions INT64, and
-- via_trials ARRAY<STRING>, the trials by whose results drugs count that no title of it names.
-- Rows of a table function have no order, so the caller sorts:
--   SELECT * FROM `${project}.${dataset}.top_journals`(TRUE, FALSE) ORDER BY journal
-- Cost: six columns of mentions (journal_id, journal, drug_id, drug, source, retracted), all
-- partitions; with the results of trials, trial_result_mentions besides.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.top_journals`(
  exclude_retracted BOOL,
  with_trial_results BOOL
)
RETURNS TABLE<
  journal_id STRING,
  journal STRING,
  drug_count INT64,
  drugs ARRAY<STRING>,
  mentions INT64,
  retracted_mentions INT64,
  unknown_mentions INT64,
  via_trials ARRAY<STRING>
>
AS (
  WITH named AS (
    SELECT journal_id, journal, drug_id, drug, source, retracted
    FROM `${project}.${dataset}.mentions`
    WHERE journal_id IS NOT NULL
      -- IF takes NULL as FALSE.
      AND IF(exclude_retracted, IFNULL(retracted, FALSE), FALSE) = FALSE
  ),
  results AS (
    SELECT journal_id, journal, drug_id, drug, source, retracted, trial_ids
    FROM `${project}.${dataset}.trial_result_mentions`
    WHERE IF(with_trial_results, TRUE, FALSE)
      AND journal_id IS NOT NULL
      AND IF(exclude_retracted, IFNULL(retracted, FALSE), FALSE) = FALSE
  ),
  counted AS (
    SELECT journal_id, journal, drug_id, drug, source, retracted FROM named
    UNION ALL
    SELECT journal_id, journal, drug_id, drug, source, retracted FROM results
  ),
  via AS (
    SELECT results.journal_id, ARRAY_AGG(DISTINCT trial_id ORDER BY trial_id) AS via_trials
    FROM results
    CROSS JOIN UNNEST(results.trial_ids) AS trial_id
    LEFT JOIN named
      ON named.journal_id = results.journal_id
      AND named.drug_id = results.drug_id
    WHERE named.drug_id IS NULL
    GROUP BY results.journal_id
  ),
  pairs AS (
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
    FROM counted
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
    unknown_mentions,
    IFNULL(via.via_trials, []) AS via_trials
  FROM counts
  LEFT JOIN via USING (journal_id)
  WHERE drug_count = (SELECT MAX(drug_count) FROM counts)
);
