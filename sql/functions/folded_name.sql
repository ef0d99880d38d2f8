-- folded_name(name): a drug's name as names are compared, without case and accents, each
-- run of white space one blank.
--
-- Parameters: name STRING. Returns STRING; NULL for NULL.
-- Cost: none of its own.
--
-- As the pipeline folds (SPEC section 2), for Latin, Greek and Cyrillic letters; but the pipeline
-- goes character for character, so that "ß" stays, and here it becomes "ss".
CREATE OR REPLACE FUNCTION `${project}.${dataset}.folded_name`(name STRING)
RETURNS STRING
AS (
  REGEXP_REPLACE(
    NORMALIZE_AND_CASEFOLD(TRIM(REGEXP_REPLACE(name, r'[\s\p{Z}]+', ' ')), NFD),
    r'[\x{0300}-\x{036F}]',
    ''
  )
);
