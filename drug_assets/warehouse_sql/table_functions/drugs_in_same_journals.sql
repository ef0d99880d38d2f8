-- drugs_in_same_journals(drug_name, exclude_trial_journals, exclude_retracted, with_trial_results):
-- the drugs that share journals with one, or with those of an ATC class.
--
-- The other drugs mentioned by the journals that mention this drug; only mentions by PubMed
-- publications count, for both drugs (SPEC 6.2).
--
-- Parameters:
--   drug_name STRING, any of the drug's names, in any case and spacing. If it is the name of one
--     drug and a synonym of another, it means the first; a synonym of several drugs means all of
--     them. Or the code of an ATC class, such as N02B, which goes before a synonym: it means all
--     drugs of the class, and these are not among the others. A name that no drug has, or a class,
--     is an error, not an empty answer; a drug without mentions has an empty answer. (The parameter
--     is not called drug: a column of that name would hide it.)
--   exclude_trial_journals BOOL, whether to leave out the journals that mention the given drug in a
--     clinical trial (as --exclude-trial-journals does); NULL means FALSE (table functions have no
--     default arguments).
--   exclude_retracted BOOL, whether to leave out the mentions of retracted publications, of either
--     drug (as --exclude-retracted does); those of which no record says stay. NULL means FALSE.
--   with_trial_results BOOL, whether a publication that reports the results of a trial is a mention
--     of the drugs that the trial's title names (as --with-trial-results does). NULL means FALSE.
-- Returns: drug_id STRING, drug STRING, journals ARRAY<STRING> (those that link the two, sorted),
-- and of either drug's mentions by these journals that were counted: mentions INT64,
-- retracted_mentions INT64, unknown_mentions INT64 (no record says); via_trials ARRAY<STRING>, the
-- trials by whose results journals link the two whose titles do not name both; lift FLOAT64, how
-- much more often than by chance journals mention both (SPEC 6.2).
-- Rows of a table function have no order, so the caller sorts:
--   SELECT *
--   FROM `${project}.${dataset}.drugs_in_same_journals`('betamethasone', FALSE, FALSE, FALSE)
--   ORDER BY ARRAY_LENGTH(journals) DESC, drug
-- Cost: journal_drugs (one row per journal and drug) and four columns of drugs, whole: far less
-- than the mentions. With the results of trials, trial_result_mentions besides.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.drugs_in_same_journals`(
  drug_name STRING,
  exclude_trial_journals BOOL,
  exclude_retracted BOOL,
  with_trial_results BOOL
)
RETURNS TABLE<
  drug_id STRING,
  drug STRING,
  journals ARRAY<STRING>,
  mentions INT64,
  retracted_mentions INT64,
  unknown_mentions INT64,
  via_trials ARRAY<STRING>,
  lift FLOAT64
>
AS (
  WITH listed AS (
    SELECT
      drug_id,
      `${project}.${dataset}.folded_name`(drug)
        = `${project}.${dataset}.folded_name`(drug_name) AS is_its_name,
      -- The code of a class begins every code below it.
      EXISTS (
        SELECT 1
        FROM UNNEST(atc_codes) AS code
        WHERE UPPER(`${project}.${dataset}.folded_name`(drug_name))
          IN (code, LEFT(code, 5), LEFT(code, 4), LEFT(code, 3), LEFT(code, 1))
      ) AS is_its_class,
      EXISTS (
        SELECT 1
        FROM UNNEST(names) AS name
        WHERE `${project}.${dataset}.folded_name`(name)
          = `${project}.${dataset}.folded_name`(drug_name)
      ) AS is_a_spelling
    FROM `${project}.${dataset}.drugs`
  ),
  named AS (
    SELECT
      drug_id,
      -- What is asked for is the first of these that any drug has.
      CASE WHEN is_its_name THEN 1 WHEN is_its_class THEN 2 ELSE 3 END AS step
    FROM listed
    WHERE is_its_name OR is_its_class OR is_a_spelling
  ),
  asked AS (
    SELECT drug_id
    FROM named
    WHERE step = (SELECT MIN(step) FROM named)
    UNION ALL
    -- Adds no row: it raises the error if no drug has the name.
    SELECT
      IF(
        found = 0,
        ERROR(
          CONCAT('No drug is named ', IFNULL(drug_name, 'NULL'), ', and none is of that ATC class')
        ),
        ''
      )
    FROM (SELECT COUNT(*) AS found FROM named)
    WHERE found = 0
  ),
  by_title AS (
    SELECT
      journal_id,
      journal,
      drug_id,
      drug,
      -- IF takes NULL as FALSE.
      pubmed_mentions - IF(exclude_retracted, retracted_pubmed_mentions, 0) AS mentions,
      IF(exclude_retracted, 0, retracted_pubmed_mentions) AS retracted_mentions,
      unknown_pubmed_mentions AS unknown_mentions,
      IF(exclude_trial_journals, clinical_trial_mentions, 0) AS excluding_mentions
    FROM `${project}.${dataset}.journal_drugs`
  ),
  results AS (
    SELECT journal_id, journal, drug_id, drug, retracted, trial_ids
    FROM `${project}.${dataset}.trial_result_mentions`
    WHERE IF(with_trial_results, TRUE, FALSE)
      AND source = 'pubmed'
      AND journal_id IS NOT NULL
      AND IF(exclude_retracted, IFNULL(retracted, FALSE), FALSE) = FALSE
  ),
  counted AS (
    SELECT
      journal_id,
      MIN(journal) AS journal,
      drug_id,
      MIN(drug) AS drug,
      SUM(mentions) AS mentions,
      SUM(retracted_mentions) AS retracted_mentions,
      SUM(unknown_mentions) AS unknown_mentions,
      SUM(excluding_mentions) AS excluding_mentions
    FROM (
      SELECT
        journal_id,
        journal,
        drug_id,
        drug,
        mentions,
        retracted_mentions,
        unknown_mentions,
        excluding_mentions
      FROM by_title
      UNION ALL
      SELECT
        journal_id,
        journal,
        drug_id,
        drug,
        1 AS mentions,
        IF(retracted, 1, 0) AS retracted_mentions,
        IF(retracted IS NULL, 1, 0) AS unknown_mentions,
        0 AS excluding_mentions
      FROM results
    )
    GROUP BY journal_id, drug_id
  ),
  journals_left_out AS (
    SELECT DISTINCT journal_id
    FROM counted
    WHERE drug_id IN (SELECT drug_id FROM asked)
      AND excluding_mentions > 0
  ),
  -- What lift and links are counted of: no journal that is left out counts for any drug.
  of_reading AS (
    SELECT journal_id, journal, drug_id, drug, mentions, retracted_mentions, unknown_mentions
    FROM counted
    WHERE mentions > 0
      AND journal_id NOT IN (SELECT journal_id FROM journals_left_out)
  ),
  linking_journals AS (
    SELECT
      journal_id,
      SUM(mentions) AS mentions,
      SUM(retracted_mentions) AS retracted_mentions,
      SUM(unknown_mentions) AS unknown_mentions
    FROM of_reading
    WHERE drug_id IN (SELECT drug_id FROM asked)
    GROUP BY journal_id
  ),
  every_journal AS (
    SELECT COUNT(DISTINCT journal_id) AS every
    FROM of_reading
  ),
  journals_of_drug AS (
    SELECT drug_id, COUNT(DISTINCT journal_id) AS other
    FROM of_reading
    GROUP BY drug_id
  ),
  trials AS (
    -- Of the other drug, where no title of the journal names it.
    SELECT results.journal_id, results.drug_id, trial_id
    FROM results
    CROSS JOIN UNNEST(results.trial_ids) AS trial_id
    LEFT JOIN by_title
      ON by_title.journal_id = results.journal_id
      AND by_title.drug_id = results.drug_id
      AND by_title.mentions > 0
    WHERE by_title.drug_id IS NULL
    UNION ALL
    -- Of the drug asked for, where no title of the journal names it.
    SELECT counted.journal_id, counted.drug_id, trial_id
    FROM counted
    INNER JOIN results USING (journal_id)
    CROSS JOIN UNNEST(results.trial_ids) AS trial_id
    WHERE counted.mentions > 0
      AND results.drug_id IN (SELECT drug_id FROM asked)
      AND counted.journal_id NOT IN (
        SELECT by_title.journal_id
        FROM by_title
        WHERE by_title.mentions > 0
          AND by_title.drug_id IN (SELECT drug_id FROM asked)
      )
  ),
  via AS (
    SELECT trials.drug_id, ARRAY_AGG(DISTINCT trial_id ORDER BY trial_id) AS via_trials
    FROM trials
    INNER JOIN linking_journals USING (journal_id)
    GROUP BY trials.drug_id
  ),
  related AS (
    SELECT
      others.drug_id,
      MIN(others.drug) AS drug,
      COUNT(DISTINCT others.journal_id) AS shared,
      ARRAY_AGG(DISTINCT others.journal ORDER BY others.journal) AS journals,
      SUM(others.mentions + linking.mentions) AS mentions,
      SUM(others.retracted_mentions + linking.retracted_mentions) AS retracted_mentions,
      SUM(others.unknown_mentions + linking.unknown_mentions) AS unknown_mentions
    FROM of_reading AS others
    INNER JOIN linking_journals AS linking USING (journal_id)
    WHERE others.drug_id NOT IN (SELECT drug_id FROM asked)
    GROUP BY others.drug_id
  )
  SELECT
    related.drug_id,
    related.drug,
    related.journals,
    related.mentions,
    related.retracted_mentions,
    related.unknown_mentions,
    IFNULL(via.via_trials, []) AS via_trials,
    related.shared * every_journal.every
      / ((SELECT COUNT(*) FROM linking_journals) * journals_of_drug.other) AS lift
  FROM related
  INNER JOIN journals_of_drug USING (drug_id)
  CROSS JOIN every_journal
  LEFT JOIN via USING (drug_id)
);
