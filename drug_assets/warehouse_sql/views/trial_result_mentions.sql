-- trial_result_mentions: publications that report the results of trials whose titles name a drug.
--
-- One row per drug and publication (SPEC 6, --with-trial-results). A publication whose own title
-- names the drug is left out: it is in mentions. To count both, take the union of the two.
--
-- Parameters: none.
-- Cost: the selected columns of trial_publications, and the keys of mentions twice, whole.
-- Emulator: it does not store the descriptions.
CREATE OR REPLACE VIEW `${project}.${dataset}.trial_result_mentions` (
  drug_id OPTIONS (description = 'Drug that the titles of the trials name.'),
  drug OPTIONS (description = 'Name of the drug.'),
  source OPTIONS (description = 'Source of the publication, such as pubmed.'),
  publication_id OPTIONS (description = 'Publication that reports the results.'),
  title OPTIONS (description = 'Title of the publication.'),
  journal_id OPTIONS (description = 'Identity of its journal; NULL if unknown.'),
  journal OPTIONS (description = 'Its journal; NULL if unknown.'),
  date OPTIONS (description = 'First day of what is known of its date; NULL if unknown.'),
  date_precision OPTIONS (description = 'What of the date is known: day, month, season or year.'),
  retracted OPTIONS (description = 'Whether it was retracted; NULL if no record says.'),
  trial_ids OPTIONS (description = 'The trials whose results it reports, sorted.')
)
OPTIONS (
  description = 'Publications that report the results of trials whose titles name a drug.'
)
AS
SELECT
  of_trial.drug_id,
  MIN(of_trial.drug) AS drug,
  results.source,
  results.publication_id,
  MIN(results.title) AS title,
  MIN(results.journal_id) AS journal_id,
  MIN(results.journal) AS journal,
  MIN(results.date) AS date,
  MIN(results.date_precision) AS date_precision,
  LOGICAL_OR(results.retracted) AS retracted,
  ARRAY_AGG(DISTINCT results.trial_id ORDER BY results.trial_id) AS trial_ids
FROM `${project}.${dataset}.mentions` AS of_trial
INNER JOIN `${project}.${dataset}.trial_publications` AS results
  ON of_trial.source = results.trial_source
  AND of_trial.publication_id = results.trial_id
LEFT JOIN `${project}.${dataset}.mentions` AS own
  ON own.drug_id = of_trial.drug_id
  AND own.source = results.source
  AND own.publication_id = results.publication_id
WHERE results.kind = 'result'
  AND results.publication_in_store
  AND own.drug_id IS NULL
GROUP BY of_trial.drug_id, results.source, results.publication_id;
